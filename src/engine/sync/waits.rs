//! Who waits for whom in this process? In debug builds every wait for a lock is looked at, and a circle panics at once.
//!
//! A circle ends by itself here, since every wait has a bound; but it is a defect in the order of locks, and whoever
//! made it should hear of it in the first test that runs into it. Release builds keep nothing. Deliberately elsewhere:
//! circles between processes, which the bounds of `lock` end; what an operation waits for (`supervisor::watchdog`).

#[cfg(debug_assertions)]
use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, ThreadId},
};
use std::{path::Path, thread::Thread};

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

/// This thread has nothing left to do but to wait for the end of that one. Never panics: whoever waits for a lock of
/// this thread looks again and finds the circle.
pub fn joining(thread: &Thread) -> Mark {
    #[cfg(debug_assertions)]
    return Mark::put(&mut graph(), Party::this_thread(), Party::thread(thread));
    #[cfg(not(debug_assertions))]
    {
        let _ = thread; // Nothing is kept.
        Mark {}
    }
}

impl Mark {
    /// Still waiting: whoever holds the lock may have begun to wait meanwhile.
    ///
    /// # Panics
    /// As [`waiting`].
    pub fn look_again(&self) {
        #[cfg(debug_assertions)]
        if let Some((from, to)) = &self.edge {
            let circle = path(&graph(), to, from);
            if let Some(circle) = circle {
                name(from, &circle);
            }
        }
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
        Self::thread(&thread::current())
    }

    fn thread(thread: &Thread) -> Self {
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
        let mut graph = graph();
        if !MANY_PROCESSES.get()
            && !matches!(from, Party::Lock(_))
            && let Some(circle) = path(&graph, &to, &from)
        {
            drop(graph);
            name(&from, &circle);
        }
        Self::put(&mut graph, from, to)
    }

    fn put(graph: &mut Graph, from: Party, to: Party) -> Self {
        if MANY_PROCESSES.get() {
            return Self { edge: None };
        }
        graph.entry(from.clone()).or_default().push(to.clone());
        Self { edge: Some((from, to)) }
    }
}

#[cfg(debug_assertions)]
fn name(waiting: &Party, circle: &[Party]) -> ! {
    let circle: Vec<String> = circle.iter().map(|party| format!("{party:?}")).collect();
    panic!("a circle of waiting: {waiting:?} would wait for {}", circle.join(", which is for "));
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
