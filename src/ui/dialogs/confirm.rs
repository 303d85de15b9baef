//! Should this really be done? Names the object and the host; Cancel is the default.
//!
//! Keys that were pressed before the question was on the screen do not answer it.
//! Deliberately elsewhere: which actions ask (`ui::update`).

use super::{Reaction, Wish};
use crate::{
    engine::domain::Command,
    text::{SafeText, wrap},
    ui::{
        feedback::Hit,
        geometry::Area,
        input::{Key, KeyCode, Modifiers},
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
    pub lines: Vec<String>,
    pub cli: String,
    /// The word on the button that does it.
    pub verb: String,
    pub commands: Vec<Command>,
    pub button: Button,
    /// Frames drawn when it was opened: the question is visible from the next one on.
    pub opened_at: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Button {
    #[default]
    Cancel,
    Do,
}

impl State {
    pub fn key(&mut self, key: Key, frame: u64) -> Reaction {
        if frame <= self.opened_at {
            return Reaction::Stay;
        }
        if key.modifiers != Modifiers::None {
            return Reaction::Stay;
        }
        match key.code {
            KeyCode::Esc | KeyCode::Char('n' | 'q') => Reaction::Close,
            KeyCode::Char('y') => self.act(),
            KeyCode::Tab | KeyCode::BackTab => {
                self.button = match self.button {
                    Button::Cancel => Button::Do,
                    Button::Do => Button::Cancel,
                };
                Reaction::Stay
            }
            KeyCode::Left | KeyCode::Char('h') => {
                self.button = Button::Cancel;
                Reaction::Stay
            }
            KeyCode::Right | KeyCode::Char('l') => {
                self.button = Button::Do;
                Reaction::Stay
            }
            KeyCode::Enter => match self.button {
                Button::Cancel => Reaction::Close,
                Button::Do => self.act(),
            },
            KeyCode::Char(_)
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown
            | KeyCode::Function(_) => Reaction::Stay,
        }
    }

    pub fn click(&mut self, item: usize, frame: u64) -> Reaction {
        match item {
            _ if frame <= self.opened_at => Reaction::Stay,
            0 => Reaction::Close,
            _ => self.act(),
        }
    }

    fn act(&self) -> Reaction {
        Reaction::Want(self.commands.iter().cloned().map(Wish::Submit).collect())
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let cli = SafeText::from_untrusted(&self.cli);
        let buttons = width_of(&self.verb) + 24;
        let widest = self.lines.iter().chain([&self.title]).map(|line| width_of(line)).max().unwrap_or(0);
        let most = usize::from(canvas.area().width.saturating_sub(6)).clamp(1, 72);
        let width = widest.max(cli.width()).max(buttons).max(36).min(most);
        let text: Vec<String> = self.lines.iter().flat_map(|line| wrap(line, width)).collect();
        let cli = wrap(&cli, width);
        let rows = u16::try_from(text.len() + cli.len() + 3).unwrap_or(u16::MAX);
        let width = u16::try_from(width + 2).unwrap_or(u16::MAX);
        let inner = dialog_box::draw(canvas, &self.title, width, rows, theme.bad).inset(1, 0);
        // Whatever does not fit, the buttons do.
        let (body, row) = inner.split_bottom(1);
        let is_whole = inner.height >= rows;
        let said = text.iter().map(|line| (line, theme.text));
        let blank = String::new();
        let lines = said.chain(is_whole.then_some((&blank, theme.dim))).chain(cli.iter().map(|line| (line, theme.dim)));
        for (row, (line, style)) in (0..body.height).zip(lines) {
            put_cut(canvas, body.row(row), line, style);
        }
        let (cancel, act) = match self.button {
            Button::Cancel => (theme.selected, theme.text),
            Button::Do => (theme.text, theme.selected),
        };
        let doing = format!(" {} ", self.verb);
        let total = u16::try_from(" Cancel ".len() + 3 + width_of(&doing)).unwrap_or(row.width).min(row.width);
        let place = Area { x: row.right() - total, width: total, ..row };
        canvas.pen(place).button(" Cancel ", cancel, Hit::DialogItem(0)).gap(3).button(&doing, act, Hit::DialogItem(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> State {
        State {
            title: "remove web?".to_owned(),
            lines: Vec::new(),
            cli: String::new(),
            verb: "Remove".to_owned(),
            commands: vec![Command::PruneContainers],
            button: Button::Cancel,
            opened_at: 7,
        }
    }

    fn press(state: &mut State, key: &str, frame: u64) -> Reaction {
        state.key(key.parse().unwrap(), frame)
    }

    #[test]
    fn enter_alone_never_destroys() {
        assert_eq!(press(&mut question(), "enter", 8), Reaction::Close);
    }

    #[test]
    fn the_other_button_does_it() {
        let mut state = question();
        assert_eq!(press(&mut state, "tab", 8), Reaction::Stay);
        assert_eq!(press(&mut state, "enter", 8), Reaction::Want(vec![Wish::Submit(Command::PruneContainers)]));
        assert!(matches!(press(&mut question(), "y", 8), Reaction::Want(_)));
    }

    #[test]
    fn keys_typed_before_it_was_drawn_do_not_answer() {
        let mut state = question();
        for key in ["tab", "enter", "y", "right"] {
            assert_eq!(press(&mut state, key, 7), Reaction::Stay);
        }
        assert_eq!(state.button, Button::Cancel);
        assert_eq!(state.click(1, 7), Reaction::Stay);
    }
}
