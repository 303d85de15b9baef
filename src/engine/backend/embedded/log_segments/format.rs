//! What are the bytes of a log segment? A header, then frames readable from either end.
//!
//! Header: `WLOG`, version (u32), lines before this segment (u64). Frame: payload length (u32), kind
//! (u8), three zero bytes, time in ns since 1970 (i64), payload, payload length again (u32). All little-endian.
//! A payload is what one read of the container's output returned: pieces of lines, not lines.
//! Deliberately elsewhere: files and rotation (`writer`), lines (`reader`).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(super) const VERSION: u32 = 1;
pub(super) const SEGMENT_HEADER: usize = 16;
pub(super) const FRAME_HEADER: usize = 16;
pub(super) const FRAME_TRAILER: usize = 4;
/// No payload is longer; a length above this is damage.
pub(super) const MAX_PAYLOAD: usize = 1 << 20;

const MAGIC: &[u8; 4] = b"WLOG";

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Stdout,
    Stderr,
    /// A run ended; the payload is the number of lines so far (u64).
    End,
    /// So many lines (u64) could not be stored.
    Lost,
}

impl FrameKind {
    fn number(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::End => 3,
            Self::Lost => 4,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Stdout),
            2 => Some(Self::Stderr),
            3 => Some(Self::End),
            4 => Some(Self::Lost),
            _ => None,
        }
    }
}

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) length: usize,
    pub(super) kind: FrameKind,
    pub(super) at_nanos: i64,
}

impl FrameHeader {
    /// The whole frame, header and trailer included.
    pub(super) fn total(self) -> usize {
        FRAME_HEADER + self.length + FRAME_TRAILER
    }

    /// `None` for bytes no writer produces.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let length = u32_at(bytes, 0)? as usize;
        let kind = FrameKind::from_number(*bytes.get(4)?)?;
        let at_nanos = i64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?); // Eight bytes always fit.
        (length <= MAX_PAYLOAD && bytes.get(5..8)? == [0; 3]).then_some(Self { length, kind, at_nanos })
    }
}

/// Appends a frame to `out`.
pub(super) fn put_frame(out: &mut Vec<u8>, kind: FrameKind, at_nanos: i64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&[kind.number(), 0, 0, 0]);
    out.extend_from_slice(&at_nanos.to_le_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(&length);
}

pub(super) fn segment_header(lines_before: u64) -> [u8; SEGMENT_HEADER] {
    let mut header = [0; SEGMENT_HEADER];
    header[..4].copy_from_slice(MAGIC);
    header[4..8].copy_from_slice(&VERSION.to_le_bytes());
    header[8..].copy_from_slice(&lines_before.to_le_bytes());
    header
}

/// The number of lines before the segment that starts with `bytes`; `None` when it is not a segment of ours.
pub(super) fn parse_segment_header(bytes: &[u8]) -> Option<u64> {
    (bytes.get(..4)? == MAGIC && u32_at(bytes, 4)? == VERSION).then_some(())?;
    u64_at(bytes, 8)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes) // Four bytes always fit.
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes) // Eight bytes always fit.
}

pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

pub(super) fn segment_path(dir: &Path, sequence: u64) -> PathBuf {
    dir.join(format!("{sequence:010}.seg"))
}

/// The sequence numbers that exist, in order. No directory is an empty log.
pub(super) fn segments(dir: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if let Some(sequence) =
            name.to_str().and_then(|name| name.strip_suffix(".seg")).and_then(|digits| digits.parse().ok())
        {
            found.push(sequence);
        }
    }
    found.sort_unstable();
    Ok(found)
}
