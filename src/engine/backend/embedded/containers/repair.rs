//! What was left half-done by a kill or a power cut, and how is it put right? One pass over everything.
//!
//! Nothing here is special to recovery: each finding is finished or undone with the verbs' own steps, and
//! only under the object's lock, so that work in progress is left alone. Deliberately elsewhere: images
//! (`images`), what one process leaves in the kernel (`Kernel::sweep`).

mod locks;
mod strangers;

use std::{
    collections::HashSet,
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use self::strangers::{is_id, is_trash};
use super::{
    Containers, Locked,
    layout::{AUTO_REMOVE, LOCK, NASCENT},
    names::{self, Reserved},
    observe::{self, Seen},
    record::{Change, Damage, Durability, Read, RecordedIntent},
    remove::{self, Volumes},
    store::{Held, Store},
    volumes,
};
use crate::engine::{
    backend::embedded::{
        disk::{EntryKind, is_temporary},
        kernel::Liveness,
        lock::{self, Holder, Mode},
    },
    core::limits,
    domain::{ContainerId, ContainerName, Error, ErrorKind, Finding, RepairMode, Result, Timestamp, Verb, VolumeName},
};

/// What a monitor writes its exit file under before it has its name.
const EXIT_TEMPORARY: &str = "exit.tmp";
/// Directories younger than this may be in the middle of being made or moved.
const FRESH: Duration = Duration::from_secs(1);

impl Containers {
    /// Looks at every container, name and leftover, and puts right what nobody is working on.
    ///
    /// # Errors
    /// Only when the store cannot be listed at all; single failures are in the findings.
    pub fn repair(&self, mode: RepairMode) -> Result<Vec<Finding>> {
        self.repair_older(mode, FRESH)
    }

    /// As [`Containers::repair`], with another idea of what is too young to be a leftover.
    pub(super) fn repair_older(&self, mode: RepairMode, fresh: Duration) -> Result<Vec<Finding>> {
        if mode == RepairMode::Mend && self.store.disk().exists(&self.store.layout.containers()) {
            // A power cut may have taken directories that were empty, so to say, when they were last synced.
            self.store.prepare()?;
        }
        let mut pass = Pass { containers: self, mode, fresh, findings: Vec::new(), whole: true };
        pass.reconcile()?;
        pass.volumes()?;
        pass.trash()?;
        pass.name_files()?;
        pass.store_files()?;
        pass.strangers()?;
        pass.locks()?;
        Ok(pass.findings)
    }

    /// The part of a repair that changes what verbs meet, without what only takes room. Whether nothing failed.
    ///
    /// # Errors
    /// As [`Containers::repair`].
    pub(super) fn reconcile(&self) -> Result<bool> {
        let mut pass =
            Pass { containers: self, mode: RepairMode::Mend, fresh: FRESH, findings: Vec::new(), whole: true };
        self.store.prepare()?;
        pass.reconcile()?;
        Ok(pass.whole)
    }
}

struct Pass<'a> {
    containers: &'a Containers,
    mode: RepairMode,
    fresh: Duration,
    findings: Vec<Finding>,
    /// Nothing that was tried has failed.
    whole: bool,
}

