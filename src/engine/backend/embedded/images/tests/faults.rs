use std::{
    io::{self, Read, Write},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    memory_registry::{Packing, tar},
    *,
};
use crate::engine::{
    backend::embedded::disk::{Disk, Entry, LockMode, LockedFile, Stat, Sync as Durability, TemporaryFile},
    domain::{ErrorKind, Force, Result},
};

const NAME: &str = "localhost:5000/app:1";

/// What happens when the budget of changes is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// One change fails for want of space; the next ones work again.
    NoSpace,
    /// Nothing works any more, as after a kill: not even cleaning up.
    Killed,
}

/// A real disk on which the change number `at` goes wrong.
struct FaultyDisk {
    done: Arc<AtomicUsize>,
    at: usize,
    ending: Ending,
}

impl FaultyDisk {
    fn change(&self) -> io::Result<()> {
        let number = self.done.fetch_add(1, Ordering::SeqCst);
        match self.ending {
            Ending::NoSpace if number == self.at => Err(io::ErrorKind::StorageFull.into()),
            Ending::Killed if number >= self.at => Err(io::Error::other("killed")),
            Ending::NoSpace | Ending::Killed => Ok(()),
        }
    }

    fn part(&self, inner: Box<dyn TemporaryFile>) -> Box<dyn TemporaryFile> {
        let disk = Self { done: Arc::clone(&self.done), at: self.at, ending: self.ending };
        Box::new(FaultyPart { inner, disk })
    }
}

struct FaultyPart {
    inner: Box<dyn TemporaryFile>,
    disk: FaultyDisk,
}

impl Write for FaultyPart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.change()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl TemporaryFile for FaultyPart {
    fn commit(self: Box<Self>, path: &Path, sync: Durability) -> io::Result<()> {
        self.disk.change()?;
        self.inner.commit(path, sync)
    }
}

impl Disk for FaultyDisk {
    fn claim_root(&self, root: &Path) -> io::Result<()> {
        RealDisk.claim_root(root)
    }

    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>> {
        RealDisk.try_lock(path, mode)
    }

    fn is_lock_free(&self, path: &Path) -> bool {
        RealDisk.is_lock_free(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealDisk.read(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        RealDisk.open(path)
    }
    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change()?;
        RealDisk.write_durable(path, bytes)
    }
    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change()?;
        RealDisk.write_atomic(path, bytes)
    }
    fn create_exclusive(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change()?;
        RealDisk.create_exclusive(path, bytes)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change()?;
        RealDisk.append(path, bytes)
    }
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.change()?;
        RealDisk.truncate(path, len)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        RealDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        RealDisk.remove_file(path)
    }
    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        RealDisk.remove_tree(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        RealDisk.create_dir(path)
    }
    fn create_dir_with_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.change()?;
        RealDisk.create_dir_with_mode(path, mode)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        RealDisk.create_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        RealDisk.list(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealDisk.stat(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.change()?;
        Ok(self.part(RealDisk.create_temporary(dir)?))
    }
    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.change()?;
        Ok(self.part(RealDisk.open_partial(path)?))
    }
}

fn two_layers() -> Vec<Vec<u8>> {
    // The second depends on the first: the longest way there is.
    vec![tar(&[("etc/", ""), ("etc/name", "lower")]), tar(&[("etc/more", "upper")])]
}

/// Whatever is visible is whole.
fn assert_consistent(store: &TestStore) {
    for image in store.images.images().unwrap() {
        let pinned = store.images.pin(image.id.hex(), None, &context()).unwrap();
        assert_eq!(std::fs::read_to_string(pinned.lowers[0].join("etc/more")).unwrap(), "upper");
    }
    for (tag, _) in store.images.records.tags().unwrap() {
        store.images.find(&tag.familiar()).unwrap();
    }
}

/// Carries `work` out with the fault at every change in turn, until it succeeds; returns how many there were.
fn at_every_change(ending: Ending, work: impl Fn(&ImageStore) -> Result<()>, prepare: impl Fn(&TestStore)) -> usize {
    for at in 0.. {
        let store = TestStore::new();
        prepare(&store);
        let done = Arc::new(AtomicUsize::new(0));
        let disk = Arc::new(FaultyDisk { done: Arc::clone(&done), at, ending });
        let faulty = open_on(disk, store.base.path(), "boot-1");
        let outcome = work(&faulty);
        drop(faulty);
        if done.load(Ordering::SeqCst) <= at {
            outcome.unwrap();
            return at;
        }
        if let Err(error) = &outcome
            && ending == Ending::NoSpace
        {
            assert_eq!(error.kind(), ErrorKind::NoSpace, "change {at}: {error}");
        }
        assert_consistent(&store);
        store.images.sweep().unwrap();
        assert!(store.names("ingest").iter().all(|name| name.ends_with(".part")), "{:?}", store.names("ingest"));
        assert!(store.names("leases").is_empty() && store.names("trash").is_empty());
        work(&store.images).unwrap_or_else(|error| panic!("after {ending:?} at change {at}: {error}"));
        assert_consistent(&store);
        store.images.prune(PruneScope::Dangling, &|| Ok(Vec::new())).unwrap();
        store.assert_tidy();
        store.images.prune(PruneScope::Unused, &|| Ok(Vec::new())).unwrap();
        for directory in ["layers", "records", "blobs/sha256", "ingest", "leases", "trash"] {
            assert_eq!(store.names(directory), Vec::<String>::new(), "{ending:?} at change {at}");
        }
    }
    unreachable!("some number of changes is enough")
}

#[test]
fn a_pull_survives_a_full_disk_and_a_kill_at_every_change() {
    let mut registry = MemoryRegistry::default();
    registry.image("1", &two_layers(), Packing::Gzip);
    let pull = |store: &ImageStore| store.pull(&reference(NAME), None, &registry, &context()).map(drop);
    for ending in [Ending::NoSpace, Ending::Killed] {
        let changes = at_every_change(ending, pull, |_| {});
        assert!(changes > 20, "{changes} changes");
    }
}

#[test]
fn a_removal_survives_a_full_disk_and_a_kill_at_every_change() {
    let mut registry = MemoryRegistry::default();
    registry.image("1", &two_layers(), Packing::Gzip);
    let remove = |store: &ImageStore| match store.remove_image(NAME, Force::No, &|| Ok(Vec::new())) {
        // The first attempt may have come that far.
        Err(error) if error.kind() == ErrorKind::NoSuchImage => Ok(()),
        other => other.map(drop),
    };
    for ending in [Ending::NoSpace, Ending::Killed] {
        let changes = at_every_change(ending, remove, |store| {
            store.pull(&registry, NAME).unwrap();
        });
        assert!(changes > 5, "{changes} changes");
    }
}
