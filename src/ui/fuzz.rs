//! What must hold for any key name, keymap, theme, search, document and log shown? Each function checks one input.
//!
//! Deliberately elsewhere: the inputs and who runs them (`tests/fuzz`).

use std::collections::HashSet;

use serde_json::Value;

use super::{
    input::Key,
    keymap::{ACTIONS, Keymap},
    screens::detail::{
        logs::{
            buffer::LogBuffer,
            layout::{Layout, Position, Wrap},
        },
        tree::rows::{Shown, branches, find, node, rows},
    },
    search::Needle,
    theme::{Colour, GlyphSet, Theme},
};
use crate::engine::domain::{LogEntry, LogItem, LogSource, Timestamp};

/// A key's name: it prints as a name that means the same key.
pub fn key_name(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(key) = text.parse::<Key>() else { return };
    assert_eq!(key.to_string().parse(), Ok(key), "{text:?} prints as {key}");
    assert!(!key.hint().is_empty());
}

/// A keymap file: whatever it binds, the rest of the keys still work, and a hint never shows a key that does something
/// else.
pub fn keymap(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut keymap = Keymap::default();
    drop(keymap.apply(&text));
    for entry in ACTIONS {
        for key in keymap.keys(entry.scope, entry.action) {
            assert_eq!(keymap.action(&[entry.scope], key), Some(entry.action), "{} on {key}", entry.name);
        }
        if let Some(shown) = keymap.key(entry.scope, entry.action) {
            assert_eq!(keymap.action(&[entry.scope], shown), Some(entry.action), "{} is hinted {shown}", entry.name);
        }
    }
}

/// A theme file: read or refused with a sentence.
pub fn theme(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for colour in [Colour::Yes, Colour::No] {
        if let Err(why) = Theme::parse("mine", &text, colour, GlyphSet::Unicode) {
            assert!(why.starts_with("theme mine"), "{why}");
        }
    }
}

/// What is searched for on the first line, the text behind it: matches lie in order on letters' borders, and a text
/// finds itself.
pub fn search(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (wanted, text) = text.split_once('\n').unwrap_or((&text, ""));
    let needle = Needle::new(wanted);
    let mut end = 0;
    for found in needle.all(text) {
        assert!(found.start >= end && !found.is_empty(), "{found:?} behind {end}");
        assert!(text.get(found.clone()).is_some(), "{found:?} cuts a letter of {text:?}");
        end = found.end;
    }
    let doubled = format!("{text}{wanted}");
    assert!(wanted.is_empty() || needle.is_in(&doubled), "{wanted:?} is not found in {doubled:?}");
}

/// An inspected document: every row leads to its node, and nothing in it can steer a terminal.
pub fn document(input: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(input) else { return };
    let all = branches(&document);
    let shown = rows(&document, &all);
    assert!(rows(&document, &HashSet::new()).len() <= shown.len());
    for row in &shown {
        assert!(node(&document, &row.path).is_some(), "{:?} leads nowhere", row.path);
        let (Shown::Folded(text) | Shown::Text(text) | Shown::Number(text) | Shown::Word(text)) = &row.value else {
            continue;
        };
        assert!(!text.chars().chain(row.key.chars()).any(char::is_control), "{row:?}");
    }
    let everything = find(&document, &|_| true);
    assert_eq!(everything.len(), shown.len(), "a search for anything finds every row");
}

/// What a container prints, the first byte saying how wide the screen is: every byte range is on letters' borders, rows
/// cover each line once, and moving stays inside.
pub fn log_view(input: &[u8]) {
    let Some((width, output)) = input.split_first() else { return };
    let mut buffer = LogBuffer::with_limit(8 << 10);
    let entries = output.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let (bytes, partial) = match line.strip_suffix(b"\n") {
            Some(line) => (line, line.last() == Some(&b'~')),
            None => (line, true),
        };
        let source = if bytes.len() % 3 == 0 { LogSource::Stderr } else { LogSource::Stdout };
        LogItem::Entry(LogEntry { at: Timestamp::ZERO, source, bytes: bytes.to_vec(), partial })
    });
    buffer.append(entries.collect());
    for wrap in [Wrap::On, Wrap::Off] {
        let layout = Layout { buffer: &buffer, width: usize::from(*width), wrap };
        for number in buffer.range() {
            let text = &*buffer.get(number).expect("the range is kept").text;
            assert!(!text.chars().any(char::is_control), "{text:?}");
            let parts = layout.parts(text);
            let covered: String =
                parts.iter().map(|part| text.get(part.clone()).expect("parts lie on borders")).collect();
            assert_eq!(covered, text, "{parts:?}");
        }
        let bottom = layout.last_top(7);
        assert!(layout.rows_from(bottom, 7).len() <= 7);
        let top = Position { line: buffer.range().start, row: 0 };
        assert!(layout.up(bottom, usize::MAX) == top || buffer.is_empty());
        assert!(layout.down(top, 100_000, 7) <= bottom);
    }
}
