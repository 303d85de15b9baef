//! Which keys are there? Every binding in force, by scope, with the command line it stands for.
//!
//! Deliberately elsewhere: the table (`keymap`); the short hints of the moment (`ui::update::offer`).

use super::{Reaction, scroll};
use crate::text::wrap;
use crate::ui::{
    feedback::{Extent, Feedback},
    input::{Key, KeyCode},
    keymap::{ACTIONS, Keymap, Scope},
    widgets::{Canvas, dialog_box},
};

const WIDTH: u16 = 93;
const KEYS: u16 = 18;
const HELP: u16 = 48;
/// The longest command line of the table.
const COMMAND: u16 = 22;
/// With less room beside the keys, what they do is written below them.
const LEAST_BESIDE: u16 = 24;
/// How far it is moved in there.
const BELOW: u16 = 3;
/// A blank row and what the keys do here.
const FOOT: u16 = 2;
/// Below this height every row is needed for the keys.
const LOW: u16 = 14;

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

/// Where what a key does is written, and in how many columns.
#[derive(Clone, Copy, Debug)]
enum Sides {
    Beside(u16),
    Below(u16),
}

#[derive(Debug)]
enum Row<'a> {
    Section(&'static str),
    Binding { keys: &'a str, help: String, cli: &'static str },
    Keys(&'a str),
    Help(String),
    Blank,
}

impl State {
    /// The sections in force where the person is come first.
    #[must_use]
    pub fn new(keymap: &Keymap, here: &[Scope]) -> Self {
        let mut lines = Vec::new();
        let mut here = here.to_vec();
        // The keys of the thing itself before those of any list.
        here.sort_by_key(|scope| match scope {
            Scope::Container | Scope::Logs | Scope::Tree | Scope::Images | Scope::Operations => 0,
            Scope::ContainerList => 1,
            Scope::List | Scope::Viewer | Scope::Global => 2,
        });
        let elsewhere = Scope::ALL.into_iter().filter(|scope| !here.contains(scope));
        for scope in here.iter().copied().chain(elsewhere) {
            lines.push(Line::Section(match scope {
                Scope::List => "in every list",
                Scope::ContainerList => "in the list of containers",
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
        if matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | '?')) {
            return Reaction::Close;
        }
        self.first = scroll::first_after(key, self.first, feedback.dialog);
        Reaction::Stay
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let screen = canvas.area();
        let width = screen.width.saturating_sub(6).min(WIDTH - 2);
        let beside = width.saturating_sub(1 + KEYS + 1);
        // A command line that would be cut to a word or two says nothing.
        let with_cli = beside >= HELP + 1 + COMMAND;
        let help_width = if with_cli { HELP } else { beside };
        let rows = self.rows(if beside >= LEAST_BESIDE { Sides::Beside(help_width) } else { Sides::Below(width) });
        let foot = if screen.height < LOW { 1 } else { FOOT };
        let most = screen.height.saturating_sub(2 + foot).max(1);
        let shown = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(most);
        let inner = dialog_box::draw(canvas, "keys", WIDTH, shown + foot, theme.rule).inset(1, 0);
        let (body, foot) = inner.split_bottom(foot);
        // The screen may have grown since the last key.
        let first = self.first.min(rows.len().saturating_sub(usize::from(body.height)));
        let extent = Extent { rows: body.height, first, total: rows.len() };
        canvas.feedback.dialog = extent;
        for (row, line) in (0..body.height).zip(rows.iter().skip(first)) {
            let mut pen = canvas.pen(body.row(row));
            match line {
                Row::Blank => {}
                Row::Section(title) => {
                    pen.put(title, theme.accent);
                }
                Row::Keys(keys) => {
                    pen.gap(1).put(keys, theme.key);
                }
                Row::Help(help) => {
                    pen.gap(BELOW).put(help, theme.text);
                }
                Row::Binding { keys, help, cli } => {
                    pen.gap(1).column(KEYS, keys, theme.key).gap(1).column(help_width, help, theme.text);
                    if with_cli {
                        pen.gap(1).put(cli, theme.dim);
                    }
                }
            }
        }
        scroll::draw_foot(canvas, foot.row(foot.height.saturating_sub(1)), extent, &[("esc", "closes")]);
    }

    /// The lines in so many columns: help that is too long goes on in the next row.
    fn rows(&self, sides: Sides) -> Vec<Row<'_>> {
        let mut rows = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            match (line, sides) {
                (Line::Blank, _) => rows.push(Row::Blank),
                (Line::Section(title), _) => rows.push(Row::Section(title)),
                (Line::Binding { keys, help, cli }, Sides::Beside(width)) => {
                    let parts = wrap(help, usize::from(width)).into_iter().enumerate();
                    rows.extend(parts.map(|(index, help)| match index {
                        0 => Row::Binding { keys, help, cli },
                        _ => Row::Binding { keys: "", help, cli: "" },
                    }));
                }
                (Line::Binding { keys, help, .. }, Sides::Below(width)) => {
                    rows.push(Row::Keys(keys));
                    rows.extend(wrap(help, usize::from(width.saturating_sub(BELOW))).into_iter().map(Row::Help));
                }
            }
        }
        rows
    }
}
