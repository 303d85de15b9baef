//! Where does a log end just now, and where do its last lines begin? Read backwards from a fixed end.
//!
//! Deliberately elsewhere: reading on from there (`reader`).

use std::{fs::File, io, path::Path};

use super::{
    format::{self, FrameKind, SEGMENT_HEADER, count_lines, segment_path},
    segment::{Segment, frame_before},
};

/// The end of a log at one moment. The file is held, so that rotation cannot take it from its reader.
#[derive(Debug)]
pub(super) struct End {
    pub(super) sequence: u64,
    pub(super) file: File,
    pub(super) size: u64,
}

/// A place in a log where a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    pub(super) sequence: u64,
    /// Of the frame in its segment.
    pub(super) offset: u64,
    /// Bytes of that frame's payload in front of the line.
    pub(super) skip: usize,
}

impl End {
    /// Where the log in `dir` ends now; `None` when there is none.
    pub(super) fn of(dir: &Path) -> io::Result<Option<Self>> {
        loop {
            let Some(sequence) = format::segments(dir)?.pop() else { return Ok(None) };
            match File::open(segment_path(dir, sequence)) {
                Ok(file) => {
                    let size = file.metadata()?.len();
                    return Ok(Some(Self { sequence, file, size }));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // Rotated away, or removed: look again.
                Err(error) => return Err(error),
            }
        }
    }
}

/// Where the last `lines` lines before `end` begin; `None` when there are fewer. No lines begin at the end itself, behind
/// a line that has not ended.
pub(super) fn last_lines(dir: &Path, lines: usize, end: &End) -> io::Result<Option<Beginning>> {
    if lines == 0 {
        let offset = sound_length(&mut end.file.try_clone()?, end.size)?;
        return Ok(Some(Beginning { sequence: end.sequence, offset, skip: 0 }));
    }
    let mut wanted = lines as u64;
    let mut unterminated = None;
    let mut sequences = format::segments(dir)?;
    sequences.retain(|sequence| *sequence < end.sequence);
    sequences.push(end.sequence);
    for sequence in sequences.into_iter().rev() {
        let (mut file, size) = if sequence == end.sequence {
            (end.file.try_clone()?, end.size)
        } else {
            match File::open(segment_path(dir, sequence)).and_then(|file| Ok((file.metadata()?.len(), file))) {
                Ok((size, file)) => (file, size),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break, // Rotated away just now.
                Err(error) => return Err(error),
            }
        };
        let mut offset = sound_length(&mut file, size)?;
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
                return Ok(Some(Beginning { sequence, offset, skip: skip_lines(&payload, lines - wanted) }));
            }
            wanted -= lines;
        }
    }
    Ok(None)
}

/// Where the whole frames in the first `size` bytes end, walking back from there; a torn end makes this
/// walk from the front instead.
fn sound_length(file: &mut File, size: u64) -> io::Result<u64> {
    let mut segment = Segment::open(0, file.try_clone()?, size)?;
    if segment.lines_before.is_none() {
        return Ok(0); // Not ours: read as empty, whatever its end looks like.
    }
    if frame_before(file, size)?.is_some() {
        return Ok(size);
    }
    segment.continue_at(SEGMENT_HEADER as u64)?; // The two share one place in the file.
    while segment.take_frame()?.is_some() {}
    segment.position()
}

/// How many bytes the first `lines` lines take.
fn skip_lines(bytes: &[u8], lines: u64) -> usize {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    bytes.split_inclusive(|byte| *byte == b'\n').take(lines).map(<[u8]>::len).sum()
}
