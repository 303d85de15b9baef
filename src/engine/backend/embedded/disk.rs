//! How does the embedded engine touch its files? One synchronous trait, so that a simulation can stand in.
//!
//! Errors keep their `io::ErrorKind`; callers say what they were doing. Deliberately elsewhere: waiting for locks and
//! their holders (`lock`), what the files mean (`containers`, `images`), files of other users' ids (`kernel`).

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

mod real;
#[cfg(test)]
mod tests;

pub use self::real::RealDisk;

/// File operations of the store. Paths are absolute. Everything is visible to other processes at
/// once; what must outlive a power cut says so in its name or takes [`Sync`].
pub trait Disk: Send + std::marker::Sync + 'static {
    /// Makes sure that `root` is a directory only we write to: created 0700 with its parents when it is missing.
    /// Parents that others may write to (sticky ones) are fine.
    ///
    /// # Errors
    /// `PermissionDenied` when the directory belongs to somebody else or others may write to it;
    /// `NotADirectory` when it is none.
    fn claim_root(&self, root: &Path) -> io::Result<()>;

    /// Locks the file, making it when it is missing, if nobody else holds it. `Ok(None)`: somebody does. The kernel
    /// releases it when its holder dies (`flock(2)`, `LockFileEx`).
    ///
    /// # Errors
    /// `NotFound` when the file's directory is gone, also when it went while we took the lock.
    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>>;

    /// Whether an open file keeps its name, and those of the directories above it: then no lock may lie in a directory that
    /// is renamed, and its file goes only after its release. True on Windows: locks are opened there so that nobody can
    /// delete them, and no directory is renamed while a file below it is open (MS-FSA 2.1.5.15.11).
    fn open_files_keep_names(&self) -> bool {
        cfg!(windows)
    }

    /// Whether nobody holds the lock right now. A missing file is free. Looking shares the lock for a moment.
    fn is_lock_free(&self, path: &Path) -> bool;

    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Opens a file for reading from its start; it may grow meanwhile.
    fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read + Send>>;

    /// Replaces the file whole and durably: temporary file in the same directory, sync, rename, sync of
    /// the directory. A failed sync is fatal for this write: the old content stays.
    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Replaces the file whole, without any sync: readers see old or new, a power cut may lose both.
    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Creates the file with this content; `AlreadyExists` when there is one. A kill in between may
    /// leave it empty. Not synced.
    fn create_exclusive(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Appends in one write (`O_APPEND`), creating the file when need be. Not synced.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `len` bytes; a missing file is fine.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all below it; nothing there is a success. Only for trees of our own
    /// user id; trees with files of containers go through `Kernel::remove_tree`.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;

    /// Makes one directory, readable by its owner alone (0700); `AlreadyExists` when there is one.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the directory and its missing parents, 0700 each; existing ones are left as they are.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Makes one directory with these permission bits, whatever the umask: the roots of containers' file
    /// systems and volumes, where users of the container walk; a private parent keeps others out.
    /// Systems without permission bits ignore them.
    fn create_dir_with_mode(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// The entries of a directory, in no order, without `.` and `..`.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// What is there, without following a symbolic link at the end of the path.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// Whether something is there; an error of any other kind counts as "yes", so that nothing is
    /// overwritten on a guess.
    fn exists(&self, path: &Path) -> bool {
        match self.stat(path) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// A temporary file in `dir`, to be written piece by piece and then committed.
    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>>;

    /// The partial file `path`, to be written from its end on, made when it is missing. Unlike a temporary
    /// file it stays when dropped without a commit, so that somebody can go on later.
    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>>;
}

/// A file nobody sees under its final name yet. Dropped without a commit, it is deleted.
pub trait TemporaryFile: io::Write + Send {
    /// Moves the file to `path`, in the same file system, replacing what is there.
    fn commit(self: Box<Self>, path: &Path, sync: Sync) -> io::Result<()>;
}

/// A held lock; dropping it releases. Children must not inherit it: the descriptor closes on exec, and a process that
/// clones without exec closes it first.
pub trait LockedFile: Send + std::marker::Sync {
    /// Replaces the file's content, which says who holds the lock.
    fn describe(&mut self, text: &[u8]) -> io::Result<()>;
}

/// Exclusion of one kind or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// One holder.
    Exclusive,
    /// Any number of holders, no exclusive one.
    Shared,
}

/// Whether a write must survive a power cut before the call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// File first, then the directory that names it.
    Yes,
    No,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names that are not UTF-8 are never ours; they are shown with replacement characters.
    pub name: String,
    pub kind: EntryKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Directory,
    Symlink,
    /// Sockets, devices, pipes.
    Other,
}

impl From<fs::FileType> for EntryKind {
    fn from(kind: fs::FileType) -> Self {
        if kind.is_dir() {
            Self::Directory
        } else if kind.is_file() {
            Self::File
        } else if kind.is_symlink() {
            Self::Symlink
        } else {
            Self::Other
        }
    }
}

/// What `stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    pub kind: EntryKind,
    pub len: u64,
    pub modified: SystemTime,
}

/// The name of a temporary file beside `path`, hidden and unique to this process.
pub(super) fn temporary_beside(path: &Path) -> PathBuf {
    let unique = real::next_temporary();
    path.parent().unwrap_or(Path::new(".")).join(unique)
}

/// Whether a name in a directory listing is a temporary file of ours, whole or orphaned.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(real::TEMPORARY_PREFIX)
}
