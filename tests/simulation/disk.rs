//! How does a process of the simulation touch files? As `RealDisk` does, call by call, any of which may fail or be the last.
//!
//! A call that is several system calls is several steps here. Deliberately elsewhere: what is on the disk
//! (`file_system`), which calls fail (`faults`, `crash_points`).

mod agrees;
mod open;

use std::{
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wharf::engine::backend::embedded::disk::{Disk, Entry, EntryKind, LockMode, LockedFile, Stat, Sync, TemporaryFile};

use self::open::{Fate, Handle, OpenFile, OpenReader, SimulatedLock};
use super::{
    crash_points::Effect,
    file_system::{Inode, Node},
    rules::Sharing,
    scheduler::ProcessId,
    surroundings::EPOCH,
    world::{State, World},
};

/// One process's disk.
#[derive(Clone)]
pub struct SimulatedDisk {
    pub world: Arc<World>,
    pub me: ProcessId,
    /// As in `RealDisk`: of the process, starting anew with each.
    temporaries: Arc<AtomicU64>,
}

/// What becomes of a lock file that is not there: who takes it makes it, who only looks finds it free.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    IsMade,
    IsFree,
}

/// Whether a call needs room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Needed,
    NotNeeded,
}

impl SimulatedDisk {
    pub fn new(world: Arc<World>, me: ProcessId) -> Self {
        Self { world, me, temporaries: Arc::default() }
    }

    /// One system call: the scheduler may let others run before it, and it may fail.
    fn call(&self, what: &str, path: &Path, room: Room) -> io::Result<()> {
        if !self.world.step(self.me, || format!("{what} {}", path.display())) {
            return Err(io::Error::other("killed"));
        }
        match self.drawn(room) {
            None => Ok(()),
            Some(effect) => self.world.suffer(self.me, effect),
        }
    }

