//! What does a monitor do in the simulation? What `linux::monitor` does, step by step, on the real store.
//!
//! Made up: the container's process, the socket, control groups. Real: `StoreReports`, so every event and every removal
//! by a monitor is production's. Deliberately elsewhere: those who ask it (`kernel`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use wharf::engine::{
    backend::embedded::{
        containers::StoreReports,
        disk::{Disk as _, LockMode, LockedFile, Sync},
        launch::{ExitFile, FORMAT, LaunchPlan, ProcessIdentity, RunChange, StateFile},
    },
    domain::{Error, ErrorKind, Result, Signal, Timestamp},
};

use super::{
    disk::SimulatedDisk,
    faults::Faults,
    kernel_state::{Init, MonitorState, Request, Status},
    scheduler::ProcessId,
    surroundings::machine,
    world::{State, When, World, nanos},
};

const GO: Duration = Duration::from_secs(60);
const LOCK_WAIT: Duration = Duration::from_secs(3);
const NEVER: u64 = u64::MAX / 2;

/// The `__monitor` role.
pub fn monitor(world: &Arc<World>, me: ProcessId, plan: &LaunchPlan) {
    let disk = SimulatedDisk::new(Arc::clone(world), me);
    let mut monitor = Monitor {
        world: Arc::clone(world),
        me,
        plan: plan.clone(),
        dir: RunDir::new(disk.clone(), &plan.run_dir),
        reports: StoreReports::new(machine(world, me, Arc::new(disk.clone()))),
        disk,
    };
    match monitor.launch() {
        Ok((state, lock)) => {
            monitor.reports.changed(plan, &RunChange::Started);
            monitor.tell(Status::Started(Box::new(state.clone())));
            monitor.serve_and_finish(state, lock);
        }
        Err(error) => monitor.tell(Status::Failed(error.kind())),
    }
    monitor.mine(|own| own.returned = true);
}

struct Monitor {
    world: Arc<World>,
    me: ProcessId,
    plan: LaunchPlan,
    dir: RunDir,
    reports: StoreReports,
    disk: SimulatedDisk,
}

impl Monitor {
    fn mine<T>(&self, change: impl FnOnce(&mut MonitorState) -> T) -> Option<T> {
        let mut state = self.world.state();
        state.kernel.monitors.get_mut(&self.me).map(change)
    }

    fn tell(&self, status: Status) {
        self.mine(|own| own.to_starter.push_back(status));
    }

    fn now(&self) -> Timestamp {
        machine(&self.world, self.me, Arc::new(self.disk.clone())).clock.now()
    }

    fn launch(&mut self) -> Result<(StateFile, RunLock)> {
        let lock = self.dir.lock()?;
        let mut init = None;
        match self.prepare_and_start(&mut init) {
            Ok(state) => Ok((state, lock)),
            Err(error) => {
                if let Some(init) = init {
                    self.signal(init, Signal::KILL);
                    let me = self.me;
                    let gone = move |state: &State| !state.kernel.is_init_alive(init, state.now);
                    self.world.wait(me, When::Until(NEVER, Box::new(gone)));
                }
                self.dir.remove_parts();
                self.world.state().kernel.sockets.remove(&self.plan.run_dir);
                lock.release_with(&self.dir);
                Err(error)
            }
        }
    }

    fn prepare_and_start(&self, made: &mut Option<u64>) -> Result<StateFile> {
        self.dir.create_parts()?;
        self.fail_sometimes(ErrorKind::CommandNotFound)?;
        self.end_leftovers()?;
        self.world.step(self.me, || "create the container's process".to_owned());
        let (pid, start_time) = self.create_init();
        *made = Some(start_time);
        let (run_dir, me) = (self.plan.run_dir.clone(), self.me);
        self.world.state().kernel.sockets.insert(run_dir, me);
        self.tell(Status::Created);
        let go = {
            let left = move |state: &State| {
                let Some(own) = state.kernel.monitors.get(&me) else { return (false, true) };
                (own.go, !own.starter_listens || !state.processes[own.starter].alive)
            };
            let until = self.world.state().now + nanos(GO);
            let told = move |state: &State| left(state).0 || left(state).1;
            self.world.wait(me, When::Until(until, Box::new(told)));
            left(&self.world.state()).0
        };
        if !go {
            return Err(Error::new(ErrorKind::Cancelled, "the starter went away before the start"));
        }
        let started = self.now();
        self.fail_sometimes(ErrorKind::CommandNotExecutable)?;
        self.world.step(me, || "start the container's process".to_owned());
        self.start_init(start_time);
        let (monitor, boot_id) = {
            let mut state = self.world.state();
            let start_time = state.kernel.next_tick();
            (ProcessIdentity { pid: state.processes[me].pid, start_time }, state.boot_id())
        };
        let state = StateFile {
            format: FORMAT,
            generation: self.plan.generation,
            boot_id,
            pid_namespace: None,
            monitor,
            init: ProcessIdentity { pid, start_time },
            started,
            paused: false,
            stopping_until: None,
        };
        self.dir.write_state(&state).map_err(|error| Error::io("writing the state", error))?;
        Ok(state)
    }

