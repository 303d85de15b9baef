//! What does an actor do about a message or an end? Bookkeeping around its lane, without a task, a clock or a wait.
//!
//! Deliberately elsewhere: the order of work (`core::lane`), the loop that does what is said here (`actor`).

use std::collections::HashMap;

use super::{Job, Message, Report, Seen};
use crate::engine::{
    backend::OperationContext,
    core::lane::{Effect, Entry, Input, Lane},
    domain::{Error, OperationId, Outcome},
};

/// What the loop must do, in order.
pub enum Act {
    Tell(Report),
    /// Carry it out; its end comes back through [`Desk::ended`].
    Begin(Box<Job>),
    /// End the container's process: a forced removal waits.
    Hurry,
}

/// What an actor knows about its operations.
#[derive(Default)]
pub struct Desk {
    lane: Lane,
    /// Accepted and not begun.
    jobs: HashMap<OperationId, Job>,
    /// Begun, for cancelling.
    contexts: HashMap<OperationId, OperationContext>,
    followers: HashMap<OperationId, Vec<OperationId>>,
    /// It has had an operation before.
    worked: bool,
}

impl Desk {
    /// Nothing runs and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lane.is_idle()
    }

    pub fn take(&mut self, message: Message) -> Vec<Act> {
        match message {
            // Its cancel has overtaken it.
            Message::Do(job) if job.context.cancel.is_cancelled() => {
                vec![Act::Tell(Report::Ended(job.operation, Err(Error::cancelled())))]
            }
            Message::Do(job) => self.accept(*job),
            Message::Cancel(operation) => {
                let effects = self.lane.step(Input::Cancel(operation));
                self.acts(effects)
            }
        }
    }

    /// An operation that was begun is over: so are those that joined it, and the next one may begin.
    pub fn ended(&mut self, operation: OperationId, outcome: Outcome) -> Vec<Act> {
        self.contexts.remove(&operation);
        let followers = self.followers.remove(&operation).unwrap_or_default();
        let told = followers.into_iter().map(|follower| Act::Tell(Report::Ended(follower, outcome.clone())));
        let mut acts: Vec<Act> = told.collect();
        acts.push(Act::Tell(Report::Ended(operation, outcome)));
        let effects = self.lane.step(Input::Ended(operation));
        acts.extend(self.acts(effects));
        acts
    }

    fn accept(&mut self, job: Job) -> Vec<Act> {
        let entry = Entry::new(job.operation, &job.command);
        let operation = job.operation;
        self.jobs.insert(operation, job);
        let effects = self.lane.step(Input::Submit(entry));
        // What was seen before other operations says nothing about after them, even when they are over by now: the
        // look may have been under way at the same time.
        if self.worked
            && let Some(job) = self.jobs.get_mut(&operation)
        {
            job.seen = Seen::BeforeOthers;
        }
        self.worked = true;
        self.acts(effects)
    }

    fn acts(&mut self, effects: Vec<Effect>) -> Vec<Act> {
        let mut acts = Vec::with_capacity(effects.len() + 1);
        for effect in effects {
            match effect {
                Effect::Begin(operation) => {
                    let Some(job) = self.jobs.remove(&operation) else { continue };
                    self.contexts.insert(operation, job.context.clone());
                    acts.extend([Act::Tell(Report::Began(operation)), Act::Begin(Box::new(job))]);
                }
                Effect::Join { operation, leader } => {
                    self.jobs.remove(&operation);
                    self.followers.entry(leader).or_default().push(operation);
                }
                Effect::End { operation, error } => {
                    self.jobs.remove(&operation);
                    acts.push(Act::Tell(Report::Ended(operation, Err(error))));
                }
                Effect::CancelRunning(operation) => {
                    if let Some(context) = self.contexts.get(&operation) {
                        context.cancel.cancel();
                    }
                }
                Effect::Hurry => acts.push(Act::Hurry),
            }
        }
        acts
    }
}
