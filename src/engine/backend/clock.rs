//! What time is it, and how does an operation let time pass? One trait, so that a simulation can run a day in a blink.
//!
//! Deliberately elsewhere: how long things may take (`core::limits`).

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::engine::{domain::Timestamp, sync::time};

/// Time as one process sees it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock: for people and for other processes. It may jump.
    fn now(&self) -> Timestamp;

    /// For deadlines: never jumps, means nothing to another process.
    fn instant(&self) -> Instant;

    /// Lets time pass.
    fn sleep(&self, time: Duration);
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        time::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
