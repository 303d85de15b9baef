//! How long may an operation take before it is ended for its asker?
//!
//! Deliberately elsewhere: the constants and their reasons (`limits`).

use std::time::Duration;

use super::limits;
use crate::engine::domain::{Command, StopOptions};

/// The outer bound; backends end most steps much earlier.
#[must_use]
pub fn time_limit(command: &Command) -> Duration {
    match command {
        Command::Create(_) | Command::Run(_) => limits::TRANSFER_DEADLINE,
        Command::Start { .. }
        | Command::Kill { .. }
        | Command::Pause { .. }
        | Command::Unpause { .. }
        | Command::Remove { .. }
        | Command::Rename { .. }
        | Command::Tag { .. }
        | Command::RemoveImage { .. }
        | Command::PruneContainers
        | Command::PruneImages { .. }
        | Command::Demo(_) => limits::STEP_DEADLINE,
        Command::Stop { options, .. } => stop(options),
        Command::Restart { options, .. } => stop(options) + limits::STEP_DEADLINE,
        Command::Pull { .. } | Command::Push { .. } | Command::CreateIndex { .. } => limits::TRANSFER_DEADLINE,
    }
}

fn stop(options: &StopOptions) -> Duration {
    // Without a grace the container's own applies, which only its host knows.
    let grace = options.grace.map_or(limits::STOP_GRACE_MAX, |grace| grace.duration());
    grace + limits::STOP_MARGIN
}
