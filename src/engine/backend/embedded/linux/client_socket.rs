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
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, socket_with,
        sockopt::{Timeout, set_socket_timeout, socket_peercred},
    },
    process::geteuid,
};

use super::console::bind_short;
use crate::engine::domain::{Error, Result};

/// The socket's name in the run directory.
pub(super) const SOCKET: &str = "monitor.sock";

/// Who waits to be let in is readable all the time; without a free descriptor nobody is looked for so long.
const NO_ROOM: Duration = Duration::from_millis(100);

/// No time at all would mean for ever.
const SHORTEST: Duration = Duration::from_millis(1);

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

/// Connects to the monitor of `run_dir`. `NotFound` and `ConnectionRefused` mean there is none; `WouldBlock` that one
/// has let nobody in until `until`.
pub(super) fn connect(run_dir: &Path, until: Instant) -> io::Result<UnixStream> {
    let dir = open(run_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()))?;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    loop {
        // Whoever stands still lets nobody in, and connect(2) waits for room as send(2) does. unix(7), socket(7).
        let left = until.saturating_duration_since(Instant::now()).max(SHORTEST);
        set_socket_timeout(&socket, Timeout::Send, Some(left))?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(socket.into()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn connecting_to_who_lets_nobody_in_ends_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let socket = ListeningSocket::bind(dir.path()).unwrap();
        // The kernel lets one more in than it is told.
        rustix::net::listen(&socket.listener, 0).unwrap();
        let path = dir.path().to_owned();
        let (sender, told) = sync_channel(1);
        std::thread::spawn(move || {
            let first = connect(&path, Instant::now() + Duration::from_secs(1)).unwrap();
            let begun = Instant::now();
            let second = connect(&path, Instant::now() + Duration::from_millis(50)).unwrap_err();
            // Nobody is there any more when it came too late.
            let _ = sender.send((first, second, begun.elapsed()));
        });
        let (_first, second, took) = told.recv_timeout(Duration::from_secs(20)).expect("it waits for ever");
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock, "{second}");
        assert!(took >= Duration::from_millis(50), "{took:?}");
    }
}
