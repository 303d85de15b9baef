//! How does somebody read a log that may grow and rotate meanwhile? From any line on, never locking.
//!
//! Deliberately elsewhere: the byte format (`format`), waiting for more (`kernel::LogWatch`).

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::format::{
    self, FRAME_HEADER, FRAME_TRAILER, FrameHeader, FrameKind, SEGMENT_HEADER, count_lines, segment_path,
};
use crate::engine::domain::{Error, LogEntry, LogItem, LogOptions, LogSource, Result, Timestamp};

/// A line longer than this is delivered in pieces.
const LONGEST_LINE: usize = 64 << 10;
const READ_AHEAD: usize = 64 << 10;

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

/// Reads a log directory in order. `follow` of the options is the caller's loop: call `next` again
/// after [`LogStep::AtEnd`].
#[derive(Debug)]
pub struct LogReader {
    dir: PathBuf,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    segment: Option<Segment>,
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

#[derive(Debug)]
struct Segment {
    sequence: u64,
    file: File,
    ahead: Vec<u8>,
    taken: usize,
}

impl LogReader {
    /// Opens the log in `dir` at the first line that `options` ask for. No directory is an empty log.
    pub fn open(dir: &Path, options: &LogOptions) -> Result<Self> {
        let mut reader = Self {
            dir: dir.to_owned(),
            since: options.since,
            until: options.until,
            segment: None,
            lines: 0,
            skip: 0,
            stdout: Pending::default(),
            stderr: Pending::default(),
            ready: VecDeque::new(),
            run_ended: false,
            finished: false,
        };
        if let Some(tail) = options.tail {
            reader.seek_tail(tail).map_err(|error| reading(dir, error))?;
        }
        Ok(reader)
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
                self.lines += count_lines(payload);
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
            let Some(segment) = &mut self.segment else {
                let Some(first) = format::segments(&self.dir)?.first().copied() else { return Ok(None) };
                self.open_segment(first)?;
                continue;
            };
            if let Some(found) = segment.take_frame()? {
                return Ok(Some(found));
            }
            // Look for a successor first, then once more at this one: the writer finishes a segment
            // before it starts the next.
            let current = segment.sequence;
            let Some(next) = format::segments(&self.dir)?.into_iter().find(|sequence| *sequence > current) else {
                return Ok(None);
            };
            if let Some(found) = segment.take_frame()? {
                return Ok(Some(found));
            }
            self.open_segment(next)?;
        }
    }

