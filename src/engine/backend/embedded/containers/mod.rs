//! Which containers are there, and what can be done to them? The embedded engine's own truth.
//!
//! Synchronous and portable: files through `Disk`, processes through `Kernel`, images through `BaseImages`.
//! Any number of `wharf` processes and monitors share one store; the container's lock decides who writes.
//! Deliberately elsewhere: async callers and streams (`backend`), what Linux does (`linux`).

pub mod base_image;
mod boot;
pub mod changes;
mod control;
mod create;
pub mod event_log;
mod find;
mod inspect;
pub mod layout;
mod names;
mod need;
pub mod observe;
pub mod record;
mod remove;
mod rename;
mod repair;
mod reports;
mod resolve;
mod restart;
mod start;
pub mod store;
mod volumes;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::Value;

use self::{
    base_image::BaseImages,
    layout::Layout,
    observe::{Observed, Seen},
    record::{Damage, Record},
    store::{Held, Store},
};
pub use self::{need::Need, reports::StoreReports, start::Run};
use super::{
    kernel::{Kernel, Observation},
    launch::LogLimits,
    machine::Machine,
};
use crate::engine::{
    core::admit::{Admission, admit},
    domain::{Container, ContainerId, Error, ErrorKind, Force, Generation, ProcessExit, Result, Verb},
};

/// All containers of one store.
pub struct Containers {
    pub(super) store: Store,
    pub(super) kernel: Arc<dyn Kernel>,
    images: Arc<dyn BaseImages>,
    logs: LogLimits,
    /// Which boot of the machine this is, where that can be told.
    boot: Option<String>,
    settled: OnceLock<()>,
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Containers").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Containers {
    #[must_use]
    pub fn new(layout: Layout, machine: Machine, kernel: Arc<dyn Kernel>, images: Arc<dyn BaseImages>) -> Self {
        let (store, logs) = (Store::new(layout, machine), LogLimits::default());
        Self { store, kernel, images, logs, boot: None, settled: OnceLock::new() }
    }

    /// Tells which boot of the machine this is: the first change after each looks for what the power took.
    #[must_use]
    pub fn with_boot(self, boot: String) -> Self {
        Self { boot: Some(boot).filter(|boot| !boot.is_empty()), ..self }
    }

