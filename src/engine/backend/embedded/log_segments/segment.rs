//! How are the frames of one segment read, first to last? Whole ones only, as far as one may read.
//!
//! Deliberately elsewhere: which segment comes next (`reader`), reading backwards (`tail`).

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use super::format::{self, FRAME_HEADER, FRAME_TRAILER, FrameHeader, SEGMENT_HEADER};

const READ_AHEAD: u64 = 64 << 10;

/// An open segment, read up to some frame.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) sequence: u64,
    /// Lines of the log before it; `None` for a file that is no segment of ours, which reads as empty.
    pub(super) lines_before: Option<u64>,
    file: File,
    /// Bytes of the file that may be read.
    size: u64,
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
        let size = if lines_before.is_some() { size } else { 0 };
        Ok(Self { sequence, lines_before, file, size, ahead: Vec::new(), taken: 0 })
    }

    /// Where the next frame begins in the file.
    pub(super) fn position(&mut self) -> io::Result<u64> {
        Ok(self.file.stream_position()?.saturating_sub((self.ahead.len() - self.taken) as u64))
    }

    /// Reads on from a place where a frame begins.
    pub(super) fn continue_at(&mut self, offset: u64) -> io::Result<()> {
        self.ahead.clear();
        self.taken = 0;
        self.file.seek(SeekFrom::Start(offset)).map(drop)
    }

    /// The next whole frame; `None` at the end and at bytes that are no frame (yet).
    pub(super) fn take_frame(&mut self) -> io::Result<Option<(FrameHeader, Vec<u8>)>> {
        loop {
            let ahead = self.ahead.get(self.taken..).unwrap_or_default();
            if ahead.len() >= FRAME_HEADER {
                let frame = FrameHeader::parse(ahead);
                let whole = frame.filter(|frame| ahead.len() >= frame.total());
                let trailer = whole.and_then(|frame| format::u32_at(ahead, FRAME_HEADER + frame.length));
                if let Some(frame) = whole.filter(|frame| trailer == Some(frame.length as u32)) {
                    let payload = ahead.get(FRAME_HEADER..FRAME_HEADER + frame.length).unwrap_or_default().to_vec();
                    self.taken += frame.total();
                    return Ok(Some((frame, payload)));
                }
                let damaged = frame.is_none() || whole.is_some();
                if damaged && self.pass_damage()? {
                    continue;
                } else if damaged {
                    return Ok(None);
                }
            }
            self.ahead.drain(..self.taken);
            self.taken = 0;
            let left = self.size.saturating_sub(self.file.stream_position()?);
            if (&mut self.file).take(left.min(READ_AHEAD)).read_to_end(&mut self.ahead)? == 0 {
                return Ok(None);
            }
        }
    }

    /// Continues at the first of the frames that end where the file ends; false when there are none behind here. A
    /// monitor goes on behind damage that it has no reason to look for: it reads the end alone.
    fn pass_damage(&mut self) -> io::Result<bool> {
        let here = self.position()?;
        let mut next = self.file.metadata()?.len().min(self.size);
        let mut found = false;
        while let Some((start, ..)) = frame_before(&mut self.file, next)?.filter(|(start, ..)| *start > here) {
            (next, found) = (start, true);
        }
        self.continue_at(if found { next } else { here })?;
        Ok(found)
    }
}

/// The frame that ends at `end`: where it starts, its header and payload.
pub(super) fn frame_before(file: &mut File, end: u64) -> io::Result<Option<(u64, FrameHeader, Vec<u8>)>> {
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
