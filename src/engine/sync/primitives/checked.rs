//! What stands below `engine::sync` while a model checker runs it? Loom's primitives, shuttle's, or the usual ones.
//!
//! Both checkers are in one build, so a test binary says which of them it is; outside their models everything is as in
//! the program. Deliberately elsewhere: the models (`tests/founding`).

use std::{
    ops::{Deref, DerefMut},
    sync::{
        LockResult,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// Who runs the threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Checker {
    System,
    Loom,
    Shuttle,
}

static CHECKER: AtomicU8 = AtomicU8::new(Checker::System as u8);

/// From now on everything made in this process belongs to a model of `checker`.
pub fn check_with(checker: Checker) {
    CHECKER.store(checker as u8, Ordering::Relaxed);
}

/// Whose models are running.
pub fn checker() -> Checker {
    match CHECKER.load(Ordering::Relaxed) {
        1 => Checker::Loom,
        2 => Checker::Shuttle,
        _ => Checker::System,
    }
}

#[derive(Debug)]
pub enum Mutex<T> {
    System(std::sync::Mutex<T>),
    Loom(loom::sync::Mutex<T>),
    Shuttle(shuttle::sync::Mutex<T>),
}

pub enum MutexGuard<'a, T> {
    System(std::sync::MutexGuard<'a, T>),
    Loom(loom::sync::MutexGuard<'a, T>),
    Shuttle(shuttle::sync::MutexGuard<'a, T>),
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        match checker() {
            Checker::System => Self::System(std::sync::Mutex::new(value)),
            Checker::Loom => Self::Loom(loom::sync::Mutex::new(value)),
            Checker::Shuttle => Self::Shuttle(shuttle::sync::Mutex::new(value)),
        }
    }

    /// # Errors
    /// As the standard library's.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        match self {
            Self::System(mutex) => map(mutex.lock(), MutexGuard::System),
            Self::Loom(mutex) => map(mutex.lock(), MutexGuard::Loom),
            Self::Shuttle(mutex) => map(mutex.lock(), MutexGuard::Shuttle),
        }
    }

    /// # Errors
    /// As the standard library's.
    pub fn into_inner(self) -> LockResult<T> {
        match self {
            Self::System(mutex) => mutex.into_inner(),
            Self::Loom(mutex) => mutex.into_inner(),
            Self::Shuttle(mutex) => mutex.into_inner(),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::System(guard) => guard,
            Self::Loom(guard) => guard,
            Self::Shuttle(guard) => guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::System(guard) => guard,
            Self::Loom(guard) => guard,
            Self::Shuttle(guard) => guard,
        }
    }
}

fn map<T, U>(result: LockResult<T>, into: impl FnOnce(T) -> U) -> LockResult<U> {
    match result {
        Ok(guard) => Ok(into(guard)),
        Err(poisoned) => Err(std::sync::PoisonError::new(into(poisoned.into_inner()))),
    }
}

#[derive(Debug)]
pub enum Condvar {
    System(std::sync::Condvar),
    Loom(loom::sync::Condvar),
    Shuttle(shuttle::sync::Condvar),
}

impl Condvar {
    pub fn new() -> Self {
        match checker() {
            Checker::System => Self::System(std::sync::Condvar::new()),
            Checker::Loom => Self::Loom(loom::sync::Condvar::new()),
            Checker::Shuttle => Self::Shuttle(shuttle::sync::Condvar::new()),
        }
    }

    /// # Errors
    /// As the standard library's.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        match (self, guard) {
            (Self::System(condition), MutexGuard::System(guard)) => map(condition.wait(guard), MutexGuard::System),
            (Self::Loom(condition), MutexGuard::Loom(guard)) => map(condition.wait(guard), MutexGuard::Loom),
            (Self::Shuttle(condition), MutexGuard::Shuttle(guard)) => map(condition.wait(guard), MutexGuard::Shuttle),
            _ => unreachable!("a lock and a condition of one model"),
        }
    }

    pub fn notify_all(&self) {
        match self {
            Self::System(condition) => condition.notify_all(),
            Self::Loom(condition) => condition.notify_all(),
            Self::Shuttle(condition) => condition.notify_all(),
        }
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

/// In a model nothing but a notification ends a wait: what relies on the clock would hang, and be found.
pub fn wait_a_while<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>, limit: Duration) -> MutexGuard<'a, T> {
    match (condition, guard) {
        (Condvar::System(condition), MutexGuard::System(guard)) => {
            let woken = condition.wait_timeout(guard, limit).unwrap_or_else(std::sync::PoisonError::into_inner);
            MutexGuard::System(woken.0)
        }
        (condition, guard) => super::wait(condition, guard),
    }
}

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug)]
        pub enum $name {
            System(std::sync::atomic::$name),
            Loom(loom::sync::atomic::$name),
            Shuttle(shuttle::sync::atomic::$name),
        }

        impl $name {
            pub fn new(value: $value) -> Self {
                match checker() {
                    Checker::System => Self::System(std::sync::atomic::$name::new(value)),
                    Checker::Loom => Self::Loom(loom::sync::atomic::$name::new(value)),
                    Checker::Shuttle => Self::Shuttle(shuttle::sync::atomic::$name::new(value)),
                }
            }

            pub fn load(&self, order: Ordering) -> $value {
                match self {
                    Self::System(atomic) => atomic.load(order),
                    Self::Loom(atomic) => atomic.load(order),
                    Self::Shuttle(atomic) => atomic.load(order),
                }
            }

            pub fn store(&self, value: $value, order: Ordering) {
                match self {
                    Self::System(atomic) => atomic.store(value, order),
                    Self::Loom(atomic) => atomic.store(value, order),
                    Self::Shuttle(atomic) => atomic.store(value, order),
                }
            }
        }
    };
}

atomic!(AtomicBool, bool);
atomic!(AtomicUsize, usize);

impl AtomicUsize {
    pub fn fetch_add(&self, more: usize, order: Ordering) -> usize {
        match self {
            Self::System(atomic) => atomic.fetch_add(more, order),
            Self::Loom(atomic) => atomic.fetch_add(more, order),
            Self::Shuttle(atomic) => atomic.fetch_add(more, order),
        }
    }
}
