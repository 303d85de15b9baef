//! What does the store do with what a monitor sees? Events for everybody, and the removal of what is to go.
//!
//! Runs inside monitors: no kernel, no images, no waiting. Deliberately elsewhere: when to report (`linux`).

use std::time::Duration;

use super::{
    event_log::EXIT_CODE,
    layout::Layout,
    record::{Read, Record},
    remove::{Announced, Volumes, commit},
    restart,
    store::Store,
};
use crate::engine::{
    backend::embedded::{
        launch::{ExitFile, LaunchPlan, RunChange},
        machine::Machine,
    },
    core::limits,
    domain::{Error, ErrorKind, EventAction, Verb},
};

/// How long an ended run waits for somebody who holds its container's lock; after that whoever holds it,
/// or a repair, removes what is to go.
const PATIENCE: Duration = Duration::from_secs(5);
/// A file lock tells nobody that it is free.
const PAUSE: Duration = Duration::from_micros(500);

/// Finds its store through the plan.
pub struct StoreReports {
    machine: Machine,
}

impl StoreReports {
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self { machine }
    }

    /// Everything the end of a run asks for: tells of it, and removes the container if it is to go. Somebody
    /// who holds the container's lock is waited for, within bounds. `gone` is called once the removal is committed, before
    /// anything is deleted.
    pub fn run_ended(&self, plan: &LaunchPlan, exit: &ExitFile, gone: &mut dyn FnMut()) {
        self.changed(plan, &RunChange::Ended(exit.clone()));
        let clock = &self.machine.clock;
        let until = clock.instant() + PATIENCE;
        while plan.auto_remove && self.auto_remove(plan, gone) == AutoRemove::Busy && clock.instant() < until {
            clock.sleep(PAUSE);
        }
    }

    /// Something about the run changed and is in the files already: wakes whoever watches the store and
    /// notes the event. A change nobody could write down is found by the next listing.
    pub fn changed(&self, plan: &LaunchPlan, change: &RunChange) {
        let Some(store) = self.store(plan) else { return };
        if let Read::Record(record) = store.read(&plan.id) {
            note(&store, &record, change);
            store.announce(&plan.id, record.revision);
        } else {
            store.announce(&plan.id, plan.generation);
        }
    }

    /// `None` for a plan whose directories are not laid out as ours: nothing to tell anybody then.
    fn store(&self, plan: &LaunchPlan) -> Option<Store> {
        let layout = Layout::of_plan(&plan.container_dir, &plan.run_dir)?;
        Some(Store::new(layout, self.machine.clone()))
    }

    /// Removes record, name and directories of a container whose run is over and recorded.
    fn auto_remove(&self, plan: &LaunchPlan, gone: &mut dyn FnMut()) -> AutoRemove {
        let Some(store) = self.store(plan) else { return AutoRemove::Failed };
        let held = match store.try_lock(&plan.id, Verb::Remove, limits::STEP_DEADLINE) {
            Ok(Some(held)) => held,
            Ok(None) => return whoever_holds_it(&store, plan),
            Err(error) if error.kind() == ErrorKind::NoSuchContainer => return AutoRemove::Removed,
            Err(_) => return AutoRemove::Failed,
        };
        let record = match store.read(&plan.id) {
            Read::Record(record) if restart::is_under_way(&store, &record) => return AutoRemove::Kept,
            Read::Record(record) => record,
            Read::Gone => return AutoRemove::Removed,
            // Kept to be looked at; `rm` and `repair` know what to do.
            Read::Damaged(_) => return AutoRemove::Failed,
        };
        let remove_tree = |path: &std::path::Path| {
            store.disk().remove_tree(path).map_err(|error| Error::io("its files cannot be deleted", error))
        };
        match commit(&store, held, Some(&record), Announced::Perhaps, Volumes::Remove) {
            Ok(removed) => {
                gone();
                // What could not be deleted is found by the next repair.
                let _ = removed.delete(&store, &remove_tree);
                AutoRemove::Removed
            }
            Err(_) => AutoRemove::Failed,
        }
    }
}

/// How an automatic removal went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AutoRemove {
    /// Nothing of it is left; also when somebody else removed it meanwhile.
    Removed,
    /// Somebody stopped it only to start it again: it stays.
    Kept,
    /// Somebody holds the container's lock just now: ask again in a millisecond. When the monitor gives
    /// up after some seconds, the holder or the next reconciliation removes it.
    Busy,
    /// It could not be removed now (a full disk, say); reconciliation will.
    Failed,
}

/// A remover at work needs nothing from us but our end; anybody else is done in a moment.
fn whoever_holds_it(store: &Store, plan: &LaunchPlan) -> AutoRemove {
    match store.read(&plan.id) {
        Read::Record(record) if !record.is_removing() => AutoRemove::Busy,
        Read::Record(_) | Read::Gone => AutoRemove::Removed,
        Read::Damaged(_) => AutoRemove::Failed,
    }
}

fn note(store: &Store, record: &Record, change: &RunChange) {
    match change {
        RunChange::Started => store.note(record, EventAction::Start, &[]),
        RunChange::Paused => store.note(record, EventAction::Pause, &[]),
        RunChange::Unpaused => store.note(record, EventAction::Unpause, &[]),
        RunChange::Stopping { signal } | RunChange::Signalled { signal } => {
            store.note(record, EventAction::Kill, &[("signal", signal.to_string())]);
        }
        // Nothing happened that anybody should be told of.
        RunChange::Undone => {}
        RunChange::Ended(exit) => {
            if exit.oom_killed {
                store.note(record, EventAction::Oom, &[]);
            }
            let code = exit.code.map(|code| (EXIT_CODE, code.to_string()));
            store.note(record, EventAction::Die, code.as_slice());
        }
    }
}
