//! What is going on, and how did it end?
//!
//! Deliberately elsewhere: starting and ending operations (`supervisor`).

use std::sync::Arc;

use super::{ContainerId, OperationId, Progress, Result, Timestamp, Verb};

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
