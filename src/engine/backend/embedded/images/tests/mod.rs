//! Does the image store keep its promises? Pulls from a registry in memory that can misbehave.

mod faults;
mod importing;
mod keeping;
mod memory_registry;
mod pulling;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;

use self::memory_registry::MemoryRegistry;
use super::*;
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            disk::{Disk, RealDisk},
            linux::unpack::{LayerUnpacker, Privilege},
            machine::Machine,
        },
    },
    domain::{Digest, ImageReference},
};

/// A store in a directory of its own.
struct TestStore {
    base: TempDir,
    images: ImageStore,
}

impl TestStore {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let images = open(base.path(), "boot-1");
        Self { base, images }
    }

    fn root(&self) -> PathBuf {
        self.base.path().join("images")
    }

    /// Names of everything in one of the store's directories.
    fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root().join(directory)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn pull(&self, registry: &MemoryRegistry, name: &str) -> crate::engine::domain::Result<Pulled> {
        self.images.pull(&reference(name), None, registry, &context())
    }

    /// Nothing but whole things: no lock, lease, staging directory or trash.
    fn assert_tidy(&self) {
        self.assert_tidy_but_for(&[]);
    }

    /// The same, where downloads of these blobs may have been under way when something else went wrong: the next pull
    /// goes on with them.
    fn assert_tidy_but_for(&self, under_way: &[&Digest]) {
        let mut left = self.names("ingest");
        left.retain(|name| !under_way.iter().any(|blob| *name == format!("{}.part", blob.hex())));
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(self.names("leases"), Vec::<String>::new());
        assert_eq!(self.names("trash"), Vec::<String>::new());
    }
}

fn open(base: &Path, boot: &str) -> ImageStore {
    open_on(Arc::new(RealDisk), base, boot)
}

fn open_on(disk: Arc<dyn Disk>, base: &Path, boot: &str) -> ImageStore {
    let privilege = match rustix::process::geteuid().is_root() {
        true => Privilege::Root,
        false => Privilege::SingleUser,
    };
    let unpacker = Arc::new(LayerUnpacker::new(privilege));
    ImageStore::open(&base.join("images"), Machine::with_disk(disk), unpacker, boot).unwrap()
}

fn reference(name: &str) -> ImageReference {
    name.parse::<ImageReference>().unwrap()
}

fn context() -> OperationContext {
    OperationContext::unwatched(Duration::from_secs(60))
}
