//! How does a container change its name? Reserve the new one, journal, free the old one.
//!
//! In this order no moment leaves a container nameless or a name with two owners, whatever is cut.
//! Deliberately elsewhere: who owns a name (`names`).

use super::{
    Containers, admitted,
    names::{self, Reserved},
    record::{Change, Durability, Read, RecordedIntent},
    store::Held,
};
use crate::engine::{
    backend::OperationContext,
    domain::{ContainerId, ContainerName, Done, EventAction, Force, Result, Verb},
};

impl Containers {
    /// # Errors
    /// `NameInUse`, `NoSuchContainer`, `Refused` while it is being removed, `Busy`, and the disk's.
    pub fn rename(&self, id: &ContainerId, name: &ContainerName, context: &OperationContext) -> Result<Done> {
        self.store.prepare()?;
        context.check()?;
        let mut locked = self.locked(id, Verb::Rename, context.remaining())?;
        admitted(Verb::Rename, &locked.observed.container, Force::No)?;
        let done = Done { container: Some(id.clone()), ..Done::default() };
        if locked.observed.record.name == *name {
            return Ok(Done { already: true, ..done });
        }
        let (machine, layout) = (&self.store.machine, &self.store.layout);
        if let Reserved::Taken(owner) = names::reserve(machine, layout, name, id, Durability::Synced)? {
            return Err(names::in_use(name, &owner));
        }
        let from = locked.observed.record.name.clone();
        let interrupted = locked.observed.record.intent.take();
        let now = machine.clock.now();
        let record = locked.record();
        record.name = name.clone();
        record.intent = Some(RecordedIntent {
            pid: machine.pid,
            since: now,
            deadline: now.plus(context.remaining()),
            change: Change::Rename { from: from.clone() },
        });
        if let Err(error) = self.store.write(&locked.held, &mut locked.observed.record, Durability::Synced) {
            // A write may fail after the new record could be seen, and then it has the new name. Otherwise the old one
            // stands. The error of the write is the one to report; a reserved name that cannot be freed is claimed by
            // nobody and goes to the next who asks.
            if matches!(self.store.read(id), Read::Record(found) if found.name != *name) {
                let _ = names::release(machine, layout, name, id);
            }
            return Err(error);
        }
        names::release(machine, layout, &from, id)?;
        let record = &mut locked.observed.record;
        record.intent = interrupted;
        // Before the write, which wakes those who read events.
        self.store.note(record, EventAction::Rename, &[("oldName", format!("/{from}"))]);
        self.store.write(&locked.held, record, Durability::Synced)?;
        Ok(done)
    }

    /// Finishes a rename that was cut after its journal entry. The caller holds the lock.
    pub(super) fn settle_rename(&self, held: &Held) -> Result<()> {
        let Read::Record(mut record) = self.store.read(&held.id) else { return Ok(()) };
        let Some(RecordedIntent { change: Change::Rename { from }, .. }) = &record.intent else { return Ok(()) };
        names::release(&self.store.machine, &self.store.layout, from, &held.id)?;
        record.intent = None;
        self.store.write(held, &mut record, Durability::Synced)
    }
}
