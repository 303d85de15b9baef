//! How does the monitor append to the log without ever waiting for anybody or filling the disk?
//!
//! Deliberately elsewhere: the byte format (`format`), reading (`reader`).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::format::{
    self, FRAME_HEADER, FRAME_TRAILER, FrameHeader, FrameKind, SEGMENT_HEADER, count_lines, put_frame, segment_path,
};
use crate::engine::{
    backend::embedded::launch::LogLimits,
    domain::{LogSource, Timestamp},
};

/// The only writer of one log directory.
#[derive(Debug)]
pub struct LogWriter {
    dir: PathBuf,
    limits: LogLimits,
    sequence: u64,
    file: File,
    size: u64,
    lines: u64,
    /// Lines that could not be stored since the last success.
    lost: u64,
    frame: Vec<u8>,
}

impl LogWriter {
    /// Opens the log in `dir`, creating it if need be, and continues the last segment. A torn end,
    /// left by a monitor that was killed, is cut off first.
    pub fn open(dir: &Path, limits: &LogLimits) -> io::Result<Self> {
        // Never its parent: a container that was removed a moment ago must not come back as an empty shell.
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let frame = Vec::new();
        let limits = LogLimits { segment_bytes: limits.segment_bytes.max(4096), segments: limits.segments.max(1) };
        if let Some(sequence) = format::segments(dir)?.pop() {
            let mut file = OpenOptions::new().read(true).append(true).open(segment_path(dir, sequence))?;
            if let Some((size, lines)) = sound_end(&mut file)? {
                file.set_len(size)?;
                return Ok(Self { dir: dir.to_owned(), limits, sequence, file, size, lines, lost: 0, frame });
            }
            // Not a segment of ours: leave it for a person to look at, and go on behind it.
            let (file, size) = create(dir, sequence + 1, 0)?;
            return Ok(Self {
                dir: dir.to_owned(),
                limits,
                sequence: sequence + 1,
                file,
                size,
                lines: 0,
                lost: 0,
                frame,
            });
        }
        let (file, size) = create(dir, 1, 0)?;
        Ok(Self { dir: dir.to_owned(), limits, sequence: 1, file, size, lines: 0, lost: 0, frame })
    }

    /// Appends what one read returned. A full disk loses these bytes, remembers how many lines that
    /// was, and is no error: the container goes on.
    pub fn append(&mut self, at: Timestamp, source: LogSource, bytes: &[u8]) {
        let kind = match source {
            LogSource::Stdout => FrameKind::Stdout,
            LogSource::Stderr => FrameKind::Stderr,
        };
        for piece in bytes.chunks(format::MAX_PAYLOAD) {
            let lines = count_lines(piece);
            if self.lost > 0 {
                let lost = self.lost.to_le_bytes();
                if self.put(FrameKind::Lost, at, &lost).is_err() {
                    self.lost += lines;
                    continue;
                }
                self.lost = 0;
            }
            match self.put(kind, at, piece) {
                Ok(()) => {}
                Err(_) => self.lost += lines.max(1), // Said in the log itself once writing works again.
            }
            self.lines = self.lines.saturating_add(lines);
        }
    }

    /// Marks the end of a run, so that followers stop.
    pub fn end(&mut self, at: Timestamp) {
        let lines = self.lines.to_le_bytes();
        if self.put(FrameKind::End, at, &lines).is_err() {
            // Followers also ask whether the container still runs; the mark only spares them that.
        }
    }

    fn put(&mut self, kind: FrameKind, at: Timestamp, payload: &[u8]) -> io::Result<()> {
        let total = (FRAME_HEADER + payload.len() + FRAME_TRAILER) as u64;
        if self.size > SEGMENT_HEADER as u64 && self.size + total > self.limits.segment_bytes {
            self.rotate()?;
        }
        self.frame.clear();
        let nanos = i64::try_from(at.unix_nanos()).unwrap_or(i64::MAX);
        put_frame(&mut self.frame, kind, nanos, payload);
        if let Err(error) = self.file.write_all(&self.frame) {
            self.file.set_len(self.size)?; // Never a torn frame in front of a good one.
            return Err(error);
        }
        self.size += total;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let next = self.sequence + 1;
        let (file, size) = create(&self.dir, next, self.lines)?;
        (self.file, self.size, self.sequence) = (file, size, next);
        let keep_from = (next + 1).saturating_sub(u64::from(self.limits.segments));
        for old in format::segments(&self.dir)?.into_iter().filter(|sequence| *sequence < keep_from) {
            fs::remove_file(segment_path(&self.dir, old))?;
        }
        Ok(())
    }
}

fn create(dir: &Path, sequence: u64, lines_before: u64) -> io::Result<(File, u64)> {
    let path = segment_path(dir, sequence);
    // Under its name only once it has its header: a reader may open it at any moment.
    let unnamed = path.with_extension("new");
    let mut file = OpenOptions::new().append(true).create(true).open(&unnamed)?;
    // A new one is not cut: ext4 sends a file that was cut to nothing to the disk when it is closed.
    let emptied = file.metadata().and_then(|found| if found.len() > 0 { file.set_len(0) } else { Ok(()) });
    let written = emptied.and_then(|()| file.write_all(&format::segment_header(lines_before)));
    if let Err(error) = written.and_then(|()| fs::rename(&unnamed, &path)) {
        fs::remove_file(&unnamed)?;
        return Err(error);
    }
    Ok((file, SEGMENT_HEADER as u64))
}

/// Where the sound part of a segment ends and how many lines the log has up to there. The usual
/// case, a log that ended properly, reads only its last frame.
fn sound_end(file: &mut File) -> io::Result<Option<(u64, u64)>> {
    let size = file.metadata()?.len();
    let mut header = [0; SEGMENT_HEADER];
    file.seek(SeekFrom::Start(0))?;
    if size < SEGMENT_HEADER as u64 || file.read_exact(&mut header).is_err() {
        return Ok(None);
    }
    let Some(mut lines) = format::parse_segment_header(&header) else { return Ok(None) };
    let end_frame = (FRAME_HEADER + 8 + FRAME_TRAILER) as u64;
    if size >= SEGMENT_HEADER as u64 + end_frame {
        let mut last = [0; FRAME_HEADER + 8 + FRAME_TRAILER];
        file.seek(SeekFrom::Start(size - end_frame))?;
        file.read_exact(&mut last)?;
        let is_end = FrameHeader::parse(&last).is_some_and(|frame| frame.kind == FrameKind::End && frame.length == 8);
        if let (true, Some(total), Some(8)) =
            (is_end, format::u64_at(&last, FRAME_HEADER), format::u32_at(&last, FRAME_HEADER + 8))
        {
            return Ok(Some((size, total)));
        }
    }
    file.seek(SeekFrom::Start(SEGMENT_HEADER as u64))?;
    let mut reader = io::BufReader::new(file);
    let mut sound = SEGMENT_HEADER as u64;
    let mut head = [0; FRAME_HEADER];
    let mut body = Vec::new();
    while reader.read_exact(&mut head).is_ok() {
        let Some(frame) = FrameHeader::parse(&head) else { break };
        body.resize(frame.length + FRAME_TRAILER, 0);
        if reader.read_exact(&mut body).is_err() || format::u32_at(&body, frame.length) != Some(frame.length as u32) {
            break;
        }
        if matches!(frame.kind, FrameKind::Stdout | FrameKind::Stderr) {
            lines = lines.saturating_add(count_lines(&body));
        }
        sound += frame.total() as u64;
    }
    Ok(Some((sound, lines)))
}
