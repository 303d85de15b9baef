//! How does the operating system lock a file? `flock(2)` and `LockFileEx`, through the standard library.
//!
//! Deliberately elsewhere: waiting, and saying who holds it (`lock`).

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    path::Path,
};

use super::{LockMode, LockedFile};

/// A locked file; closing it releases.
pub(super) struct RealLock(File);

impl RealLock {
    pub(super) fn try_take(path: &Path, mode: LockMode) -> io::Result<Option<Self>> {
        let file = open(path)?;
        let outcome = match mode {
            LockMode::Exclusive => file.try_lock(),
            LockMode::Shared => file.try_lock_shared(),
        };
        match outcome {
            Ok(()) if is_still_at(&file, path) => Ok(Some(Self(file))),
            Ok(()) => Err(io::Error::new(io::ErrorKind::NotFound, "it was removed while we waited for its lock")),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl LockedFile for RealLock {
    fn describe(&mut self, text: &[u8]) -> io::Result<()> {
        self.0.rewind()?;
        if let Err(error) = self.0.write_all(text) {
            self.0.set_len(0)?; // Rather no name than one of the past.
            return Err(error);
        }
        // Cut last, and only what needs it: ext4 sends a file that was cut to nothing to the disk when it is closed.
        let len = text.len() as u64;
        if self.0.metadata()?.len() > len { self.0.set_len(len) } else { Ok(()) }
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // Closing releases as well; this only makes it explicit.
        let _ = self.0.unlock();
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
    // Without FILE_SHARE_DELETE: since Windows 10 a deleted file's name is free at once, and two could hold "the" lock.
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        const FILE_SHARE_READ_AND_WRITE: u32 = 0x1 | 0x2;
        options.share_mode(FILE_SHARE_READ_AND_WRITE);
    }
    options.open(path)
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

/// Nobody can delete a file that we have open, nor rename its directory: see `open`.
#[cfg(not(unix))]
fn is_still_at(_file: &File, path: &Path) -> bool {
    path.exists()
}
