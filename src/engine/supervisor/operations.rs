//! Which operations are there, running and past?
//!
//! Deliberately elsewhere: what they do (`actor`), operations of other processes (`core::fold`).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use crate::engine::{
    actor::ActorKey,
    backend::{CancelToken, OperationContext},
    core::limits,
    domain::{
        Command, ContainerId, ErrorKind, Operation, OperationId, OperationState, Outcome, PastOperation, Progress,
        Timestamp, Verb,
    },
    sync::task::Id,
};

/// Running operations with their reply channels, and the last finished ones.
#[derive(Default)]
pub struct Operations {
    running: BTreeMap<OperationId, Running>,
    finished: VecDeque<Arc<Operation>>,
}

pub struct Running {
    pub operation: Operation,
    pub command: Command,
    pub context: OperationContext,
    pub actor: Option<(ActorKey, Id)>,
    progress: watch::Receiver<Arc<Progress>>,
    reply: oneshot::Sender<Outcome>,
    /// `run` has created its container and is starting it.
    pub created: Option<ContainerId>,
    /// It should have ended; what it waits for.
    pub overdue: Option<String>,
}

impl Running {
    /// What its carrier said last about itself.
    pub fn progress_step(&self) -> String {
        self.progress.borrow().step.clone()
    }
}

/// What the supervisor needs to know about an operation that just ended.
pub struct Finished {
    pub reply: oneshot::Sender<Outcome>,
    pub outcome: Outcome,
    pub past: Option<PastOperation>,
    pub container: Option<ContainerId>,
    /// The name it was creating, for commands that wait for it.
    pub creates: Option<String>,
}

impl Operations {
    pub fn accept(
        &mut self,
        operation: Operation,
        command: Command,
        context: OperationContext,
        progress: watch::Receiver<Arc<Progress>>,
        reply: oneshot::Sender<Outcome>,
    ) {
        let running =
            Running { operation, command, context, actor: None, progress, reply, created: None, overdue: None };
        self.running.insert(running.operation.id, running);
    }

    pub fn get_mut(&mut self, id: OperationId) -> Option<&mut Running> {
        self.running.get_mut(&id)
    }

    pub fn get(&self, id: OperationId) -> Option<&Running> {
        self.running.get(&id)
    }

    pub fn all_running(&self) -> impl Iterator<Item = &Running> {
        self.running.values()
    }

    pub fn began(&mut self, id: OperationId) {
        if let Some(running) = self.running.get_mut(&id) {
            running.operation.state = OperationState::Running;
        }
    }

    pub fn any_running(&self) -> bool {
        !self.running.is_empty()
    }

    pub fn running(&self) -> Vec<OperationId> {
        self.running.keys().copied().collect()
    }

    pub fn cancel_token(&self, id: OperationId) -> Option<CancelToken> {
        self.running.get(&id).map(|running| running.context.cancel.clone())
    }

    /// Whether a create or run that is under way will own `name`.
    pub fn is_creating(&self, name: &str) -> bool {
        self.running.values().any(|running| running.created.is_none() && created_name(&running.command) == Some(name))
    }

    /// The operations that a given actor task was carrying.
    pub fn of_actor(&self, key: &ActorKey, task: Id) -> Vec<OperationId> {
        let carried = |running: &&Running| running.actor.as_ref().is_some_and(|(k, t)| k == key && *t == task);
        self.running.values().filter(carried).map(|running| running.operation.id).collect()
    }

    pub fn any_of_actor(&self, key: &ActorKey) -> bool {
        self.running.values().any(|running| running.actor.as_ref().is_some_and(|(owner, _)| owner == key))
    }

    /// Moves an operation to the finished ones and answers its asker. `None` when it had ended before.
    pub fn finish(&mut self, id: OperationId, outcome: Outcome) -> Option<Finished> {
        let mut running = self.running.remove(&id)?;
        running.operation.progress = running.progress.borrow().clone();
        // A task that panicked could not say what it was about.
        let outcome = outcome.map_err(|error| match error.kind() == ErrorKind::Internal {
            true => error.during(running.operation.verb).on(&running.operation.subject),
            false => error,
        });
        running.operation.state =
            OperationState::Finished { at: running.context.clock.now(), outcome: outcome.clone() };
        let finished = Finished {
            past: PastOperation::of(&running.operation, std::process::id()),
            reply: running.reply,
            outcome,
            container: running.operation.container.clone(),
            creates: created_name(&running.command).map(str::to_owned),
        };
        self.finished.push_front(Arc::new(running.operation));
        self.finished.truncate(limits::HISTORY);
        Some(finished)
    }

    /// Adds what other processes on the same store did before, below what is known already.
    pub fn add_remembered(&mut self, remembered: Vec<PastOperation>) {
        let own = std::process::id();
        for (number, past) in remembered.into_iter().filter(|past| past.pid != own).enumerate() {
            let id = OperationId(REMEMBERED | number as u64);
            self.finished.push_back(Arc::new(past.shown_as(id)));
        }
        self.finished.truncate(limits::HISTORY);
    }

    /// Copies newer progress into the table; whether there was any.
    pub fn take_progress(&mut self) -> bool {
        let mut any = false;
        for running in self.running.values_mut() {
            if running.progress.has_changed().unwrap_or(false) {
                running.operation.progress = running.progress.borrow_and_update().clone();
                any = true;
            }
        }
        any
    }

    /// Running first, oldest first; then finished, newest first.
    pub fn listed(&self) -> impl Iterator<Item = Arc<Operation>> + '_ {
        let running = self.running.values().map(|running| {
            let mut operation = running.operation.clone();
            if running.overdue.is_some() {
                Arc::make_mut(&mut operation.progress).overdue.clone_from(&running.overdue);
            }
            Arc::new(operation)
        });
        running.chain(self.finished.iter().cloned())
    }
}

/// Ids of remembered operations: above ours, below those of other processes' running ones.
const REMEMBERED: u64 = 1 << 61;

fn created_name(command: &Command) -> Option<&str> {
    command.describe().about.new_container()?.name.as_ref().map(|name| name.as_str())
}

/// A command as it stands in the table from its acceptance on.
pub fn new_operation(id: OperationId, command: &Command, now: Timestamp, limit: Duration) -> Operation {
    Operation {
        id,
        verb: command.verb(),
        subject: crate::engine::core::subject::subject(command),
        container: None,
        cli: crate::engine::core::cli_line::cli_line_without_secrets(command),
        started: now,
        deadline: (command.verb() != Verb::Pull).then(|| now.plus(limit)),
        state: OperationState::Queued,
        progress: Arc::default(),
        origin: crate::engine::domain::Origin::Here,
    }
}
