//! How does a container come to be? Everything in a hidden directory, then one rename.
//!
//! A kill in between leaves a hidden directory with a free lock, and at most a name and volumes that
//! nobody claims: `repair` and the next taker of the name clear them. Deliberately elsewhere: pulling
//! the image (`backend`), what the options mean (`resolve`).

use std::{
    cell::Cell,
    io,
    path::{Path, PathBuf},
};

use super::{
    Containers,
    layout::{AUTO_REMOVE, RECORD, UPPER, VOLUMES, WORK},
    names::{self, Reserved},
    record::{Durability, ImageFacts, Record, RecordedMount, to_bytes},
    resolve::{Plan, resolve},
    store::Store,
    volumes::{self, Made},
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            launch::FORMAT,
            lock::{self, Holder, Lock, Mode},
            machine::Machine,
        },
    },
    domain::{ContainerId, ContainerName, ContainerSpec, Done, Error, EventAction, Generation, Result, Verb},
};

/// Random names are tried this often before the id is added.
const NAME_TRIES: u64 = 16;

impl Containers {
    /// Creates a container of an image that is here. Failure and cancel leave nothing.
    ///
    /// # Errors
    /// `NoSuchImage`, `NameInUse`, `InvalidInput`, `NoSpace`, `Denied`, `Io`, `Cancelled`.
    pub fn create(&self, spec: &ContainerSpec, context: &OperationContext) -> Result<Done> {
        self.store.prepare()?;
        self.settle_boot();
        let base = self.images.base(&spec.image, spec.platform.as_ref(), context)?;
        let id = self.store.machine.random_id();
        let Plan { resolved, mounts, network, warnings } =
            resolve(spec, &base.defaults, &id, machine_name().as_deref())?;
        let mut spec = spec.clone();
        spec.network = network;
        let data = self.store.layout.data();
        let image = ImageFacts {
            id: base.id.clone(),
            platform: base.platform.clone(),
            layers: base.layers.iter().map(|layer| below(layer, data)).collect(),
        };
        let nascent = Nascent::make(&self.store, &id, base.root.mode, context)?;
        context.check().inspect_err(|_| nascent.undo(None))?;
        let durability = Store::durability_of(&spec);
        let name = nascent.take_name(spec.name.as_ref(), durability)?;
        let mut made = Made::default();
        let mounts = volumes::named(&self.store.machine, mounts);
        let remover = self.tree_remover();
        let provided = nascent.note_volumes(&mounts).and_then(|()| {
            volumes::provide(&self.store, &*self.kernel, &mounts, &base.layers, &mut made, durability, context)
        });
        let outcome = provided.and_then(|()| {
            let mut record = Record {
                format: FORMAT,
                id: id.clone(),
                name: name.clone(),
                revision: Generation(1),
                run: Generation::default(),
                created: self.store.machine.clock.now(),
                operation: operation_label(&self.store.machine, context),
                image,
                resolved,
                mounts,
                spec: trimmed(spec),
                intent: None,
                start_failure: None,
            };
            context.check()?;
            nascent.settle(&mut record)?;
            Ok(record)
        });
        match outcome {
            Ok(record) => {
                self.store.note(&record, EventAction::Create, &[]);
                self.store.announce(&id, record.revision);
                Ok(Done { container: Some(id.clone()), output: vec![id.to_string()], warnings, ..Done::default() })
            }
            Err(error) => {
                // Whatever cannot be taken back now stays for a repair: the container whole, or its hidden directory,
                // which says which volumes go with it.
                if nascent.hide() && volumes::undo(&self.store, made, &remover).is_ok() {
                    nascent.undo(Some(&name));
                }
                Err(error)
            }
        }
    }
}

/// A container's directory before anybody can see it. Its lock tells others that somebody is at it.
struct Nascent<'a> {
    store: &'a Store,
    id: ContainerId,
    dir: PathBuf,
    lock: Option<Lock>,
    /// Nothing of it is left.
    undone: Cell<bool>,
}

impl<'a> Nascent<'a> {
    fn make(store: &'a Store, id: &ContainerId, root_mode: u32, context: &OperationContext) -> Result<Self> {
        let dir = store.layout.nascent(id);
        let failed = |error| Error::io("its directory cannot be made", error);
        store.disk().create_dir(&dir).map_err(failed)?;
        let holder = Holder::this_process(&store.machine, Verb::Create, context.remaining());
        let path = store.layout.nascent_lock(store.disk(), id);
        let mut nascent = Self { store, id: id.clone(), dir, lock: None, undone: Cell::new(false) };
        let lock = match lock::try_lock(store.disk(), &path, Mode::Exclusive, &holder) {
            Ok(Some(lock)) => Ok(lock),
            // Nobody else knows the id; only a repair may look at the lock for a moment.
            Ok(None) => lock::lock(&store.machine, &path, Mode::Exclusive, &holder, context.remaining()),
            Err(error) => Err(failed(error)),
        };
        nascent.lock = Some(lock.inspect_err(|_| nascent.undo(None))?);
        for (part, mode) in [(UPPER, root_mode), (WORK, 0o700)] {
            if let Err(error) = store.disk().create_dir_with_mode(&nascent.dir.join(part), mode) {
                nascent.undo(None);
                return Err(failed(error));
            }
        }
        Ok(nascent)
    }