    /// What this call suffers: from the crash point being tried, or from the mix of faults.
    fn drawn(&self, room: Room) -> Option<Effect> {
        let mut state = self.world.state();
        if let Some(effect) = state.strike_now() {
            return Some(effect);
        }
        let faults = state.faults.clone();
        if std::thread::panicking() {
            return None;
        }
        let dice = &mut state.dice;
        if dice.per_mille(faults.disk_error) {
            Some(Effect::Error)
        } else if room == Room::Needed && dice.per_mille(faults.no_space) {
            Some(Effect::NoSpace)
        } else if dice.per_mille(faults.delay) {
            Some(Effect::Delay(Duration::from_millis(1 << dice.below(14))))
        } else {
            None
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        let mut state = self.world.state();
        state.files.now = state.now;
        state
    }

    fn temporary_beside(&self, path: &Path) -> PathBuf {
        let pid = self.state().processes[self.me].pid;
        let name = format!(".tmp-{pid}-{}", self.temporaries.fetch_add(1, Ordering::Relaxed));
        path.parent().unwrap_or(Path::new("/")).join(name)
    }

    /// As in `RealDisk`, past names that a killed process of the same number left.
    fn new_temporary(&self, path: &Path) -> io::Result<OpenFile> {
        loop {
            let temporary = self.temporary_beside(path);
            match self.make(&temporary) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    let handle = Handle::new(self, made?, Sharing::All);
                    return Ok(OpenFile::new(handle, temporary, Fate::Temporary));
                }
            }
        }
    }

    fn make(&self, path: &Path) -> io::Result<Inode> {
        self.call("create", path, Room::Needed)?;
        self.state().files.make_file(path)
    }

    /// As O_CREAT does, within a call that is counted already.
    fn find_or_make(&self, path: &Path) -> io::Result<Inode> {
        let files = &mut self.state().files;
        match files.find(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => files.make_file(path),
            Ok(inode) if files.entries(inode).is_ok() => Err(io::ErrorKind::IsADirectory.into()),
            found => found,
        }
    }

    fn write_to(&self, inode: Inode, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.call("write", path, Room::Needed)?;
        self.state().files.content(inode)?.extend_from_slice(bytes);
        Ok(())
    }

    fn replace(&self, path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
        let mut file = Box::new(self.new_temporary(path)?);
        file.write_all(bytes)?;
        file.commit(path, sync)
    }

    fn publish(&self, inode: Inode, from: &Path, to: &Path, sync: Sync) -> io::Result<()> {
        if sync == Sync::Yes {
            self.call("fsync", from, Room::Needed)?;
            self.state().files.sync_file(inode);
        }
        self.rename(from, to)?;
        match (sync, to.parent()) {
            (Sync::Yes, Some(dir)) => self.sync_dir(dir),
            (Sync::Yes, None) | (Sync::No, _) => Ok(()),
        }
    }

    /// As a monitor replaces its files: beside them, under a name of their own.
    pub fn replace_via_tmp(&self, path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
        let temporary = path.with_extension("tmp");
        self.call("create", &temporary, Room::Needed)?;
        let inode = self.find_or_make(&temporary)?;
        self.state().files.content(inode)?.clear();
        self.write_to(inode, &temporary, bytes)?;
        self.publish(inode, &temporary, path, sync)
    }

    /// As rmdir(2): only an empty directory.
    pub fn remove_empty_dir(&self, path: &Path) -> io::Result<()> {
        self.call("rmdir", path, Room::NotNeeded)?;
        self.state().files.unlink(path)
    }

    fn take_lock(&self, path: &Path, mode: LockMode, missing: Missing) -> io::Result<Option<SimulatedLock>> {
        self.call("open lock", path, Room::NotNeeded)?;
        let inode = match missing {
            Missing::IsMade => self.find_or_make(path)?,
            Missing::IsFree => self.state().files.find(path)?,
        };
        let handle = Handle::new(self, inode, Sharing::NoDelete);
        self.call("flock", path, Room::NotNeeded)?;
        {
            let mut state = self.state();
            let lock = state.locks.entry(inode).or_default();
            let excluded =
                |(_, held): &(ProcessId, LockMode)| mode == LockMode::Exclusive || *held == LockMode::Exclusive;
            if lock.holders.iter().any(excluded) {
                return Ok(None);
            }
            lock.holders.push((self.me, mode));
        }
        let lock = SimulatedLock { handle, path: path.to_owned(), mode };
        self.call("stat lock", path, Room::NotNeeded)?;
        if missing == Missing::IsFree || self.state().files.find(path).ok() == Some(inode) {
            Ok(Some(lock))
        } else {
            Err(io::Error::new(io::ErrorKind::NotFound, "it was removed while we waited for its lock"))
        }
    }
}

impl Disk for SimulatedDisk {
    fn claim_root(&self, root: &Path) -> io::Result<()> {
        self.create_dir_all(root)
    }

    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>> {
        Ok(self.take_lock(path, mode, Missing::IsMade)?.map(|lock| Box::new(lock) as Box<dyn LockedFile>))
    }

    fn open_files_keep_names(&self) -> bool {
        self.state().files.rules.open_files_keep_names()
    }

