//! Who runs next? One seeded scheduler for every process of the simulated machine.
//!
//! A process is a coroutine. Each call of its machine is a place where it can be put aside, or killed: then the call
//! unwinds the process, and what its destructors ask for has no effect any more. Deliberately elsewhere: what the
//! machine does (`world` and the seams), which faults strike (`faults`).

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
};

use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};

use super::world::World;

/// Deep enough for a verb in a debug build.
const STACK: usize = 512 << 10;

/// A process of the simulated machine, never used again for another one; its pid may be.
pub type ProcessId = usize;

/// Unwinds a killed process.
struct Killed;

/// Unwinds an operation: the fault "a defect of ours panics here".
pub struct InjectedPanic;

type Routine = Coroutine<(), (), (), DefaultStack>;

thread_local! {
    /// The yielder of the coroutine that runs, if one does.
    static RUNNING: Cell<*const Yielder<(), ()>> = const { Cell::new(std::ptr::null()) };
    /// Stacks of ended coroutines: mapping one costs more than most processes do.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// The coroutines of a world's processes, by their ids.
#[derive(Default)]
pub struct Scheduler {
    routines: Vec<Option<Routine>>,
}

/// Puts the running process aside until `when`; with no process running (a test that prepares) it does nothing.
pub fn suspend() {
    let yielder = RUNNING.get();
    if yielder.is_null() {
        return;
    }
    // SAFETY: `RUNNING` is set by `resume` to the yielder of the coroutine it resumes, which lives on that coroutine's
    // stack until it ends, and is cleared whenever control is not in that coroutine.
    unsafe { &*yielder }.suspend(());
    RUNNING.set(yielder);
}

/// Ends a process that was killed, from inside.
pub fn die() -> ! {
    resume_unwind(Box::new(Killed))
}

impl Scheduler {
    /// Runs until `done` says so or nobody is left.
    pub fn run(&mut self, world: &Arc<World>, mut done: impl FnMut(&Arc<World>) -> bool) {
        while !done(world) {
            self.adopt(world);
            self.bury(world);
            let Some(next) = world.choose_next() else { return };
            self.resume(world, next);
            self.bury(world);
        }
    }

    /// Unwinds whoever is left.
    pub fn end(&mut self, world: &Arc<World>) {
        world.kill_all();
        self.adopt(world);
        self.bury(world);
    }

    /// Makes coroutines of newly started processes.
    fn adopt(&mut self, world: &Arc<World>) {
        for (process, body) in world.take_newborn() {
            let stack = STACKS.with_borrow_mut(Vec::pop);
            let stack = stack.unwrap_or_else(|| DefaultStack::new(STACK).expect("memory for a stack"));
            let inner = Arc::clone(world);
            let routine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
                RUNNING.set(yielder);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
                    inner.ended_in_panic(process, &*panic);
                }
                RUNNING.set(std::ptr::null());
            });
            self.routines.resize_with(self.routines.len().max(process + 1), || None);
            self.routines[process] = Some(routine);
        }
    }

    fn resume(&mut self, world: &Arc<World>, process: ProcessId) {
        let Some(routine) = self.routines.get_mut(process).and_then(Option::as_mut) else { return };
        world.enter(process);
        let ended = matches!(routine.resume(()), CoroutineResult::Return(()));
        RUNNING.set(std::ptr::null());
        world.leave();
        if ended {
            world.ended(process);
            let stack = self.routines[process].take().map(Coroutine::into_stack);
            STACKS.with_borrow_mut(|stacks| stacks.extend(stack));
        }
    }

    /// Lets every killed process unwind at once: the dead do not wait for their turn.
    fn bury(&mut self, world: &Arc<World>) {
        for process in world.unburied() {
            self.resume(world, process);
        }
    }
}

/// Whether a panic is the simulation's own.
pub fn is_ours(panic: &(dyn Any + Send)) -> bool {
    panic.is::<Killed>() || panic.is::<InjectedPanic>()
}
