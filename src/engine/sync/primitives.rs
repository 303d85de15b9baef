//! Which locks, counters and threads stand below? The standard library's, or those of a model checker.
//!
//! Deliberately elsewhere: choosing between the checkers (`checked`).

#[cfg(feature = "model")]
mod checked;

use std::sync::PoisonError;

#[cfg(feature = "model")]
pub use self::checked::{
    AtomicBool, AtomicUsize, Checker, Condvar, Mutex, MutexGuard, check_with, checker, wait_a_while,
};
#[cfg(not(feature = "model"))]
pub use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize},
};

/// Locks; what our critical sections leave behind is whole even when somebody panicked in one.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification.
pub fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification, no longer than `limit`.
#[cfg(not(feature = "model"))]
pub fn wait_a_while<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    limit: std::time::Duration,
) -> MutexGuard<'a, T> {
    condition.wait_timeout(guard, limit).unwrap_or_else(PoisonError::into_inner).0
}
