//! Would the simulation of images notice? Bugs that others had, or that ours could have, as variants of our own disk.
//!
//! Deliberately elsewhere: running them (`super`), twins of containers (`simulation::twins`).

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use wharf::engine::backend::embedded::disk::{Disk, Entry, LockMode, LockedFile, Stat, Sync, TemporaryFile};

use super::super::{disk::SimulatedDisk, rules::Rules, runs::Bug, scheduler::ProcessId, world::World};

/// A bug that somebody had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageTwin {
    /// A blob is renamed into place before its bytes are on the disk.
    UnsyncedBlob,
    /// go-containerregistry (founding case 4): who writes a digest looks whether somebody does, and then writes anyway.
    LooksThenActs,
    /// Collecting without asking who is pulling.
    BlindCollection,
    /// A removed image is forgotten although a container needs its layers.
    ForgottenContainer,
    /// A draft of ours: a blob that can be seen is taken for durable, although its writer died before the sync. Chance
    /// needs thousands of seeds for that, so it has a test of its own (`crash_points`).
    TrustsItsEyes,
}

impl Bug for ImageTwin {
    const FOUND_BY_LOT: &'static [Self] =
        &[Self::UnsyncedBlob, Self::LooksThenActs, Self::BlindCollection, Self::ForgottenContainer];

    fn rules(self) -> Rules {
        Rules::Linux
    }
}

/// The disk of a process, with the bug if there is one.
pub fn disk(twin: Option<ImageTwin>, world: &Arc<World>, me: ProcessId) -> Arc<dyn Disk> {
    let disk = SimulatedDisk::new(Arc::clone(world), me);
    match twin {
        Some(twin) => Arc::new(TwinDisk { twin, disk }),
        None => Arc::new(disk),
    }
}

struct TwinDisk {
    twin: ImageTwin,
    disk: SimulatedDisk,
}

/// A lock that is never anybody else's.
struct NoLock;

impl LockedFile for NoLock {
    fn describe(&mut self, _text: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

struct TwinFile {
    twin: ImageTwin,
    file: Box<dyn TemporaryFile>,
}

impl Write for TwinFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TemporaryFile for TwinFile {
    fn commit(self: Box<Self>, path: &Path, sync: Sync) -> io::Result<()> {
        self.file.commit(path, if self.twin == ImageTwin::UnsyncedBlob { Sync::No } else { sync })
    }
}

impl TwinDisk {
    fn file(&self, file: Box<dyn TemporaryFile>) -> Box<dyn TemporaryFile> {
        Box::new(TwinFile { twin: self.twin, file })
    }
}

impl Disk for TwinDisk {
    fn claim_root(&self, root: &Path) -> io::Result<()> {
        self.disk.claim_root(root)
    }
    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>> {
        if self.twin == ImageTwin::LooksThenActs && path.starts_with("/data/images/ingest") {
            return Ok(Some(Box::new(NoLock)));
        }
        self.disk.try_lock(path, mode)
    }
    fn open_files_keep_names(&self) -> bool {
        self.disk.open_files_keep_names()
    }
    fn is_lock_free(&self, path: &Path) -> bool {
        (self.twin == ImageTwin::BlindCollection && path.starts_with("/data/images/leases"))
            || self.disk.is_lock_free(path)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.disk.open(path)
    }
    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.twin == ImageTwin::ForgottenContainer && path.starts_with("/data/images/held") {
            return Ok(());
        }
        self.disk.write_durable(path, bytes)
    }
    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.write_atomic(path, bytes)
    }
    fn create_exclusive(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.create_exclusive(path, bytes)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.append(path, bytes)
    }
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.disk.truncate(path, len)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }
    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_tree(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir(path)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }
    fn create_dir_with_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.disk.create_dir_with_mode(path, mode)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.disk.stat(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.twin == ImageTwin::TrustsItsEyes && path.starts_with("/data/images/blobs") {
            return Ok(());
        }
        self.disk.sync_dir(path)
    }
    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        Ok(self.file(self.disk.create_temporary(dir)?))
    }
    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        Ok(self.file(self.disk.open_partial(path)?))
    }
}