    fn fail_sometimes(&self, kind: ErrorKind) -> Result<()> {
        let mut state = self.world.state();
        let rate = state.faults.launch / 2;
        if state.dice.per_mille(rate) { Err(Error::new(kind, "it does not start")) } else { Ok(()) }
    }

    fn end_leftovers(&self) -> Result<()> {
        let run_dir = self.plan.run_dir.clone();
        let empty = move |state: &State| {
            let mut living = state.kernel.inits.iter().filter(|init| init.death > state.now);
            !living.any(|init| init.run_dir == run_dir)
        };
        let until = {
            let mut state = self.world.state();
            let now = state.now;
            let left = state.kernel.inits.iter().filter(|init| init.run_dir == self.plan.run_dir && init.death > now);
            let left: Vec<u64> = left.map(|init| init.start_time).collect();
            left.into_iter().for_each(|init| state.kernel.signal(init, Signal::KILL, now));
            now + nanos(Duration::from_secs(2))
        };
        self.world.wait(self.me, When::Until(until, Box::new(empty.clone())));
        if empty(&self.world.state()) { Ok(()) } else { Err(Error::new(ErrorKind::Busy, "what an earlier start left")) }
    }

    fn create_init(&self) -> (u32, u64) {
        let mut state = self.world.state();
        let (pid, start_time, stuck_rate) = (state.new_pid(), state.kernel.next_tick(), state.faults.stuck);
        let stuck = if state.dice.per_mille(stuck_rate) { state.dice.below(8_000_000_000) } else { 100_000 };
        let deaf = state.dice.once_in(3);
        let run_dir = self.plan.run_dir.clone();
        let init = Init { pid, start_time, run_dir, started: false, death: NEVER, code: 0, deaf, stuck };
        state.kernel.inits.push(init);
        (pid, start_time)
    }

    /// From here on the program runs: for ever, or for a while. Two at a time would be two writers of one root.
    fn start_init(&self, start_time: u64) {
        let mut state = self.world.state();
        let now = state.now;
        let run_dir = &self.plan.run_dir;
        let others = |init: &&Init| init.run_dir == *run_dir && init.started && init.death > now;
        if let Some(other) = state.kernel.inits.iter().find(others).map(|init| init.pid) {
            state.violate(format!("{} runs twice: pid {other} is still there", run_dir.display()));
        }
        let lasting = state.dice.once_in(2);
        let (span, code) = (state.dice.below(20_000_000_000), state.dice.below(3) as i32);
        if let Some(init) = state.kernel.init(start_time) {
            init.started = true;
            if !lasting {
                (init.death, init.code) = (now + span, code);
            }
        }
    }

    fn signal(&self, init: u64, signal: Signal) {
        let mut state = self.world.state();
        let now = state.now;
        state.kernel.signal(init, signal, now);
    }

    fn serve_and_finish(&mut self, mut state: StateFile, lock: RunLock) {
        let init = state.init.start_time;
        let mut kill_at: Option<u64> = None;
        let standstill = {
            let mut world = self.world.state();
            let rate = world.faults.deaf;
            world.dice.per_mille(rate).then(|| world.now + 1_000_000_000 * (1 + world.dice.below(40)))
        };
        if let Some(until) = standstill {
            let mended = |state: &State| state.faults == Faults::none();
            self.world.wait(self.me, When::Until(until, Box::new(mended)));
        }
        loop {
            let me = self.me;
            let due = move |state: &State| {
                let asked = state.kernel.monitors.get(&me).is_some_and(|own| !own.requests.is_empty());
                asked || !state.kernel.is_init_alive(init, state.now)
            };
            self.world.wait(me, When::Until(kill_at.unwrap_or(NEVER), Box::new(due)));
            while let Some((number, request)) = self.mine(|own| own.requests.pop_front()).flatten() {
                self.answer(number, request, &mut state, &mut kill_at);
            }
            let now = self.world.state().now;
            if kill_at.is_some_and(|at| at <= now) {
                kill_at = None;
                self.signal(init, Signal::KILL);
                self.reports.changed(&self.plan, &RunChange::Signalled { signal: Signal::KILL });
            }
            if !self.world.state().kernel.is_init_alive(init, now) {
                break;
            }
        }
        self.finish(&state, lock);
    }

