//! How does a container go? Intent first, its processes, what it has outside, and last the record itself.
//!
//! The commit is one rename of its directory into the trash: before it the container is there and being
//! removed, after it there is none. Deliberately elsewhere: who may ask (`core::admit`).

use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Containers, Locked, admitted, names,
    observe::Seen,
    record::{Change, Record, RecordedIntent},
    store::{Held, Store},
    volumes,
};
use crate::engine::{
    backend::{OperationContext, embedded::kernel::Liveness},
    domain::{
        ContainerId, Done, Error, ErrorKind, EventAction, Force, Generation, RemoveOptions, Result, Signal, Verb,
    },
};

/// Between two tries to sweep after a monitor that is winding up: its lock tells nobody that it is free.
const PAUSE: Duration = Duration::from_millis(2);

/// What becomes of the volumes that were made for this container alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes {
    Remove,
    Keep,
}

impl Containers {
    /// Removes the container; with force it is killed first. Whatever fails leaves it `Removing`, and
    /// asking again goes on where it stopped.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Refused` while it runs, `Busy`, `TimedOut` for a process that does not die.
    pub fn remove(&self, id: &ContainerId, options: &RemoveOptions, context: &OperationContext) -> Result<Done> {
        context.check()?;
        let held = self.store.lock(id, Verb::Remove, context.remaining())?;
        let observed = match self.look(id) {
            Seen::Whole(observed) => observed,
            Seen::Damaged(_) => return self.remove_damaged(held, volumes_asked(options)),
            Seen::Gone => return Err(Error::no_such_container(id)),
        };
        admitted(Verb::Remove, &observed.container, options.force)?;
        if let (Some(error), Force::No) = (&observed.trouble, options.force) {
            return Err(error.clone().remedy("try again, or remove it with --force, whatever runs in it"));
        }
        let volumes = match &observed.record.intent {
            // An interrupted removal is finished as it was begun, or as thoroughly as is asked now.
            Some(RecordedIntent { change: Change::Remove { volumes: true }, .. }) => Volumes::Remove,
            Some(_) | None if options.volumes || observed.record.spec.auto_remove => Volumes::Remove,
            Some(_) | None => Volumes::Keep,
        };
        let warnings = self.remove_locked(Locked { held, observed }, volumes, context.remaining())?;
        Ok(Done { container: Some(id.clone()), warnings, ..Done::default() })
    }

    /// Removes a container that is held, whatever it is doing. Returns what a person should know.
    pub(super) fn remove_locked(&self, locked: Locked, volumes: Volumes, within: Duration) -> Result<Vec<String>> {
        let clock = &self.store.machine.clock;
        let until = clock.instant() + within;
        let Locked { held, mut observed } = locked;
        let record = observed.record.as_mut();
        let mut journaled = true;
        if !record.is_removing() {
            let now = clock.now();
            record.intent = Some(RecordedIntent {
                pid: self.store.machine.pid,
                since: now,
                deadline: now.plus(within),
                change: Change::Remove { volumes: volumes == Volumes::Remove },
            });
            let durability = Store::durability(record);
            match self.store.write(&held, record, durability) {
                // Removing must be possible on a full disk: it is how room is made. Until the commit, which is one
                // rename, nothing that the container needs is touched then; so a cut leaves it whole.
                Err(error) if error.kind() == ErrorKind::NoSpace => journaled = false,
                outcome => outcome?,
            }
        }
        let run_dir = self.run_dir(&held.id);
        let left = || until.saturating_duration_since(clock.instant());
        if observed.alive.init == Liveness::Alive || observed.trouble.is_some() {
            match self.kernel.kill(&run_dir, Signal::KILL, left()) {
                // It ended by itself meanwhile.
                Err(error) if error.kind() == ErrorKind::Refused => {}
                outcome => outcome?,
            }
        }
        if record.run > Generation::default() {
            self.sweep(&run_dir, until)?;
        }
        let remover = self.tree_remover();
        if journaled {
            return dispose(&self.store, held, Some(record), volumes, &remover);
        }
        let mut warnings = dispose(&self.store, held, Some(record), Volumes::Keep, &remover)?;
        // Without a journal entry the commit itself must be on the disk before anything else goes or anybody is told.
        let containers = self.store.layout.containers();
        self.store
            .disk()
            .sync_dir(&containers)
            .map_err(|error| Error::io("its removal may not outlast a power cut", error))?;
        if volumes == Volumes::Remove
            && let Err(error) = volumes::remove_anonymous(&self.store, record, &remover)
        {
            warnings.push(format!("its volumes stay until they are removed by name: {error}"));
        }
        Ok(warnings)
    }

