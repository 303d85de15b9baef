//! Where do clients reach a monitor? `monitor.sock` in the run directory, for its owner only.
//!
//! Deliberately elsewhere: what is said there (`protocol`).

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
    net::{SocketFlags, accept_with, sockopt::socket_peercred},
    process::geteuid,
};

use super::console::bind_short;
use crate::engine::domain::{Error, Result};

/// The socket's name in the run directory.
pub(super) const SOCKET: &str = "monitor.sock";

/// Who waits to be let in is readable all the time; without a free descriptor nobody is looked for so long.
const NO_ROOM: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct ListeningSocket {
    listener: UnixListener,
    deaf_until: Option<Instant>,
}

impl ListeningSocket {
    pub(super) fn bind(run_dir: &Path) -> Result<Self> {
        let failed = |error: io::Error| Error::io(format_args!("listening in {}", run_dir.display()), error);
        let listener = bind_short(run_dir, SOCKET).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, deaf_until: None })
    }

    /// The next connection by somebody who may: the same user, or root.
    pub(super) fn accept(&mut self) -> Option<OwnedFd> {
        let stream = match accept_with(&self.listener, SocketFlags::CLOEXEC) {
            Ok(stream) => stream,
            Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                self.deaf_until = Some(Instant::now() + NO_ROOM);
                return None;
            }
            Err(_) => return None, // Nobody there, or gone again.
        };
        let peer = socket_peercred(&stream).ok()?; // Gone again.
        (peer.uid == geteuid() || peer.uid.is_root()).then_some(stream)
    }

    /// How long nobody is to be looked for; `None`: somebody may come now.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.deaf_until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

impl AsFd for ListeningSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Connects to the monitor of `run_dir`. `NotFound` and `ConnectionRefused` mean there is none.
pub(super) fn connect(run_dir: &Path) -> io::Result<UnixStream> {
    let dir = open(run_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()))
}
