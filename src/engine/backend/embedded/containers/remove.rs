//! How does a container go? Intent first, its processes, the record itself, and last what it has outside.
//!
//! The commit is one rename of its directory into the trash: before it the container is there, whole, and being
//! removed; after it there is none. The new name says whether its volumes go too, and the directory in the trash
//! which they are, until they are gone. Deliberately elsewhere: who may ask (`core::admit`), what was cut after the
//! commit (`repair`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Containers, Locked, admitted,
    layout::TRASHED_WITH_VOLUMES,
    names,
    observe::{self, Seen},
    record::{Change, Damage, Durability, Record, RecordedIntent},
    store::{Held, Store},
    volumes,
};
use crate::engine::{
    backend::{OperationContext, embedded::kernel::Liveness},
    domain::{
        ContainerId, Done, Error, ErrorKind, EventAction, Force, Generation, RemoveOptions, Result, Signal, Verb,
        VolumeName,
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

/// Whether a power cut finds the intent of a removal on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    Durably,
    /// It is not written, or was by somebody who may have failed before it was on the disk.
    Perhaps,
}

impl Containers {
    /// Removes the container; with force it is killed first. Whatever fails leaves it `Removing`, and
    /// asking again goes on where it stopped.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Refused` while it runs, `Busy`, `TimedOut` for a process that does not die. Without force also
    /// for a record that cannot be read now, or only by a later Wharf (`Io`, `Denied`, `Unsupported`).
    pub fn remove(&self, id: &ContainerId, options: &RemoveOptions, context: &OperationContext) -> Result<Done> {
        context.check()?;
        self.settle_boot();
        let held = self.store.lock(id, Verb::Remove, context.remaining())?;
        let observed = match self.look(id) {
            Seen::Whole(observed) => observed,
            Seen::Damaged(damaged) => {
                match options.force {
                    Force::Yes => {}
                    Force::No => self.admit_damaged(id, &damaged.damage)?,
                }
                return self.remove_damaged(held, volumes_asked(options));
            }
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
        let mut announced = Announced::Perhaps;
        if !record.is_removing() {
            let now = clock.now();
            if let Some(RecordedIntent { change: Change::Rename { from }, .. }) = &record.intent {
                // The rename was cut, and after this nobody knows the old name. Failing that, nobody claims it, and it
                // goes to the next who asks.
                let _ = names::release(&self.store.machine, &self.store.layout, from, &held.id);
            }
            let before = record.intent.replace(RecordedIntent {
                pid: self.store.machine.pid,
                since: now,
                deadline: now.plus(within),
                change: Change::Remove { volumes: volumes == Volumes::Remove },
            });
            let durability = Store::durability(record);
            match self.store.write(&held, record, durability) {
                // Removing must be possible on a full disk: it is how room is made. Until the commit, which is one
                // rename, nothing that the container needs is touched; so a cut leaves it whole.
                Err(error) if error.kind() == ErrorKind::NoSpace => record.intent = before,
                outcome => {
                    outcome?;
                    announced = Announced::Durably;
                }
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
        dispose(&self.store, held, Some(record), announced, volumes, &self.tree_remover())
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
                    if error.kind() == ErrorKind::Refused {
                        self.kill_latecomer(run_dir, until)?;
                    }
                    clock.sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A start whose asker was killed may come to its process only now, after the removal has looked for one.
    fn kill_latecomer(&self, run_dir: &Path, until: Instant) -> Result<()> {
        let left = until.saturating_duration_since(self.store.machine.clock.instant());
        match self.kernel.kill(run_dir, Signal::KILL, left) {
            // It has ended by itself.
            Err(error) if error.kind() == ErrorKind::Refused => Ok(()),
            outcome => outcome,
        }
    }

    /// May a container without a usable record go as an idle one does? Only the kernel knows whether it runs, and what
    /// somebody else or a later look can read is not lost.
    fn admit_damaged(&self, id: &ContainerId, damage: &Damage) -> Result<()> {
        let forced = format!("wharf rm --force {} removes it, whatever runs in it", id.short());
        let alive = observe::alive_without_record(&self.store, &*self.kernel, id);
        if alive.map_err(|error| error.remedy(forced.clone()))?.anybody() {
            let reason = format!("it is running, and {}", damage.reason());
            return Err(Error::new(ErrorKind::Refused, reason).remedy(forced));
        }
        match damage {
            Damage::Lost(_) => Ok(()),
            Damage::Unreadable(_) => Err(damage.error(id)),
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
        let warnings = dispose(&self.store, held, None, Announced::Perhaps, volumes, &self.tree_remover())?;
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

/// The part that needs no kernel: [`commit`], then deleting. Returns what a person should know.
pub(super) fn dispose(
    store: &Store,
    held: Held,
    record: Option<&Record>,
    announced: Announced,
    volumes: Volumes,
    remove_tree: &dyn Fn(&Path) -> Result<()>,
) -> Result<Vec<String>> {
    Ok(commit(store, held, record, announced, volumes)?.delete(store, remove_tree))
}

/// A container that nobody can find any more, and what is left to delete of it.
#[derive(Debug)]
#[must_use]
pub struct Removed {
    own: Vec<VolumeName>,
    trash: PathBuf,
    warnings: Vec<String>,
}

/// Takes a container out of the store, its name included. Nothing of it runs and its runtime directory is gone or a
/// monitor's own business.
///
/// # Errors
/// Before the commit: the container stays, whole. `Io` after it when the commit may not outlast a power cut: nothing
/// more is touched then.
pub fn commit(
    store: &Store,
    held: Held,
    record: Option<&Record>,
    announced: Announced,
    volumes: Volumes,
) -> Result<Removed> {
    let id = held.id.clone();
    let own = match (record, volumes) {
        (_, Volumes::Keep) => Vec::new(),
        (Some(record), Volumes::Remove) => volumes::anonymous(record),
        (None, Volumes::Remove) => volumes::listed(store, &held.dir)?,
    };
    let trash = to_trash(store, &held, if own.is_empty() { Volumes::Keep } else { Volumes::Remove })?;
    if must_be_synced(record, announced, &own) {
        sync_commit(store)?;
    }
    // Whoever waited for its lock learns that the container is gone.
    store.let_go(held);
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
    Ok(Removed { own, trash, warnings })
}

impl Removed {
    /// Deletes its volumes and files. Nothing fails: what is left of them is a warning, and goes with the next repair.
    pub fn delete(mut self, store: &Store, remove_tree: &dyn Fn(&Path) -> Result<()>) -> Vec<String> {
        // The directory goes last: it says which volumes are to go.
        let deleted = volumes::remove_all(store, &self.own, remove_tree).and_then(|()| remove_tree(&self.trash));
        if let Err(error) = deleted {
            let rest = "some of its files could not be deleted yet (wharf system repair tries again)";
            self.warnings.push(format!("{rest}: {error}"));
        }
        self.warnings
    }
}

/// Deletes what is left of a removed container: volumes that were to go with it, then its files. Idempotent.
///
/// # Errors
/// As `remove_tree` and the disk; the rest stays, to be found again.
pub(super) fn empty_trash(store: &Store, trash: &Path, remove_tree: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    if trash.extension().is_some_and(|extension| extension == TRASHED_WITH_VOLUMES) {
        let own = volumes::listed(store, trash)?;
        // Whoever moved it here may have been cut before a power cut could not undo that.
        sync_commit(store)?;
        volumes::remove_all(store, &own, remove_tree)?;
    }
    remove_tree(trash)
}

/// A removal that a durable intent announces is finished after a power cut, and a container that goes when it ends is
/// not missed then. Any other may come back, and then it needs its volumes.
fn must_be_synced(record: Option<&Record>, announced: Announced, own: &[VolumeName]) -> bool {
    let Some(record) = record else { return true };
    match Store::durability(record) {
        Durability::Synced => announced == Announced::Perhaps,
        Durability::Unsynced => !own.is_empty(),
    }
}

fn sync_commit(store: &Store) -> Result<()> {
    let synced = store.disk().sync_dir(&store.layout.containers());
    synced.map_err(|error| Error::io("its removal may not outlast a power cut", error))
}

fn volumes_asked(options: &RemoveOptions) -> Volumes {
    if options.volumes { Volumes::Remove } else { Volumes::Keep }
}

fn to_trash(store: &Store, held: &Held, volumes: Volumes) -> Result<PathBuf> {
    let failed = |error| Error::io("its directory cannot be moved out of the way", error);
    match store.disk().create_dir_all(&store.layout.trash()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let named = |unique: &str| {
        let with_volumes = match volumes {
            Volumes::Remove => format!(".{TRASHED_WITH_VOLUMES}"),
            Volumes::Keep => String::new(),
        };
        store.layout.trash().join(format!("{}{unique}{with_volumes}", held.id))
    };
    let mut trash = named("");
    if store.disk().exists(&trash) {
        // Only a container put back from there by a power cut meets its own remains.
        trash = named(&format!(".{}", store.machine.clock.now().unix_nanos()));
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
