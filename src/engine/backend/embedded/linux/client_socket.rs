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
};

use rustix::{
    fs::{Mode, OFlags, open},
    net::{SocketFlags, accept_with, sockopt::socket_peercred},
    process::geteuid,
};

use super::console::bind_short;
use crate::engine::domain::{Error, Result};

/// The socket's name in the run directory.
pub(super) const SOCKET: &str = "monitor.sock";

#[derive(Debug)]
pub(super) struct ListeningSocket(UnixListener);

impl ListeningSocket {
    pub(super) fn bind(run_dir: &Path) -> Result<Self> {
        let failed = |error: io::Error| Error::io(format_args!("listening in {}", run_dir.display()), error);
        let listener = bind_short(run_dir, SOCKET).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self(listener))
    }

    /// The next connection by somebody who may: the same user, or root.
    pub(super) fn accept(&self) -> Option<OwnedFd> {
        let stream = accept_with(&self.0, SocketFlags::CLOEXEC).ok()?; // Nobody there, or gone again.
        let peer = socket_peercred(&stream).ok()?; // Gone again.
        (peer.uid == geteuid() || peer.uid.is_root()).then_some(stream)
    }
}

impl AsFd for ListeningSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Connects to the monitor of `run_dir`. `NotFound` and `ConnectionRefused` mean there is none.
pub(super) fn connect(run_dir: &Path) -> io::Result<UnixStream> {
    let dir = open(run_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()))
}
