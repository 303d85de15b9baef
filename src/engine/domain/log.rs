//! What did a container print?
//!
//! Deliberately elsewhere: storing and finding lines (`backend`), making them safe to show (`text`).

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Which output a line came from. A container with a terminal has only `Stdout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogSource {
    Stdout,
    Stderr,
}

/// One line, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub at: Timestamp,
    pub source: LogSource,
    /// Raw bytes as printed, without the newline.
    pub bytes: Vec<u8>,
    /// The newline is missing: more of the line follows, or the container ended in mid-line.
    pub partial: bool,
}

/// What a log reader receives, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogItem {
    Entry(LogEntry),
    /// Lines that rotation or a full ring took before this reader came to them.
    Missed {
        lines: u64,
    },
}

/// Which part of the log to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Stay and deliver new lines until the container is gone or the reader leaves.
    pub follow: bool,
    /// Only the last so many lines; `None` is all.
    pub tail: Option<usize>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}
