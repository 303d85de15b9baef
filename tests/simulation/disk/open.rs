//! What can a process of the simulation do with a file it has open? Until it closes it, or dies.
//! Deliberately elsewhere: opening (`disk`), what an open file forbids (`rules`).

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use wharf::engine::backend::embedded::disk::{Disk as _, LockMode, LockedFile, Sync, TemporaryFile};

use super::{
    super::{file_system::Inode, rules::Sharing},
    Room, SimulatedDisk,
};

/// An open file.
pub struct Handle {
    pub disk: SimulatedDisk,
    pub inode: Inode,
    sharing: Sharing,
}

impl Handle {
    pub fn new(disk: &SimulatedDisk, inode: Inode, sharing: Sharing) -> Self {
        disk.state().files.open(inode, sharing);
        Self { disk: disk.clone(), inode, sharing }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.disk.state().files.close(self.inode, self.sharing);
    }
}

/// What becomes of an open file that is dropped without a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Temporary,
    Stays,
    Committed,
}

/// A file being written.
pub struct OpenFile {
    handle: Handle,
    path: PathBuf,
    fate: Fate,
}

impl OpenFile {
    pub fn new(handle: Handle, path: PathBuf, fate: Fate) -> Self {
        Self { handle, path, fate }
    }
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.handle.disk.write_to(self.handle.inode, &self.path, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TemporaryFile for OpenFile {
    fn commit(mut self: Box<Self>, path: &Path, sync: Sync) -> io::Result<()> {
        self.handle.disk.publish(self.handle.inode, &self.path, path, sync)?;
        self.fate = Fate::Committed;
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if self.fate == Fate::Temporary {
            // As `RealDisk` does it.
            let _ = self.handle.disk.remove_file(&self.path);
        }
    }
}

/// A file being read.
pub struct OpenReader {
    pub handle: Handle,
    pub at: usize,
}

impl Read for OpenReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let state = self.handle.disk.state();
        let content = state.files.read(self.handle.inode)?;
        let rest = content.get(self.at..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// A held lock file; the inode, not the name, is what is locked.
pub struct SimulatedLock {
    pub handle: Handle,
    pub path: PathBuf,
    pub mode: LockMode,
}

impl LockedFile for SimulatedLock {
    fn describe(&mut self, text: &[u8]) -> io::Result<()> {
        let disk = &self.handle.disk;
        disk.call("describe lock", &self.path, Room::Needed)?;
        let mut state = disk.state();
        let content = state.files.content(self.handle.inode)?;
        content.clear();
        content.extend_from_slice(text);
        Ok(())
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.handle.disk.state();
        let (me, mode) = (self.handle.disk.me, self.mode);
        if let Some(lock) = state.locks.get_mut(&self.handle.inode)
            && let Some(at) = lock.holders.iter().position(|holder| *holder == (me, mode))
        {
            lock.holders.remove(at);
        }
    }
}
