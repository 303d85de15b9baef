//! How are the store's files kept on a real file system?
//!
//! Deliberately elsewhere: the contract of each call (`disk`).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use self::real_lock::RealLock;
use super::{Disk, Entry, LockMode, LockedFile, Stat, Sync, TemporaryFile, temporary_beside};
use crate::engine::backend::embedded::stop_at;

mod real_lock;

/// Temporary files are `.tmp-PID-N`: hidden, and their maker can be told from the name.
pub(super) const TEMPORARY_PREFIX: &str = ".tmp-";

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn claim_root(&self, root: &Path) -> io::Result<()> {
        match fs::symlink_metadata(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_dirs(root)?,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let found = fs::metadata(root)?;
        if !found.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a directory"));
        }
        refuse_foreign(&found)
    }

    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>> {
        RealLock::try_take(path, mode).map(|lock| lock.map(|lock| Box::new(lock) as Box<dyn LockedFile>))
    }

    fn is_lock_free(&self, path: &Path) -> bool {
        match File::open(path) {
            // The probe is shared and lasts a moment; a `try_lock` it disturbs is tried again.
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        replace(path, bytes, Sync::Yes)
    }

    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        replace(path, bytes, Sync::No)
    }

    fn create_exclusive(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = create_new(path)?;
        stop_at::step("fill", path);
        file.write_all(bytes).inspect_err(|_| {
            // The write's own error is what the caller needs; an empty leftover counts as free.
            let _ = fs::remove_file(path);
        })
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        stop_at::step("append", path);
        private(&mut options).open(path)?.write_all(bytes)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        stop_at::step("truncate", path);
        match OpenOptions::new().write(true).open(path) {
            Ok(file) => file.set_len(len),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        stop_at::step("move", to);
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        stop_at::step("delete", path);
        fs::remove_file(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        stop_at::step("delete tree", path);
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        stop_at::step("make directory", path);
        private_dir().create(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if !path.is_dir() {
            stop_at::step("make directory", path);
        }
        make_dirs(path)
    }

    fn create_dir_with_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        stop_at::step("make directory", path);
        private_dir().create(path)?;
        stop_at::step("set mode", path);
        set_mode(path, mode)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                Ok(Entry { name, kind: entry.file_type()?.into() })
            })
            .collect()
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let found = fs::symlink_metadata(path)?;
        Ok(Stat { kind: found.file_type().into(), len: found.len(), modified: found.modified()? })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        stop_at::step("sync directory", path);
        sync_directory(path)
    }

    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        Ok(Box::new(new_temporary(&dir.join("_"))?))
    }

    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        Ok(Box::new(Partial { file: private(&mut options).open(path)?, path: path.to_owned() }))
    }
}

struct RealTemporary {
    file: File,
    /// `None` once it has its final name.
    path: Option<PathBuf>,
}

impl Write for RealTemporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TemporaryFile for RealTemporary {
    fn commit(mut self: Box<Self>, path: &Path, sync: Sync) -> io::Result<()> {
        if let Some(temporary) = &self.path {
            publish(&self.file, temporary, path, sync)?;
        }
        self.path = None;
        Ok(())
    }
}

struct Partial {
    file: File,
    path: PathBuf,
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TemporaryFile for Partial {
    fn commit(self: Box<Self>, path: &Path, sync: Sync) -> io::Result<()> {
        publish(&self.file, &self.path, path, sync)
    }
}

fn publish(file: &File, from: &Path, to: &Path, sync: Sync) -> io::Result<()> {
    if sync == Sync::Yes {
        file.sync_all()?;
    }
    stop_at::step("publish", to);
    fs::rename(from, to)?;
    stop_at::step("published", to);
    match (sync, to.parent()) {
        (Sync::Yes, Some(dir)) => sync_directory(dir),
        (Sync::Yes, None) | (Sync::No, _) => Ok(()),
    }
}

impl Drop for RealTemporary {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // Best effort: an orphan carries our prefix and is cleared by reconciliation.
            let _ = fs::remove_file(path);
        }
    }
}

pub(super) fn next_temporary() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{TEMPORARY_PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn replace(path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
    let mut file = Box::new(new_temporary(path)?);
    stop_at::step("fill temporary for", path);
    file.write_all(bytes)?;
    file.commit(path, sync)
}

/// A temporary file beside `path`. A killed process of the same number may have left one of the same name.
fn new_temporary(path: &Path) -> io::Result<RealTemporary> {
    loop {
        let temporary = temporary_beside(path);
        match create_new(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return Ok(RealTemporary { file: made?, path: Some(temporary) }),
        }
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    stop_at::step("create", path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options).open(path)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn private_dir() -> fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has permission bits to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
}

fn make_dirs(path: &Path) -> io::Result<()> {
    private_dir().recursive(true).create(path)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows has no handle to sync a directory with; NTFS journals its names.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn refuse_foreign(found: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = found.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("it belongs to user {owner}")));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "other users may write to it"));
    }
    Ok(())
}

/// The profile directory's own access list does this on Windows.
#[cfg(not(unix))]
fn refuse_foreign(_found: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
