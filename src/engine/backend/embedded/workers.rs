//! On whose time does the synchronous engine work for asynchronous callers? Workers that may block: threads, or a
//! simulation's.
//!
//! Short work goes to the runtime's pool of blocking threads; whatever waits for a process or a person gets a thread of
//! its own, so that the pool is never full of waiters. Deliberately elsewhere: threads inside one piece of work
//! (`machine::Threads`), the work itself (`containers`, `images`).

use std::sync::OnceLock;

use tokio::sync::oneshot;

use super::sessions;
use crate::engine::domain::{Error, ErrorKind, Result};

/// A piece of work. It never unwinds past whoever runs it.
pub type Work = Box<dyn FnOnce() + Send>;

/// How long a piece of work may keep its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Bounded by the calls it makes.
    Short,
    /// As long as a process or a listener; the name is for people who look at threads.
    Lasting(&'static str),
}

/// Runs work beside the asynchronous tasks of this process.
pub trait Workers: Send + Sync {
    /// Begins `work` and returns; called from within a runtime.
    ///
    /// # Errors
    /// `Io` when there is nobody who could do it. It is dropped then.
    fn begin(&self, term: Term, work: Work) -> Result<()>;
}

/// The operating system's threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsWorkers;

impl Workers for OsWorkers {
    fn begin(&self, term: Term, work: Work) -> Result<()> {
        match term {
            Term::Short => {
                threads_can_start()?;
                // Its answer comes back by its own channel.
                drop(tokio::task::spawn_blocking(work));
                Ok(())
            }
            Term::Lasting(name) => sessions::spawn(name, work),
        }
    }
}

/// Has `work` done and hands back its result. Work that was begun goes on when this is dropped, to its own end or undo.
///
/// # Errors
/// What `work` fails with; `Internal` when it panicked; as [`Workers::begin`].
pub async fn done_by<T: Send + 'static>(
    workers: &dyn Workers,
    term: Term,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let tell = move || {
        // Whoever asked may have left.
        let _ = sender.send(work());
    };
    workers.begin(term, Box::new(tell))?;
    receiver.await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Internal, "the engine hit a defect in Wharf")
            .remedy("look at the object again and repeat the command"))
    })
}

/// The pool panics when it gets no first thread, and later makes do with what it has: so one is tried before.
///
/// # Errors
/// `Io` where a limit on processes and threads is reached.
fn threads_can_start() -> Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    if STARTED.get().is_none() {
        let first = std::thread::Builder::new().spawn(|| ()).map_err(|error| {
            Error::io("no thread can be started", error).remedy("raise the limit on processes (ulimit -u, pids.max)")
        })?;
        // It does nothing that could fail.
        let _ = first.join();
        // Two at once have found the same.
        let _ = STARTED.set(());
    }
    Ok(())
}
