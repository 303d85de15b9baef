//! How does somebody read a log that may grow and rotate meanwhile? From any line on, never locking.
//!
//! Deliberately elsewhere: the byte format (`format`), waiting for more (`kernel::Watch`).

use std::{
    collections::VecDeque,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{
    format::{self, FrameHeader, FrameKind, count_lines, segment_path},
    segment::Segment,
    tail::{self, Beginning, End},
};
use crate::engine::domain::{Error, LogEntry, LogItem, LogOptions, LogSource, Result, Timestamp};

/// A line longer than this is delivered in pieces.
const LONGEST_LINE: usize = 64 << 10;

/// What reading one step brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogStep {
    Item(LogItem),
    /// Nothing more for now. `run_ended`: the last thing in the log is the end of a run.
    AtEnd {
        run_ended: bool,
    },
    /// Past `until`: nothing more will come.
    Finished,
}

/// Reads a log directory in order. A follower calls [`Self::next_step`] again after [`LogStep::AtEnd`];
/// without `follow` the log ends where it ended when it was opened, however fast it grows.
#[derive(Debug)]
pub struct LogReader {
    dir: PathBuf,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    segment: Option<Segment>,
    /// Where a reader that does not follow stops; `None` never.
    end: Option<End>,
    /// Lines of the log before the next frame, to count what rotation took.
    lines: u64,
    /// Bytes of the next frame that belong to lines not asked for.
    skip: usize,
    stdout: Pending,
    stderr: Pending,
    ready: VecDeque<LogItem>,
    run_ended: bool,
    finished: bool,
}

/// The beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
struct Pending {
    at: Timestamp,
    bytes: Vec<u8>,
}

impl LogReader {
    /// Opens the log in `dir` at the first line that `options` ask for. No directory is an empty log.
    pub fn open(dir: &Path, options: &LogOptions) -> Result<Self> {
        let mut reader = Self {
            dir: dir.to_owned(),
            since: options.since,
            until: options.until,
            segment: None,
            end: None,
            lines: 0,
            skip: 0,
            stdout: Pending::default(),
            stderr: Pending::default(),
            ready: VecDeque::new(),
            run_ended: false,
            finished: false,
        };
        reader.begin(options).map_err(|error| reading(dir, error))?;
        Ok(reader)
    }

    fn begin(&mut self, options: &LogOptions) -> io::Result<()> {
        let Some(end) = End::of(&self.dir)? else {
            // For a reader that does not follow, nothing will be there.
            self.finished = !options.follow;
            return Ok(());
        };
        let beginning = match options.tail {
            Some(lines) => tail::last_lines(&self.dir, lines, &end)?,
            None => None,
        };
        let last = end.sequence;
        self.end = (!options.follow).then_some(end);
        match beginning {
            Some(beginning) => self.go_to(beginning),
            // Held from now on: what rotation takes behind it is counted.
            None => self.open_segment(format::segments(&self.dir)?.first().map_or(last, |first| last.min(*first))),
        }
    }

