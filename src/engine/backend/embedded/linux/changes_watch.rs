//! How does a process sleep until the store changes? inotify on the one file that everybody appends to.
//!
//! inotify(7). Deliberately elsewhere: what the file says (`containers::changes`).

use std::{fs::OpenOptions, io, mem::MaybeUninit, os::fd::OwnedFd, path::Path, sync::Arc, time::Duration};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init},
    io::Errno,
};

use super::status_line::timespec;
use crate::engine::{
    backend::embedded::kernel::Watch,
    domain::{Error, Result},
};

/// Watches one file that is never replaced, only appended to and cut.
#[derive(Debug)]
pub struct FileWatch {
    inotify: OwnedFd,
    wake: Arc<OwnedFd>,
}

impl FileWatch {
    /// Makes the file when it is missing, so that there is something to watch.
    ///
    /// # Errors
    /// `Denied`, `Io`; `NoSpace` when the user's inotify watches are used up.
    pub fn new(path: &Path) -> Result<Self> {
        let failed = |error: io::Error| Error::io(format_args!("watching {}", path.display()), error);
        OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(|error| failed(error.into()))?;
        add_watch(&inotify, path, WatchFlags::MODIFY).map_err(|error| {
            failed(error.into()).remedy("raise fs.inotify.max_user_watches, or end other programs that watch files")
        })?;
        let wake = wake().map_err(|error| failed(error.into()))?;
        Ok(Self { inotify, wake: Arc::new(wake) })
    }
}

impl Watch for FileWatch {
    fn wait(&mut self, within: Duration) -> Result<()> {
        let mut fds = [PollFd::new(&self.inotify, PollFlags::IN), PollFd::new(&*self.wake, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(within))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::io("waiting for changes", io::Error::from(error))),
        }
        forget_news(&self.inotify);
        Ok(())
    }

    fn waker(&self) -> Result<Box<dyn Fn() + Send + Sync>> {
        Ok(waker(&self.wake))
    }
}

/// What [`waker`] makes readable.
pub(super) fn wake() -> Result<OwnedFd, Errno> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
}

/// Makes `wake` readable, for good: whoever is woken so leaves.
pub(super) fn waker(wake: &Arc<OwnedFd>) -> Box<dyn Fn() + Send + Sync> {
    let wake = Arc::clone(wake);
    Box::new(move || {
        // A counter that is full wakes as well as one more.
        let _ = rustix::io::write(&*wake, &1_u64.to_ne_bytes());
    })
}

/// Takes what an inotify has to tell: that it woke its reader was all there is to know.
pub(super) fn forget_news(inotify: &OwnedFd) {
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut events = Reader::new(inotify, &mut space);
    while events.next().is_ok() {}
}
