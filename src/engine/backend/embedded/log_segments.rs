//! How is a container's log kept on disk? Bounded, append-only segments that survive a torn end.
//!
//! `log/NNNNNNNNNN.seg`, one writer (the monitor), any number of readers who never lock. Rotation
//! starts a new segment and deletes the oldest; a reader that was overtaken learns how many lines it
//! missed. Deliberately elsewhere: waiting for more (`kernel::Watch`), wording and time formats.

mod format;
mod reader;
mod segment;
mod tail;
mod writer;

#[cfg(test)]
mod tests;

pub use reader::{LogReader, LogStep};
pub use writer::LogWriter;
