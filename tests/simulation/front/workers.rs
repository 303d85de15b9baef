//! Who works for a front in the simulation? One more thread of its process for each piece of work, on the world's
//! scheduler: so the verbs of one process interleave at every call of their machine.
//!
//! Deliberately elsewhere: the tasks that ask for the work (`process`).

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use wharf::engine::{
    backend::embedded::{
        backend::MakeWatch,
        kernel::Watch,
        workers::{Term, Work, Workers},
    },
    domain::{OperationId, Result},
};

use super::super::{
    file_system::Inode,
    scheduler::ProcessId,
    world::{State, When, World, nanos},
};

thread_local! {
    /// Whose answer is being asked for just now.
    static ASKED_FOR: Cell<Option<OperationId>> = const { Cell::new(None) };
}

/// Has `ask` begin whatever it begins for `operation`.
pub fn on_behalf_of<T>(operation: OperationId, ask: impl FnOnce() -> T) -> T {
    ASKED_FOR.set(Some(operation));
    let answer = ask();
    ASKED_FOR.set(None);
    answer
}

/// The threads of a front.
pub struct SimulatedWorkers {
    pub world: Arc<World>,
    pub me: ProcessId,
}

impl Workers for SimulatedWorkers {
    fn begin(&self, _term: Term, work: Work) -> Result<()> {
        let (world, me, operation) = (Arc::clone(&self.world), self.me, ASKED_FOR.get());
        let over = Over { world, me };
        let thread = self.world.spawn_thread(me, move || {
            let _over = over;
            work();
        });
        if let Some(operation) = operation {
            self.world.state().front(me).works.push((thread, operation));
        }
        Ok(())
    }
}

/// Wakes the front at the end of a thread, however it ends.
struct Over {
    world: Arc<World>,
    me: ProcessId,
}

impl Drop for Over {
    fn drop(&mut self) {
        self.world.state().front(self.me).woken = true;
    }
}

/// Watches files of the world.
pub fn watches(world: &Arc<World>, me: ProcessId) -> MakeWatch {
    let world = Arc::clone(world);
    Box::new(move |path| {
        let seen = version(&world.state(), path);
        let watch = FileWatch { world: Arc::clone(&world), me, path: path.to_owned(), seen, over: Arc::default() };
        Ok(Box::new(watch))
    })
}

struct FileWatch {
    world: Arc<World>,
    me: ProcessId,
    path: PathBuf,
    seen: Option<Version>,
    over: Arc<AtomicBool>,
}

type Version = (Inode, usize, u64);

fn version(state: &State, path: &Path) -> Option<Version> {
    let inode = state.files.find(path).ok()?;
    Some((inode, state.files.read(inode).ok()?.len(), state.files.modified(inode)))
}

impl Watch for FileWatch {
    fn wait(&mut self, within: Duration) -> Result<()> {
        let until = {
            let mut state = self.world.state();
            // What was told so far is read now.
            state.front(self.me).woken = true;
            state.now.saturating_add(nanos(within))
        };
        let (path, seen, over) = (self.path.clone(), self.seen, Arc::clone(&self.over));
        let news = move |state: &State| over.load(Ordering::Relaxed) || version(state, &path) != seen;
        self.world.wait(self.me, When::Until(until, Box::new(news)));
        self.seen = version(&self.world.state(), &self.path);
        Ok(())
    }

    fn waker(&self) -> Result<Box<dyn Fn() + Send + Sync>> {
        let over = Arc::clone(&self.over);
        Ok(Box::new(move || over.store(true, Ordering::Relaxed)))
    }
}
