//! How does the master of a container's terminal reach us? Over a socket, once the terminal is made inside.
//!
//! Deliberately elsewhere: making it (`libcontainer`), reading and resizing it (`pump`).

use std::{
    io,
    io::IoSliceMut,
    mem::MaybeUninit,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, open},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, accept_with, recvmsg},
};

/// The waiting end of the socket.
#[derive(Debug)]
pub(super) struct ConsoleSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ConsoleSocket {
    /// Listens at `dir/name`. The path may be longer than a socket address.
    pub(super) fn bind(dir: &Path, name: &str) -> io::Result<Self> {
        Ok(Self { listener: bind_short(dir, name)?, path: dir.join(name) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the master that the container's side has sent, and removes the socket.
    pub(super) fn receive(self) -> io::Result<OwnedFd> {
        let mut waiting = [PollFd::new(&self.listener, PollFlags::IN)];
        if poll(&mut waiting, Some(&Timespec { tv_sec: 5, tv_nsec: 0 }))? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the terminal was not handed over"));
        }
        let stream = accept_with(&self.listener, SocketFlags::CLOEXEC)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut name = [0; 256];
        recvmsg(&stream, &mut [IoSliceMut::new(&mut name)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let mut master = None;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                master = fds.last().or(master);
            }
        }
        std::fs::remove_file(&self.path)?;
        master.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the terminal was not handed over"))
    }
}

/// Binds a listener in `dir` through a descriptor, because a socket address holds 107 bytes and a path more.
pub(super) fn bind_short(dir: &Path, name: &str) -> io::Result<UnixListener> {
    let dir = open(dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    UnixListener::bind(format!("/proc/self/fd/{}/{name}", dir.as_raw_fd()))
}