impl Pass<'_> {
    /// Containers, their names, and what ran.
    fn reconcile(&mut self) -> Result<()> {
        self.nascent()?;
        for id in self.containers.store.ids()? {
            self.container(&id);
        }
        self.names()?;
        self.runs()
    }

    /// Notes a finding and, unless this is a dry run, does something about it. `action` says what was done then.
    fn fix(&mut self, subject: impl Into<String>, problem: &str, action: &str, fix: impl FnOnce() -> Result<()>) {
        let (action, mended) = match self.mode {
            RepairMode::LookOnly => (action.to_owned(), false),
            RepairMode::Mend => match fix() {
                Ok(()) => (action.to_owned(), true),
                Err(error) => {
                    self.whole = false;
                    (format!("not {action}: {error}"), false)
                }
            },
        };
        self.findings.push(Finding { subject: subject.into(), problem: problem.to_owned(), action, mended });
    }

    /// Something that only a person can decide about.
    fn advise(&mut self, subject: &str, problem: String, advice: String) {
        self.findings.push(Finding { subject: subject.to_owned(), problem, action: advice, mended: false });
    }

    /// Containers whose maker was killed before anybody could see them.
    fn nascent(&mut self) -> Result<()> {
        let containers = self.containers;
        let root = containers.store.layout.containers();
        for name in self.listed(&root)?.into_iter().filter(|name| name.starts_with(NASCENT)) {
            let dir = root.join(&name);
            let (layout, disk) = (&containers.store.layout, containers.store.disk());
            let id = name.trim_start_matches(NASCENT).parse::<ContainerId>();
            let lock = id.map_or_else(|_| dir.join(LOCK), |id| layout.nascent_lock(disk, &id));
            if lock::is_free(disk, &lock) && self.is_old(&dir) {
                // A clock that jumps makes what was begun this moment look old: its maker comes to its lock too late, or
                // has it by now. Who cannot lock it on a full disk cannot make anything there either.
                let holder = Holder::this_process(&containers.store.machine, Verb::Repair, limits::STEP_DEADLINE);
                let held = match self.mode {
                    RepairMode::LookOnly => Ok(None),
                    RepairMode::Mend => match lock::try_lock(disk, &lock, Mode::Exclusive, &holder) {
                        Ok(None) => continue,
                        held => held,
                    },
                };
                if held.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                    continue;
                }
                self.fix(name, "its creation was interrupted", "removed", || {
                    let own = volumes::listed(&containers.store, &dir)?;
                    volumes::remove_all(&containers.store, &own, &containers.tree_remover())?;
                    containers.kernel.remove_tree(&dir)
                });
                drop(held);
            }
        }
        Ok(())
    }

    fn container(&mut self, id: &ContainerId) {
        let containers = self.containers;
        let held = match containers.store.try_lock(id, Verb::Repair, limits::STEP_DEADLINE) {
            Ok(Some(held)) => held,
            // Somebody is at it, or it went: not ours to repair.
            Ok(None) => return,
            Err(error) if error.kind() == ErrorKind::NoSuchContainer => return,
            Err(error) => {
                return self.advise(id.short(), "it cannot be locked".to_owned(), error.to_string());
            }
        };
        let observed = match containers.look(id) {
            Seen::Whole(observed) => observed,
            Seen::Gone => return,
            Seen::Damaged(damaged) if self.went_with_the_power(&held, &damaged.damage) => {
                return self.fix(id.short(), "the power went before it ended", "removed", || {
                    containers.remove_damaged(held, Volumes::Remove).map(drop)
                });
            }
            Seen::Damaged(damaged) => {
                let error = damaged.damage.error(id);
                let advice = error.remedy_text().unwrap_or_default().to_owned();
                return self.advise(id.short(), error.reason().to_owned(), advice);
            }
        };
        let subject = observed.record.name.to_string();
        self.temporaries(&held.dir, observed.alive.monitor);
        if let Some(error) = observed.trouble {
            return self.advise(id.short(), error.to_string(), "look at the disk it is on".to_owned());
        }
        let gone = !observed.container.status().has_process() && observed.alive.monitor == Liveness::Dead;
        match &observed.record.intent {
            Some(RecordedIntent { change: Change::Remove { volumes }, .. }) => {
                let volumes = if *volumes { Volumes::Remove } else { Volumes::Keep };
                let locked = Locked { held, observed };
                return self.fix(subject, "its removal was interrupted", "finished", || {
                    containers.remove_locked(locked, volumes, limits::STEP_DEADLINE).map(drop)
                });
            }
            Some(RecordedIntent { change: Change::Rename { .. }, .. }) => {
                self.fix(subject.clone(), "its renaming was interrupted", "finished", || {
                    containers.settle_rename(&held)
                });
            }
            // A restart that was cut leaves what runs, or what is overdue.
            Some(RecordedIntent { change: Change::Start | Change::Restart, .. }) | None => {}
        }
        if observed.is_overdue() {
            let locked = Locked { held, observed };
            return self.fix(subject, "it ended and was to be removed then", "removed", || {
                containers.remove_locked(locked, Volumes::Remove, limits::STEP_DEADLINE).map(drop)
            });
        }
        let run_dir = containers.run_dir(id);
        if gone && containers.store.disk().exists(&run_dir) {
            self.fix(subject.clone(), "its last run left runtime files", "cleared", || {
                containers.kernel.sweep(&run_dir)
            });
        }
        self.name_of(&Locked { held, observed }, subject);
    }

    /// Whether a container was to be removed when it ended, has ended, and lost its record with the power. One that only
    /// cannot be read now has lost nothing.
    fn went_with_the_power(&self, held: &Held, damage: &Damage) -> bool {
        let Containers { store, kernel, .. } = self.containers;
        let is_lost = match damage {
            Damage::Lost(_) => true,
            Damage::Unreadable(_) => false,
        };
        let alive = observe::alive_without_record(store, &**kernel, &held.id);
        let dead = alive.is_ok_and(|alive| !alive.anybody());
        is_lost && dead && store.disk().exists(&held.dir.join(AUTO_REMOVE))
    }

    /// Every container's name points to it. A name lost by a power cut is taken again; one that somebody
    /// else got meanwhile is given a suffix.
    fn name_of(&mut self, locked: &Locked, subject: String) {
        let containers = self.containers;
        let (machine, layout) = (&containers.store.machine, &containers.store.layout);
        let (id, record) = (&locked.held.id, &locked.observed.record);
        if names::owner(&*machine.disk, layout, &record.name).is_ok_and(|owner| owner.as_ref() == Some(id)) {
            return;
        }
        self.fix(subject, "its name did not lead to it", "taken again", || {
            match names::reserve(machine, layout, &record.name, id, Store::durability(record))? {
                Reserved::Yes => Ok(()),
                Reserved::Taken(_) => {
                    let other: ContainerName = format!("{}_{}", record.name, id.short()).parse()?;
                    if let Reserved::Taken(owner) = names::reserve(machine, layout, &other, id, Durability::Synced)? {
                        return Err(names::in_use(&other, &owner));
                    }
                    let mut renamed = record.as_ref().clone();
                    renamed.name = other;
                    containers.store.write(&locked.held, &mut renamed, Durability::Synced)
                }
            }
        });
    }

    /// Names that nobody claims.
    fn names(&mut self) -> Result<()> {
        let containers = self.containers;
        let (machine, layout) = (&containers.store.machine, &containers.store.layout);
        let disk = containers.store.disk();
        for entry in self.listed(&layout.names())? {
            let Ok(name) = entry.parse::<ContainerName>() else { continue };
            match names::owner(disk, layout, &name)? {
                // The finding about its renaming says so already.
                Some(owner) if self.is_former_name(&name, &owner) => {}
                Some(owner) if !names::claims(disk, layout, &name, &owner) => {
                    self.fix(entry, "nobody has this name", "freed", || names::release(machine, layout, &name, &owner));
                }
                Some(_) => {}
                None => {
                    self.fix(entry, "nobody has this name", "freed", || names::release_torn(machine, layout, &name));
                }
            }
        }
        Ok(())
    }

    /// Whether it is the old name of a rename that was cut.
    fn is_former_name(&self, name: &ContainerName, id: &ContainerId) -> bool {
        match self.containers.store.read(id) {
            Read::Record(record) => match &record.intent {
                Some(RecordedIntent { change: Change::Rename { from }, .. }) => from == name,
                Some(_) | None => false,
            },
            Read::Damaged(_) | Read::Gone => false,
        }
    }

    /// Runtime directories of containers that are gone.
    fn runs(&mut self) -> Result<()> {
        let containers = self.containers;
        let layout = &containers.store.layout;
        for entry in self.listed(&layout.runs())?.into_iter().filter(|entry| is_id(entry)) {
            let known =
                entry.parse::<ContainerId>().is_ok_and(|id| containers.store.disk().exists(&layout.container(&id)));
            let run_dir = layout.runs().join(&entry);
            // A monitor that is just removing its container clears this directory itself.
            if !known && containers.kernel.observe(&run_dir, None).monitor == Liveness::Dead {
                self.fix(entry, "its container is gone", "cleared", || {
                    containers.kernel.sweep(&run_dir)?;
                    match containers.store.disk().list(&run_dir) {
                        // What is in there was not made by us: nothing of it is needed or in the way.
                        Ok(rest) if !rest.is_empty() => {
                            let names: Vec<String> = rest.into_iter().map(|entry| entry.name).collect();
                            Err(Error::new(ErrorKind::Refused, format!("{} is not ours", names.join(", "))))
                        }
                        Ok(_) | Err(_) => Ok(()),
                    }
                });
            }
        }
        Ok(())
    }

    /// Volumes made for a container that never came to be. Those of removed containers hold data that somebody
    /// chose to keep.
    fn volumes(&mut self) -> Result<()> {
        let containers = self.containers;
        let store = &containers.store;
        // Listed before their owners are looked for: a volume is made after the directory that says whose it is.
        let entries = self.listed(&store.layout.volumes())?;
        let used = self.used_volumes()?;
        for entry in entries {
            let Ok(name) = entry.parse::<VolumeName>() else { continue };
            if volumes::is_half_filled(store, &name) {
                self.fix(entry.clone(), "it was being filled from an image", "finished or cleared", || {
                    volumes::settle(store, &*containers.kernel, &name)
                });
            }
            let anonymous = volumes::is_anonymous(&name);
            let dir = store.layout.volume(&name);
            if anonymous && !used.contains(&name) && self.is_old(&dir) && volumes::is_empty(store, &name) {
                self.fix(entry, "an empty volume without a container", "removed", || {
                    store.disk().remove_tree(&dir).map_err(|error| Error::io("it cannot be removed", error))
                });
            }
        }
        Ok(())
    }

    /// The volumes of all containers, those in the making and those whose records cannot be read included.
    fn used_volumes(&self) -> Result<HashSet<VolumeName>> {
        let store = &self.containers.store;
        let root = store.layout.containers();
        let mut used = HashSet::new();
        // One in the making moves from its hidden directory to its own, so those are looked for first.
        for name in self.listed(&root)?.into_iter().filter(|name| name.starts_with(NASCENT)) {
            used.extend(volumes::listed(store, &root.join(name))?);
        }
        for id in store.ids()? {
            match store.read(&id) {
                Read::Record(record) => used.extend(record.mounts.into_iter().filter_map(|mount| mount.volume)),
                Read::Damaged(_) | Read::Gone => used.extend(volumes::listed(store, &store.layout.container(&id))?),
            }
        }
        Ok(used)
    }

    fn trash(&mut self) -> Result<()> {
        let containers = self.containers;
        let root = containers.store.layout.trash();
        for entry in self.listed(&root)?.into_iter().filter(|entry| is_trash(entry)) {
            let path = root.join(&entry);
            if self.is_old(&path) {
                self.fix(entry, "files of a removed container", "deleted", || {
                    remove::empty_trash(&containers.store, &path, &containers.tree_remover())
                });
            }
        }
        Ok(())
    }

    /// Writers of names hold the names' lock: a temporary file seen under it is nobody's.
    fn name_files(&mut self) -> Result<()> {
        let containers = self.containers;
        let layout = &containers.store.layout;
        if !containers.store.disk().exists(&layout.names()) {
            return Ok(());
        }
        let _lock = names::names_lock(&containers.store.machine, layout)?;
        for entry in self.listed(&layout.names())?.into_iter().filter(|entry| is_temporary(entry)) {
            self.delete_half_written(&layout.names().join(&entry), entry);
        }
        Ok(())
    }

    /// Whoever writes beside the store's folders does so in an instant.
    fn store_files(&mut self) -> Result<()> {
        let layout = &self.containers.store.layout;
        for dir in [layout.data(), layout.run()] {
            for entry in self.listed(dir)?.into_iter().filter(|entry| is_temporary(entry)) {
                if self.is_old(&dir.join(&entry)) {
                    self.delete_half_written(&dir.join(&entry), entry);
                }
            }
        }
        Ok(())
    }

    /// In a container's directory, whose lock is held: only its monitor may be writing, under one name of its own.
    fn temporaries(&mut self, dir: &Path, monitor: Liveness) {
        // A directory that cannot be listed is reported by whoever needs it.
        let entries = self.containers.store.disk().list(dir).unwrap_or_default();
        let nobodys = |name: &str| is_temporary(name) || (name == EXIT_TEMPORARY && monitor == Liveness::Dead);
        for entry in entries.into_iter().filter(|entry| entry.kind == EntryKind::File && nobodys(&entry.name)) {
            self.delete_half_written(&dir.join(&entry.name), entry.name);
        }
    }

    fn delete_half_written(&mut self, path: &Path, subject: String) {
        let disk = self.containers.store.disk();
        self.fix(subject, "a write was interrupted", "its temporary file is deleted", || {
            disk.remove_file(path).map_err(|error| Error::io("it cannot be deleted", error))
        });
    }

    fn is_old(&self, path: &Path) -> bool {
        let modified = self.containers.store.disk().stat(path).map(|found| found.modified);
        modified.is_ok_and(|modified| self.age(modified) >= self.fresh)
    }

    /// How long ago; a time in the future (a clock that jumped) is old enough.
    fn age(&self, modified: SystemTime) -> Duration {
        let (now, then) = (self.containers.store.machine.clock.now(), Timestamp::from(modified));
        if then > now { Duration::MAX } else { now.since(then) }
    }

    fn listed(&self, dir: &Path) -> Result<Vec<String>> {
        match self.containers.store.disk().list(dir) {
            Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io(format!("{} cannot be listed", dir.display()), error)),
        }
    }
}
