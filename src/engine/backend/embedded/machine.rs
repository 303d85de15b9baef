//! What does the engine take from the machine besides containers? Files and locks, time, chance, threads, a number.
//!
//! Everything here is decided by a simulation when there is one, so the verbs ask for nothing past it. Deliberately
//! elsewhere: what runs containers (`kernel`), the network (`registry::transport`).

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::disk::{Disk, RealDisk};
use crate::engine::{
    backend::clock::{Clock, SystemClock},
    domain::ContainerId,
    sync::waits,
};

/// The machine as one process sees it. Clones are the same process.
#[derive(Clone)]
pub struct Machine {
    pub disk: Arc<dyn Disk>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub threads: Arc<dyn Threads>,
    /// This process's number: for people, never proof of anything.
    pub pid: u32,
    next: Arc<AtomicU64>,
}

impl Machine {
    #[must_use]
    pub fn new(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        threads: Arc<dyn Threads>,
        pid: u32,
    ) -> Self {
        Self { disk, clock, random, threads, pid, next: Arc::default() }
    }

    /// The one this program runs on.
    #[must_use]
    pub fn this() -> Self {
        Self::with_disk(Arc::new(RealDisk))
    }

    /// As [`Machine::this`], with files somewhere else.
    #[must_use]
    pub fn with_disk(disk: Arc<dyn Disk>) -> Self {
        // Stores opened one after another in one process must not repeat each other's names.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let first = NEXT.fetch_add(1 << 32, Ordering::Relaxed);
        let machine =
            Self::new(disk, Arc::new(SystemClock), Arc::new(SystemRandom), Arc::new(OsThreads), std::process::id());
        Self { next: Arc::new(AtomicU64::new(first)), ..machine }
    }

    /// A name part that no other living process uses, and this one only once.
    #[must_use]
    pub fn unique(&self) -> String {
        format!("{}-{}", self.pid, self.next.fetch_add(1, Ordering::Relaxed))
    }

    #[must_use]
    pub fn random_id(&self) -> ContainerId {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        ContainerId::from_random(bytes)
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Where unpredictable bytes come from.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("a system that runs containers has a random source");
    }
}

/// One piece of an operation's work.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Does the parts of one operation side by side.
pub trait Threads: Send + Sync {
    /// Runs all tasks and returns when the last has ended. A task may wait for those before it in the list, never for
    /// those after it: whoever runs them one after another comes to the end as well (as far as the buffers between
    /// them hold).
    ///
    /// # Errors
    /// When a task panicked; the others have ended all the same.
    fn together(&self, tasks: Vec<Task<'_>>) -> Result<(), Panicked>;
}

/// A task panicked: a defect of ours, told to whoever asked for the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// One thread for each task but the last, which runs on the caller's; so do those that the system gives no thread to.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsThreads;

impl Threads for OsThreads {
    fn together(&self, mut tasks: Vec<Task<'_>>) -> Result<(), Panicked> {
        let last = tasks.pop();
        let whole = thread::scope(|scope| {
            // What a task leaves half-changed is only read by code that expects it to have failed.
            let here = |task: Task<'_>| catch_unwind(AssertUnwindSafe(task)).is_ok();
            let (mut others, mut mine) = (Vec::with_capacity(tasks.len()), true);
            for task in tasks {
                // A thread that does not come to be drops what it was to run: it takes it from here instead.
                let waiting = Arc::new(Mutex::new(Some(task)));
                let taken = Arc::clone(&waiting);
                let run = move || {
                    if let Some(task) = take(&taken) {
                        task();
                    }
                };
                match thread::Builder::new().spawn_scoped(scope, run) {
                    Ok(thread) => others.push(thread),
                    Err(_) => mine &= take(&waiting).is_none_or(here),
                }
            }
            mine &= last.is_none_or(here);
            // Until here this thread has worked itself: nobody's lock was waiting for the others.
            let _awaited: Vec<_> = others.iter().map(|other| waits::joining(other.thread())).collect();
            others.into_iter().map(thread::ScopedJoinHandle::join).fold(mine, |whole, other| whole && other.is_ok())
        });
        if whole { Ok(()) } else { Err(Panicked) }
    }
}

fn take<'a>(slot: &Mutex<Option<Task<'a>>>) -> Option<Task<'a>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_used_once_by_every_store_of_a_process() {
        let (one, two) = (Machine::this(), Machine::this());
        let names = [one.unique(), one.clone().unique(), two.unique(), one.unique()];
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_task_that_panics_does_not_stop_the_others() {
        let ran = AtomicU64::new(0);
        let count = || {
            ran.fetch_add(1, Ordering::SeqCst);
        };
        let hook_free = || std::panic::resume_unwind(Box::new("a defect"));
        let tasks: Vec<Task<'_>> = vec![Box::new(count), Box::new(hook_free), Box::new(count)];
        assert_eq!(OsThreads.together(tasks), Err(Panicked));
        assert_eq!(ran.into_inner(), 2);
    }
}
