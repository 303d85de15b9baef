//! How does a reader follow a file that another thread is still writing? By the height of its tide.
//!
//! Deliberately elsewhere: the file, and what fills it (`images::receive`).

use std::sync::Arc;

use super::primitives::{Condvar, Mutex, MutexGuard, lock, wait};

/// How much of a growing file is there, and whether more will come. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tide {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    level: Mutex<Level>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Level {
    available: u64,
    ended: Option<TideEnd>,
    /// The reader needs no more.
    abandoned: bool,
}

/// How the writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TideEnd {
    Complete,
    Failed,
}

/// What a reader finds beyond its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    Bytes(u64),
    Ended(TideEnd),
}

impl Tide {
    /// So many bytes are there now.
    pub fn rise(&self, available: u64) {
        self.level().available = available;
        self.shared.changed.notify_all();
    }

    /// No more will come.
    pub fn end(&self, how: TideEnd) {
        self.level().ended = Some(how);
        self.shared.changed.notify_all();
    }

    /// Tells the writer that whoever read has failed for a reason of his own.
    pub fn abandon(&self) {
        self.level().abandoned = true;
    }

    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.level().abandoned
    }

    /// Waits until more than `position` bytes are there, or the end: everything that came is told before it.
    #[must_use]
    pub fn wait_beyond(&self, position: u64) -> Flood {
        let mut level = self.level();
        loop {
            if level.available > position {
                return Flood::Bytes(level.available - position);
            }
            match level.ended {
                Some(how) => return Flood::Ended(how),
                None => level = wait(&self.shared.changed, level),
            }
        }
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        lock(&self.shared.level)
    }
}
