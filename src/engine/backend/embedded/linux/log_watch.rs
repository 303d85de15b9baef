//! How does a follower of a log sleep until there is more? With inotify on the log's directory.
//!
//! Deliberately elsewhere: reading (`log_segments`).

use std::{io, mem::MaybeUninit, os::fd::OwnedFd, path::Path, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init},
    io::Errno,
};

use super::status_line::timespec;
use crate::engine::{
    backend::embedded::kernel::LogWatch,
    domain::{Error, Result},
};

/// A watch on `dir`; one that has no directory yet looks again now and then.
pub(super) fn watch(dir: &Path) -> Result<Box<dyn LogWatch>> {
    let failed = |error: Errno| Error::io(format_args!("watching {}", dir.display()), error.into());
    let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(failed)?;
    let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::DELETE_SELF | WatchFlags::MOVED_TO;
    match add_watch(&inotify, dir, flags) {
        Ok(_) => Ok(Box::new(Inotify(inotify))),
        // Not there yet, or no watches left: polling does.
        Err(Errno::NOENT | Errno::NOSPC | Errno::NOMEM) => Ok(Box::new(Polling)),
        Err(error) => Err(failed(error)),
    }
}

struct Inotify(OwnedFd);

struct Polling;

/// How often the log is looked at when nothing says that it grew.
const POLL: Duration = Duration::from_millis(100);

impl LogWatch for Inotify {
    fn wait(&mut self, within: Duration) -> Result<()> {
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(within))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::io("waiting for the log", io::Error::from(error))),
        }
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.0, &mut space);
        while events.next().is_ok() {}
        Ok(())
    }
}

impl LogWatch for Polling {
    fn wait(&mut self, within: Duration) -> Result<()> {
        std::thread::sleep(within.min(POLL));
        Ok(())
    }
}
