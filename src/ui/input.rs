//! What did the person at the terminal do? Keys, mouse, paste and size as our own values.
//!
//! Deliberately elsewhere: reading the bytes (`terminal_input`), what a key means (`keymap`).

use std::{fmt, str::FromStr};

use super::geometry::Size;

/// Anything the terminal reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    Key(Key),
    Mouse(Mouse),
    Paste(String),
    Resize(Size),
}

/// One key press with its modifiers. Shift is part of the character, and of [`KeyCode::BackTab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: KeyCode,
    pub modifiers: Modifiers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Modifiers {
    #[default]
    None,
    Ctrl,
    Alt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Function(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    pub x: u16,
    pub y: u16,
    pub kind: MouseKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    Press,
    ScrollUp,
    ScrollDown,
}

const NAMES: [(&str, KeyCode); 17] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
    ("comma", KeyCode::Char(',')),
];

impl Key {
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: Modifiers::None }
    }

    #[must_use]
    pub const fn char(letter: char) -> Self {
        Self::plain(KeyCode::Char(letter))
    }

    #[must_use]
    pub const fn ctrl(letter: char) -> Self {
        Self { code: KeyCode::Char(letter), modifiers: Modifiers::Ctrl }
    }

    /// How hints show it: short, `^d` rather than `ctrl-d`.
    #[must_use]
    pub fn hint(self) -> String {
        let full = self.to_string();
        match (self.modifiers, self.code) {
            (Modifiers::Ctrl, _) => full.replacen("ctrl-", "^", 1),
            (Modifiers::None, KeyCode::Char(letter)) if letter != ' ' => letter.to_string(),
            (Modifiers::None | Modifiers::Alt, _) => full,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.modifiers {
            Modifiers::None => {}
            Modifiers::Ctrl => f.write_str("ctrl-")?,
            Modifiers::Alt => f.write_str("alt-")?,
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        if let KeyCode::Char(letter) = self.code {
            return write!(f, "{letter}");
        }
        if let KeyCode::Function(number) = self.code {
            return write!(f, "f{number}");
        }
        Ok(())
    }
}

impl FromStr for Key {
    type Err = String;

    /// Reads `ctrl-d`, `shift-tab`, `f5`, `space`, `N`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (modifiers, name) = match text.split_once('-') {
            Some(("ctrl", rest)) if !rest.is_empty() => (Modifiers::Ctrl, rest),
            Some(("alt", rest)) if !rest.is_empty() => (Modifiers::Alt, rest),
            Some(_) | None => (Modifiers::None, text),
        };
        if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(Self { code: *code, modifiers });
        }
        let mut letters = name.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => return Ok(Self { code: KeyCode::Char(letter), modifiers }),
            (Some('f'), Some(_)) => {
                if let Some(number) =
                    name.get(1..).and_then(|digits| digits.parse().ok()).filter(|n| (1..=12).contains(n))
                {
                    return Ok(Self { code: KeyCode::Function(number), modifiers });
                }
            }
            (Some(_) | None, _) => {}
        }
        Err(format!("{text} is not a key; keys look like s, ctrl-d, space, f5 or shift-tab"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_as_they_are_written() {
        for text in ["s", "N", "ctrl-d", "alt-x", "space", "f5", "f12", "shift-tab", "enter", "?", "/", "-", "+"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "ctrl-", "f13", "meta-x", "enterr"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn hints_are_short() {
        assert_eq!(Key::ctrl('d').hint(), "^d");
        assert_eq!(Key::char(' ').hint(), "space");
        assert_eq!(Key::char('N').hint(), "N");
    }
}
