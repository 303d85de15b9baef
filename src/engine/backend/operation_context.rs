//! What does a running operation carry with it? Identity, deadline, cancel, and a place to report to.
//!
//! Deliberately elsewhere: who reads the reports (`supervisor`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::clock::{Clock, SystemClock};
use crate::engine::domain::{Error, ErrorKind, OperationId, Progress, Result};

/// Travels with one operation. Cheap to clone; usable from async tasks and plain threads alike.
#[derive(Clone, Debug)]
pub struct OperationContext {
    pub id: OperationId,
    /// The operation must have ended by then.
    pub deadline: Instant,
    pub cancel: CancelToken,
    /// What the deadline is measured by, and pauses are made with.
    pub clock: Arc<dyn Clock>,
    progress: watch::Sender<Arc<Progress>>,
}

impl OperationContext {
    /// A context that reports into `progress`.
    #[must_use]
    pub fn new(id: OperationId, deadline: Instant, progress: watch::Sender<Arc<Progress>>) -> Self {
        Self { id, deadline, cancel: CancelToken::default(), clock: Arc::new(SystemClock), progress }
    }

    /// As it is, measured by another clock: the one that gave its deadline.
    #[must_use]
    pub fn by(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// A context that nobody watches, for reads that reuse mutating code and for tests.
    #[must_use]
    pub fn unwatched(time_limit: Duration) -> Self {
        Self::unwatched_by(Arc::new(SystemClock), time_limit)
    }

    /// As [`Self::unwatched`], by another clock.
    #[must_use]
    pub fn unwatched_by(clock: Arc<dyn Clock>, time_limit: Duration) -> Self {
        let deadline = clock.instant() + time_limit;
        Self { clock, ..Self::new(OperationId(0), deadline, watch::Sender::default()) }
    }

    /// Changes the progress; readers see the newest state, intermediate ones may be skipped.
    pub fn report(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(|progress| change(Arc::make_mut(progress)));
    }

    /// Replaces the step text.
    pub fn step(&self, step: impl Into<String>) {
        let step = step.into();
        self.report(|progress| {
            progress.step = step;
            progress.until = None;
        });
    }

    /// Time left until the deadline; zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(self.clock.instant())
    }

    /// # Errors
    /// `Cancelled` or `TimedOut` when the operation should end now; call between steps.
    pub fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            Err(Error::cancelled())
        } else if self.remaining().is_zero() {
            Err(Error::new(ErrorKind::TimedOut, "the deadline passed"))
        } else {
            Ok(())
        }
    }
}

/// Asks work to end early. Setting it is idempotent and cannot be taken back.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(tokio_util::sync::CancellationToken);

impl CancelToken {
    pub fn cancel(&self) {
        self.0.cancel();
    }

    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Ends when somebody cancels.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}
