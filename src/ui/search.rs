//! Where does a text occur? Capitals count only when the person typed one.
//!
//! Deliberately elsewhere: typing it (`ui::update`), moving between matches (the viewers).

use std::{borrow::Cow, ops::Range};

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needle {
    text: String,
    case: Case,
}

/// Which way the next match lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Back,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Case {
    #[default]
    Ignored,
    Counts,
}

impl Needle {
    #[must_use]
    pub fn new(text: &str) -> Self {
        match text.chars().any(char::is_uppercase) {
            true => Self { text: text.to_owned(), case: Case::Counts },
            // Folded as the text is: title case is neither, and would never be found.
            false => Self { text: folded(text).into_owned(), case: Case::Ignored },
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The first match at or after `from`, as bytes of `text`.
    #[must_use]
    pub fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        if self.is_empty() {
            return None;
        }
        let tail = text.get(from..)?;
        let start = match self.case {
            Case::Counts => tail.find(&self.text)?,
            Case::Ignored => folded(tail).find(&self.text)?,
        };
        Some(from + start..from + start + self.text.len())
    }

    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// Every match, first to last, not overlapping.
    pub fn all<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.find(text, from)?;
            from = found.end;
            Some(found)
        })
    }
}

/// Lower case of the same length in bytes, so that offsets stay true.
fn folded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let fold = |letter: char| {
        let mut lower = letter.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) if one.len_utf8() == letter.len_utf8() => one,
            (Some(_) | None, _) => letter,
        }
    };
    Cow::Owned(text.chars().map(fold).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_count_only_when_typed() {
        assert_eq!(Needle::new("error").find("An ERROR here", 0), Some(3..8));
        assert_eq!(Needle::new("Error").find("an error, an Error", 0), Some(13..18));
        assert_eq!(Needle::new("ärger").find("Kein ÄRGER", 0), Some(5..11));
        assert!(!Needle::new("").is_in("text"));
    }

    #[test]
    fn all_matches_are_found_in_order() {
        let needle = Needle::new("ab");
        assert_eq!(needle.all("abABxab").collect::<Vec<_>>(), [0..2, 2..4, 5..7]);
        assert_eq!(Needle::new("aa").all("aaaaa").count(), 2);
    }
}
