//! What is going on, and how did it end?
//!
//! Deliberately elsewhere: starting and ending operations (`supervisor`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ContainerId, Error, ErrorKind, OperationId, Progress, Result, Timestamp, Verb};

/// An accepted command, from its acceptance to its outcome and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    pub verb: Verb,
    /// What it works on, in the asker's words (untrusted text).
    pub subject: String,
    pub container: Option<ContainerId>,
    /// The command line it stands for.
    pub cli: String,
    pub started: Timestamp,
    /// It ends by then, one way or the other.
    pub deadline: Option<Timestamp>,
    pub state: OperationState,
    pub progress: Arc<Progress>,
    pub origin: Origin,
}

impl Operation {
    #[must_use]
    pub fn is_running(&self) -> bool {
        match self.state {
            OperationState::Queued | OperationState::Running => true,
            OperationState::Finished { .. } => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum OperationState {
    /// Waits for an earlier operation on the same object.
    Queued,
    Running,
    Finished {
        at: Timestamp,
        outcome: Outcome,
    },
}

/// Whose operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Here,
    /// Another `wharf` process on the same store.
    Process {
        pid: u32,
    },
}

/// A finished operation as a store remembers it, for the operations screen of every process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastOperation {
    pub verb: Verb,
    pub subject: String,
    pub container: Option<ContainerId>,
    pub cli: String,
    /// The `wharf` process that did it.
    pub pid: u32,
    pub started: Timestamp,
    pub finished: Timestamp,
    /// `None` for a success.
    pub failure: Option<Failure>,
}

/// A failure in a form that can be written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: ErrorKind,
    pub reason: String,
    pub remedy: Option<String>,
}

impl PastOperation {
    /// `None` while it runs.
    #[must_use]
    pub fn of(operation: &Operation, pid: u32) -> Option<Self> {
        let OperationState::Finished { at, outcome } = &operation.state else { return None };
        let failure = outcome.as_ref().err().map(|error| Failure {
            kind: error.kind(),
            reason: error.reason().to_owned(),
            remedy: error.remedy_text().map(str::to_owned),
        });
        Some(Self {
            verb: operation.verb,
            subject: operation.subject.clone(),
            container: operation.container.clone(),
            cli: operation.cli.clone(),
            pid,
            started: operation.started,
            finished: *at,
            failure,
        })
    }

    /// Back to what the inventory shows, under an id of the caller's choice.
    #[must_use]
    pub fn shown_as(self, id: OperationId) -> Operation {
        let outcome = match self.failure {
            None => Ok(Done { container: self.container.clone(), ..Done::default() }),
            Some(failure) => {
                let error = Error::new(failure.kind, failure.reason).during(self.verb).on(&self.subject);
                Err(match failure.remedy {
                    Some(remedy) => error.remedy(remedy),
                    None => error,
                })
            }
        };
        Operation {
            id,
            verb: self.verb,
            subject: self.subject,
            container: self.container,
            cli: self.cli,
            started: self.started,
            deadline: None,
            state: OperationState::Finished { at: self.finished, outcome },
            progress: Arc::default(),
            origin: Origin::Process { pid: self.pid },
        }
    }
}

/// How an operation ended.
pub type Outcome = Result<Done>;

/// A success and what there is to say about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// Nothing had to be done.
    pub already: bool,
    /// The container it was about or made.
    pub container: Option<ContainerId>,
    /// Lines for standard output: ids, names, digests.
    pub output: Vec<String>,
    /// Lines for a person: limits that could not be set and the like.
    pub warnings: Vec<String>,
}

impl Done {
    /// The state was already as asked.
    #[must_use]
    pub fn already_so() -> Self {
        Self { already: true, ..Self::default() }
    }
}
