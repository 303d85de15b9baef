//! Which lines of a log are kept? The newest, up to a number of bytes; what had to go is counted.
//!
//! Deliberately elsewhere: which of them are on the screen (`layout`).

use std::collections::VecDeque;

use crate::{
    engine::domain::{LogEntry, LogItem, LogSource, Timestamp},
    text::{SafeText, without_styling},
};

/// Bytes of text kept per log. A screen shows a few KiB; this is hours of a talkative service.
pub const MAX_BYTES: usize = 8 << 20;
/// Bytes kept of one line. Longer ones exist (minified JSON) and would make every wrap and search slow.
pub const MAX_LINE: usize = 32 << 10;
/// What a line costs beside its text.
const LINE_COST: usize = size_of::<Line>();
const TAB_WIDTH: usize = 8;

/// A line made safe to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub at: Timestamp,
    pub kind: LineKind,
    pub text: Box<str>,
    /// The line's end has not come yet.
    open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    Stdout,
    Stderr,
    /// Ours: lines that were lost before they came here.
    Missed,
}

/// Lines in order. Each has a number that never changes while it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct LogBuffer {
    lines: VecDeque<Line>,
    /// The number of the first line kept.
    first: u64,
    bytes: usize,
    max_bytes: usize,
}

impl Default for LogBuffer {
    fn default() -> Self {
        Self::with_limit(MAX_BYTES)
    }
}

impl LogBuffer {
    #[must_use]
    pub fn with_limit(max_bytes: usize) -> Self {
        Self { lines: VecDeque::new(), first: 0, bytes: 0, max_bytes }
    }

    /// Takes a batch; the oldest lines make room for it.
    pub fn append(&mut self, items: Vec<LogItem>) {
        for item in items {
            match item {
                LogItem::Entry(entry) => self.append_entry(&entry),
                LogItem::Missed { lines } => self.push(Line {
                    at: self.lines.back().map_or(Timestamp::ZERO, |line| line.at),
                    kind: LineKind::Missed,
                    text: format!("{lines} lines were lost before they could be shown").into(),
                    open: false,
                }),
            }
        }
        while self.bytes > self.max_bytes {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.text.len() + LINE_COST;
            self.first += 1;
        }
    }

    /// The numbers of the lines kept.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<u64> {
        self.first..self.first + self.lines.len() as u64
    }

    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Line> {
        let index = number.checked_sub(self.first)?;
        self.lines.get(usize::try_from(index).ok()?) // A larger index is of no line.
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines that had to go to keep the limit.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.first
    }

    fn append_entry(&mut self, entry: &LogEntry) {
        let kind = match entry.source {
            LogSource::Stdout => LineKind::Stdout,
            LogSource::Stderr => LineKind::Stderr,
        };
        let bytes = entry.bytes.get(..entry.bytes.len().min(MAX_LINE)).unwrap_or_default();
        let plain = without_styling(bytes);
        let text = SafeText::log_line(&plain, TAB_WIDTH);
        let cut = entry.bytes.len() > MAX_LINE;
        let continued = self.lines.back().is_some_and(|last| last.open && last.kind == kind);
        if continued {
            if let Some(last) = self.lines.back_mut() {
                if last.text.len() < MAX_LINE {
                    let joined = [&*last.text, text.as_str()].concat();
                    self.bytes += joined.len() - last.text.len();
                    last.text = joined.into();
                }
                last.open = entry.partial;
            }
            return;
        }
        let text: String = text.into();
        let text = if cut { format!("{text}… and {} bytes more", entry.bytes.len() - MAX_LINE) } else { text };
        self.push(Line { at: entry.at, kind, text: text.into(), open: entry.partial });
    }

    fn push(&mut self, line: Line) {
        if let Some(last) = self.lines.back_mut() {
            last.open = false;
        }
        self.bytes += line.text.len() + LINE_COST;
        self.lines.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> LogItem {
        part(text, false)
    }

    fn part(text: &str, partial: bool) -> LogItem {
        let (at, source) = (Timestamp::from_unix_seconds(0), LogSource::Stdout);
        LogItem::Entry(LogEntry { at, source, bytes: text.as_bytes().to_vec(), partial })
    }

    fn texts(buffer: &LogBuffer) -> Vec<String> {
        buffer.range().map(|number| buffer.get(number).unwrap().text.to_string()).collect()
    }

    #[test]
    fn the_oldest_lines_go_and_are_counted() {
        let mut buffer = LogBuffer::with_limit(10 * (LINE_COST + 10));
        for _ in 0..7 {
            buffer.append((0..5).map(|_| entry("0123456789")).collect());
        }
        assert_eq!(buffer.range(), 25..35);
        assert_eq!(buffer.dropped(), 25);
        assert!(buffer.get(24).is_none() && buffer.get(25).is_some() && buffer.get(35).is_none());
    }

    #[test]
    fn pieces_of_a_line_become_one_line() {
        let mut buffer = LogBuffer::default();
        buffer.append(vec![part("GET /", true), part("index", true), entry(".html"), entry("next")]);
        assert_eq!(texts(&buffer), ["GET /index.html", "next"]);
    }

    #[test]
    fn escapes_become_visible_and_colours_vanish() {
        let mut buffer = LogBuffer::default();
        buffer.append(vec![entry("\x1b[31mred\x1b[0m \x1b]0;owned\x07")]);
        let text = texts(&buffer).remove(0);
        assert!(text.starts_with("red ") && !text.contains('\x1b'), "{text:?}");
    }

    #[test]
    fn a_line_of_megabytes_is_cut_and_says_so() {
        let mut buffer = LogBuffer::default();
        buffer.append(vec![entry(&"x".repeat(5 << 20))]);
        let text = texts(&buffer).remove(0);
        assert!(text.len() < MAX_LINE + 100 && text.ends_with("bytes more"));
    }

    #[test]
    fn lost_lines_leave_a_mark() {
        let mut buffer = LogBuffer::default();
        buffer.append(vec![entry("a"), LogItem::Missed { lines: 12 }, entry("b")]);
        assert!(texts(&buffer)[1].starts_with("12 lines"));
    }
}
