//! Who may write this object now, across processes? The one lock module of the store.
//!
//! A lock is a sidecar file locked by the kernel (`flock(2)`, `LockFileEx`), released when its holder
//! dies; its content says who holds it, for the message of whoever gives up waiting. The file is never
//! unlinked while somebody may wait for it: its directory is renamed away, and whoever then gets the
//! lock learns that it is gone. Deliberately elsewhere: which object needs which lock, and in which
//! order (`containers`, `images`).

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::engine::domain::{Error, ErrorKind, Result, Timestamp, Verb};

#[cfg(test)]
mod tests;

/// A waiter gives a holder this much longer than the holder gave itself.
const MARGIN: Duration = Duration::from_secs(2);
/// First and longest pause between two tries; locks are held for microseconds to milliseconds.
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
    pub fn this_process(verb: Verb, time_limit: Duration) -> Self {
        let since = Timestamp::now();
        Self { pid: std::process::id(), verb, since, deadline: since.plus(time_limit) }
    }
}

/// Exclusion of one kind or the other; both release when the last clone of the file closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One holder.
    Exclusive,
    /// Any number of holders, no exclusive one.
    Shared,
}

/// A held lock; dropping it releases. Children must not inherit it: the descriptor closes on exec, and a
/// process that clones without exec closes it first.
#[derive(Debug)]
pub struct Lock {
    file: File,
    mode: Mode,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.mode == Mode::Exclusive {
            // The name of a past holder misleads nobody: it is read only while the lock is held.
            let _ = self.file.set_len(0);
        }
        // Closing releases as well; this only makes it explicit.
        let _ = self.file.unlock();
    }
}

/// Takes the lock if it is free. `Ok(None)`: somebody holds it.
///
/// # Errors
/// `NotFound` when the object's directory is gone, also when it went while we took the lock.
pub fn try_lock(path: &Path, mode: Mode, holder: &Holder) -> io::Result<Option<Lock>> {
    let file = open(path)?;
    let outcome = match mode {
        Mode::Exclusive => file.try_lock(),
        Mode::Shared => file.try_lock_shared(),
    };
    match outcome {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    if !is_still_at(&file, path) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it was removed while we waited for its lock"));
    }
    let mut lock = Lock { file, mode };
    match mode {
        Mode::Exclusive => write_holder(&mut lock.file, holder),
        // The name of an exclusive holder that was killed would make waiters give up on the living.
        Mode::Shared => {
            // It serves messages only, as in `write_holder`.
            let _ = lock.file.set_len(0);
        }
    }
    Ok(Some(lock))
}

/// Takes the lock, waiting for its holder at most until that holder's own deadline and a margin, and
/// never longer than `patience`.
///
/// # Errors
/// `Busy` naming pid, verb and since when; `NoSuchContainer` is the caller's translation of the `Io`
/// error whose source is `NotFound`, see [`is_gone`].
pub fn lock(path: &Path, mode: Mode, holder: &Holder, patience: Duration) -> Result<Lock> {
    let started = Instant::now();
    let mut pause = PAUSE_FIRST;
    loop {
        match try_lock(path, mode, holder) {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) => {}
            Err(error) => return Err(Error::io("its lock cannot be taken", error)),
        }
        let holding = holder_of(path);
        let allowed = match &holding {
            Some(holding) => Timestamp::now() <= holding.deadline.plus(MARGIN),
            // Between taking a lock and naming oneself lie microseconds; shared holders have no name.
            None => started.elapsed() < MARGIN,
        };
        if !allowed || started.elapsed() >= patience {
            return Err(busy(holding.as_ref()));
        }
        std::thread::sleep(pause.min(patience.saturating_sub(started.elapsed())));
        pause = (pause * 2).min(PAUSE_MAX);
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
pub fn is_free(path: &Path) -> bool {
    match File::open(path) {
        // The probe is shared and lasts a moment; a `try_lock` it disturbs is tried again.
        Ok(file) => file.try_lock_shared().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Who says to hold the lock; nobody when the file is empty, unreadable or of a later format.
#[must_use]
pub fn holder_of(path: &Path) -> Option<Holder> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(4096).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
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

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

fn write_holder(file: &mut File, holder: &Holder) {
    let text = serde_json::to_vec(holder).expect("a holder has only strings and numbers");
    // The text serves messages only: a full disk must not keep anybody from taking a lock and
    // removing something.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text));
}

/// Whether the locked file is the one a newcomer would open: its directory may have been renamed away
/// while we waited.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        (Ok(_), Err(_)) | (Err(_), _) => false,
    }
}

/// Windows does not let go of the name of an open file, nor rename its directory.
#[cfg(not(unix))]
fn is_still_at(_file: &File, path: &Path) -> bool {
    path.exists()
}
