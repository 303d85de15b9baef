//! Who runs our tasks while a model is checked? Shuttle inside its models, tokio everywhere else.
//!
//! Deliberately elsewhere: the locks below (`primitives::checked`).

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::super::primitives::{Checker, checker};

/// Names a task of a [`JoinSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    System(tokio::task::Id),
    Shuttle(u64),
}

#[derive(Debug)]
pub enum JoinError {
    System(tokio::task::JoinError),
    /// Aborted; a panic ends the whole model.
    Shuttle(u64),
}

impl JoinError {
    pub fn id(&self) -> Id {
        match self {
            Self::System(error) => Id::System(error.id()),
            Self::Shuttle(id) => Id::Shuttle(*id),
        }
    }

    pub fn is_panic(&self) -> bool {
        match self {
            Self::System(error) => error.is_panic(),
            Self::Shuttle(_) => false,
        }
    }
}

#[derive(Clone)]
pub enum AbortHandle {
    System(tokio::task::AbortHandle),
    Shuttle(u64, shuttle::future::AbortHandle),
}

impl AbortHandle {
    pub fn id(&self) -> Id {
        match self {
            Self::System(handle) => Id::System(handle.id()),
            Self::Shuttle(id, _) => Id::Shuttle(*id),
        }
    }

    pub fn abort(&self) {
        match self {
            Self::System(handle) => handle.abort(),
            Self::Shuttle(_, handle) => handle.abort(),
        }
    }
}

/// Starts a task that nobody joins.
pub fn spawn<F>(task: F)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match checker() {
        Checker::Shuttle => drop(shuttle::future::spawn(task)),
        Checker::System | Checker::Loom => drop(tokio::spawn(task)),
    }
}

/// Tasks that end with their set.
pub enum JoinSet<T: 'static> {
    System(tokio::task::JoinSet<T>),
    Shuttle { made: u64, running: Vec<(u64, shuttle::future::JoinHandle<T>)> },
}

impl<T: Send + 'static> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> JoinSet<T> {
    pub fn new() -> Self {
        match checker() {
            Checker::Shuttle => Self::Shuttle { made: 0, running: Vec::new() },
            Checker::System | Checker::Loom => Self::System(tokio::task::JoinSet::new()),
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::System(set) => set.is_empty(),
            Self::Shuttle { running, .. } => running.is_empty(),
        }
    }

    pub fn spawn(&mut self, task: impl Future<Output = T> + Send + 'static) -> AbortHandle {
        match self {
            Self::System(set) => AbortHandle::System(set.spawn(task)),
            Self::Shuttle { made, running } => {
                *made += 1;
                let handle = shuttle::future::spawn(task);
                let abort = handle.abort_handle();
                running.push((*made, handle));
                AbortHandle::Shuttle(*made, abort)
            }
        }
    }

    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(self.join_next_with_id().await?.map(|(_, value)| value))
    }

    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        match self {
            Self::System(set) => {
                let ended = set.join_next_with_id().await?;
                Some(ended.map(|(id, value)| (Id::System(id), value)).map_err(JoinError::System))
            }
            Self::Shuttle { running, .. } if running.is_empty() => None,
            Self::Shuttle { running, .. } => std::future::poll_fn(|context| poll_any(running, context)).await,
        }
    }
}

fn poll_any<T>(
    running: &mut Vec<(u64, shuttle::future::JoinHandle<T>)>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<(Id, T), JoinError>>> {
    for place in 0..running.len() {
        let Some((id, handle)) = running.get_mut(place) else { break };
        let id = *id;
        if let Poll::Ready(ended) = Pin::new(handle).poll(context) {
            drop(running.swap_remove(place));
            let ended = ended.map(|value| (Id::Shuttle(id), value)).map_err(|_| JoinError::Shuttle(id));
            return Poll::Ready(Some(ended));
        }
    }
    Poll::Pending
}

impl<T: 'static> Drop for JoinSet<T> {
    fn drop(&mut self) {
        if let Self::Shuttle { running, .. } = self {
            running.iter().for_each(|(_, handle)| handle.abort());
        }
    }
}
