//! How do a starter and what it started talk until the process runs? [`Status`] frames on a socket pair.
//!
//! Deliberately elsewhere: the order of the messages (`protocol::Status`), who sends which.

use std::{
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::protocol::{Decoder, Kind, Status, parse, put_json};
use crate::engine::domain::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(super) struct StatusLine {
    socket: OwnedFd,
    decoder: Decoder,
}

impl StatusLine {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, decoder: Decoder::default() }
    }

    /// The connection itself, for what comes after the last message.
    pub(super) fn into_socket(self) -> UnixStream {
        self.socket.into()
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether the other side has gone, as far as can be seen now.
    pub(super) fn is_cut(&self) -> bool {
        let mut line = PollFd::new(&self.socket, PollFlags::empty());
        poll(std::slice::from_mut(&mut line), Some(&timespec(Duration::ZERO))).is_ok()
            && line.revents().contains(PollFlags::HUP)
    }

    /// What the other side says once the process runs: signals and sizes, as they are. `None` when it is gone.
    /// Call it when the connection is readable.
    pub(super) fn take_controls(&mut self) -> Option<Vec<(Kind, Vec<u8>)>> {
        let mut bytes = [0; 4096];
        match recv(&self.socket, &mut bytes, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return None,
            Ok((count, _)) => self.decoder.push(bytes.get(..count).unwrap_or_default()),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None, // Reset: it is not there any more.
        }
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.next_frame().ok()? {
            frames.push(frame); // Above: who does not speak our protocol has nothing to tell.
        }
        Some(frames)
    }

    pub(super) fn send(&self, status: &Status) -> Result<()> {
        let mut frame = Vec::new();
        put_json(&mut frame, Kind::Status, status);
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::io("talking to the other process", error.into())),
            }
        }
        Ok(())
    }

    /// The next message; `None` when the other side is gone; `TimedOut` when it says nothing.
    pub(super) fn receive(&mut self, within: Duration) -> Result<Option<Status>> {
        let until = Instant::now() + within;
        loop {
            if let Some((kind, payload)) = self.decoder.next_frame()? {
                if kind == Kind::Status {
                    return parse(&payload).map(Some);
                }
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut fds, Some(&timespec(left))) {
                Ok(0) => return Err(Error::new(ErrorKind::TimedOut, "the other process says nothing")),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(Error::io("waiting for the other process", error.into())),
            }
            let mut bytes = [0; 4096];
            match recv(&self.socket, &mut bytes, RecvFlags::empty()) {
                Ok((0, _)) | Err(Errno::CONNRESET) => return Ok(None),
                Ok((count, _)) => self.decoder.push(bytes.get(..count).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::io("listening to the other process", error.into())),
            }
        }
    }
}

/// A duration as poll(2) wants it; what does not fit is as good as for ever.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}
