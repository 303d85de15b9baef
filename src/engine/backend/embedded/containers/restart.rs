//! How is a container stopped and started again without being taken for one that ended?
//!
//! Matters for containers that are removed when they end: a note in the record tells the monitor to leave it, and a
//! lock beside it tells everybody whether whoever wrote the note is still at it. Deliberately elsewhere: stopping
//! (`control`), starting (`start`), the removal that is put off (`reports`).

use super::{
    Containers,
    layout::RESTART,
    record::{Change, Durability, Record, RecordedIntent},
    store::Store,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::lock::{self, Holder, Lock, Mode},
    },
    core::limits,
    domain::{ContainerId, Done, Error, ErrorKind, Result, StopOptions, Verb},
};

impl Containers {
    /// Stops the container, if it runs, and starts it. One with auto-remove is kept meanwhile; it goes when the
    /// restart fails after the stop.
    ///
    /// # Errors
    /// As `stop` and `start`.
    pub fn restart(&self, id: &ContainerId, options: &StopOptions, context: &OperationContext) -> Result<Done> {
        context.check()?;
        let observed = self.whole(id)?;
        if !(observed.record.spec.auto_remove && observed.container.status().has_process()) {
            return self.stop_and_start(id, options, context);
        }
        let at_it = self.begin_restart(id, context)?;
        let outcome = self.stop_and_start(id, options, context);
        outcome.map_err(|error| match self.give_up_restart(id, at_it) {
            Ok(()) => error,
            Err(unsettled) => error.besides(&unsettled),
        })
    }

    fn stop_and_start(&self, id: &ContainerId, options: &StopOptions, context: &OperationContext) -> Result<Done> {
        self.stop(id, options, context)?;
        context.check()?;
        Ok(self.start(id, None, context)?.done)
    }

    /// The container's own lock is held for the note alone, never across the grace.
    fn begin_restart(&self, id: &ContainerId, context: &OperationContext) -> Result<Lock> {
        let mut locked = self.locked(id, Verb::Restart, context.remaining())?;
        let holder = Holder::this_process(&self.store.machine, Verb::Restart, context.remaining());
        let at_it = lock::try_lock(self.store.disk(), &locked.held.dir.join(RESTART), Mode::Exclusive, &holder)
            .map_err(|error| Error::io("its restart cannot be noted", error))?
            .ok_or_else(|| {
                Error::new(ErrorKind::Busy, "another process is restarting it").remedy("wait until that is done")
            })?;
        let now = self.store.machine.clock.now();
        locked.record().intent = Some(RecordedIntent {
            pid: self.store.machine.pid,
            since: now,
            deadline: now.plus(context.remaining()),
            change: Change::Restart,
        });
        self.store.write(&locked.held, &mut locked.observed.record, Durability::Unsynced)?;
        Ok(at_it)
    }

    /// From here on its end is its end again, also one that has come already.
    fn give_up_restart(&self, id: &ContainerId, at_it: Lock) -> Result<()> {
        let settled = self.locked(id, Verb::Restart, limits::STEP_DEADLINE).and_then(|mut locked| {
            if locked.record().intent.as_ref().is_some_and(|intent| intent.change == Change::Restart) {
                locked.record().intent = None;
                self.store.write(&locked.held, &mut locked.observed.record, Durability::Unsynced)?;
            }
            Ok(())
        });
        drop(at_it);
        match settled {
            Err(error) if error.kind() != ErrorKind::NoSuchContainer => Err(error),
            Ok(()) | Err(_) => self.finish_auto_remove(id),
        }
    }
}

/// Whether somebody is between stopping and starting it.
#[must_use]
pub fn is_under_way(store: &Store, record: &Record) -> bool {
    let noted = record.intent.as_ref().is_some_and(|intent| intent.change == Change::Restart);
    noted && !lock::is_free(store.disk(), &store.layout.container(&record.id).join(RESTART))
}
