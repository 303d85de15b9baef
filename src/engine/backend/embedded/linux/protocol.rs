//! What do monitors, exec helpers and their clients say to each other? Versioned frames on Unix sockets.
//!
//! A frame is payload length (u32, little-endian), kind (u8), payload. A client opens with one
//! `Request`, gets one `Reply`, and then bytes flow until `Exit`. Unknown kinds are skipped, so that a
//! newer peer can say more. Deliberately elsewhere: who answers (`monitor`), who asks (`link`).

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::engine::{
    backend::embedded::launch::StateFile,
    domain::{AttachOptions, Error, ErrorKind, ProcessExit, Signal, Span, TerminalSize},
};

/// The version this build speaks; a peer with another one is refused, not guessed at.
pub(super) const VERSION: u32 = 1;
/// A longer frame is a broken peer.
pub(super) const LONGEST_FRAME: usize = 1 << 20;
/// Bytes of process output or input per frame at most.
pub(super) const CHUNK: usize = 64 << 10;

const HEAD: usize = 5;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// JSON [`Asked`], the client's first frame.
    Request,
    /// JSON [`Reply`].
    Reply,
    Stdin,
    /// The client will send no more input.
    Eof,
    /// JSON `TerminalSize`.
    Resize,
    Stdout,
    Stderr,
    /// A viewer fell behind by so many bytes (u64).
    Missed,
    /// JSON [`ExitNote`]; the last frame.
    Exit,
    /// JSON [`Status`]: between a starter and its monitor or exec helper.
    Status,
    /// JSON `Signal`, from an attached client to the process.
    Signal,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Reply => 2,
            Self::Stdin => 3,
            Self::Eof => 4,
            Self::Resize => 5,
            Self::Stdout => 6,
            Self::Stderr => 7,
            Self::Missed => 8,
            Self::Exit => 9,
            Self::Status => 10,
            Self::Signal => 11,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        const ALL: [Kind; 11] = [
            Kind::Request,
            Kind::Reply,
            Kind::Stdin,
            Kind::Eof,
            Kind::Resize,
            Kind::Stdout,
            Kind::Stderr,
            Kind::Missed,
            Kind::Exit,
            Kind::Status,
            Kind::Signal,
        ];
        ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A request and the version it is written in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) v: u32,
    pub(super) request: Request,
}

/// What a client of a monitor wants. One per connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    Attach(AttachOptions),
    /// Replies at once; `Exit` follows when the run is over and recorded.
    Stop {
        signal: Signal,
        grace: Span,
    },
    /// Replies when sent; after KILL, `Exit` follows as for `Stop`.
    Kill {
        signal: Signal,
    },
    Pause,
    Unpause,
    /// The container's terminal has a new size; without a terminal nothing happens.
    Resize(TerminalSize),
    /// `Exit` follows when the run is over and recorded.
    Wait,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) v: u32,
    /// Absent: done or begun.
    pub(super) failure: Option<Failure>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ExitNote {
    pub(super) exit: ProcessExit,
    pub(super) oom_killed: bool,
}

/// Between a starter and what it started, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// From the monitor: it is in its new user namespace and wants ids mapped to it.
    MapIds,
    /// To the monitor: done.
    Mapped,
    /// From the monitor: the process waits for its start.
    Created { warnings: Vec<String> },
    /// To the monitor: start. End of file instead means undo.
    Go,
    /// From the monitor; `state` is `None` for an exec.
    Started { state: Option<StateFile> },
    /// From the monitor, at any time before `Started`: everything is undone.
    Failed(Failure),
}

/// An error as it travels: what a person needs, not the cause chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) reason: String,
    pub(super) remedy: Option<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind(), reason: error.reason().to_owned(), remedy: error.remedy_text().map(str::to_owned) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = Self::new(failure.kind, failure.reason);
        match failure.remedy {
            Some(remedy) => error.remedy(remedy),
            None => error,
        }
    }
}

impl Reply {
    pub(super) fn done() -> Self {
        Self { v: VERSION, failure: None }
    }

    pub(super) fn failed(error: &Error) -> Self {
        Self { v: VERSION, failure: Some(error.into()) }
    }
}

/// Appends a frame to `out`. A payload is at most [`LONGEST_FRAME`]; ours are far shorter.
pub(super) fn put(out: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind.number());
    out.extend_from_slice(payload);
}

/// Appends a frame whose payload is `message` as JSON.
pub(super) fn put_json(out: &mut Vec<u8>, kind: Kind, message: &impl Serialize) {
    let payload = serde_json::to_vec(message).expect("our messages have string keys and finite numbers");
    put(out, kind, &payload);
}

/// Reads a JSON payload of the peer.
pub(super) fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(payload).map_err(|error| {
        Error::new(ErrorKind::Protocol, "the other side sent a message that does not parse").caused_by(error)
    })
}

/// Cuts a byte stream into frames.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    taken: usize,
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame of a known kind.
    pub(super) fn next_frame(&mut self) -> Result<Option<(Kind, Vec<u8>)>, Error> {
        loop {
            let rest = self.bytes.get(self.taken..).unwrap_or_default();
            let [a, b, c, d, number, body @ ..] = rest else { return Ok(None) };
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            if length > LONGEST_FRAME {
                return Err(Error::new(ErrorKind::Protocol, "the other side sent an oversized message"));
            }
            let Some(payload) = body.get(..length) else { return Ok(None) };
            let found = Kind::from_number(*number).map(|kind| (kind, payload.to_vec()));
            self.taken += HEAD + length;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cut_and_unknown_kinds_are_skipped() {
        let mut bytes = Vec::new();
        put(&mut bytes, Kind::Stdout, b"hello");
        bytes.extend_from_slice(&[3, 0, 0, 0, 200, 1, 2, 3]);
        put_json(&mut bytes, Kind::Reply, &Reply::done());
        for step in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut frames = Vec::new();
            for piece in bytes.chunks(step) {
                decoder.push(piece);
                while let Some((kind, payload)) = decoder.next_frame().unwrap() {
                    frames.push((kind, payload));
                }
            }
            assert_eq!(frames.len(), 2, "cut every {step} bytes");
            assert_eq!(frames[0], (Kind::Stdout, b"hello".to_vec()));
            assert_eq!(parse::<Reply>(&frames[1].1).unwrap(), Reply::done());
        }
    }

    #[test]
    fn an_oversized_frame_is_a_protocol_error() {
        let mut decoder = Decoder::default();
        decoder.push(&[255, 255, 255, 255, 3]);
        assert_eq!(decoder.next_frame().unwrap_err().kind(), ErrorKind::Protocol);
    }

    #[test]
    fn an_error_keeps_kind_reason_and_remedy_on_the_way() {
        let error = Error::new(ErrorKind::CommandNotFound, "no such file").remedy("look in /bin");
        let back = Error::from(Failure::from(&error));
        assert_eq!(back, error);
    }
}
