//! How are the frames of one segment read, first to last? Whole ones only, as far as one may read.
//!
//! Deliberately elsewhere: which segment comes next (`reader`), reading backwards (`tail`).

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use super::format::{self, FRAME_HEADER, FrameHeader, SEGMENT_HEADER};

const READ_AHEAD: u64 = 64 << 10;

/// An open segment, read up to some frame.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) sequence: u64,
    /// Lines of the log before it; `None` for a file that is no segment of ours, which reads as empty.
    pub(super) lines_before: Option<u64>,
    file: File,
    /// Bytes of the file that may still be read.
    left: u64,
    ahead: Vec<u8>,
    taken: usize,
}

impl Segment {
    /// Begins at the first frame of `file` and never reads beyond its first `size` bytes.
    pub(super) fn open(sequence: u64, mut file: File, size: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut header = [0; SEGMENT_HEADER];
        let lines_before = match file.read_exact(&mut header) {
            Ok(()) => format::parse_segment_header(&header),
            Err(_) => None, // Too short to be a segment.
        };
        let left = if lines_before.is_some() { size.saturating_sub(SEGMENT_HEADER as u64) } else { 0 };
        Ok(Self { sequence, lines_before, file, left, ahead: Vec::new(), taken: 0 })
    }

    /// The next whole frame; `None` at the end and at bytes that are no frame (yet).
    pub(super) fn take_frame(&mut self) -> io::Result<Option<(FrameHeader, Vec<u8>)>> {
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
            let read = (&mut self.file).take(self.left.min(READ_AHEAD)).read_to_end(&mut self.ahead)?;
            if read == 0 {
                return Ok(None);
            }
            self.left = self.left.saturating_sub(read as u64);
        }
    }
}