    fn is_lock_free(&self, path: &Path) -> bool {
        if !self.exists(path) {
            return true;
        }
        match self.take_lock(path, LockMode::Shared, Missing::IsFree) {
            Ok(taken) => taken.is_some(),
            // Nobody locks a directory, or what is not there.
            Err(error) => matches!(error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::NotFound),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.call("read", path, Room::NotNeeded)?;
        let state = self.state();
        let inode = state.files.find(path)?;
        if state.files.rules.open_files_keep_names() && is_locked(&state, inode) {
            return Err(io::Error::other("another process has locked a portion of the file"));
        }
        state.files.read(inode).map(<[u8]>::to_vec)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.call("open", path, Room::NotNeeded)?;
        let inode = self.state().files.find(path)?;
        Ok(Box::new(OpenReader { handle: Handle::new(self, inode, Sharing::All), at: 0 }))
    }

    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.replace(path, bytes, Sync::Yes)
    }

    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.replace(path, bytes, Sync::No)
    }

    fn create_exclusive(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let handle = Handle::new(self, self.make(path)?, Sharing::All);
        self.write_to(handle.inode, path, bytes).inspect_err(|_| {
            // As `RealDisk` does it.
            let _ = self.remove_file(path);
        })
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.call("append", path, Room::Needed)?;
        let files = &mut self.state().files;
        let inode = match files.find(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => files.make_file(path)?,
            found => found?,
        };
        files.content(inode)?.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.call("truncate", path, Room::NotNeeded)?;
        let files = &mut self.state().files;
        match files.find(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            found => {
                files.content(found?)?.resize(len as usize, 0);
                Ok(())
            }
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename", &from.join("->").join(to.file_name().unwrap_or_default()), Room::NotNeeded)?;
        self.state().files.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call("unlink", path, Room::NotNeeded)?;
        let files = &mut self.state().files;
        match files.node(files.find(path)?)? {
            Node::File { .. } => files.unlink(path),
            Node::Directory { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        match self.list(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
            Ok(entries) => {
                for entry in entries {
                    let inner = path.join(&entry.name);
                    let removed = match entry.kind {
                        EntryKind::Directory => self.remove_tree(&inner),
                        EntryKind::File | EntryKind::Symlink | EntryKind::Other => self.remove_file(&inner),
                    };
                    match removed {
                        // Somebody else was faster.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        removed => removed?,
                    }
                }
            }
        }
        match self.remove_empty_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call("mkdir", path, Room::Needed)?;
        self.state().files.make_directory(path).map(drop)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.call("mkdir -p", path, Room::Needed)?;
        let files = &mut self.state().files;
        if files.find(path).is_ok_and(|inode| files.entries(inode).is_err()) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut missing: Vec<&Path> = path.ancestors().take_while(|path| files.find(path).is_err()).collect();
        missing.reverse();
        missing.into_iter().try_for_each(|path| files.make_directory(path).map(drop))
    }

    fn create_dir_with_mode(&self, path: &Path, _mode: u32) -> io::Result<()> {
        self.create_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.call("list", path, Room::NotNeeded)?;
        let files = &self.state().files;
        let entries = files.entries(files.find(path)?)?;
        entries.iter().map(|(name, inode)| Ok(Entry { name: name.clone(), kind: kind(files.node(*inode)?) })).collect()
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.call("stat", path, Room::NotNeeded)?;
        let state = self.state();
        let inode = state.files.find(path)?;
        let node = state.files.node(inode)?;
        let len = match node {
            Node::File { content, .. } => content.len() as u64,
            Node::Directory { .. } => 0,
        };
        Ok(Stat { kind: kind(node), len, modified: wall_time(&state, state.files.modified(inode)) })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call("fsync dir", path, Room::Needed)?;
        self.state().files.sync_directory(path)
    }

    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        Ok(Box::new(self.new_temporary(&dir.join("_"))?))
    }

    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.call("open", path, Room::Needed)?;
        let inode = self.find_or_make(path)?;
        let handle = Handle::new(self, inode, Sharing::All);
        Ok(Box::new(OpenFile::new(handle, path.to_owned(), Fate::Stays)))
    }
}

fn is_locked(state: &State, inode: Inode) -> bool {
    let holders = state.locks.get(&inode).map(|lock| lock.holders.as_slice()).unwrap_or_default();
    holders.iter().any(|(_, mode)| *mode == LockMode::Exclusive)
}

fn kind(node: &Node) -> EntryKind {
    match node {
        Node::File { .. } => EntryKind::File,
        Node::Directory { .. } => EntryKind::Directory,
    }
}

/// What the wall clock shows `nanos` after the beginning, if it has not jumped since.
fn wall_time(state: &State, nanos: u64) -> SystemTime {
    let jumped = i128::from(nanos) + i128::from(state.wall_jump);
    UNIX_EPOCH + EPOCH + Duration::from_nanos(u64::try_from(jumped).unwrap_or_default())
}