    /// Keeps so much of every log of runs that start from now on.
    #[must_use]
    pub fn with_logs(self, logs: LogLimits) -> Self {
        Self { logs, ..self }
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    // -- reading: no locks, nothing is put right -------------------------------------------------

    /// # Errors
    /// `Denied` or `Io` when the directory cannot be listed.
    pub fn list(&self) -> Result<Vec<Container>> {
        let ids = self.store.ids()?;
        Ok(ids.iter().filter_map(|id| self.get(id)).collect())
    }

    /// `None` when it is gone.
    #[must_use]
    pub fn get(&self, id: &ContainerId) -> Option<Container> {
        self.look(id).container()
    }

    /// Docker's `inspect` object.
    ///
    /// # Errors
    /// `NoSuchContainer`; `Corrupt` when its record is damaged, `Unsupported` for one of a later Wharf.
    pub fn inspect(&self, id: &ContainerId) -> Result<Value> {
        match self.look(id) {
            Seen::Whole(observed) => Ok(inspect::inspect(&self.store, &observed.record, &observed.container)),
            Seen::Damaged(damaged) => Err(damaged.damage.error(id)),
            Seen::Gone => Err(Error::no_such_container(id)),
        }
    }

    /// Where the container's log lies, also while it runs.
    #[must_use]
    pub fn log_dir(&self, id: &ContainerId) -> PathBuf {
        self.store.layout.container(id).join(layout::LOG)
    }

    #[must_use]
    pub fn run_dir(&self, id: &ContainerId) -> PathBuf {
        self.store.layout.run_of(id)
    }

    fn look(&self, id: &ContainerId) -> Seen {
        observe::observe(&self.store, &*self.kernel, id)
    }

    /// For changing it: what cannot be told for sure is an error.
    ///
    /// # Errors
    /// `NoSuchContainer`; as [`Self::unusable`]; `Io` when nobody can say whether it runs.
    fn whole(&self, id: &ContainerId) -> Result<Box<Observed>> {
        self.whole_of(id, self.look(id))
    }

    fn whole_of(&self, id: &ContainerId, seen: Seen) -> Result<Box<Observed>> {
        match seen {
            Seen::Whole(observed) => match observed.trouble {
                Some(error) => Err(error),
                None => Ok(observed),
            },
            Seen::Damaged(damaged) => Err(self.unusable(id, &damaged.damage)),
            Seen::Gone => Err(Error::no_such_container(id)),
        }
    }

    /// Why a verb that needs the record does nothing: the damage, and whether something runs all the same.
    fn unusable(&self, id: &ContainerId, damage: &Damage) -> Error {
        let error = damage.error(id);
        match observe::alive_without_record(&self.store, &*self.kernel, id).map(Observation::anybody) {
            Ok(false) => error,
            Ok(true) => Error::new(error.kind(), format!("it is running, and {}", damage.reason())).remedy(format!(
                "wharf stop {0} ends what runs in it; wharf rm --force {0} removes it as well",
                id.short()
            )),
            Err(unknown) => error.besides(&unknown),
        }
    }

    /// The runtime directory of a container that `verb` (exec, attach, top) may be applied to.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Corrupt`; `Refused` with what would help.
    pub fn live(&self, id: &ContainerId, verb: Verb) -> Result<PathBuf> {
        admitted(verb, &self.whole(id)?.container, Force::No)?;
        Ok(self.run_dir(id))
    }

    /// Waits until the container does not run (any more), in turns of at most `turn`. `None`: it still runs.
    ///
    /// # Errors
    /// `NoSuchContainer` for one that never was; one that goes meanwhile has ended. `Io` when nobody can say whether it
    /// runs.
    pub fn wait(&self, id: &ContainerId, turn: Duration) -> Result<Option<ProcessExit>> {
        let observed = match self.look(id) {
            Seen::Whole(observed) => observed,
            Seen::Damaged(_) => return self.wait_without_record(id, turn),
            Seen::Gone => {
                let told = event_log::last_exit(self.store.disk(), &self.store.layout.events(), id);
                return match told.map_err(|error| Error::io("the event log cannot be read", error))? {
                    Some(code) => Ok(Some(code.map_or(ProcessExit::Unknown, ProcessExit::Code))),
                    None => Err(Error::no_such_container(id)),
                };
            }
        };
        let state = &observed.container.state;
        if state.status.has_process() {
            let over = self.kernel.wait(&self.run_dir(id), turn)?;
            return if over { self.wait(id, Duration::ZERO) } else { Ok(None) };
        }
        Ok(Some(match (observed.last_run, state.exit_code) {
            (_, Some(code)) => ProcessExit::Code(code),
            // Docker's answer for a container that never ran.
            (Generation(0), None) => ProcessExit::Code(0),
            (_, None) => ProcessExit::Unknown,
        }))
    }

    /// The kernel knows whether it runs; which end is that of its last run, only its record does.
    fn wait_without_record(&self, id: &ContainerId, turn: Duration) -> Result<Option<ProcessExit>> {
        let runs = observe::alive_without_record(&self.store, &*self.kernel, id)?.anybody();
        let over = !runs || self.kernel.wait(&self.run_dir(id), turn)?;
        Ok(over.then_some(ProcessExit::Unknown))
    }
}

/// Admission is law here: what the actor asked before is asked again under the lock.
///
/// # Errors
/// `Refused` with its remedy. `Ok(false)`: nothing is to be done.
fn admitted(verb: Verb, container: &Container, force: Force) -> Result<bool> {
    match admit(verb, container.status(), force) {
        Admission::Go => Ok(true),
        Admission::AlreadySo => Ok(false),
        Admission::Refuse { reason, remedy } => Err(Error::new(ErrorKind::Refused, reason).remedy(remedy)),
    }
}

/// What every locked change begins with.
struct Locked {
    held: Held,
    observed: Box<Observed>,
}

impl Containers {
    /// Takes the lock, then looks: what others left half-done is finished first.
    fn locked(&self, id: &ContainerId, verb: Verb, time_limit: Duration) -> Result<Locked> {
        self.settle_boot();
        let held = self.store.lock(id, verb, time_limit)?;
        self.settle_rename(&held)?;
        let locked = Locked { held, observed: self.whole(id)? };
        if locked.observed.is_overdue() {
            self.remove_locked(locked, remove::Volumes::Remove, time_limit)?;
            return Err(Error::no_such_container(id));
        }
        Ok(locked)
    }

    /// Deletes a tree, whoever owns its files.
    fn tree_remover(&self) -> impl Fn(&Path) -> Result<()> + '_ {
        |path| self.kernel.remove_tree(path)
    }
}

impl Locked {
    fn record(&mut self) -> &mut Record {
        &mut self.observed.record
    }
}