    fn answer(&self, number: u64, request: Request, state: &mut StateFile, kill_at: &mut Option<u64>) {
        let init = state.init.start_time;
        let change = match request {
            Request::Stop { signal, grace } => {
                let now = self.world.state().now;
                let signal = if grace.is_zero() { Signal::KILL } else { signal };
                let at = now.saturating_add(nanos(grace));
                *kill_at = Some(kill_at.map_or(at, |earlier| earlier.min(at)));
                self.signal(init, signal);
                state.stopping_until = Some(self.now().plus(grace));
                Some(RunChange::Stopping { signal })
            }
            Request::Kill { signal } => {
                self.signal(init, signal);
                Some(RunChange::Signalled { signal })
            }
            Request::Pause | Request::Unpause => {
                state.paused = matches!(request, Request::Pause);
                Some(if state.paused { RunChange::Paused } else { RunChange::Unpaused })
            }
            Request::Wait => None,
        };
        if let Some(change) = change {
            // A full run directory loses this detail, not the container.
            let _ = self.dir.write_state(state);
            self.reports.changed(&self.plan, &change);
        }
        self.mine(|own| own.replies.insert(number, None));
    }

    fn finish(&self, state: &StateFile, lock: RunLock) {
        let code = self.world.state().kernel.init(state.init.start_time).map(|init| init.code);
        self.world.step(self.me, || "close the socket".to_owned());
        self.world.state().kernel.sockets.remove(&self.plan.run_dir);
        let exit = ExitFile {
            format: FORMAT,
            generation: self.plan.generation,
            started: Some(state.started),
            finished: self.now(),
            code,
            oom_killed: false,
            reason: None,
        };
        let sync = if self.plan.auto_remove { Sync::No } else { Sync::Yes };
        let text = serde_json::to_vec(&exit).unwrap();
        // Without a record the container is "exited, code unknown", which is then the truth.
        let _ = self.disk.replace_via_tmp(&self.plan.container_dir.join("exit.json"), &text, sync);
        if !self.plan.auto_remove {
            self.dir.remove_parts();
        }
        self.reports.run_ended(&self.plan, &exit, &mut || {
            self.mine(|own| own.run_ended = true);
            self.world.step(self.me, || "tell the clients".to_owned());
        });
        self.dir.remove_parts();
        lock.release_with(&self.dir);
        self.mine(|own| own.run_ended = true);
    }
}

/// `run/c/<id>`, as `linux::run_dir` has it.
pub struct RunDir {
    disk: SimulatedDisk,
    path: PathBuf,
}

pub struct RunLock(Box<dyn LockedFile>);

impl RunDir {
    pub fn new(disk: SimulatedDisk, path: &Path) -> Self {
        Self { disk, path: path.to_owned() }
    }

    pub fn lock(&self) -> Result<RunLock> {
        let failed = |error: io::Error| Error::io("locking the run directory", error);
        let until = self.disk.world.state().now + nanos(LOCK_WAIT);
        loop {
            self.disk.create_dir_all(&self.path).map_err(failed)?;
            match self.disk.try_lock(&self.path.join("monitor.lock"), LockMode::Exclusive) {
                Ok(Some(lock)) => return Ok(RunLock(lock)),
                Ok(None) if self.disk.world.state().now >= until => {
                    return Err(Error::new(ErrorKind::Busy, "the monitor of its last run is still there"));
                }
                Ok(None) => self.disk.world.sleep(self.disk.me, Duration::from_millis(2)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // Removed in between.
                Err(error) => return Err(failed(error)),
            }
        }
    }

    pub fn is_monitored(&self) -> bool {
        !self.disk.is_lock_free(&self.path.join("monitor.lock"))
    }

    fn create_parts(&self) -> Result<()> {
        self.remove_parts();
        // The rest is in memory.
        let store = self.path.parent().and_then(Path::parent).unwrap_or(&self.path);
        self.disk.create_dir_all(&store.join("parts")).map_err(|error| Error::io("making the container's root", error))
    }

    pub fn remove_parts(&self) {
        // Not there is the usual case; what resists stays for the next sweep.
        let _ = self.disk.remove_file(&self.path.join("state.json"));
        let _ = self.disk.remove_file(&self.path.join("state.tmp"));
    }

    fn write_state(&self, state: &StateFile) -> io::Result<()> {
        let text = serde_json::to_vec(state).unwrap();
        self.disk.replace_via_tmp(&self.path.join("state.json"), &text, Sync::No)
    }

    pub fn read_state(&self) -> Option<StateFile> {
        self.try_read_state().ok().flatten()
    }

    pub fn try_read_state(&self) -> Result<Option<StateFile>> {
        match self.disk.read(&self.path.join("state.json")) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("who runs in it cannot be read", error)),
        }
    }
}

impl RunLock {
    pub fn release_with(self, dir: &RunDir) {
        // Whoever waits sees that its file is not the lock any more and starts over.
        let _ = dir.disk.remove_file(&dir.path.join("monitor.lock"));
        let _ = dir.disk.remove_empty_dir(&dir.path);
        drop(self.0);
    }
}
