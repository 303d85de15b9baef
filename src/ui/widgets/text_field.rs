//! How is one line of text typed, and shown when it is longer than its place?
//!
//! Deliberately elsewhere: what the text is for (dialogs, filter, search, command line).

use unicode_segmentation::UnicodeSegmentation as _;

use super::canvas::{Canvas, width_of};
use crate::{
    text::SafeText,
    ui::{
        geometry::Area,
        input::{Key, KeyCode, Modifiers},
    },
};

/// Longest text a person may type or paste into one line.
const MAX_BYTES: usize = 16 * 1024;

/// A line being edited. The position is a byte offset on a grapheme boundary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextField {
    text: String,
    at: usize,
}

/// What a key meant to somebody who types. Whoever shows the field decides about the keys that are not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    Changed,
    /// Only the position in the text, if anything.
    Moved,
    /// Enter: the text is as the person wants it.
    Submitted,
    /// Esc.
    Left,
    Next,
    Previous,
    Up,
    Down,
    PageUp,
    PageDown,
}

impl TextField {
    #[must_use]
    pub fn with(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.len() }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn set(&mut self, text: &str) {
        *self = Self::with(text);
    }

    /// The text before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// Line breaks and tabs of a paste become spaces: one line stays one line.
    pub fn insert(&mut self, text: &str) {
        let room = MAX_BYTES.saturating_sub(self.text.len());
        for letter in text.trim_end_matches(['\n', '\r']).chars().take(room) {
            let letter = if letter.is_control() { ' ' } else { letter };
            self.text.insert(self.at, letter);
            self.at += letter.len_utf8();
        }
    }

    /// Takes a key: editing as in a shell (arrows, home, end, ctrl-a e u k w), and the keys that leave the field.
    pub fn press(&mut self, key: Key) -> Typed {
        match key.code {
            KeyCode::Enter => Typed::Submitted,
            KeyCode::Esc => Typed::Left,
            KeyCode::Tab => Typed::Next,
            KeyCode::BackTab => Typed::Previous,
            KeyCode::Up => Typed::Up,
            KeyCode::Down => Typed::Down,
            KeyCode::PageUp => Typed::PageUp,
            KeyCode::PageDown => Typed::PageDown,
            KeyCode::Char(_)
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Insert
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::Function(_) => self.edit(key),
        }
    }

    fn edit(&mut self, key: Key) -> Typed {
        let before = self.text.len();
        match (key.modifiers, key.code) {
            (Modifiers::None, KeyCode::Char(letter)) => self.insert(letter.encode_utf8(&mut [0; 4])),
            (Modifiers::None, KeyCode::Backspace) | (Modifiers::Ctrl, KeyCode::Char('h')) => {
                let start = self.previous();
                self.remove(start, self.at);
            }
            (Modifiers::None, KeyCode::Delete) => self.remove(self.at, self.next()),
            (Modifiers::None, KeyCode::Left) => self.at = self.previous(),
            (Modifiers::None, KeyCode::Right) => self.at = self.next(),
            (Modifiers::None, KeyCode::Home) | (Modifiers::Ctrl, KeyCode::Char('a')) => self.at = 0,
            (Modifiers::None, KeyCode::End) | (Modifiers::Ctrl, KeyCode::Char('e')) => self.at = self.text.len(),
            (Modifiers::Ctrl, KeyCode::Char('u')) => self.remove(0, self.at),
            (Modifiers::Ctrl, KeyCode::Char('k')) => self.remove(self.at, self.text.len()),
            (Modifiers::Ctrl, KeyCode::Char('w')) => {
                let word = self.before().trim_end().rfind(' ').map_or(0, |space| space + 1);
                self.remove(word, self.at);
            }
            (Modifiers::None | Modifiers::Ctrl | Modifiers::Alt, _) => {}
        }
        if self.text.len() == before { Typed::Moved } else { Typed::Changed }
    }

    /// Shows the part around the cursor and puts the terminal's cursor there.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Area) {
        let style = canvas.theme.text;
        let room = usize::from(area.width).saturating_sub(1);
        let before = SafeText::from_untrusted(self.before());
        let mut shown: &str = &before;
        while width_of(shown) > room {
            let first = shown.graphemes(true).next().map_or(shown.len().max(1), str::len);
            shown = shown.get(first..).unwrap_or_default();
        }
        let used = canvas.put(area, shown, style);
        let after = SafeText::from_untrusted(self.text.get(self.at..).unwrap_or_default());
        canvas.put(area.split_left(used).1, &after, style);
        if !area.is_empty() {
            canvas.feedback.cursor = Some((area.x.saturating_add(used).min(area.right().saturating_sub(1)), area.y));
        }
    }

    fn remove(&mut self, start: usize, end: usize) {
        if start < end && self.text.is_char_boundary(start) && self.text.is_char_boundary(end) {
            self.text.replace_range(start..end, "");
            self.at = start;
        }
    }

    fn previous(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let after = self.text.get(self.at..).unwrap_or_default();
        self.at + after.graphemes(true).next().map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> TextField {
        let mut field = TextField::default();
        for key in keys {
            field.press(key.parse().unwrap());
        }
        field
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        assert_eq!(typed(&["a", "b", "left", "c", "end", "d"]).text(), "acbd");
        assert_eq!(typed(&["a", "b", "space", "c", "ctrl-w", "x"]).text(), "ab x");
        assert_eq!(typed(&["a", "b", "home", "delete"]).text(), "b");
        assert_eq!(typed(&["a", "b", "left", "ctrl-u"]).text(), "b");
        assert_eq!(typed(&["backspace", "left", "delete"]).text(), "");
    }

    #[test]
    fn a_paste_stays_one_line_and_bounded() {
        let mut field = TextField::default();
        field.insert("rm -f x\nrm -f y\n");
        assert_eq!(field.text(), "rm -f x rm -f y");
        field.insert(&"z".repeat(1 << 20));
        assert!(field.text().len() <= MAX_BYTES);
    }

    #[test]
    fn clusters_are_deleted_whole() {
        let mut field = TextField::with("e\u{301}日");
        field.press("backspace".parse().unwrap());
        field.press("backspace".parse().unwrap());
        assert!(field.is_empty());
    }
}
