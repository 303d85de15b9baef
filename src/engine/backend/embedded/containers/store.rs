//! What do all container verbs share? The directories, their locks, and telling others of changes.
//!
//! Works without kernel and images, so that a monitor can use it too. Deliberately elsewhere: the verbs
//! themselves, what is in the files (`record`, `names`, `changes`, `event_log`).

use std::{collections::BTreeMap, fmt, io, path::PathBuf, sync::OnceLock, time::Duration};

use super::{
    changes,
    event_log::EventLog,
    layout::{Layout, RECORD},
    record::{Durability, Read, Record, read, write},
};
use crate::engine::{
    backend::embedded::{
        disk::{Disk, EntryKind},
        lock::{self, Holder, Lock, Mode},
        machine::Machine,
    },
    domain::{
        ContainerId, ContainerSpec, Digest, EngineEvent, Error, EventAction, EventSubject, Generation, Result, Verb,
    },
};

/// The containers' part of the data and run directories.
pub struct Store {
    pub layout: Layout,
    pub machine: Machine,
    events: EventLog,
    prepared: OnceLock<()>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// A container under its lock: the only way to write its record.
#[derive(Debug)]
pub struct Held {
    pub id: ContainerId,
    pub dir: PathBuf,
    lock: Lock,
}

impl Store {
    #[must_use]
    pub fn new(layout: Layout, machine: Machine) -> Self {
        let events = EventLog::new(layout.events());
        Self { layout, machine, events, prepared: OnceLock::new() }
    }

    #[must_use]
    pub fn disk(&self) -> &dyn Disk {
        &*self.machine.disk
    }

    /// Makes the directories, once per process, before the first change.
    ///
    /// # Errors
    /// `Denied` for a directory of somebody else, `NoSpace`, `Io`.
    pub fn prepare(&self) -> Result<()> {
        if self.prepared.get().is_some() {
            return Ok(());
        }
        for root in [self.layout.data(), self.layout.run()] {
            self.disk().claim_root(root).map_err(|error| {
                Error::io(format!("{} cannot be used", root.display()), error)
                    .remedy("make it your own (chown, chmod 700), or set WHARF_ROOT to another directory")
            })?;
        }
        let layout = &self.layout;
        let directories =
            [layout.containers(), layout.names(), layout.events(), layout.volumes(), layout.trash(), layout.runs()];
        for directory in directories {
            self.disk()
                .create_dir_all(&directory)
                .map_err(|error| Error::io(format!("{} cannot be made", directory.display()), error))?;
        }
        if self.disk().open_files_keep_names() {
            let made = self.disk().create_dir_all(&layout.locks());
            made.map_err(|error| Error::io(format!("{} cannot be made", layout.locks().display()), error))?;
        }
        // Another thread that prepared meanwhile has done the same.
        let _ = self.prepared.set(());
        Ok(())
    }

    /// The ids of all containers, in no order. No data directory means no containers.
    ///
    /// # Errors
    /// `Denied` or `Io`.
    pub fn ids(&self) -> Result<Vec<ContainerId>> {
        match self.disk().list(&self.layout.containers()) {
            Ok(entries) => Ok(entries
                .into_iter()
                .filter(|entry| entry.kind == EntryKind::Directory)
                .filter_map(|entry| entry.name.parse().ok())
                .collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io("the containers cannot be listed", error)),
        }
    }

    #[must_use]
    pub fn read(&self, id: &ContainerId) -> Read {
        read(self.disk(), &self.layout.container(id))
    }

    /// The image that a container was made of, if its record says so, in a later format too.
    #[must_use]
    pub fn image_of(&self, id: &ContainerId) -> Option<Digest> {
        // Why it cannot be read is what reading it as a whole says.
        let bytes = self.disk().read(&self.layout.container(id).join(RECORD)).ok()?;
        serde_json::from_slice::<Record>(&bytes).ok().map(|record| record.image.id)
    }

    /// Takes the container's lock, waiting for its holder within bounds. `time_limit` is how long the
    /// caller itself may take.
    ///
    /// # Errors
    /// `NoSuchContainer` when it is gone, `Busy` naming the holder, `Denied`, `Io`.
    pub fn lock(&self, id: &ContainerId, verb: Verb, time_limit: Duration) -> Result<Held> {
        let holder = Holder::this_process(&self.machine, verb, time_limit);
        let path = self.lock_path(id)?;
        match lock::lock(&self.machine, &path, Mode::Exclusive, &holder, time_limit) {
            Ok(lock) => self.held(id, lock),
            Err(error) if lock::is_gone(&error) => Err(Error::no_such_container(id)),
            Err(error) => Err(error),
        }
    }

