//! How does a test wait? For a value, until a deadline, and then it says what it saw last.
//! Deliberately elsewhere: waiting for a screen (`screen.rs`), which is woken by output instead of asking again.

use std::time::{Duration, Instant};

/// The longest a test waits for something that ought to happen at once. Generous, since CI machines stall;
/// a passing test never comes near it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two looks. Short enough that no test is slowed down by it.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A point in time after which waiting is a failure.
#[derive(Clone, Copy)]
pub struct Deadline {
    ends: Instant,
}

impl Deadline {
    /// A deadline `patience` from now.
    pub fn after(patience: Duration) -> Self {
        Self { ends: Instant::now() + patience }
    }

    /// What is left; zero once it has passed.
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// Pauses before the next look, never past the deadline.
    pub fn pause(&self) {
        std::thread::park_timeout(LOOK_AGAIN.min(self.left()));
    }
}

/// Looks until `look` gives a value and returns it; `what` names the thing awaited.
///
/// # Panics
/// When `patience` passes first.
#[track_caller]
pub fn wait_until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::after(patience);
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(!deadline.passed(), "waited {patience:?} in vain for {what}");
        deadline.pause();
    }
}