    /// Clears the runtime directory once the monitor is gone; a monitor winding up takes milliseconds.
    fn sweep(&self, run_dir: &Path, until: Instant) -> Result<()> {
        let clock = &self.store.machine.clock;
        loop {
            self.kernel.reap();
            match self.kernel.sweep(run_dir) {
                Ok(()) => return Ok(()),
                Err(error)
                    if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Busy) && clock.instant() < until =>
                {
                    clock.sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A container whose record nobody can read: its processes, its names, its directory.
    pub(super) fn remove_damaged(&self, held: Held, volumes: Volumes) -> Result<Done> {
        let id = held.id.clone();
        let run_dir = self.run_dir(&id);
        if self.store.disk().exists(&run_dir) {
            match self.kernel.kill(&run_dir, Signal::KILL, crate::engine::core::limits::STEP_DEADLINE) {
                Err(error) if error.kind() == ErrorKind::Refused => {}
                outcome => outcome?,
            }
            self.sweep(&run_dir, self.store.machine.clock.instant() + crate::engine::core::limits::STEP_DEADLINE)?;
        }
        let remover = self.tree_remover();
        let warnings = dispose(&self.store, held, None, volumes, &remover)?;
        Ok(Done { container: Some(id), warnings, ..Done::default() })
    }

    /// A container that goes when it ends, whose monitor could not remove it: done by whoever ended it.
    pub(super) fn finish_auto_remove(&self, id: &ContainerId) -> Result<()> {
        let Seen::Whole(observed) = self.look(id) else { return Ok(()) };
        if !observed.is_overdue() {
            return Ok(());
        }
        let options = RemoveOptions { force: Force::No, volumes: true };
        let clock = Arc::clone(&self.store.machine.clock);
        let context = OperationContext::unwatched_by(clock, crate::engine::core::limits::STEP_DEADLINE);
        match self.remove(id, &options, &context) {
            Err(error) if error.kind() != ErrorKind::NoSuchContainer => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// The part that needs no kernel: volumes, the commit, name, files. Nothing of the container runs and
/// its runtime directory is gone or a monitor's own business.
///
/// # Errors
/// Before the commit: the container stays, `Removing`. After it nothing fails; what is left of its files
/// is a warning.
pub fn dispose(
    store: &Store,
    held: Held,
    record: Option<&Record>,
    volumes: Volumes,
    remove_tree: &dyn Fn(&Path) -> Result<()>,
) -> Result<Vec<String>> {
    match (record, volumes) {
        (Some(record), Volumes::Remove) => volumes::remove_anonymous(store, record, remove_tree)?,
        (None, Volumes::Remove) => volumes::remove_listed(store, &held.dir, remove_tree)?,
        (Some(_) | None, Volumes::Keep) => {}
    }
    let id = held.id.clone();
    let trash = to_trash(store, &held)?;
    // The lock's file went along; whoever waited for it learns that the container is gone.
    drop(held);
    let mut warnings = Vec::new();
    for name in names_of(store, record, &id) {
        if let Err(error) = names::release(&store.machine, &store.layout, &name, &id) {
            warnings.push(format!("its name {name} is freed by the next who asks for it: {error}"));
        }
    }
    if let Some(record) = record {
        store.note(record, EventAction::Destroy, &[]);
        store.announce(&id, record.revision.next());
    } else {
        store.announce(&id, crate::engine::domain::Generation::default());
    }
    if let Err(error) = remove_tree(&trash) {
        warnings.push(format!("some of its files could not be deleted yet (wharf system repair tries again): {error}"));
    }
    Ok(warnings)
}

fn volumes_asked(options: &RemoveOptions) -> Volumes {
    if options.volumes { Volumes::Remove } else { Volumes::Keep }
}

fn to_trash(store: &Store, held: &Held) -> Result<std::path::PathBuf> {
    let failed = |error| Error::io("its directory cannot be moved out of the way", error);
    let mut trash = store.layout.trash().join(held.id.as_str());
    match store.disk().create_dir_all(&store.layout.trash()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    if store.disk().exists(&trash) {
        // Only a container put back from there by a power cut meets its own remains.
        trash.set_extension(store.machine.clock.now().unix_nanos().to_string());
    }
    store.disk().rename(&held.dir, &trash).map_err(failed)?;
    Ok(trash)
}

/// Every name that points to it: usually one, two in the middle of a rename, unknown without a record.
fn names_of(store: &Store, record: Option<&Record>, id: &ContainerId) -> Vec<crate::engine::domain::ContainerName> {
    match record {
        Some(record) => {
            let former = match &record.intent {
                Some(RecordedIntent { change: Change::Rename { from }, .. }) => Some(from.clone()),
                Some(_) | None => None,
            };
            std::iter::once(record.name.clone()).chain(former).collect()
        }
        None => {
            // A directory that cannot be listed gives up its names to whoever asks for them next.
            let entries = store.disk().list(&store.layout.names()).unwrap_or_default();
            let parsed = entries.iter().filter_map(|entry| entry.name.parse().ok());
            parsed
                .filter(|name| names::owner(store.disk(), &store.layout, name).ok().flatten().as_ref() == Some(id))
                .collect()
        }
    }
}
