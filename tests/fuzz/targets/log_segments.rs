//! What must hold for a container's log, whatever it prints and whatever became of its files?
//!
//! Deliberately elsewhere: a daemon's log (`docker::fuzz`), showing it (`ui::fuzz`).

use std::{fs, path::Path};

use wharf::engine::{
    backend::embedded::{
        launch::LogLimits,
        log_segments::{LogReader, LogStep, LogWriter},
    },
    domain::{LogEntry, LogItem, LogOptions, LogSource, Timestamp},
};

use super::store_files::scratch;

/// Each `WLOG` begins a segment.
const BEGIN: &[u8] = b"WLOG";
const LIMITS: LogLimits = LogLimits { segment_bytes: 4096, segments: 1000 };

/// Files of a log as something left them: reading ends, gives no more than is there, and the next monitor goes on.
pub fn segment(input: &[u8]) {
    scratch(|folder| {
        for (number, part) in (1..).zip(segments(input)) {
            fs::write(folder.join(format!("{number:010}.seg")), part).unwrap();
        }
        let held = |items: &[LogItem]| {
            items.iter().map(|item| entry(item).map_or(0, |entry| entry.bytes.len())).sum::<usize>()
        };
        for tail in [None, Some(0), Some(1), Some(3), Some(usize::MAX)] {
            let items = read(folder, tail);
            assert!(held(&items) <= input.len(), "more came out than is in there");
        }
        let mut writer = LogWriter::open(folder, &LIMITS).unwrap();
        writer.append(Timestamp::from_unix_seconds(7), LogSource::Stdout, b"after\n");
        writer.end(Timestamp::from_unix_seconds(8));
        drop(writer);
        for tail in [None, Some(1)] {
            let items = read(folder, tail);
            // Behind it there may be what the other stream has left unfinished.
            let is_there =
                items.iter().filter_map(entry).any(|entry| entry.bytes.ends_with(b"after") && !entry.partial);
            assert!(is_there, "{tail:?}: {items:?}");
        }
    });
}

fn segments(input: &[u8]) -> Vec<&[u8]> {
    let begins = input.windows(BEGIN.len()).enumerate().filter(|(_, window)| *window == BEGIN).map(|(at, _)| at);
    let mut begins: Vec<usize> = begins.filter(|at| *at > 0).take(6).collect();
    begins.insert(0, 0);
    begins.push(input.len());
    begins.windows(2).map(|ends| &input[ends[0]..ends[1]]).collect()
}

/// What a container prints, read in pieces whose size the first byte says: every byte comes back in order, and the
/// last lines are the last lines.
pub fn lines(input: &[u8]) {
    let Some((size, text)) = input.split_first() else { return };
    let size = usize::from(*size).max(1);
    scratch(|folder| {
        let mut writer = LogWriter::open(folder, &LIMITS).unwrap();
        for (second, piece) in (0..).zip(text.chunks(size)) {
            writer.append(Timestamp::from_unix_seconds(second), LogSource::Stdout, piece);
        }
        let all = read(folder, None);
        let joined: Vec<u8> = all.iter().filter_map(entry).flat_map(whole).collect();
        assert_eq!(joined, text, "in pieces of {size}");
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        for tail in [0, 1, 2, 5] {
            let last: Vec<u8> = read(folder, Some(tail)).iter().filter_map(entry).flat_map(whole).collect();
            assert_eq!(last, lines[lines.len().saturating_sub(tail)..].concat(), "the last {tail} lines");
        }
    });
    scratch(|folder| {
        let source = |at: usize| if at.is_multiple_of(2) { LogSource::Stdout } else { LogSource::Stderr };
        let mut writer = LogWriter::open(folder, &LIMITS).unwrap();
        for (at, piece) in text.chunks(size).enumerate() {
            writer.append(Timestamp::from_unix_seconds(1), source(at), piece);
        }
        let all = read(folder, None);
        for wanted in [LogSource::Stdout, LogSource::Stderr] {
            let put: Vec<u8> = text
                .chunks(size)
                .enumerate()
                .filter(|(at, _)| source(*at) == wanted)
                .flat_map(|(_, piece)| piece)
                .copied()
                .collect();
            let got: Vec<u8> =
                all.iter().filter_map(entry).filter(|entry| entry.source == wanted).flat_map(whole).collect();
            assert_eq!(got, put, "{wanted:?} in pieces of {size}");
        }
    });
}

fn read(folder: &Path, tail: Option<usize>) -> Vec<LogItem> {
    let mut reader = LogReader::open(folder, &LogOptions { tail, ..LogOptions::default() }).unwrap();
    let mut items = Vec::new();
    while let LogStep::Item(item) = reader.next_step().unwrap() {
        items.push(item);
    }
    items
}

fn entry(item: &LogItem) -> Option<&LogEntry> {
    match item {
        LogItem::Entry(entry) => Some(entry),
        LogItem::Missed { .. } => None,
    }
}

/// Its bytes with the line's end, if it has one.
fn whole(entry: &LogEntry) -> Vec<u8> {
    let mut bytes = entry.bytes.clone();
    if !entry.partial {
        bytes.push(b'\n');
    }
    bytes
}
