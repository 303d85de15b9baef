//! What is the state of the simulated machine? Time, processes, files, locks, containers' processes, and the record of
//! everything that was asked.
//!
//! One mutex around all of it, never held while a process is put aside. Deliberately elsewhere: what each seam does
//! with it (`disk`, `kernel`, `surroundings`).

use std::{
    any::Any,
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use wharf::engine::{
    backend::embedded::disk::LockMode, domain::ContainerId, sync::waits::many_processes_on_this_thread,
};

use super::{
    crash_points::Strike,
    faults::Faults,
    file_system::{FileSystem, Inode, PowerLoss},
    front::FrontState,
    history::History,
    kernel_state::KernelState,
    random::Dice,
    scheduler::{InjectedPanic, ProcessId, die, is_ours, suspend},
    workload::layout,
};

/// Lines of the trace that a failure shows.
const TRACE: usize = 2_000;
/// Process numbers are few, so that they come again.
const PIDS: std::ops::Range<u32> = 300..340;
/// No seed needs more; one that does has lost its way.
const STEPS_MAX: u64 = 400_000;

pub type Body = Box<dyn FnOnce()>;
type Condition = Box<dyn Fn(&State) -> bool + Send>;

/// When a process goes on.
pub enum When {
    Now,
    At(u64),
    /// As soon as the condition holds, or at that time.
    Until(u64, Condition),
}

/// A process, or one more thread of one.
pub struct Process {
    /// Whose thread it is; a process is its own.
    pub leader: ProcessId,
    pub pid: u32,
    pub name: String,
    pub alive: bool,
    when: When,
}

/// Who holds a lock file.
#[derive(Default)]
pub struct LockState {
    pub holders: Vec<(ProcessId, LockMode)>,
}

pub struct State {
    pub dice: Dice,
    pub faults: Faults,
    /// Nanoseconds since the world began.
    pub now: u64,
    /// What the wall clock is off by.
    pub wall_jump: i64,
    pub boot: u32,
    pub files: FileSystem,
    pub locks: BTreeMap<Inode, LockState>,
    pub processes: Vec<Process>,
    /// Those that live, in order.
    living: Vec<ProcessId>,
    /// Those that are killed and not unwound.
    unburied: Vec<ProcessId>,
    /// Processes with a supervisor in them.
    pub fronts: BTreeMap<ProcessId, FrontState>,
    /// Commands that fronts have answered, and cancels that they were asked for.
    pub commands: u64,
    pub cancels: u64,
    /// Somebody prunes.
    pub pruned: bool,
    pub kernel: KernelState,
    pub history: History,
    pub steps: u64,
    /// Things that are still to be asked for.
    pub errands: u64,
    /// Calls that could fail, counted for crash points.
    pub strike: Strike,
    pub violation: Option<String>,
    next_pid: u32,
    current: Option<ProcessId>,
    newborn: Vec<(ProcessId, Body)>,
    trace: Option<VecDeque<String>>,
    /// A hash of everything that happened: equal seeds, equal hashes.
    pub fingerprint: u64,
}

// SAFETY: bodies of newborn processes are the only part that is not `Send`; a world is made, run and dropped by one
// thread. The seams need `Send + Sync` because production's are shared by threads.
unsafe impl Send for State {}

/// The machine. Shared by every seam of every process; used by one thread.
pub struct World(Mutex<State>);

impl World {
    pub fn new(seed: u64, faults: Faults, traced: bool) -> Arc<Self> {
        many_processes_on_this_thread();
        Arc::new(Self(Mutex::new(State {
            dice: Dice::new(seed),
            faults,
            now: 0,
            wall_jump: 0,
            boot: 1,
            files: FileSystem::default(),
            locks: BTreeMap::new(),
            processes: Vec::new(),
            living: Vec::new(),
            unburied: Vec::new(),
            fronts: BTreeMap::new(),
            commands: 0,
            cancels: 0,
            pruned: false,
            kernel: KernelState::default(),
            history: History::default(),
            steps: 0,
            errands: 0,
            strike: Strike::default(),
            violation: None,
            next_pid: PIDS.start,
            current: None,
            newborn: Vec::new(),
            trace: traced.then(VecDeque::new),
            fingerprint: seed,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        // A violation found while unwinding must not hide behind a poisoned lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // -- processes -------------------------------------------------------------------------------

    /// Starts a process; it runs when the scheduler comes to it.
    pub fn spawn(&self, name: &str, body: impl FnOnce(ProcessId) + 'static) -> ProcessId {
        let mut state = self.state();
        let process = state.processes.len();
        let pid = state.free_pid();
        state.begin(process, pid, name, Box::new(move || body(process)));
        process
    }

    /// Starts one more thread of `leader`: what it calls, `leader` calls.
    pub fn spawn_thread(&self, leader: ProcessId, body: impl FnOnce() + 'static) -> ProcessId {
        let mut state = self.state();
        let (thread, pid) = (state.processes.len(), state.processes[leader].pid);
        state.begin(leader, pid, "thread", Box::new(body));
        thread
    }

    pub fn kill(&self, process: ProcessId) {
        self.state().kill(process);
    }

    pub fn kill_all(&self) {
        let mut state = self.state();
        for process in 0..state.processes.len() {
            state.kill(process);
        }
    }

    pub fn is_alive(&self, process: ProcessId) -> bool {
        self.state().processes[process].alive
    }

    pub(super) fn take_newborn(&self) -> Vec<(ProcessId, Body)> {
        std::mem::take(&mut self.state().newborn)
    }

    pub(super) fn unburied(&self) -> Vec<ProcessId> {
        let mut state = self.state();
        state.unburied.sort_unstable();
        state.unburied.clone()
    }

    pub(super) fn enter(&self, process: ProcessId) {
        self.state().current = Some(process);
    }

    pub(super) fn leave(&self) {
        self.state().current = None;
    }

    pub(super) fn ended(&self, process: ProcessId) {
        let mut state = self.state();
        state.kill(process);
        state.unburied.retain(|dead| *dead != process);
    }

    pub(super) fn ended_in_panic(&self, process: ProcessId, panic: &(dyn Any + Send)) {
        if is_ours(panic) {
            return;
        }
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        self.violate(format!("process {process} panicked: {}", text.unwrap_or_default()));
    }

    /// The next to run, by lot among those who can; time goes on when nobody can.
    pub(super) fn choose_next(&self) -> Option<ProcessId> {
        let mut state = self.state();
        state.steps += 1;
        if state.steps > STEPS_MAX {
            state.violate("the world does not come to rest".to_owned());
        }
        if state.violation.is_some() {
            return None;
        }
        loop {
            let ready = state.ready();
            if !ready.is_empty() {
                let at = state.dice.index(ready.len());
                state.now += 1_000 + state.dice.below(20_000);
                let chosen = ready[at];
                state.fingerprint = (state.fingerprint ^ chosen as u64).wrapping_mul(0x100_0000_01b3);
                return Some(chosen);
            }
            let next = state.living.iter().filter_map(|process| match state.processes[*process].when {
                When::Now => None,
                When::At(time) | When::Until(time, _) => Some(time),
            });
            let wake = next.chain(state.kernel.changes()).filter(|time| *time > state.now).min()?;
            state.now = wake;
        }
    }

    // -- what a process does at each call of its machine -----------------------------------------

    /// One call of the machine by `me`: others may run before it. False: `me` is dead and the call has no effect.
    pub fn step(&self, me: ProcessId, what: impl FnOnce() -> String) -> bool {
        {
            let mut state = self.state();
            if !state.processes[me].alive {
                drop(state);
                return self.refuse_dead();
            }
            state.tell(|| format!("{me}: {}", what()));
            let Some(running) = state.running_thread_of(me) else { return true };
            state.processes[running].when = When::Now;
        }
        suspend();
        if self.is_alive(me) { true } else { self.refuse_dead() }
    }

    /// Unwinds a process that was killed, unless that is under way.
    fn refuse_dead(&self) -> bool {
        if thread::panicking() { false } else { die() }
    }

    /// Waits as `me`; returns at once outside of any process.
    pub fn wait(&self, me: ProcessId, when: When) {
        {
            let mut state = self.state();
            let Some(running) = state.running_thread_of(me) else { return };
            state.processes[running].when = when;
        }
        suspend();
        if !self.is_alive(me) {
            self.refuse_dead();
        }
    }

    /// Lets `time` pass for `me`.
    pub fn sleep(&self, me: ProcessId, time: Duration) {
        let at = self.state().now.saturating_add(nanos(time));
        self.wait(me, When::At(at));
    }

    /// Ends the operation of the running process as a defect would.
    pub fn panic_here() -> ! {
        std::panic::resume_unwind(Box::new(InjectedPanic))
    }

    // -- the whole machine -----------------------------------------------------------------------

    /// The power goes: every process ends, the disk keeps what it must, the machine boots again.
    pub fn lose_power(&self, how: PowerLoss) {
        self.kill_all();
        let mut state = self.state();
        let mut dice = state.dice.clone();
        state.files.lose_power(how, &mut dice);
        state.dice = dice;
        state.locks.clear();
        state.kernel = KernelState::default();
        state.boot += 1;
        state.now += 20_000_000_000;
        state.history.power_lost();
        state.tell(|| format!("!! power loss, {how:?}"));
    }

    pub fn violate(&self, what: String) {
        self.state().violate(what);
    }

    pub fn tell(&self, line: impl FnOnce() -> String) {
        self.state().tell(line);
    }

    /// The last things that happened.
    pub fn trace(&self) -> String {
        let mut text = String::new();
        for line in self.state().trace.iter().flatten() {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

impl State {
    /// As Linux tells it.
    pub fn boot_id(&self) -> String {
        format!("boot-{}", self.boot)
    }

    fn ready(&self) -> Vec<ProcessId> {
        let can = |process: &ProcessId| match &self.processes[*process].when {
            When::Now => true,
            When::At(time) => *time <= self.now,
            When::Until(time, condition) => *time <= self.now || condition(self),
        };
        self.living.iter().copied().filter(can).collect()
    }

    /// A process, or with another process as `leader` a thread of that one.
    fn begin(&mut self, leader: ProcessId, pid: u32, name: &str, body: Body) {
        let process = self.processes.len();
        self.processes.push(Process { leader, pid, name: name.to_owned(), alive: true, when: When::Now });
        self.living.push(process);
        self.newborn.push((process, body));
        self.tell(|| format!("+ {name} is process {process}, pid {pid}"));
    }

    pub fn front(&mut self, me: ProcessId) -> &mut FrontState {
        self.fronts.entry(me).or_default()
    }

    /// Which thread of `me` makes this call, if one that can be put aside does.
    fn running_thread_of(&self, me: ProcessId) -> Option<ProcessId> {
        self.current.filter(|running| !thread::panicking() && self.processes[*running].leader == me)
    }

    /// From here on the process does nothing; the kernel closes what it had open.
    pub fn kill(&mut self, process: ProcessId) {
        if !std::mem::replace(&mut self.processes[process].alive, false) {
            return;
        }
        for lock in self.locks.values_mut() {
            lock.holders.retain(|(holder, _)| *holder != process);
        }
        self.living.retain(|living| *living != process);
        self.unburied.push(process);
        self.tell(|| format!("- process {process} is gone"));
        let threads: Vec<ProcessId> =
            self.living.iter().copied().filter(|thread| self.processes[*thread].leader == process).collect();
        threads.into_iter().for_each(|thread| self.kill(thread));
    }

    fn free_pid(&mut self) -> u32 {
        loop {
            let pid = self.next_pid;
            self.next_pid = if pid + 1 == PIDS.end { PIDS.start } else { pid + 1 };
            let taken = self.living.iter().any(|process| self.processes[*process].pid == pid);
            if !taken && !self.kernel.has_pid(pid, self.now) {
                return pid;
            }
        }
    }

    /// A number for a container's process.
    pub fn new_pid(&mut self) -> u32 {
        self.free_pid()
    }

    /// Living processes of that name.
    pub fn named(&self, name: &str) -> Vec<ProcessId> {
        self.living.iter().copied().filter(|process| self.processes[*process].name == name).collect()
    }

    pub fn clients(&self) -> Vec<ProcessId> {
        self.named("client")
    }

    /// The processes of a container that run, told by when they were made.
    pub fn running(&self, id: &ContainerId) -> Vec<u64> {
        let run_dir = layout().run_of(id);
        let alive =
            self.kernel.inits.iter().filter(|init| init.run_dir == run_dir && init.started && init.death > self.now);
        alive.map(|init| init.start_time).collect()
    }

    pub fn violate(&mut self, what: String) {
        self.tell(|| format!("VIOLATION: {what}"));
        self.violation.get_or_insert(what);
    }

    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            if trace.len() == TRACE {
                trace.pop_front();
            }
            trace.push_back(format!("{:>12.6} {}", now as f64 / 1e9, line()));
        }
    }
}

pub fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}
