//! Who may write this object now, across processes? The one lock module of the store.
//!
//! A lock is a sidecar file locked by the kernel, released when its holder dies; its content says who holds it, for the
//! message of whoever gives up waiting. The file is never unlinked while somebody may wait for it: its directory is
//! renamed away, and whoever then gets the lock learns that it is gone. Deliberately elsewhere: locking a file
//! (`disk`), which object needs which lock, and in which order (`containers`, `images`).

use std::{io, path::Path, time::Duration};

use serde::{Deserialize, Serialize};

pub use super::disk::LockMode as Mode;
use super::{
    disk::{Disk, LockedFile},
    machine::Machine,
};
use crate::engine::{
    domain::{Error, ErrorKind, Result, Timestamp, Verb},
    sync::waits::{self, Mark},
};

#[cfg(test)]
mod tests;

/// A waiter gives a holder this much longer than the holder gave itself.
const MARGIN: Duration = Duration::from_secs(2);
/// First and longest pause between two tries: flock(2) and its like wait for ever or not at all. Locks are held for
/// microseconds to milliseconds.
const PAUSE_FIRST: Duration = Duration::from_micros(200);
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// Who holds a lock and until when at most, as written into the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub verb: Verb,
    pub since: Timestamp,
    pub deadline: Timestamp,
}

impl Holder {
    /// This process, from now for `time_limit`.
    #[must_use]
    pub fn this_process(machine: &Machine, verb: Verb, time_limit: Duration) -> Self {
        let since = machine.clock.now();
        Self { pid: machine.pid, verb, since, deadline: since.plus(time_limit) }
    }
}

/// A held lock; dropping it releases.
pub struct Lock {
    file: Box<dyn LockedFile>,
    mode: Mode,
    _mark: Mark,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.mode == Mode::Exclusive {
            // The name of a past holder misleads nobody: it is read only while the lock is held.
            let _ = self.file.describe(b"");
        }
    }
}

/// Takes the lock if it is free. `Ok(None)`: somebody holds it.
///
/// # Errors
/// `NotFound` when the object's directory is gone, also when it went while we took the lock.
pub fn try_lock(disk: &dyn Disk, path: &Path, mode: Mode, holder: &Holder) -> io::Result<Option<Lock>> {
    let Some(mut file) = disk.try_lock(path, mode)? else { return Ok(None) };
    // The text serves messages only: a full disk must not keep anybody from taking a lock and removing something.
    let _ = match mode {
        Mode::Exclusive => {
            let text = serde_json::to_vec(holder).expect("a holder has only strings and numbers");
            file.describe(&text)
        }
        // The name of an exclusive holder that was killed would make waiters give up on the living.
        Mode::Shared => file.describe(b""),
    };
    Ok(Some(Lock { file, mode, _mark: waits::holding(path) }))
}

/// Takes the lock, waiting for its holder at most until that holder's own deadline and a margin, and
/// never longer than `patience`.
///
/// # Errors
/// `Busy` naming pid, verb and since when; `NoSuchContainer` is the caller's translation of the `Io`
/// error whose source is `NotFound`, see [`is_gone`].
pub fn lock(machine: &Machine, path: &Path, mode: Mode, holder: &Holder, patience: Duration) -> Result<Lock> {
    let Machine { disk, clock, .. } = machine;
    let started = clock.instant();
    let elapsed = || clock.instant().saturating_duration_since(started);
    let mut pause = PAUSE_FIRST;
    let mut mark: Option<Mark> = None;
    loop {
        match try_lock(&**disk, path, mode, holder) {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) => {
                mark.get_or_insert_with(|| waits::waiting(path)).look_again();
            }
            Err(error) => return Err(Error::io("its lock cannot be taken", error)),
        }
        let holding = holder_of(&**disk, path);
        let allowed = match &holding {
            Some(holding) => clock.now() <= holding.deadline.plus(MARGIN),
            // Between taking a lock and naming oneself lie microseconds; shared holders have no name.
            None => elapsed() < MARGIN,
        };
        if !allowed || elapsed() >= patience {
            return Err(busy(holding.as_ref()));
        }
        clock.sleep(pause.min(patience.saturating_sub(elapsed())));
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Releases a lock whose object is gone and takes its file away: whoever waits for it learns that it is gone.
pub fn retire(disk: &dyn Disk, path: &Path, lock: Lock) {
    if disk.open_files_keep_names() {
        drop(lock);
        // Somebody who has it now keeps it by that, and takes it away in turn.
        let _ = disk.remove_file(path);
    } else {
        // A leftover is harmless: it is free as soon as the lock is.
        let _ = disk.remove_file(path);
        drop(lock);
    }
}

/// Whether an error of [`lock`] means that the object itself is gone.
#[must_use]
pub fn is_gone(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
}

/// Whether nobody holds the lock right now. A missing file is free.
#[must_use]
pub fn is_free(disk: &dyn Disk, path: &Path) -> bool {
    disk.is_lock_free(path)
}

/// Whether somebody who was `pid` holds the lock, and took it at `at` or before. Whoever cannot be read may be anybody.
#[must_use]
pub fn is_held_by(disk: &dyn Disk, path: &Path, pid: u32, at: Timestamp) -> bool {
    !disk.is_lock_free(path) && holder_of(disk, path).is_none_or(|holder| holder.pid == pid && holder.since <= at)
}

/// Who says to hold the lock; nobody when the file is empty, unreadable or of a later format.
#[must_use]
pub fn holder_of(disk: &dyn Disk, path: &Path) -> Option<Holder> {
    serde_json::from_slice(&disk.read(path).ok()?).ok()
}

fn busy(holding: Option<&Holder>) -> Error {
    match holding {
        Some(Holder { pid, verb, since, .. }) => {
            Error::new(ErrorKind::Busy, format!("process {pid} is busy with it ({verb}, since {})", since.local()))
                .remedy(format!("wait for it to end, or look what process {pid} is doing"))
        }
        None => Error::new(ErrorKind::Busy, "another process is busy with it").remedy("try again in a moment"),
    }
}
