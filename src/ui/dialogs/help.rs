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
    #[must_use]
    pub fn new(keymap: &Keymap) -> Self {
        let mut lines = Vec::new();
        for scope in Scope::ALL {
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
        let rows = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).min(screen.height.saturating_sub(4).max(1));
        let inner = dialog_box::draw(canvas, "keys", 92, rows, theme.rule).inset(1, 0);
        canvas.feedback.dialog = Extent { rows: inner.height, first: self.first, total: self.lines.len() };
        for (row, line) in (0..inner.height).zip(self.lines.iter().skip(self.first)) {
            let mut pen = canvas.pen(inner.row(row));
            match line {
                Line::Blank => {}
                Line::Section(title) => {
                    pen.put(title, theme.accent);
                }
                Line::Binding { keys, help, cli } => {
                    pen.gap(1)
                        .column(18, keys, theme.key)
                        .gap(1)
                        .column(48, help, theme.text)
                        .gap(1)
                        .put(cli, theme.dim);
                }
            }
        }
    }
}
