//! Who waits for whom in this process? In debug builds every wait for a lock is looked at, and a circle panics at once.
//!
//! A circle ends by itself here, since every wait has a bound; but it is a defect in the order of locks, and whoever
//! made it should hear of it in the first test that runs into it. Release builds keep nothing. Deliberately elsewhere:
//! circles between processes, which the bounds of `lock` end; what an operation waits for (`supervisor::watchdog`).

use std::path::Path;
#[cfg(debug_assertions)]
use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, ThreadId},
};

/// One edge of the graph, there until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Mark {
    #[cfg(debug_assertions)]
    edge: Option<(Party, Party)>,
}

/// From now on this thread plays many processes in turn (a simulation): what it waits for says nothing about threads.
pub fn many_processes_on_this_thread() {
    #[cfg(debug_assertions)]
    MANY_PROCESSES.set(true);
}

#[cfg(debug_assertions)]
thread_local! {
    static MANY_PROCESSES: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// This thread holds the lock.
pub fn holding(lock: &Path) -> Mark {
    #[cfg(debug_assertions)]
    return Mark::new(Party::Lock(lock.to_owned()), Party::this_thread());
    #[cfg(not(debug_assertions))]
    {
        let _ = lock; // Nothing is kept.
        Mark {}
    }
}

/// This thread is about to wait for the lock.
///
/// # Panics
/// In debug builds, when whoever holds it waits for something that this thread holds; the message names them all.
pub fn waiting(lock: &Path) -> Mark {
    #[cfg(debug_assertions)]
    return Mark::new(Party::this_thread(), Party::Lock(lock.to_owned()));
    #[cfg(not(debug_assertions))]
    {
        let _ = lock; // Nothing is kept.
        Mark {}
    }
}

/// This thread is about to wait for the end of threads that it starts.
pub fn join() -> Join {
    Join {
        #[cfg(debug_assertions)]
        waiting: Party::this_thread(),
    }
}

/// Who waits for threads to end.
pub struct Join {
    #[cfg(debug_assertions)]
    waiting: Party,
}

impl Join {
    /// The calling thread is one of those that are waited for.
    pub fn this_thread(&self) -> Mark {
        #[cfg(debug_assertions)]
        return Mark::new(self.waiting.clone(), Party::this_thread());
        #[cfg(not(debug_assertions))]
        Mark {}
    }
}

#[cfg(debug_assertions)]
#[derive(Clone, PartialEq, Eq, Hash)]
enum Party {
    Thread(ThreadId, Option<String>),
    Lock(PathBuf),
}

#[cfg(debug_assertions)]
impl Party {
    fn this_thread() -> Self {
        let thread = thread::current();
        Self::Thread(thread.id(), thread.name().map(str::to_owned))
    }
}

#[cfg(debug_assertions)]
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(id, name) => write!(f, "{} ({id:?})", name.as_deref().unwrap_or("a thread")),
            Self::Lock(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Who waits for, or is held by, whom. A shared lock has several holders.
#[cfg(debug_assertions)]
type Graph = HashMap<Party, Vec<Party>>;

#[cfg(debug_assertions)]
fn graph() -> MutexGuard<'static, Graph> {
    static GRAPH: OnceLock<Mutex<Graph>> = OnceLock::new();
    // An edge is put in and taken out whole.
    GRAPH.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(debug_assertions)]
impl Mark {
    fn new(from: Party, to: Party) -> Self {
        if MANY_PROCESSES.get() {
            return Self { edge: None };
        }
        let mut graph = graph();
        let circle = path(&graph, &to, &from);
        if circle.is_none() || matches!(from, Party::Lock(_)) {
            graph.entry(from.clone()).or_default().push(to.clone());
            return Self { edge: Some((from, to)) };
        }
        drop(graph);
        let circle: Vec<String> = circle.into_iter().flatten().map(|party| format!("{party:?}")).collect();
        panic!("a circle of waiting: {from:?} would wait for {}", circle.join(", which is for "));
    }
}

#[cfg(debug_assertions)]
impl Drop for Mark {
    fn drop(&mut self) {
        let Some((from, to)) = &self.edge else { return };
        let mut graph = graph();
        let Some(edges) = graph.get_mut(from) else { return };
        if let Some(place) = edges.iter().position(|other| other == to) {
            edges.swap_remove(place);
        }
        if edges.is_empty() {
            graph.remove(from);
        }
    }
}

/// The way from one party to another, both included.
#[cfg(debug_assertions)]
fn path(graph: &Graph, from: &Party, to: &Party) -> Option<Vec<Party>> {
    let mut ways = vec![vec![from.clone()]];
    let mut seen = vec![from.clone()];
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        if last == to {
            return Some(way);
        }
        for next in graph.get(last).into_iter().flatten() {
            if !seen.contains(next) {
                seen.push(next.clone());
                ways.push([way.as_slice(), std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}
