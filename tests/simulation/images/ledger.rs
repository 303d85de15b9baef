//! What was promised to whom? Every name's writes with their times, and what may be there in the end.
//!
//! A write that was acknowledged cannot be undone by one that ended before it began: that is linearizability of a
//! register, looked at when everything rests. Deliberately elsewhere: what is on the disk (`invariants`), what containers
//! were promised (`simulation::history`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use wharf::engine::domain::Digest;

/// Shared by all processes of a world; no process can lose it.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Clone, Default)]
pub struct Book {
    writes: Vec<Write>,
    pub operations: u64,
    pub succeeded: u64,
}

/// Somebody made a name lead somewhere, or nowhere.
#[derive(Clone)]
struct Write {
    name: String,
    value: Option<Digest>,
    begun: u64,
    /// `None` while it is under way.
    ended: Option<u64>,
    fate: Fate,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody knows whether it happened.
    Unknown,
    Acknowledged,
    /// It did not happen.
    Not,
}

impl Ledger {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Notes that a write has begun; its number.
    pub fn begin(&mut self, name: &str, value: Option<&Digest>, now: u64) -> usize {
        self.writes.push(Write {
            name: name.to_owned(),
            value: value.cloned(),
            begun: now,
            ended: None,
            fate: Fate::Unknown,
        });
        self.writes.len() - 1
    }

    pub fn end(&mut self, write: usize, fate: Fate, now: u64) {
        self.writes[write].ended.get_or_insert(now);
        self.writes[write].fate = fate;
    }

    /// A write that nobody acknowledged is over now.
    pub fn end_if_open(&mut self, write: usize, now: u64) {
        self.writes[write].ended.get_or_insert(now);
    }

    pub fn name_of(&self, write: usize) -> &str {
        &self.writes[write].name
    }

    /// Whether a name may lead there, when nobody is writing any more.
    pub fn may_be(&self, name: &str, found: Option<&Digest>) -> bool {
        let writes = || self.writes.iter().filter(|write| write.name == name);
        let superseded = |ended: u64| writes().any(|later| later.fate == Fate::Acknowledged && later.begun > ended);
        let never = found.is_none() && !writes().any(|write| write.fate == Fate::Acknowledged);
        never
            || writes().any(|write| {
                write.fate != Fate::Not && write.value.as_ref() == found && !superseded(write.ended.unwrap_or(u64::MAX))
            })
    }
}
