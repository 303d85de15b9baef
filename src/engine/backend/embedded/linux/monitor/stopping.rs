//! When does a stop turn into a kill? The escalation as a value: no clock, no signal of its own.
//!
//! Deliberately elsewhere: sending (`serve`).

use std::time::{Duration, Instant};

use crate::engine::domain::Signal;

/// A stop that was asked for, perhaps several times: the earliest deadline counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stopping {
    kill_at: Option<Instant>,
    killed: bool,
}

impl Stopping {
    /// Somebody asks; returns the signal to send now. No grace is KILL at once.
    pub(super) fn ask(&mut self, signal: Signal, grace: Duration, now: Instant) -> Signal {
        if grace.is_zero() {
            self.killed = true;
            return Signal::KILL;
        }
        // A grace beyond the clock's range never ends.
        let at = now.checked_add(grace);
        self.kill_at = match (self.kill_at, at) {
            (Some(earlier), Some(at)) => Some(earlier.min(at)),
            (earlier, at) => earlier.or(at),
        };
        signal
    }

    /// How long until [`Self::due`] has something to do.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.kill_at.filter(|_| !self.killed).map(|at| at.saturating_duration_since(now))
    }

    /// KILL, once, when the grace is over.
    pub(super) fn due(&mut self, now: Instant) -> Option<Signal> {
        let due = !self.killed && self.kill_at.is_some_and(|at| at <= now);
        self.killed |= due;
        due.then_some(Signal::KILL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_comes_first_and_kill_once_after_the_grace() {
        let start = Instant::now();
        let mut stopping = Stopping::default();
        assert_eq!(stopping.wait(start), None);
        assert_eq!(stopping.ask(Signal::TERM, Duration::from_secs(10), start), Signal::TERM);
        assert_eq!(stopping.wait(start), Some(Duration::from_secs(10)));
        assert_eq!(stopping.due(start + Duration::from_secs(9)), None);
        assert_eq!(stopping.due(start + Duration::from_secs(10)), Some(Signal::KILL));
        assert_eq!(stopping.due(start + Duration::from_secs(11)), None);
    }

    #[test]
    fn the_more_impatient_of_two_askers_decides() {
        let start = Instant::now();
        let mut stopping = Stopping::default();
        stopping.ask(Signal::TERM, Duration::from_secs(60), start);
        stopping.ask(Signal::INT, Duration::from_secs(5), start);
        stopping.ask(Signal::TERM, Duration::from_secs(30), start);
        assert_eq!(stopping.wait(start), Some(Duration::from_secs(5)));
    }

    #[test]
    fn no_grace_is_kill_at_once() {
        let mut stopping = Stopping::default();
        assert_eq!(stopping.ask(Signal::TERM, Duration::ZERO, Instant::now()), Signal::KILL);
        assert_eq!(stopping.due(Instant::now()), None);
    }
}
