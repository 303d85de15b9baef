//! What does a monitor or exec helper know about one connected client? Its bytes in and out, bounded.
//!
//! Deliberately elsewhere: where output comes from and who gets it (`pump`), what requests do (`monitor`).

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Instant,
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::protocol::{CHUNK, Decoder, Kind, Request, put, put_json};
use crate::engine::domain::{AttachOptions, Error, Flow, Result};

/// A client holds at most about so much output that it has not read.
pub(super) const OUTBOX: usize = 256 << 10;

/// Names a client while it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientId(pub(super) u64);

/// What a client is here for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It has not said yet.
    Greeting,
    /// It has said; what it asks for is done in this turn.
    Asking,
    /// Output goes to it; input may come.
    Attached { flow: Flow, stdin: bool },
    /// It is told about the end.
    Waiting,
    /// It has its answer; the connection closes when that is sent.
    Answered,
}

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    /// The one that started the process and owns its standard input, as a shell does.
    Starter,
    Anyone,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: ClientId,
    pub(super) purpose: Purpose,
    pub(super) opener: Opener,
    pub(super) since: Instant,
    socket: OwnedFd,
    decoder: Decoder,
    outbox: Vec<u8>,
    sent: usize,
    missed: u64,
    input_ended: bool,
    gone: bool,
}

impl Client {
    pub(super) fn new(id: ClientId, socket: OwnedFd, opener: Opener, purpose: Purpose) -> Self {
        Self {
            id,
            purpose,
            opener,
            since: Instant::now(),
            socket,
            decoder: Decoder::default(),
            outbox: Vec::new(),
            sent: 0,
            missed: 0,
            input_ended: false,
            gone: false,
        }
    }

    pub(super) fn attach(&mut self, options: &AttachOptions) {
        self.purpose = Purpose::Attached { flow: options.flow, stdin: options.stdin };
    }

    /// Whether it stays until the process has ended.
    pub(super) fn lasts(&self) -> bool {
        matches!(self.purpose, Purpose::Attached { .. } | Purpose::Waiting)
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone || (self.purpose == Purpose::Answered && self.unsent() == 0)
    }

    pub(super) fn mark_gone(&mut self) {
        self.gone = true;
    }

    pub(super) fn unsent(&self) -> usize {
        self.outbox.len() - self.sent
    }

    /// Whether more of what it sends may be read.
    pub(super) fn may_read(&self) -> bool {
        !self.input_ended
    }

    /// Whether the workload must wait for it.
    pub(super) fn holds_output(&self) -> bool {
        matches!(self.purpose, Purpose::Attached { flow: Flow::Lossless, .. }) && self.unsent() >= OUTBOX
    }

    pub(super) fn feeds_stdin(&self) -> bool {
        matches!(self.purpose, Purpose::Attached { stdin: true, .. })
    }

    /// Queues output of the process; a viewer that is behind misses it and learns how much.
    pub(super) fn put_output(&mut self, kind: Kind, bytes: &[u8]) {
        let Purpose::Attached { flow, .. } = self.purpose else { return };
        if flow == Flow::Viewer {
            if self.unsent() + bytes.len() > OUTBOX {
                self.missed += bytes.len() as u64;
                return;
            }
            self.put_missed();
        }
        self.compact();
        put(&mut self.outbox, kind, bytes);
    }

    pub(super) fn put_message(&mut self, kind: Kind, message: &impl serde::Serialize) {
        self.put_missed();
        self.compact();
        put_json(&mut self.outbox, kind, message);
    }

    /// Sends what the socket takes now.
    pub(super) fn flush(&mut self) {
        while self.unsent() > 0 {
            let rest = self.outbox.get(self.sent..).unwrap_or_default();
            match send(&self.socket, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => self.sent += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    self.gone = true; // Nobody listens any more.
                    return;
                }
            }
        }
        self.outbox.clear();
        self.sent = 0;
        if self.outbox.capacity() > OUTBOX {
            self.outbox = Vec::new();
        }
    }

    /// Reads what is there and returns the whole frames in it. The end of its input is an `Eof` frame
    /// when it feeds the process.
    pub(super) fn receive(&mut self) -> Result<Vec<(Kind, Vec<u8>)>> {
        let mut bytes = [0; 16 << 10];
        let mut frames = Vec::new();
        match recv(&self.socket, &mut bytes, RecvFlags::DONTWAIT) {
            Ok((0, _)) => {
                self.input_ended = true;
                if self.feeds_stdin() {
                    frames.push((Kind::Eof, Vec::new()));
                }
            }
            Ok((count, _)) => {
                self.decoder.push(bytes.get(..count).unwrap_or_default());
                while let Some(frame) = self.decoder.next_frame()? {
                    frames.push(frame);
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.gone = true, // Reset: it is not there any more.
        }
        Ok(frames)
    }

    fn put_missed(&mut self) {
        if self.missed > 0 {
            let missed = self.missed.to_le_bytes();
            self.missed = 0;
            put(&mut self.outbox, Kind::Missed, &missed);
        }
    }

    fn compact(&mut self) {
        if self.sent >= CHUNK {
            self.outbox.drain(..self.sent);
            self.sent = 0;
        }
    }
}

/// The request in a first frame.
pub(super) fn parse_request(kind: Kind, payload: &[u8]) -> Result<Request> {
    use super::protocol::{Asked, VERSION, parse};
    use crate::engine::domain::ErrorKind;
    if kind != Kind::Request {
        return Err(Error::new(ErrorKind::Protocol, "the first message must be a request"));
    }
    let asked: Asked = parse(payload)?;
    if asked.v != VERSION {
        let reason = format!("the monitor speaks version {VERSION} of its protocol, the client {}", asked.v);
        return Err(Error::new(ErrorKind::Protocol, reason).remedy("use the wharf that started this container"));
    }
    Ok(asked.request)
}
