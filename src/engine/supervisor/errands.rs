//! What is done for the supervisor beside its loop, and what is each of these tasks about?
//!
//! A task that looks, follows or asks brings its answer back as a message; one that panics brings none, so what it was
//! about is kept here. Deliberately elsewhere: what the tasks do (`observer`, `route`), settling what a panic left open
//! (`defects`).

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::engine::{
    domain::{OperationId, Outcome},
    sync::task::{AbortHandle, Id, JoinSet},
};

/// What a task is about.
pub enum Errand {
    /// Follows the host's notices.
    Follow,
    /// Looks at what changed.
    Look,
    /// Waits before the next look, after one that panicked.
    Pause,
    /// Finds out what this name is.
    Lookup(String),
    /// Carries out an operation that is made of others.
    Compose(OperationId),
    /// Writes the end of an operation down; whoever asked is answered then.
    Remember(oneshot::Sender<Outcome>, Box<Outcome>),
}

/// The tasks under way.
pub struct Errands {
    tasks: JoinSet<()>,
    /// With their places in the order of beginning.
    what: HashMap<Id, (u64, Errand)>,
    begun: u64,
}

impl Errands {
    pub fn new() -> Self {
        Self { tasks: JoinSet::new(), what: HashMap::new(), begun: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub fn spawn(&mut self, errand: Errand, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let handle = self.tasks.spawn(task);
        self.begun += 1;
        self.what.insert(handle.id(), (self.begun, errand));
        handle
    }

    /// The next one that has ended, and whether it did so by a panic; `None` when there are none.
    pub async fn ended(&mut self) -> Option<(Errand, Ending)> {
        let ended = self.tasks.join_next_with_id().await?;
        let (id, ending) = match ended {
            Ok((id, ())) => (id, Ending::Done),
            Err(failure) if failure.is_panic() => (failure.id(), Ending::Panicked),
            Err(failure) => (failure.id(), Ending::Aborted),
        };
        self.what.remove(&id).map(|(_, errand)| (errand, ending))
    }

    /// Everybody who waits only for an end to be written down is answered, in the order of the ends.
    pub fn answer_all(&mut self) {
        let mut left: Vec<(u64, Errand)> = self.what.drain().map(|(_, errand)| errand).collect();
        left.sort_unstable_by_key(|(place, _)| *place);
        left.into_iter().for_each(|(_, errand)| settle_remembered(errand));
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    Panicked,
    Aborted,
}

/// Answers whoever waited for an end to be written down.
pub fn settle_remembered(errand: Errand) {
    match errand {
        Errand::Remember(reply, outcome) => {
            // Nobody may be waiting for it any more.
            let _ = reply.send(*outcome);
        }
        Errand::Follow | Errand::Look | Errand::Pause | Errand::Lookup(_) | Errand::Compose(_) => {}
    }
}
