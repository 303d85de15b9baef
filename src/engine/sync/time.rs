//! Which clock do deadlines and pauses go by? Tokio's; under shuttle none: time passes as fast as it likes.
//!
//! Deliberately elsewhere: how long anything may take (`core::limits`).

use std::time::{Duration, Instant};

#[cfg(feature = "model")]
use super::primitives::{Checker, checker};

/// The time was up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// What [`sleep_until`] compares with.
#[must_use]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Ends after `time`.
pub async fn sleep(time: Duration) {
    #[cfg(feature = "model")]
    if checker() == Checker::Shuttle {
        return any_time(time).await;
    }
    tokio::time::sleep(time).await;
}

/// Ends at `instant`.
pub async fn sleep_until(instant: Instant) {
    #[cfg(feature = "model")]
    if checker() == Checker::Shuttle {
        return any_time(instant.saturating_duration_since(Instant::now())).await;
    }
    tokio::time::sleep_until(tokio::time::Instant::from_std(instant)).await;
}

/// What `work` ends with, when it does within `time`; it is asked first.
///
/// # Errors
/// When it does not. It is dropped then.
pub async fn timeout<F: Future>(time: Duration, work: F) -> Result<F::Output, Elapsed> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = sleep(time) => Err(Elapsed),
    }
}

/// Between no other step and many: whoever relies on a pause being long, or on a deadline not passing, is found out.
#[cfg(feature = "model")]
async fn any_time(time: Duration) {
    use shuttle::rand::Rng as _;
    let longest = if time < Duration::from_secs(1) { 3 } else { 60 };
    for _ in 0..shuttle::rand::thread_rng().gen_range(0..=longest) {
        shuttle::future::yield_now().await;
    }
}
