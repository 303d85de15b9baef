//! What does a person need to know? A sentence, what to do about it, the command it was about.
//!
//! Deliberately elsewhere: transient notices (`state::Notice`).

use super::{Reaction, Wish};
use crate::{
    engine::domain::Error,
    text::{SafeText, escape_for_terminal},
    ui::{
        feedback::Hit,
        input::{Key, KeyCode},
        widgets::{
            Canvas,
            canvas::{put_cut, width_of},
            dialog_box,
        },
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
        }
    }

    /// Text of several lines, such as help.
    #[must_use]
    pub fn note(title: &str, text: &str) -> Self {
        let lines = escape_for_terminal(text).lines().map(str::to_owned).collect();
        Self { title: title.to_owned(), lines, remedy: None, cli: None, gravity: Gravity::Note }
    }

    pub fn key(&mut self, key: Key) -> Reaction {
        if matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | ' ')) {
            return Reaction::Close;
        }
        let cli = self.cli.as_ref().filter(|_| key.code == KeyCode::Char('Y'));
        cli.map_or(Reaction::Stay, |cli| Reaction::Want(vec![Wish::Copy(cli.clone())]))
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let screen = canvas.area();
        let remedy = self.remedy.as_ref().map(|text| format!("→ {text}"));
        let parts = self.lines.iter().chain(&remedy).chain(&self.cli);
        let widest = parts.map(|line| width_of(line)).max().unwrap_or(0);
        let most = usize::from(screen.width.saturating_sub(8)).max(20);
        let least = if self.cli.is_some() { 40 } else { 30 };
        let width = widest.clamp(least.min(most), most.min(84));
        let text: Vec<String> = self.lines.iter().flat_map(|line| wrap(line, width)).collect();
        let remedy: Vec<String> = remedy.iter().flat_map(|line| wrap(line, width)).collect();
        let mut rows = text.len();
        rows += if remedy.is_empty() { 0 } else { remedy.len() + 1 };
        rows += if self.cli.is_some() { 2 } else { 0 };
        rows += 2;
        let border = match self.gravity {
            Gravity::Note => theme.rule,
            Gravity::Failure => theme.bad,
        };
        let (width, rows) = (u16::try_from(width + 2).unwrap_or(80), u16::try_from(rows).unwrap_or(u16::MAX));
        let inner = dialog_box::draw(canvas, &self.title, width, rows, border).inset(1, 0);
        canvas.hit(inner, Hit::Dialog);
        let mut row = 0;
        for line in &text {
            canvas.put(inner.row(row), line, theme.text);
            row += 1;
        }
        if !remedy.is_empty() {
            row += 1;
            for line in &remedy {
                canvas.put(inner.row(row), line, theme.good);
                row += 1;
            }
        }
        if let Some(cli) = &self.cli {
            put_cut(canvas, inner.row(row + 1), &SafeText::from_untrusted(cli), theme.dim);
            row += 2;
        }
        let mut pen = canvas.pen(inner.row(row + 1));
        pen.put("esc", theme.key).put(" closes", theme.dim);
        if self.cli.is_some() {
            pen.gap(3).put("Y", theme.key).put(" copies the command", theme.dim);
        }
    }
}

/// Breaks a sentence at blanks; a word longer than a line is broken where it must be.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = SafeText::from_untrusted(word);
        if used > 0 && used + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while word.width() > width && width > 1 {
            let head: String = word
                .chars()
                .scan(0, |columns, letter| {
                    *columns += width_of(letter.encode_utf8(&mut [0; 4]));
                    (*columns <= width).then_some(letter)
                })
                .collect();
            if head.is_empty() {
                break;
            }
            let rest = word.get(head.len()..).unwrap_or_default().to_owned();
            lines.push(head);
            word = SafeText::from(rest);
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += word.width();
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::{ErrorKind, Verb};

    #[test]
    fn sentences_break_at_blanks_and_long_words_where_they_must() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
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
