//! How does an operation made of several commands have them carried out? Each as an operation of its own, by its actor.
//!
//! Deliberately elsewhere: which commands (`prune`, `demo`).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{mpsc, oneshot, watch};

use super::Request;
use crate::engine::{
    actor::Report,
    backend::{Answer, Backend, OperationContext},
    core::limits,
    domain::*,
    sync::time,
};

/// Children of a composite operation live above every number the door hands out.
const CHILDREN: u64 = 1 << 48;

/// What a composite operation works with.
pub struct Children {
    parent: OperationId,
    backend: Arc<dyn Backend>,
    requests: mpsc::WeakSender<Request>,
    context: OperationContext,
    started: AtomicU64,
}

impl Children {
    pub fn new(
        parent: OperationId,
        backend: Arc<dyn Backend>,
        requests: mpsc::WeakSender<Request>,
        context: OperationContext,
    ) -> Self {
        Self { parent, backend, requests, context, started: AtomicU64::new(0) }
    }

    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    pub fn context(&self) -> &OperationContext {
        &self.context
    }

    /// Has one command carried out; a cancel of the parent cancels it too.
    ///
    /// # Errors
    /// `Cancelled` when the engine ends; what became of the command is inside.
    pub async fn perform(&self, command: Command) -> Result<Outcome> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let operation = OperationId(CHILDREN + (self.parent.0 << 20) + number);
        let (reply, outcome) = oneshot::channel();
        let request = Request::Submit { operation, command, attach: None, progress: watch::Sender::default(), reply };
        self.send(request).await?;
        tokio::pin!(outcome);
        tokio::select! {
            biased;
            ended = &mut outcome => return ended.map_err(|_| Error::cancelled()),
            () = self.context.cancel.cancelled() => self.send(Request::Cancel(operation)).await?,
        }
        outcome.await.map_err(|_| Error::cancelled())
    }

    /// Reads from the host, no longer than a read may take and not beyond a cancel.
    ///
    /// # Errors
    /// The host's own; `TimedOut` when it is silent, `Cancelled`.
    pub async fn ask<T>(&self, answer: Answer<'_, T>) -> Result<T> {
        tokio::select! {
            biased;
            answered = answer => answered,
            () = self.context.cancel.cancelled() => Err(Error::cancelled()),
            () = time::sleep(limits::READ_DEADLINE) => {
                Err(Error::new(ErrorKind::TimedOut, "the host did not answer")
                    .remedy("check that the engine is up, or choose another with --host"))
            }
        }
    }

    async fn send(&self, request: Request) -> Result<()> {
        let sender = self.requests.upgrade().ok_or_else(Error::cancelled)?;
        sender.send(request).await.map_err(|_| Error::cancelled())
    }
}

/// Runs a composite operation as a task: tells its beginning and its end.
pub async fn tell<F: Future<Output = Outcome>>(
    operation: OperationId,
    verb: Verb,
    reports: mpsc::Sender<Report>,
    work: F,
) {
    // A closed channel means the engine is gone, and with it everybody who could read this.
    let _ = reports.send(Report::Began(operation)).await;
    let outcome = work.await.map_err(|error| error.during(verb));
    // As above.
    let _ = reports.send(Report::Ended(operation, outcome)).await;
}