    /// Takes the container's lock if it is free; `None` when it is not.
    ///
    /// # Errors
    /// `NoSuchContainer` when it is gone, `Denied`, `Io`.
    pub fn try_lock(&self, id: &ContainerId, verb: Verb, time_limit: Duration) -> Result<Option<Held>> {
        let holder = Holder::this_process(&self.machine, verb, time_limit);
        match lock::try_lock(self.disk(), &self.lock_path(id)?, Mode::Exclusive, &holder) {
            Ok(lock) => lock.map(|lock| self.held(id, lock)).transpose(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::no_such_container(id)),
            Err(error) => Err(Error::io("its lock cannot be taken", error)),
        }
    }

    fn lock_path(&self, id: &ContainerId) -> Result<PathBuf> {
        if self.disk().open_files_keep_names() {
            // It is no proof of a container, and a power cut may have taken it.
            let made = self.disk().create_dir_all(&self.layout.locks());
            made.map_err(|error| Error::io("its lock cannot be taken", error))?;
        }
        Ok(self.layout.lock(self.disk(), id))
    }

    /// A container whose lock was taken. One beside it can be had although the container is gone.
    fn held(&self, id: &ContainerId, lock: Lock) -> Result<Held> {
        let dir = self.layout.container(id);
        if self.disk().open_files_keep_names() && !self.disk().exists(&dir) {
            lock::retire(self.disk(), &self.layout.lock(self.disk(), id), lock);
            return Err(Error::no_such_container(id));
        }
        Ok(Held { id: id.clone(), dir, lock })
    }

    /// Lets go of a container that is gone.
    pub fn let_go(&self, held: Held) {
        if self.disk().open_files_keep_names() {
            lock::retire(self.disk(), &self.layout.lock(self.disk(), &held.id), held.lock);
        } else {
            // The lock's file went along with the directory.
            drop(held);
        }
    }

    /// Writes the record of a held container and tells watchers.
    ///
    /// # Errors
    /// As [`write`].
    pub fn write(&self, held: &Held, record: &mut Record, durability: Durability) -> Result<()> {
        write(self.disk(), &held.dir, record, durability)?;
        self.announce(&held.id, record.revision);
        Ok(())
    }

    /// Tells watchers to look at a container.
    pub fn announce(&self, id: &ContainerId, generation: Generation) {
        changes::announce(self.disk(), &self.layout.changes(), id, generation);
    }

    /// Tells watchers to look at the images.
    pub fn announce_images(&self) {
        changes::announce_images(self.disk(), &self.layout.changes());
    }

    /// Notes what happened to a container. Watchers look when the change itself is announced.
    pub fn note(&self, record: &Record, action: EventAction, more: &[(&str, String)]) {
        let mut attributes: BTreeMap<String, String> = record.resolved.labels.clone();
        attributes.insert("image".to_owned(), record.spec.image.clone());
        attributes.insert("name".to_owned(), record.name.to_string());
        attributes.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let event = EngineEvent {
            at: self.machine.clock.now(),
            subject: EventSubject::Container,
            action,
            id: record.id.to_string(),
            name: Some(record.name.to_string()),
            attributes,
        };
        self.events.append(self.disk(), &event);
    }

    /// Notes what happened to an image and tells watchers.
    pub fn note_image(&self, action: EventAction, image: &str) {
        let event = EngineEvent {
            at: self.machine.clock.now(),
            subject: EventSubject::Image,
            action,
            id: image.to_owned(),
            name: Some(image.to_owned()),
            attributes: BTreeMap::new(),
        };
        self.events.append(self.disk(), &event);
        self.announce_images();
    }

    /// How durably this container's record is kept: one that goes when it ends may go with the power.
    #[must_use]
    pub fn durability(record: &Record) -> Durability {
        Self::durability_of(&record.spec)
    }

    /// As [`Store::durability`], before there is a record.
    #[must_use]
    pub fn durability_of(spec: &ContainerSpec) -> Durability {
        if spec.auto_remove { Durability::Unsynced } else { Durability::Synced }
    }
}
