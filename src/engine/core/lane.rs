//! In which order do operations on one object run, and which of them join or replace each other?
//!
//! A lane is the waiting room of one actor. Deliberately elsewhere: doing the work (`actor`), whether a
//! verb fits the container's status (`admit`).

use std::collections::VecDeque;

use crate::engine::domain::{Command, Error, ErrorKind, Force, OperationId, Platform, Verb};

use super::limits;

/// One operation as the lane sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub operation: OperationId,
    pub verb: Verb,
    pub force: Force,
    /// What a pull fetches of an image that is there for several; absent: this host's own.
    pub platform: Option<Platform>,
    /// Whether a removal takes the container's anonymous volumes along.
    pub volumes: bool,
}

impl Entry {
    #[must_use]
    pub fn new(operation: OperationId, command: &Command) -> Self {
        let described = command.describe();
        let platform = if let Command::Pull { options, .. } = command { options.platform.clone() } else { None };
        let volumes = matches!(command, Command::Remove { options, .. } if options.volumes);
        Self { operation, verb: described.verb, force: described.force, platform, volumes }
    }
}

/// What happens to the lane.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Submit(Entry),
    /// Work that `Begin` started has ended.
    Ended(OperationId),
    Cancel(OperationId),
}

/// What the actor must do about it, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Begin(OperationId),
    /// The operation shares the outcome of `leader`.
    Join {
        operation: OperationId,
        leader: OperationId,
    },
    /// The operation ends without having begun.
    End {
        operation: OperationId,
        error: Error,
    },
    /// Ask running work to end early.
    CancelRunning(OperationId),
    /// A forced removal waits: make the process end now, whatever grace it was given.
    Hurry,
}

/// The pure machine: at most one operation runs in order; kills, and stops beside a stop, run beside it, and nothing
/// but these begins before the last of such stops has ended.
#[derive(Debug, Default)]
pub struct Lane {
    current: Option<Entry>,
    beside: Vec<Entry>,
    waiting: VecDeque<Entry>,
    /// Followers and their leaders.
    joined: Vec<(OperationId, OperationId)>,
}

impl Lane {
    /// Nothing runs and nothing waits: the actor may retire.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.beside.is_empty() && self.waiting.is_empty()
    }

    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Submit(entry) => self.submit(entry),
            Input::Ended(operation) => self.ended(operation),
            Input::Cancel(operation) => self.cancel(operation),
        }
    }

    fn submit(&mut self, entry: Entry) -> Vec<Effect> {
        if self.runs_beside(&entry) {
            let begin = Effect::Begin(entry.operation);
            self.beside.push(entry);
            return vec![begin];
        }
        if let Some(leader) = self.leader_for(&entry) {
            self.joined.push((entry.operation, leader));
            return vec![Effect::Join { operation: entry.operation, leader }];
        }
        let mut effects = Vec::new();
        if entry.verb == Verb::Remove {
            effects.extend(self.supersede_waiting());
        }
        if self.may_begin() {
            effects.push(Effect::Begin(entry.operation));
            self.current = Some(entry);
            return effects;
        }
        if self.waiting.len() >= limits::CONTAINER_QUEUE {
            effects.push(Effect::End {
                operation: entry.operation,
                error: Error::new(
                    ErrorKind::Busy,
                    format!("{} operations are waiting for it already", self.waiting.len()),
                )
                .remedy("wait for some of them to end"),
            });
            return effects;
        }
        let graceful = self.running().any(|running| has_grace(running.verb));
        if entry.verb == Verb::Remove && entry.force == Force::Yes && graceful {
            effects.push(Effect::Hurry);
        }
        self.waiting.push_back(entry);
        effects
    }

    /// `kill` never waits for anything; a second `stop` may carry a shorter grace.
    fn runs_beside(&self, entry: &Entry) -> bool {
        let current = self.current.as_ref();
        let stops_already = current.map_or_else(|| self.stops_beside(), |current| current.verb == Verb::Stop);
        entry.verb == Verb::Kill || (entry.verb == Verb::Stop && stops_already)
    }

    /// Whatever comes after several stops comes after all of them: one that is late would stop what was started since.
    fn may_begin(&self) -> bool {
        self.current.is_none() && !self.stops_beside()
    }

    fn stops_beside(&self) -> bool {
        self.beside.iter().any(|beside| beside.verb == Verb::Stop)
    }

    fn running(&self) -> impl Iterator<Item = &Entry> {
        self.current.iter().chain(&self.beside)
    }

    /// A removal or a pull that is under way, or waits, and does at least as much.
    fn leader_for(&self, entry: &Entry) -> Option<OperationId> {
        let joinable = matches!(entry.verb, Verb::Remove | Verb::Pull);
        let covers = |other: &&Entry| {
            let same = other.verb == entry.verb && other.platform == entry.platform;
            let as_hard = other.force == Force::Yes || entry.force == Force::No;
            same && as_hard && (other.volumes || !entry.volumes)
        };
        if !joinable {
            return None;
        }
        self.current.iter().chain(&self.waiting).find(covers).map(|leader| leader.operation)
    }

    fn supersede_waiting(&mut self) -> Vec<Effect> {
        let (kept, dropped): (VecDeque<_>, VecDeque<_>) =
            self.waiting.drain(..).partition(|entry| entry.verb == Verb::Remove);
        self.waiting = kept;
        dropped
            .into_iter()
            .map(|entry| Effect::End {
                operation: entry.operation,
                error: Error::new(ErrorKind::Refused, "a removal was asked for after it"),
            })
            .collect()
    }

    fn ended(&mut self, operation: OperationId) -> Vec<Effect> {
        self.joined.retain(|(_, leader)| *leader != operation);
        self.beside.retain(|other| other.operation != operation);
        self.current.take_if(|current| current.operation == operation);
        if !self.may_begin() {
            return Vec::new();
        }
        self.current = self.waiting.pop_front();
        self.current.iter().map(|next| Effect::Begin(next.operation)).collect()
    }

    fn cancel(&mut self, operation: OperationId) -> Vec<Effect> {
        if self.running().any(|running| running.operation == operation) {
            return vec![Effect::CancelRunning(operation)];
        }
        let waiting = self.waiting.iter().position(|entry| entry.operation == operation);
        let joined = self.joined.iter().position(|(follower, _)| *follower == operation);
        match (waiting, joined) {
            (Some(at), _) => {
                self.waiting.remove(at);
                self.end_followers_of(operation)
            }
            (None, Some(at)) => {
                self.joined.swap_remove(at);
                vec![Effect::End { operation, error: Error::cancelled() }]
            }
            // It ended while the cancel was on its way.
            (None, None) => Vec::new(),
        }
    }

    /// A cancelled leader that never began takes its followers along: nobody else would do their work.
    fn end_followers_of(&mut self, leader: OperationId) -> Vec<Effect> {
        let mut effects = vec![Effect::End { operation: leader, error: Error::cancelled() }];
        self.joined.retain(|(follower, other)| {
            if *other == leader {
                effects.push(Effect::End { operation: *follower, error: Error::cancelled() });
            }
            *other != leader
        });
        effects
    }
}

/// Verbs that may wait for a process to end by itself.
fn has_grace(verb: Verb) -> bool {
    matches!(verb, Verb::Stop | Verb::Restart)
}

#[cfg(test)]
mod tests;