    fn open_segment(&mut self, sequence: u64) -> io::Result<()> {
        let first = self.segment.is_none();
        let mut file = match File::open(segment_path(&self.dir, sequence)) {
            Ok(file) => file,
            // Rotated away between listing and opening: the next listing knows better.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut header = [0; SEGMENT_HEADER];
        let before = match file.read_exact(&mut header) {
            Ok(()) => format::parse_segment_header(&header),
            Err(_) => None, // Too short to be a segment: read as empty.
        };
        if let Some(before) = before {
            if !first && before > self.lines {
                self.flush_pending();
                self.ready.push_back(LogItem::Missed { lines: before - self.lines });
            }
            self.lines = before;
        } else {
            file.seek(SeekFrom::End(0))?;
        }
        self.segment = Some(Segment { sequence, file, ahead: Vec::new(), taken: 0 });
        Ok(())
    }

    /// Positions at the first of the last `tail` lines, reading backwards.
    fn seek_tail(&mut self, tail: usize) -> io::Result<()> {
        let mut wanted = tail as u64;
        let mut unterminated = None;
        let sequences = format::segments(&self.dir)?;
        for sequence in sequences.iter().rev().copied() {
            let mut file = match File::open(segment_path(&self.dir, sequence)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break, // Rotated away just now.
                Err(error) => return Err(error),
            };
            let mut offset = sound_length(&mut file)?;
            while offset > SEGMENT_HEADER as u64 {
                let Some((start, frame, payload)) = frame_before(&mut file, offset)? else { break };
                offset = start;
                if !matches!(frame.kind, FrameKind::Stdout | FrameKind::Stderr) {
                    continue;
                }
                // A last line without its newline is a line too.
                if *unterminated.get_or_insert_with(|| payload.last() != Some(&b'\n')) && wanted > 0 {
                    unterminated = Some(false);
                    wanted -= 1;
                }
                let lines = count_lines(&payload);
                if lines > wanted {
                    let kept = lines - wanted;
                    self.start_at(sequence, offset, skip_lines(&payload, kept))?;
                    return Ok(());
                }
                wanted -= lines;
            }
        }
        Ok(()) // Fewer lines than asked for: from the beginning.
    }

    fn start_at(&mut self, sequence: u64, offset: u64, skip: usize) -> io::Result<()> {
        self.open_segment(sequence)?;
        if let Some(segment) = &mut self.segment {
            // Lines skipped in this segment count as seen: nothing was missed.
            let mut passed = SEGMENT_HEADER as u64;
            while passed < offset {
                let Some((frame, payload)) = segment.take_frame()? else { break };
                passed += frame.total() as u64;
                if matches!(frame.kind, FrameKind::Stdout | FrameKind::Stderr) {
                    self.lines += count_lines(&payload);
                }
            }
            self.skip = skip;
        }
        Ok(())
    }
}

impl Segment {
    /// The next whole frame; `None` at the end and at bytes that are no frame (yet).
    fn take_frame(&mut self) -> io::Result<Option<(FrameHeader, Vec<u8>)>> {
        loop {
            let ahead = self.ahead.get(self.taken..).unwrap_or_default();
            if ahead.len() >= FRAME_HEADER {
                let Some(frame) = FrameHeader::parse(ahead) else { return Ok(None) };
                if let Some(payload) = ahead.get(FRAME_HEADER..FRAME_HEADER + frame.length)
                    && ahead.len() >= frame.total()
                {
                    let payload = payload.to_vec();
                    self.taken += frame.total();
                    return Ok(Some((frame, payload)));
                }
            }
            self.ahead.drain(..self.taken);
            self.taken = 0;
            let before = self.ahead.len();
            (&mut self.file).take(READ_AHEAD as u64).read_to_end(&mut self.ahead)?;
            if self.ahead.len() == before {
                return Ok(None);
            }
        }
    }
}

/// Where the whole frames end, walking back from the end of the file; a torn end makes this walk
/// from the front instead.
fn sound_length(file: &mut File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    if size <= SEGMENT_HEADER as u64 || frame_before(file, size)?.is_some() {
        return Ok(size);
    }
    file.seek(SeekFrom::Start(SEGMENT_HEADER as u64))?;
    let mut segment = Segment { sequence: 0, file: file.try_clone()?, ahead: Vec::new(), taken: 0 };
    let mut sound = SEGMENT_HEADER as u64;
    while let Some((frame, _)) = segment.take_frame()? {
        sound += frame.total() as u64;
    }
    Ok(sound)
}

/// The frame that ends at `end`: where it starts, its header and payload.
fn frame_before(file: &mut File, end: u64) -> io::Result<Option<(u64, FrameHeader, Vec<u8>)>> {
    let mut trailer = [0; FRAME_TRAILER];
    if end < (SEGMENT_HEADER + FRAME_HEADER + FRAME_TRAILER) as u64 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(end - FRAME_TRAILER as u64))?;
    file.read_exact(&mut trailer)?;
    let length = u32::from_le_bytes(trailer) as usize;
    let total = (FRAME_HEADER + length + FRAME_TRAILER) as u64;
    if length > format::MAX_PAYLOAD || total + SEGMENT_HEADER as u64 > end {
        return Ok(None);
    }
    let mut bytes = vec![0; FRAME_HEADER + length];
    file.seek(SeekFrom::Start(end - total))?;
    file.read_exact(&mut bytes)?;
    let Some(frame) = FrameHeader::parse(&bytes).filter(|frame| frame.length == length) else { return Ok(None) };
    bytes.drain(..FRAME_HEADER);
    Ok(Some((end - total, frame, bytes)))
}

/// How many bytes the first `lines` lines take.
fn skip_lines(bytes: &[u8], lines: u64) -> usize {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    bytes.split_inclusive(|byte| *byte == b'\n').take(lines).map(<[u8]>::len).sum()
}

fn reading(dir: &Path, error: io::Error) -> Error {
    Error::io(format_args!("reading the log in {}", dir.display()), error)
}
