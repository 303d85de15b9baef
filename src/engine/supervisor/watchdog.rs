//! Which operation should have ended by now, and what does it wait for?
//!
//! Every wait has a bound of its own, so an operation past its deadline is a defect or a host that does not even
//! answer a cancel; it is named instead of left a riddle. Deliberately elsewhere: ending it (`actor::perform`).

use std::time::Duration;

use super::{Supervisor, operations::Running};
use crate::engine::domain::{OperationId, OperationState};

/// How often it is looked, while anything runs.
pub const LOOK: Duration = Duration::from_secs(1);
/// A host that ignores a deadline is given this much before it is told.
const MARGIN: Duration = Duration::from_millis(500);

impl Supervisor {
    /// Marks what is past its deadline; whether that says anything new.
    pub(super) fn look_for_overdue(&mut self) -> bool {
        let now = self.backend.clock().instant();
        let late = |running: &&Running| now > running.context.deadline + MARGIN;
        let overdue: Vec<OperationId> =
            self.operations.all_running().filter(late).map(|running| running.operation.id).collect();
        let mut any = false;
        for operation in overdue {
            let waits_for = Some(self.waits_for(operation));
            if let Some(running) = self.operations.get_mut(operation) {
                any |= running.overdue != waits_for;
                running.overdue = waits_for;
            }
        }
        any
    }

    /// What an unfinished operation is waiting for, in words.
    fn waits_for(&self, operation: OperationId) -> String {
        if let Some(name) = self.name_awaited_by(operation) {
            return name;
        }
        let Some(running) = self.operations.get(operation) else { return "nothing".to_owned() };
        if running.operation.state == OperationState::Running {
            return match running.progress_step() {
                step if step.is_empty() => "its host".to_owned(),
                step => format!("its host ({step})"),
            };
        }
        let in_front = |other: &&Running| {
            other.operation.state == OperationState::Running && other.actor.is_some() && other.actor == running.actor
        };
        match self.operations.all_running().find(in_front) {
            Some(other) => format!("{} (operation {})", other.operation.verb, other.operation.id),
            None => "its turn".to_owned(),
        }
    }

    /// The name that must be looked up, or come into being, before an actor can have the command.
    fn name_awaited_by(&self, operation: OperationId) -> Option<String> {
        let is_it = |pending: &super::route::Pending| pending.operation == operation;
        let looked_up = self.resolving.iter().find(|(_, lookup)| lookup.waiting().any(is_it));
        let created = self.awaiting_name.iter().find(|(_, list)| list.iter().any(is_it));
        let undelivered = self.undelivered.iter().any(|pending| pending.operation == operation);
        looked_up
            .map(|(name, _)| format!("its host to say what {name} is"))
            .or_else(|| created.map(|(name, _)| format!("{name} to be created")))
            .or_else(|| undelivered.then(|| "room in its actor's mailbox".to_owned()))
    }
}
