//! How long may an operation take before it is ended for its asker?
//!
//! Deliberately elsewhere: the constants and their reasons (`limits`).

use std::time::Duration;

use super::limits;
use crate::engine::domain::{Command, StopOptions, Work};

/// The outer bound; backends end most steps much earlier.
#[must_use]
pub fn time_limit(command: &Command) -> Duration {
    match command.describe().work {
        Work::Step => limits::STEP_DEADLINE,
        Work::Transfer => limits::TRANSFER_DEADLINE,
        Work::Stop(options) => stop(options),
        Work::StopAndStep(options) => stop(options) + limits::STEP_DEADLINE,
    }
}

fn stop(options: &StopOptions) -> Duration {
    // Without a grace the container's own applies, which only its host knows.
    let grace = options.grace.map_or(limits::STOP_GRACE_MAX, |grace| grace.duration());
    grace + limits::STOP_MARGIN
}