    /// The asked name, or a random one that is free.
    fn take_name(&self, asked: Option<&ContainerName>, durability: Durability) -> Result<ContainerName> {
        self.try_take_name(asked, durability).inspect_err(|_| self.undo(None))
    }

    fn try_take_name(&self, asked: Option<&ContainerName>, durability: Durability) -> Result<ContainerName> {
        let (machine, layout) = (&self.store.machine, &self.store.layout);
        let reserve = |name: &ContainerName| names::reserve(machine, layout, name, &self.id, durability);
        if let Some(name) = asked {
            return match reserve(name)? {
                Reserved::Yes => Ok(name.clone()),
                Reserved::Taken(owner) => Err(names::in_use(name, &owner)),
            };
        }
        // The id is random; its digits seed the name as well as anything.
        let seed = u64::from_str_radix(self.id.as_str().get(..16).unwrap_or_default(), 16).unwrap_or_default();
        for attempt in 0..NAME_TRIES {
            let name = ContainerName::random(seed.wrapping_add(attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            if reserve(&name)? == Reserved::Yes {
                return Ok(name);
            }
        }
        let unique: ContainerName = format!("{}_{}", ContainerName::random(seed), self.id.short()).parse()?;
        match reserve(&unique)? {
            Reserved::Yes => Ok(unique),
            Reserved::Taken(owner) => Err(names::in_use(&unique, &owner)),
        }
    }

    /// Writes down which volumes go with it if its creation is cut.
    fn note_volumes(&self, mounts: &[RecordedMount]) -> Result<()> {
        let own = mounts.iter().filter(|mount| mount.anonymous).filter_map(|mount| mount.volume.as_ref());
        let list: String = own.map(|name| format!("{name}\n")).collect();
        if list.is_empty() {
            return Ok(());
        }
        // Durably, whatever the record will be: volumes are made next, and nothing else tells whose they are.
        let written = self.store.disk().write_durable(&self.dir.join(VOLUMES), list.as_bytes());
        written.map_err(|error| Error::io("the list of its volumes cannot be written", error))
    }

    /// Writes the record and gives the directory its final name: from here on the container exists.
    fn settle(&self, record: &mut Record) -> Result<()> {
        let failed = |error| Error::io("its record cannot be written", error);
        let bytes = to_bytes(record)?;
        let (path, disk) = (self.dir.join(RECORD), self.store.disk());
        let durability = Store::durability(record);
        match durability {
            Durability::Synced => disk.write_durable(&path, &bytes).map_err(failed)?,
            Durability::Unsynced => {
                disk.create_exclusive(&self.dir.join(AUTO_REMOVE), b"").map_err(failed)?;
                disk.create_exclusive(&path, &bytes).map_err(failed)?;
            }
        }
        disk.rename(&self.dir, &self.store.layout.container(&self.id)).map_err(failed)?;
        match durability {
            Durability::Synced => disk.sync_dir(&self.store.layout.containers()).map_err(failed),
            Durability::Unsynced => Ok(()),
        }
    }

    /// Takes it out of sight again, so that nobody sees it half-removed, after a power cut neither. Whether it is.
    fn hide(&self) -> bool {
        let (disk, layout) = (self.store.disk(), &self.store.layout);
        match disk.rename(&layout.container(&self.id), &self.dir) {
            Ok(()) => disk.sync_dir(&layout.containers()).is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Removes what is there of it. Idempotent; what cannot be removed now is left to `repair`.
    fn undo(&self, name: Option<&ContainerName>) {
        let (disk, layout) = (self.store.disk(), &self.store.layout);
        // The error that brought us here is the one worth reporting.
        if let Some(name) = name {
            let _ = names::release(&self.store.machine, layout, name, &self.id);
        }
        let _ = disk.remove_tree(&self.dir);
        self.undone.set(true);
    }
}

impl Drop for Nascent<'_> {
    fn drop(&mut self) {
        let (disk, layout) = (self.store.disk(), &self.store.layout);
        if let Some(lock) = self.lock.take()
            && self.undone.get()
            && disk.open_files_keep_names()
        {
            lock::retire(disk, &layout.nascent_lock(disk, &self.id), lock);
        }
    }
}

/// What `resolved` says is not kept twice.
fn trimmed(spec: ContainerSpec) -> ContainerSpec {
    ContainerSpec { env: Vec::new(), labels: std::collections::BTreeMap::new(), ..spec }
}

/// Layers below the data directory move with it.
fn below(layer: &Path, data: &Path) -> PathBuf {
    layer.strip_prefix(data).map_or_else(|_| layer.to_owned(), Path::to_owned)
}

/// Unique in this store: process, its operation's number, and the second.
fn operation_label(machine: &Machine, context: &OperationContext) -> String {
    format!("{}-{}-{}", machine.pid, context.id, machine.clock.now().unix_seconds())
}

/// This machine's name, for containers that use its network. Unknown: they get their id as name.
fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
