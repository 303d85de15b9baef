//! How does a follower of a log sleep until there is more, or until nothing more can come?
//!
//! inotify(7) on the log's directory and on the container's, where the record of the end appears; pidfds
//! (pidfd_open(2)) of the container's init and its monitor, for ends that nobody records. A log that says
//! nothing costs nothing. Deliberately elsewhere: reading (`log_segments`).

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{CreateFlags, WatchFlags, add_watch, init},
    io::Errno,
};

use super::{changes_watch, process, status_line::timespec, unattended};
use crate::engine::{
    backend::embedded::kernel::Watch,
    domain::{Error, Result},
};

/// How often the log is looked at when this machine has no inotify left for us.
const POLL: Duration = Duration::from_millis(250);

/// A watch on the log in `log_dir` of the container that runs, or not, in `run_dir`.
pub(super) fn watch(log_dir: &Path, run_dir: &Path) -> Result<Box<dyn Watch>> {
    let failed = |error: Errno| Error::io(format_args!("watching {}", log_dir.display()), error.into());
    let inotify = match init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
        Ok(inotify) => Some(inotify),
        Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => None, // All taken: polling does.
        Err(error) => return Err(failed(error)),
    };
    let wake = Arc::new(changes_watch::wake().map_err(failed)?);
    let mut watch = LogWatch { inotify, watched: false, log_dir: log_dir.to_owned(), processes: Vec::new(), wake };
    if let Some(container_dir) = log_dir.parent() {
        watch.add(container_dir, WatchFlags::CREATE | WatchFlags::MOVED_TO)?;
    }
    watch.watch_log()?;
    if let Some(state) = unattended::read_state(run_dir)? {
        for identity in [&state.init, &state.monitor] {
            let found = process::open(identity);
            watch.processes.extend(found.map_err(|error| Error::io("watching the container's end", error))?);
        }
    }
    Ok(Box::new(watch))
}

struct LogWatch {
    /// `None` when there is none to be had.
    inotify: Option<OwnedFd>,
    /// Whether the log's directory is watched; before the first run it is not there.
    watched: bool,
    log_dir: PathBuf,
    /// Whose end may be the end of the log. One that has ended is told once.
    processes: Vec<OwnedFd>,
    wake: Arc<OwnedFd>,
}

impl LogWatch {
    fn watch_log(&mut self) -> Result<()> {
        let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE_SELF;
        self.watched = self.watched || self.add(&self.log_dir.clone(), flags)?;
        Ok(())
    }

    /// Whether `dir` is watched now. Running out of watches turns to polling.
    fn add(&mut self, dir: &Path, flags: WatchFlags) -> Result<bool> {
        let Some(inotify) = &self.inotify else { return Ok(false) };
        match add_watch(inotify, dir, flags) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(Errno::NOSPC | Errno::NOMEM) => {
                self.inotify = None;
                Ok(false)
            }
            Err(error) => Err(Error::io(format_args!("watching {}", dir.display()), error.into())),
        }
    }
}

impl Watch for LogWatch {
    fn wait(&mut self, within: Duration) -> Result<()> {
        let within = if self.inotify.is_some() { within } else { within.min(POLL) };
        // The processes come last: their answers are told apart by position.
        let mut fds = vec![PollFd::new(&*self.wake, PollFlags::IN)];
        fds.extend(self.inotify.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let before = fds.len();
        fds.extend(self.processes.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        match poll(&mut fds, Some(&timespec(within))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::io("waiting for the log", io::Error::from(error))),
        }
        let mut ended = fds.iter().skip(before).map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>().into_iter();
        drop(fds);
        self.processes.retain(|_| !ended.next().unwrap_or(false));
        if let Some(inotify) = &self.inotify {
            changes_watch::forget_news(inotify);
        }
        self.watch_log()
    }

    fn waker(&self) -> Result<Box<dyn Fn() + Send + Sync>> {
        Ok(changes_watch::waker(&self.wake))
    }
}
