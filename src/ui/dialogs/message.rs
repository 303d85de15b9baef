//! What does a person need to know? A sentence, what to do about it, the command it was about.
//!
//! Deliberately elsewhere: transient notices (`state::Notice`).

use super::{Reaction, Wish, scroll};
use crate::{
    engine::domain::Error,
    text::{SafeText, escape_for_terminal, wrap},
    ui::{
        feedback::{Extent, Feedback, Hit},
        input::{Key, KeyCode},
        theme::Style,
        widgets::{Canvas, canvas::width_of, dialog_box},
    },
};

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub title: String,
    /// Safe to show.
    pub lines: Vec<String>,
    pub remedy: Option<String>,
    pub cli: Option<String>,
    pub gravity: Gravity,
    /// The first row shown, where not all of them fit.
    pub first: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    Note,
    Failure,
}

impl State {
    /// An error, whole: sentence, causes, remedy.
    #[must_use]
    pub fn of_error(title: &str, error: &Error, cli: Option<String>) -> Self {
        let mut lines = vec![SafeText::from(error.to_string()).into()];
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause.filter(|_| lines.len() < 6) {
            let text: String = SafeText::from(inner.to_string()).into();
            // Errors often repeat their cause in their own sentence.
            if !lines.iter().any(|line: &String| line.contains(&text)) {
                lines.push(format!("because: {text}"));
            }
            cause = inner.source();
        }
        let remedy = error.remedy_text().map(|text| SafeText::from_untrusted(text).into_owned().into());
        Self {
            title: SafeText::from_untrusted(title).into_owned().into(),
            lines,
            remedy,
            cli,
            gravity: Gravity::Failure,
            first: 0,
        }
    }

    /// Text of several lines, such as help.
    #[must_use]
    pub fn note(title: &str, text: &str) -> Self {
        let lines = escape_for_terminal(text).lines().map(str::to_owned).collect();
        Self { title: title.to_owned(), lines, remedy: None, cli: None, gravity: Gravity::Note, first: 0 }
    }

    pub fn key(&mut self, key: Key, feedback: &Feedback) -> Reaction {
        let drawn = feedback.dialog;
        let read = drawn.first.saturating_add(usize::from(drawn.rows)) >= drawn.total;
        match key.code {
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => return Reaction::Close,
            // As in a pager: on, and at the end out.
            KeyCode::Char(' ') if read => return Reaction::Close,
            KeyCode::Char('Y') => {
                let cli = self.cli.clone();
                return cli.map_or(Reaction::Stay, |cli| Reaction::Want(vec![Wish::Copy(cli)]));
            }
            KeyCode::Char(_)
            | KeyCode::Tab
            | KeyCode::BackTab
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown
            | KeyCode::Function(_) => {}
        }
        self.first = scroll::first_after(key, self.first, drawn);
        Reaction::Stay
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let screen = canvas.area();
        let remedy = self.remedy.as_ref().map(|text| format!("→ {text}"));
        let cli = self.cli.as_deref().map(SafeText::from_untrusted);
        let parts = self.lines.iter().chain(&remedy).map(String::as_str).chain(cli.as_deref());
        let widest = parts.map(width_of).max().unwrap_or(0);
        let most = usize::from(screen.width.saturating_sub(8)).max(20);
        let least = if cli.is_some() { 40 } else { 30 };
        let width = widest.clamp(least.min(most), most.min(84));
        let mut text: Vec<(String, Style)> = Vec::new();
        let mut add =
            |line: &str, style: Style| text.extend(wrap(line, width).into_iter().map(move |row| (row, style)));
        self.lines.iter().for_each(|line| add(line, theme.text));
        for (part, style) in [(remedy.as_deref(), theme.good), (cli.as_deref(), theme.dim)] {
            if let Some(part) = part {
                add("", style);
                add(part, style);
            }
        }
        let border = match self.gravity {
            Gravity::Note => theme.rule,
            Gravity::Failure => theme.bad,
        };
        let total = text.len();
        let (width, rows) = (u16::try_from(width + 2).unwrap_or(80), u16::try_from(total).unwrap_or(u16::MAX));
        let inner = dialog_box::draw(canvas, &self.title, width, rows.saturating_add(2), border).inset(1, 0);
        canvas.hit(inner, Hit::Dialog);
        // A blank row above the keys where there is room for it.
        let foot = if usize::from(inner.height) >= total + 2 { 2 } else { 1 };
        let (body, foot) = inner.split_bottom(foot);
        let first = self.first.min(total.saturating_sub(usize::from(body.height)));
        let extent = Extent { rows: body.height, first, total };
        canvas.feedback.dialog = extent;
        for (row, (line, style)) in (0..body.height).zip(text.iter().skip(first)) {
            canvas.put(body.row(row), line, *style);
        }
        let copies = self.cli.as_ref().map(|_| ("Y", "copies the command"));
        let keys: Vec<_> = [("esc", "closes")].into_iter().chain(copies).collect();
        scroll::draw_foot(canvas, foot.row(foot.height.saturating_sub(1)), extent, &keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::{ErrorKind, Verb};

    #[test]
    fn the_blank_scrolls_a_long_text_and_closes_one_that_was_read() {
        let mut state = State::note("help", "text");
        let drawn = |rows, first, total| Feedback { dialog: Extent { rows, first, total }, ..Feedback::default() };
        assert_eq!(state.key(Key::char(' '), &drawn(4, 0, 6)), Reaction::Stay);
        assert_eq!(state.first, 2);
        assert_eq!(state.key(Key::char(' '), &drawn(4, 2, 6)), Reaction::Close);
    }

    #[test]
    fn an_error_is_shown_whole() {
        let error =
            Error::new(ErrorKind::Unreachable, "connection refused").during(Verb::Pull).on("nginx").remedy("start it");
        let state = State::of_error("pull nginx", &error, None);
        assert_eq!(state.lines, ["cannot pull nginx: connection refused"]);
        assert_eq!(state.remedy.as_deref(), Some("start it"));
    }
}
