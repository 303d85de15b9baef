//! How are standard output and error told apart on one stream? Docker's frames: one byte of source, three of
//! nothing, four of length (big endian), the payload.
//!
//! A terminal's stream has no frames; all of it is output. Deliberately elsewhere: reading the socket (`session`,
//! `log_lines`).

use crate::engine::domain::{Error, ErrorKind, LogSource, Result};

const HEADER: usize = 8;
/// dockerd writes frames of 32 KiB, log messages of 16 KiB and a little more. A longer one is a lie or a line from a
/// log driver without a limit.
const LARGEST: usize = 16 << 20;

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub source: LogSource,
    pub bytes: Vec<u8>,
}

/// Cuts a stream into frames, wherever its chunks end.
#[derive(Debug, Default)]
pub struct Demultiplexer {
    pending: Vec<u8>,
}

impl Demultiplexer {
    /// Takes in the next bytes; returns the frames they complete, in order. Empty frames are left out.
    ///
    /// # Errors
    /// `Protocol` when a header cannot be one: there is no way to find the next.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Frame>> {
        self.pending.extend_from_slice(bytes);
        let mut frames = Vec::new();
        let mut rest = self.pending.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
            let [stream, 0, 0, 0, length @ ..] = *header else { return Err(no_header(header)) };
            let length = u32::from_be_bytes(length) as usize;
            if length > LARGEST {
                return Err(no_header(header));
            }
            let Some((payload, next)) = after.split_at_checked(length) else { break };
            let source = match stream {
                // 0 is "standard input echoed", which never happens; 3 is an error of the daemon's own.
                0 | 1 => LogSource::Stdout,
                2 | 3 => LogSource::Stderr,
                _ => return Err(no_header(header)),
            };
            if !payload.is_empty() {
                frames.push(Frame { source, bytes: payload.to_vec() });
            }
            rest = next;
        }
        let used = self.pending.len() - rest.len();
        self.pending.drain(..used);
        Ok(frames)
    }
}

fn no_header(header: &[u8]) -> Error {
    Error::new(ErrorKind::Protocol, format!("the daemon's stream has a frame that begins with {header:02x?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![stream, 0, 0, 0];
        bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn recorded() -> (Vec<u8>, Vec<Frame>) {
        let bytes = [frame(1, b"out\n"), frame(2, b"err\n"), frame(1, b""), frame(1, &[0xff, 0, 1, 2])].concat();
        let expected = [
            (LogSource::Stdout, b"out\n".to_vec()),
            (LogSource::Stderr, b"err\n".to_vec()),
            (LogSource::Stdout, vec![0xff, 0, 1, 2]),
        ];
        (bytes, expected.into_iter().map(|(source, bytes)| Frame { source, bytes }).collect())
    }

    #[test]
    fn every_way_to_cut_the_stream_gives_the_same_frames() {
        let (bytes, expected) = recorded();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut cutter = Demultiplexer::default();
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let frames: Vec<Frame> = pieces.iter().flat_map(|piece| cutter.feed(piece).unwrap()).collect();
                assert_eq!(frames, expected, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_header_that_lies_is_an_error_and_takes_no_memory() {
        let four_gib = [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Demultiplexer::default().feed(&four_gib).unwrap_err().kind(), ErrorKind::Protocol);
        assert!(Demultiplexer::default().feed(b"plain text, no frame").is_err());
        assert!(Demultiplexer::default().feed(&[9, 0, 0, 0, 0, 0, 0, 1, b'x']).is_err());
    }
}
