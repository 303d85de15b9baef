//! What may not be deleted although no record names it yet? Leases of running pulls, and the lock of all deleting.
//!
//! A lease is a list of digests beside a file its owner keeps locked: when the owner dies, the kernel ends the lease.
//! Deliberately elsewhere: deleting (`collect`).

use std::{collections::HashSet, io, path::PathBuf, time::Duration};

use super::layout::Layout;
use crate::engine::{
    backend::embedded::{
        disk::{Disk, is_temporary},
        lock::{Holder, Lock, Mode, is_free, lock, retire, try_lock},
        machine::Machine,
    },
    domain::{Digest, Error, Result, Verb},
};

/// The collection lock is held for one small file, or for deleting names; never for a transfer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The leases of one store.
#[derive(Clone)]
pub(super) struct Leases {
    layout: Layout,
    machine: Machine,
}

/// Content kept for an operation that has begun; ends with the value, or with its process.
pub(super) struct Lease {
    leases: Leases,
    name: String,
    digests: Vec<Digest>,
    /// Until it is dropped.
    held: Option<Lock>,
}

/// What living leases keep.
#[derive(Debug, Default)]
pub(super) struct Leased {
    pub digests: HashSet<Digest>,
    /// How many there are; one that has just begun keeps nothing yet, but may have a file in `ingest`.
    pub leases: usize,
}

/// Nothing is deleted while this lives. Held for moments only.
#[derive(Debug)]
pub struct CollectionGuard {
    _lock: Lock,
}

impl Leases {
    pub(super) fn new(layout: Layout, machine: Machine) -> Self {
        Self { layout, machine }
    }

    /// Keeps everything as it is, together with others who want that.
    pub(super) fn share(&self, verb: Verb) -> Result<CollectionGuard> {
        self.guard(verb, Mode::Shared)
    }

    /// The right to change records and to delete content.
    pub(super) fn exclude(&self, verb: Verb) -> Result<CollectionGuard> {
        self.guard(verb, Mode::Exclusive)
    }

    /// A new lease, empty.
    pub(super) fn begin(&self, verb: Verb, time_limit: Duration) -> Result<Lease> {
        let name = self.machine.unique();
        let failed = |error| Error::io("taking a lease", error);
        // Against a collection that looks at the file between its making and its locking.
        let _guard = self.share(verb)?;
        let holder = Holder::this_process(&self.machine, verb, time_limit);
        let held = try_lock(self.disk(), &self.path(&name, "lock"), Mode::Exclusive, &holder).map_err(failed)?;
        let held = held.ok_or_else(|| failed(io::Error::other("another process has this one's number")))?;
        Ok(Lease { leases: self.clone(), name, digests: Vec::new(), held: Some(held) })
    }

    /// Digests under a living lease; dead leases are cleared. Call with the collection excluded.
    pub(super) fn living(&self) -> Result<Leased> {
        let failed = |error| Error::io("reading leases", error);
        let mut living = Leased::default();
        let entries = self.disk().list(&self.layout.leases()).map_err(failed)?;
        let locks: HashSet<&str> = entries.iter().filter_map(|entry| entry.name.strip_suffix(".lock")).collect();
        for entry in &entries {
            let Some(name) = entry.name.strip_suffix(".lock") else {
                // A list without its lock, or a list half-written: nobody writes one now. Other names are not ours.
                let orphaned = entry.name.strip_suffix(".json").is_some_and(|name| !locks.contains(name));
                if orphaned || is_temporary(&entry.name) {
                    // One that cannot be cleared is found again next time.
                    let _ = self.disk().remove_file(&self.layout.leases().join(&entry.name));
                }
                continue;
            };
            let list = self.path(name, "json");
            if is_free(self.disk(), &self.path(name, "lock")) {
                // A dead lease that cannot be cleared is found again next time.
                let _ = self.disk().remove_file(&list);
                let _ = self.disk().remove_file(&self.path(name, "lock"));
                continue;
            }
            living.leases += 1;
            match self.disk().read(&list) {
                Ok(bytes) => living.digests.extend(
                    serde_json::from_slice::<Vec<Digest>>(&bytes)
                        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?,
                ),
                // Taken, and nothing in it yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(living)
    }

    fn disk(&self) -> &dyn Disk {
        &*self.machine.disk
    }

    fn guard(&self, verb: Verb, mode: Mode) -> Result<CollectionGuard> {
        let holder = Holder::this_process(&self.machine, verb, PATIENCE);
        Ok(CollectionGuard { _lock: lock(&self.machine, &self.layout.collection_lock(), mode, &holder, PATIENCE)? })
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.layout.leases().join(format!("{name}.{extension}"))
    }
}

impl Lease {
    /// Keeps these digests too, from now on: only then look whether they are here.
    pub(super) fn add(&mut self, verb: Verb, digests: impl IntoIterator<Item = Digest>) -> Result<()> {
        self.digests.extend(digests);
        let _guard = self.leases.share(verb)?;
        let bytes = serde_json::to_vec(&self.digests).expect("digests are strings");
        let path = self.leases.path(&self.name, "json");
        self.leases.disk().write_atomic(&path, &bytes).map_err(|error| Error::io("writing a lease", error))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A leftover is dead as soon as its lock is free, and cleared by the next collection.
        let _ = self.leases.disk().remove_file(&self.leases.path(&self.name, "json"));
        if let Some(held) = self.held.take() {
            retire(self.leases.disk(), &self.leases.path(&self.name, "lock"), held);
        }
    }
}
