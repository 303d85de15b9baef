//! Which part of which line is in which row of the screen?
//!
//! Only the rows on the screen are ever laid out, so a long log costs no more than a short one.
//! Deliberately elsewhere: drawing them (`view`), moving (`update`).

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::buffer::LogBuffer;

/// What happens to lines that are wider than the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrap {
    #[default]
    On,
    Off,
}

/// A row of the log: a line and which of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u64,
    pub row: usize,
}

/// One row on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub position: Position,
    /// The bytes of the line's text in this row.
    pub part: Range<usize>,
}

/// How the log is laid out now.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    pub buffer: &'a LogBuffer,
    /// Columns for text.
    pub width: usize,
    pub wrap: Wrap,
}

impl Layout<'_> {
    /// The byte ranges of a line's rows; an empty line has one empty row.
    #[must_use]
    pub fn parts(&self, text: &str) -> Vec<Range<usize>> {
        let width = self.width.max(1);
        match self.wrap {
            Wrap::Off => std::iter::once(0..text.len()).collect(),
            Wrap::On if text.len() <= width => std::iter::once(0..text.len()).collect(),
            Wrap::On if text.is_ascii() => {
                (0..text.len()).step_by(width).map(|start| start..(start + width).min(text.len())).collect()
            }
            Wrap::On => wrap_graphemes(text, width),
        }
    }

    /// As many rows as fit from `top` on.
    #[must_use]
    pub fn rows_from(&self, top: Position, count: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(count);
        let kept = self.buffer.range();
        let mut position = if top.line < kept.start { Position { line: kept.start, row: 0 } } else { top };
        while rows.len() < count && position.line < kept.end {
            let Some(line) = self.buffer.get(position.line) else { break };
            let parts = self.parts(&line.text).into_iter().enumerate().skip(position.row);
            let line_number = position.line;
            let wanted = count - rows.len();
            rows.extend(
                parts.take(wanted).map(|(row, part)| Row { position: Position { line: line_number, row }, part }),
            );
            position = Position { line: line_number + 1, row: 0 };
        }
        rows
    }

    /// The row that is `rows` rows above `from`, or the first one.
    #[must_use]
    pub fn up(&self, from: Position, rows: usize) -> Position {
        let kept = self.buffer.range();
        let mut left = rows;
        let mut position = from;
        loop {
            if position.line < kept.start {
                return Position { line: kept.start, row: 0 };
            }
            if position.row >= left {
                return Position { row: position.row - left, ..position };
            }
            left -= position.row;
            if position.line == kept.start {
                return Position { line: kept.start, row: 0 };
            }
            // Onto the last row of the line above.
            position = Position { line: position.line - 1, row: self.rows_of(position.line - 1) - 1 };
            left -= 1;
        }
    }

    /// The row that is `rows` rows below `from`, or the last top that still fills the screen.
    #[must_use]
    pub fn down(&self, from: Position, rows: usize, screen: usize) -> Position {
        let kept = self.buffer.range();
        let last = self.last_top(screen);
        let mut left = rows;
        let mut position = if from.line < kept.start { Position { line: kept.start, row: 0 } } else { from };
        while left > 0 && position < last {
            let below = self.rows_of(position.line).saturating_sub(position.row + 1);
            if below >= left {
                position.row += left;
                break;
            }
            left -= below + 1;
            position = Position { line: position.line + 1, row: 0 };
        }
        position.min(last)
    }

    /// The top row that shows the end of the log in the last row of the screen.
    #[must_use]
    pub fn last_top(&self, screen: usize) -> Position {
        let kept = self.buffer.range();
        if kept.is_empty() {
            return Position { line: kept.start, row: 0 };
        }
        let line = kept.end - 1;
        let end = Position { line, row: self.rows_of(line) - 1 };
        self.up(end, screen.saturating_sub(1))
    }

    fn rows_of(&self, line: u64) -> usize {
        self.buffer.get(line).map_or(1, |line| match self.wrap {
            Wrap::Off => 1,
            Wrap::On if line.text.is_ascii() => line.text.len().div_ceil(self.width.max(1)).max(1),
            Wrap::On => self.parts(&line.text).len(),
        })
    }
}

fn wrap_graphemes(text: &str, width: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        let columns = grapheme.width();
        if used + columns > width && at > start {
            parts.push(start..at);
            (start, used) = (at, 0);
        }
        used += columns;
    }
    parts.push(start..text.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::{LogEntry, LogItem, LogSource, Timestamp};

    fn buffer(lines: &[&str]) -> LogBuffer {
        let mut buffer = LogBuffer::default();
        let entry = |line: &&str| LogEntry {
            at: Timestamp::from_unix_seconds(0),
            source: LogSource::Stdout,
            bytes: line.as_bytes().to_vec(),
            partial: false,
        };
        buffer.append(lines.iter().map(entry).map(LogItem::Entry).collect());
        buffer
    }

    fn at(line: u64, row: usize) -> Position {
        Position { line, row }
    }

    #[test]
    fn wrapping_keeps_wide_characters_whole() {
        let buffer = buffer(&["日本語テキスト", "abcdef", ""]);
        let layout = Layout { buffer: &buffer, width: 5, wrap: Wrap::On };
        assert_eq!(layout.parts("日本語テ"), [0..6, 6..12]);
        assert_eq!(layout.rows_from(at(0, 0), 10).len(), 4 + 2 + 1);
    }

    #[test]
    fn up_and_down_walk_over_wrapped_rows_and_stop_at_the_ends() {
        let buffer = buffer(&["aaaaabbbbbcc", "d", "eeeeeff"]);
        let layout = Layout { buffer: &buffer, width: 5, wrap: Wrap::On };
        // Rows: 0.0 0.1 0.2 1.0 2.0 2.1
        assert_eq!(layout.last_top(3), at(1, 0));
        assert_eq!(layout.up(at(2, 1), 2), at(1, 0));
        assert_eq!(layout.up(at(2, 1), 4), at(0, 1));
        assert_eq!(layout.up(at(2, 1), 99), at(0, 0));
        assert_eq!(layout.down(at(0, 0), 1, 3), at(0, 1));
        assert_eq!(layout.down(at(0, 1), 2, 3), at(1, 0));
        assert_eq!(layout.down(at(0, 0), 99, 3), at(1, 0));
        assert_eq!(layout.down(at(0, 0), 99, 100), at(0, 0));
    }

    #[test]
    fn an_empty_log_and_a_screen_without_columns_do_no_harm() {
        let empty = LogBuffer::default();
        let layout = Layout { buffer: &empty, width: 0, wrap: Wrap::On };
        assert_eq!(layout.last_top(5), at(0, 0));
        assert_eq!(layout.down(at(0, 0), 5, 5), at(0, 0));
        let one = buffer(&["abc"]);
        let layout = Layout { buffer: &one, width: 0, wrap: Wrap::On };
        assert_eq!(layout.rows_from(at(0, 0), 9).len(), 3);
    }
}