    /// The next item, or that there is none now.
    pub fn next_step(&mut self) -> Result<LogStep> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(LogStep::Item(item));
            }
            if self.finished {
                return Ok(LogStep::Finished);
            }
            match self.next_frame().map_err(|error| reading(&self.dir, error))? {
                Some((frame, payload)) => self.take_frame(frame, &payload),
                None => {
                    self.flush_pending();
                    if self.ready.is_empty() {
                        return Ok(LogStep::AtEnd { run_ended: self.run_ended });
                    }
                }
            }
        }
    }

    fn take_frame(&mut self, frame: FrameHeader, payload: &[u8]) {
        let at = Timestamp::from_unix_nanos(i128::from(frame.at_nanos));
        let payload_from = std::mem::take(&mut self.skip).min(payload.len());
        self.run_ended = false;
        match frame.kind {
            FrameKind::Stdout | FrameKind::Stderr => {
                // Saturating: a damaged segment may claim any number of lines before it.
                self.lines = self.lines.saturating_add(count_lines(payload));
                if self.until.is_some_and(|until| at > until) {
                    self.flush_pending();
                    self.finished = true;
                    return;
                }
                if self.since.is_some_and(|since| at < since) {
                    return;
                }
                let source = if frame.kind == FrameKind::Stdout { LogSource::Stdout } else { LogSource::Stderr };
                self.take_output(source, at, payload.get(payload_from..).unwrap_or_default());
            }
            FrameKind::End => {
                self.flush_pending();
                self.run_ended = true;
            }
            FrameKind::Lost => {
                let lines = format::u64_at(payload, 0).unwrap_or(0);
                self.ready.push_back(LogItem::Missed { lines });
            }
        }
    }

    fn take_output(&mut self, source: LogSource, at: Timestamp, bytes: &[u8]) {
        let pending = match source {
            LogSource::Stdout => &mut self.stdout,
            LogSource::Stderr => &mut self.stderr,
        };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if pending.bytes.is_empty() {
                pending.at = at;
            }
            let (text, complete) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            pending.bytes.extend_from_slice(text);
            if complete || pending.bytes.len() >= LONGEST_LINE {
                let bytes = std::mem::take(&mut pending.bytes);
                self.ready.push_back(LogItem::Entry(LogEntry { at: pending.at, source, bytes, partial: !complete }));
            }
        }
    }

    fn flush_pending(&mut self) {
        for (source, pending) in [(LogSource::Stdout, &mut self.stdout), (LogSource::Stderr, &mut self.stderr)] {
            if !pending.bytes.is_empty() {
                let bytes = std::mem::take(&mut pending.bytes);
                self.ready.push_back(LogItem::Entry(LogEntry { at: pending.at, source, bytes, partial: true }));
            }
        }
    }

    /// The next whole frame of the log, moving on to later segments.
    fn next_frame(&mut self) -> io::Result<Option<(FrameHeader, Vec<u8>)>> {
        loop {
            let current = self.segment.as_ref().map(|segment| segment.sequence);
            if let Some(segment) = &mut self.segment
                && let Some(found) = segment.take_frame()?
            {
                return Ok(Some(found));
            }
            let Some(next) = self.after(current)? else { return Ok(None) };
            // The successor is known: now this one is complete, for the writer finishes a segment before it
            // starts the next.
            if let Some(segment) = &mut self.segment
                && let Some(found) = segment.take_frame()?
            {
                return Ok(Some(found));
            }
            self.open_segment(next)?;
        }
    }

    /// The first segment behind `current` that is to be read.
    fn after(&self, current: Option<u64>) -> io::Result<Option<u64>> {
        let last = self.end.as_ref().map(|end| end.sequence);
        if last.is_some() && current >= last {
            return Ok(None);
        }
        let next = format::segments(&self.dir)?.into_iter().find(|sequence| Some(*sequence) > current);
        Ok(match (next, last) {
            (Some(next), Some(last)) => Some(next.min(last)),
            (next, last) => last.or(next),
        })
    }

    fn open_segment(&mut self, sequence: u64) -> io::Result<()> {
        let (file, size) = match self.end.as_ref().filter(|end| end.sequence == sequence) {
            Some(end) => (end.file.try_clone()?, end.size),
            None => match File::open(segment_path(&self.dir, sequence)) {
                Ok(file) => (file, u64::MAX),
                // Rotated away between listing and opening: the next listing knows better.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        let segment = Segment::open(sequence, file, size)?;
        if let Some(before) = segment.lines_before {
            if self.segment.is_some() && before > self.lines {
                self.flush_pending();
                self.ready.push_back(LogItem::Missed { lines: before - self.lines });
            }
            self.lines = before;
        }
        self.segment = Some(segment);
        Ok(())
    }

    fn go_to(&mut self, beginning: Beginning) -> io::Result<()> {
        self.open_segment(beginning.sequence)?;
        let Some(segment) = &mut self.segment else { return Ok(()) }; // Rotated away: everything left is wanted.
        // Lines skipped in this segment count as seen: nothing was missed.
        while segment.position()? < beginning.offset {
            let Some((frame, payload)) = segment.take_frame()? else { break };
            if matches!(frame.kind, FrameKind::Stdout | FrameKind::Stderr) {
                self.lines = self.lines.saturating_add(count_lines(&payload));
            }
        }
        // Where damage lies in between, what was found from behind is read from there on.
        segment.continue_at(beginning.offset)?;
        self.skip = beginning.skip;
        Ok(())
    }
}

fn reading(dir: &Path, error: io::Error) -> Error {
    Error::io(format_args!("reading the log in {}", dir.display()), error)
}
