//! Which keys are there? Every binding in force, by scope, with the command line it stands for.
//!
//! Deliberately elsewhere: the table (`keymap`); the short hints of the moment (`ui::update::offer`).

use super::Reaction;
use crate::ui::{
    feedback::{Extent, Feedback},
    input::{Key, KeyCode, Modifiers},
    keymap::{ACTIONS, Keymap, Scope},
    widgets::{Canvas, dialog_box},
};

const WIDTH: u16 = 92;
const KEYS: u16 = 18;
const HELP: u16 = 48;
/// The longest command line of the table.
const COMMAND: u16 = 21;
/// A blank row and what the keys do here.
const FOOT: u16 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    lines: Vec<Line>,
    first: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Section(&'static str),
    Binding { keys: String, help: &'static str, cli: &'static str },
    Blank,
}

impl State {
    /// The sections in force where the person is come first.
    #[must_use]
    pub fn new(keymap: &Keymap, here: &[Scope]) -> Self {
        let mut lines = Vec::new();
        let mut here = here.to_vec();
        // The keys of the thing itself before those of any list.
        here.sort_by_key(|scope| matches!(scope, Scope::List | Scope::Viewer | Scope::Global));
        let elsewhere = Scope::ALL.into_iter().filter(|scope| !here.contains(scope));
        for scope in here.iter().copied().chain(elsewhere) {
            lines.push(Line::Section(match scope {
                Scope::List => "in every list",
                Scope::Container => "containers",
                Scope::Logs => "logs",
                Scope::Tree => "inspect",
                Scope::Viewer => "in everything that scrolls",
                Scope::Images => "images",
                Scope::Operations => "operations",
                Scope::Global => "everywhere",
            }));
            for entry in ACTIONS.iter().filter(|entry| entry.scope == scope) {
                let keys: Vec<String> = keymap.keys(scope, entry.action).iter().map(ToString::to_string).collect();
                if !keys.is_empty() {
                    let cli = entry.cli.unwrap_or_default();
                    lines.push(Line::Binding { keys: keys.join(" "), help: entry.help, cli });
                }
            }
            lines.push(Line::Blank);
        }
        lines.pop();
        Self { lines, first: 0 }
    }

    pub fn key(&mut self, key: Key, feedback: &Feedback) -> Reaction {
        let page = usize::from(feedback.dialog.rows).max(2) - 1;
        let last = self.lines.len().saturating_sub(page + 1);
        let control = key.modifiers == Modifiers::Ctrl;
        match key.code {
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | '?') => return Reaction::Close,
            KeyCode::Char('d') if control => self.first += page / 2,
            KeyCode::Char('u') if control => self.first = self.first.saturating_sub(page / 2),
            KeyCode::Down | KeyCode::Char('j') => self.first += 1,
            KeyCode::Up | KeyCode::Char('k') => self.first = self.first.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.first += page,
            KeyCode::PageUp => self.first = self.first.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => self.first = 0,
            KeyCode::End | KeyCode::Char('G') => self.first = last,
            KeyCode::Char(_)
            | KeyCode::Tab
            | KeyCode::BackTab
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Function(_) => {}
        }
        self.first = self.first.min(last);
        Reaction::Stay
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let screen = canvas.area();
        let most = screen.height.saturating_sub(2 + FOOT).max(1);
        let rows = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).min(most);
        let inner = dialog_box::draw(canvas, "keys", WIDTH, rows + FOOT, theme.rule).inset(1, 0);
        let (body, foot) = inner.split_bottom(FOOT);
        canvas.feedback.dialog = Extent { rows: body.height, first: self.first, total: self.lines.len() };
        // A command line that would be cut to a word or two says nothing.
        let room = body.width.saturating_sub(1 + KEYS + 1);
        let with_cli = room >= HELP + 1 + COMMAND;
        let help_width = if with_cli { HELP } else { room };
        for (row, line) in (0..body.height).zip(self.lines.iter().skip(self.first)) {
            let mut pen = canvas.pen(body.row(row));
            match line {
                Line::Blank => {}
                Line::Section(title) => {
                    pen.put(title, theme.accent);
                }
                Line::Binding { keys, help, cli } => {
                    pen.gap(1).column(KEYS, keys, theme.key).gap(1).column(help_width, help, theme.text);
                    if with_cli {
                        pen.gap(1).put(cli, theme.dim);
                    }
                }
            }
        }
        let row = foot.row(FOOT - 1);
        let mut pen = canvas.pen(row);
        pen.put("esc", theme.key).put(" closes", theme.dim);
        let shown = self.first + usize::from(body.height);
        if self.lines.len() > usize::from(body.height) {
            pen.gap(3).put("j k space", theme.key).put(" scroll", theme.dim);
            let place = format!("{} of {}", shown.min(self.lines.len()), self.lines.len());
            let rest = pen.rest();
            if usize::from(rest.width) > place.len() {
                canvas.put_right(rest, &place, theme.dim);
            }
        }
    }
}
