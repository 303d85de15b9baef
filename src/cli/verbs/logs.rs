//! What does `logs` print? Bytes as they were into a pipe; made safe on a terminal.
//!
//! Deliberately elsewhere: finding the lines (each backend).

use tokio::sync::mpsc;

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::Format,
        json::LogRow,
        printer::{Channel, Printer},
    },
    engine::{
        domain::{ContainerSelector, LogEntry, LogItem, LogOptions, LogSource},
        limits,
    },
    text::SafeText,
};

/// Tabs of foreign text on a terminal.
const TAB_WIDTH: usize = 8;

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub timestamps: bool,
    /// As they are, even on a terminal.
    pub raw: bool,
}

/// Prints the log of one container.
pub async fn perform(work: &mut Work<'_>, name: &str, options: LogOptions, look: Look) -> Exit {
    let container = match work.engine.find_container(&ContainerSelector::from(name)).await {
        Ok(container) => container,
        Err(error) => return work.failed(name, &error),
    };
    let (items, mut received) = mpsc::channel(limits::LOG_BATCHES);
    let mut lines = Lines { look, in_line: false };
    let reading = work.engine.logs(&container.id, options, items);
    tokio::pin!(reading);
    let mut ended = None;
    loop {
        tokio::select! {
            biased;
            batch = received.recv() => match batch {
                Some(batch) => {
                    for item in &batch {
                        lines.print(work.printer, item);
                    }
                    if received.is_empty() {
                        work.printer.flush();
                    }
                    if work.printer.is_gone() {
                        return Exit::BROKEN_PIPE;
                    }
                }
                None => break,
            },
            result = &mut reading, if ended.is_none() => ended = Some(result),
        }
    }
    match ended {
        Some(Err(error)) => work.failed(name, &error),
        Some(Ok(())) | None => Exit::DONE,
    }
}

struct Lines {
    look: Look,
    /// The last entry had no newline: the next one goes on in its line.
    in_line: bool,
}

impl Lines {
    fn print(&mut self, printer: &mut Printer, item: &LogItem) {
        match item {
            LogItem::Missed { lines } => {
                printer.warning(&format!("{lines} lines are not there any more: the log is bounded"));
                self.in_line = false;
            }
            LogItem::Entry(entry) if printer.format == Format::Json => printer.json(&LogRow::from(entry)),
            LogItem::Entry(entry) => self.entry(printer, entry),
        }
    }

    fn entry(&mut self, printer: &mut Printer, entry: &LogEntry) {
        let mut line = Vec::with_capacity(entry.bytes.len() + 40);
        if self.look.timestamps && !self.in_line {
            line.extend_from_slice(entry.at.rfc3339_fixed().as_bytes());
            line.push(b' ');
        }
        if printer.out_is_terminal() && !self.look.raw {
            line.extend_from_slice(SafeText::log_line(&entry.bytes, TAB_WIDTH).as_bytes());
        } else {
            line.extend_from_slice(&entry.bytes);
        }
        if !entry.partial {
            line.push(b'\n');
        }
        self.in_line = entry.partial;
        let channel = match entry.source {
            LogSource::Stdout => Channel::Out,
            LogSource::Stderr => Channel::Err,
        };
        printer.bytes(channel, &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::Timestamp;

    fn printed(entries: &[(&str, bool)], look: Look) -> String {
        let mut printer = Printer::capturing(Format::Table);
        let mut lines = Lines { look, in_line: false };
        for (text, partial) in entries {
            let entry = LogEntry {
                at: Timestamp::from_unix_seconds(0),
                source: LogSource::Stdout,
                bytes: text.as_bytes().to_vec(),
                partial: *partial,
            };
            lines.print(&mut printer, &LogItem::Entry(entry));
        }
        String::from_utf8(printer.into_captured().out).unwrap()
    }

    #[test]
    fn pieces_of_one_line_join_and_have_one_time() {
        let look = Look { timestamps: true, raw: false };
        let text = printed(&[("a", true), ("b", false), ("c", false)], look);
        assert_eq!(text, "1970-01-01T00:00:00.000000000Z ab\n1970-01-01T00:00:00.000000000Z c\n");
    }

    #[test]
    fn a_pipe_gets_the_bytes_as_they_were() {
        assert_eq!(printed(&[("\x1b[31mred", false)], Look { timestamps: false, raw: false }), "\x1b[31mred\n");
    }
}
