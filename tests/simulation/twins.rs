//! Would the simulation notice? Known bugs of others, and of our own drafts, as variants of our own mechanisms.
//!
//! Each wraps the simulated disk or kernel of the processes that ask; everything else is production. A twin that is not
//! found fails the build. Deliberately elsewhere: running them (`super`).

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use wharf::engine::backend::embedded::disk::{Disk, Entry, LockMode, LockedFile, Stat, TemporaryFile};

use super::{disk::SimulatedDisk, rules::Rules, runs::Bug, scheduler::ProcessId, world::World};

/// A bug that somebody had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twin {
    /// moby#53481: a record that could not be written is taken for written.
    SwallowedWrite,
    /// A draft of ours: the journal entry of a rename is not durable before the old name is freed.
    UnsyncedRecord,
    /// Removal in place, piece by piece, instead of one rename.
    RemovalInPlace,
    /// nerdctl#3284: the exclusive lock is a shared one.
    SharedLock,
    /// A draft of ours: a name is given before it is on the disk.
    UnsyncedName,
    /// A draft of ours: a container's lock lies in the directory that is renamed, on a system that refuses that.
    LockInside,
}

impl Twin {
    /// The disk of a process, with the bug if there is one.
    pub fn disk(twin: Option<Self>, world: &Arc<World>, me: ProcessId) -> Arc<dyn Disk> {
        let disk = SimulatedDisk::new(Arc::clone(world), me);
        match twin {
            Some(twin) => Arc::new(TwinDisk { twin, disk }),
            None => Arc::new(disk),
        }
    }
}

impl Bug for Twin {
    const FOUND_BY_LOT: &'static [Self] = &[
        Self::SwallowedWrite,
        Self::UnsyncedRecord,
        Self::RemovalInPlace,
        Self::SharedLock,
        Self::UnsyncedName,
        Self::LockInside,
    ];

    fn rules(self) -> Rules {
        match self {
            Self::SwallowedWrite
            | Self::UnsyncedRecord
            | Self::RemovalInPlace
            | Self::SharedLock
            | Self::UnsyncedName => Rules::Linux,
            Self::LockInside => Rules::Windows,
        }
    }
}

struct TwinDisk {
    twin: Twin,
    disk: SimulatedDisk,
}

fn is_record(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "config.json")
}

impl Disk for TwinDisk {
    fn claim_root(&self, root: &Path) -> io::Result<()> {
        self.disk.claim_root(root)
    }
    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>> {
        let mode = if self.twin == Twin::SharedLock { LockMode::Shared } else { mode };
        self.disk.try_lock(path, mode)
    }
    fn open_files_keep_names(&self) -> bool {
        self.twin != Twin::LockInside && self.disk.open_files_keep_names()
    }
    fn is_lock_free(&self, path: &Path) -> bool {
        self.disk.is_lock_free(path)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.disk.open(path)
    }
    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.twin {
            Twin::SwallowedWrite if is_record(path) => {
                // The bug itself.
                let _ = self.disk.write_durable(path, bytes);
                Ok(())
            }
            Twin::UnsyncedRecord if is_record(path) => self.disk.write_atomic(path, bytes),
            Twin::UnsyncedName if path.starts_with("/data/names") => self.disk.write_atomic(path, bytes),
            Twin::SwallowedWrite
            | Twin::UnsyncedRecord
            | Twin::RemovalInPlace
            | Twin::SharedLock
            | Twin::UnsyncedName
            | Twin::LockInside => self.disk.write_durable(path, bytes),
        }
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
        if self.twin == Twin::RemovalInPlace && to.starts_with("/data/trash") {
            return self.disk.remove_tree(from);
        }
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
        self.disk.sync_dir(path)
    }
    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.disk.create_temporary(dir)
    }
    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.disk.open_partial(path)
    }
}
