//! When does a simulated process try a registry again? By the virtual clock and the seed.
//! Deliberately elsewhere: which failures are tried again (production's `registry`).

use std::time::{Duration, SystemTime};

use wharf::engine::backend::{clock::Clock as _, embedded::registry::pace::Pace};

use super::super::surroundings::SimulatedClock;

/// Time and chance of a process's retries.
pub struct SimulatedPace(pub SimulatedClock);

impl Pace for SimulatedPace {
    fn now(&self) -> SystemTime {
        let nanos = u64::try_from(self.0.now().unix_nanos()).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
    }

    fn pause(&self, time: Duration) {
        self.0.sleep(time);
    }

    fn chance(&self) -> f64 {
        let drawn = self.0.world.state().dice.below(1_000);
        drawn as f64 / 1_000.0
    }
}
