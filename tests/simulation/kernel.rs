//! What does the simulated machine do with containers? The calls of `Kernel`, as `linux::LinuxKernel` answers them.
//!
//! A model: it follows that file's structure and order, and the conformance suite holds both to the same answers.
//! Deliberately elsewhere: the monitor's own life (`monitor`), files (`disk`).

use std::{path::Path, sync::Arc, time::Duration};

use wharf::engine::{
    backend::embedded::{
        disk::Disk as _,
        kernel::{HostFacts, Kernel, Launched, Liveness, Observation, ProcessSession, VolumeFill, Watch},
        launch::{LaunchPlan, StateFile},
    },
    domain::{AttachOptions, Error, ErrorKind, ExecSpec, ProcessTable, Result, Signal, Span},
};

use super::{
    disk::SimulatedDisk,
    kernel_state::{MonitorState, Request, Status},
    monitor::{self, RunDir},
    scheduler::ProcessId,
    world::{State, When, World, nanos},
};

const ANSWER: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const UNDOING: Duration = Duration::from_secs(5);

/// What a process that was written down is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// As `linux::process` does it.
    NumberAndStart,
    /// The bug: numbers come again.
    Number,
}

/// One process's way to the kernel.
pub struct SimulatedKernel {
    pub told_by: ToldBy,
    pub world: Arc<World>,
    pub me: ProcessId,
    pub disk: SimulatedDisk,
}

impl SimulatedKernel {
    pub fn new(world: &Arc<World>, me: ProcessId) -> Self {
        let told_by = ToldBy::NumberAndStart;
        Self { told_by, world: Arc::clone(world), me, disk: SimulatedDisk::new(Arc::clone(world), me) }
    }

    fn now(&self) -> u64 {
        self.world.state().now
    }

    fn until(&self, within: Duration) -> u64 {
        self.now().saturating_add(nanos(within))
    }

    /// One call into the kernel.
    fn call(&self, what: &str, run_dir: &Path) -> Result<()> {
        if !self.world.step(self.me, || format!("{what} {}", run_dir.display())) {
            return Err(Error::new(ErrorKind::Io, "killed"));
        }
        let effect = self.world.state().strike_now();
        match effect {
            Some(effect) => self.world.suffer(self.me, effect).map_err(|error| Error::io(what, error)),
            None => Ok(()),
        }
    }

    fn draw(&self, rate: impl Fn(&State) -> u32) -> bool {
        let mut state = self.world.state();
        let rate = rate(&state);
        state.dice.per_mille(rate)
    }

    /// Waits for `condition` as long as `until`; whether it came to be.
    fn wait_until(&self, until: u64, condition: impl Fn(&State) -> bool + Clone + Send + 'static) -> bool {
        self.world.wait(self.me, When::Until(until, Box::new(condition.clone())));
        condition(&self.world.state())
    }

    fn run_dir(&self, path: &Path) -> RunDir {
        RunDir::new(self.disk.clone(), path)
    }

    /// The running init that `state` names, if it is of this boot and alive.
    fn init_of(&self, state: Option<&StateFile>) -> Option<u64> {
        let named = state?;
        let state = self.world.state();
        if named.boot_id != state.boot_id() {
            return None;
        }
        let alive = state.kernel.inits.iter().find(|init| {
            let is_it = match self.told_by {
                ToldBy::NumberAndStart => (init.pid, init.start_time) == (named.init.pid, named.init.start_time),
                ToldBy::Number => init.pid == named.init.pid,
            };
            is_it && init.death > state.now
        });
        alive.map(|init| init.start_time)
    }

    fn signal(&self, run_dir: &Path, signal: Signal) -> Result<u64> {
        let init = self.init_of(self.run_dir(run_dir).try_read_state()?.as_ref()).ok_or_else(not_running)?;
        self.call("signal", run_dir)?;
        let mut state = self.world.state();
        let now = state.now;
        if state.kernel.init(init).is_some_and(|init| init.run_dir != run_dir) {
            state.violate(format!("a process of another container was signalled for {}", run_dir.display()));
        }
        state.kernel.signal(init, signal, now);
        Ok(init)
    }

    fn wait_gone(&self, init: u64, until: u64) -> bool {
        self.wait_until(until, move |state| !state.kernel.is_init_alive(init, state.now))
    }

    /// Asks the monitor of `run_dir`; `None` when there is no monitor to ask.
    fn ask(&self, run_dir: &Path, request: Request, until: u64) -> Result<Option<ProcessId>> {
        self.call("connect", run_dir)?;
        let (monitor, number) = {
            let mut state = self.world.state();
            let Some(monitor) = state.kernel.sockets.get(run_dir).copied() else { return Ok(None) };
            if !state.processes[monitor].alive {
                return Ok(None);
            }
            let Some(inbox) = state.kernel.monitors.get_mut(&monitor) else { return Ok(None) };
            inbox.next_request += 1;
            inbox.requests.push_back((inbox.next_request, request));
            (monitor, inbox.next_request)
        };
        let answered = move |state: &State| {
            let replied = state.kernel.monitors.get(&monitor).is_some_and(|inbox| inbox.replies.contains_key(&number));
            replied || !state.processes[monitor].alive
        };
        if !self.wait_until(until, answered) {
            return Err(Error::new(ErrorKind::TimedOut, "the container's monitor did not answer in time"));
        }
        let mut state = self.world.state();
        match state.kernel.monitors.get_mut(&monitor).and_then(|inbox| inbox.replies.remove(&number)) {
            Some(None) => Ok(Some(monitor)),
            Some(Some(kind)) => Err(Error::new(kind, "the monitor says so")),
            None => Ok(None),
        }
    }

    fn await_exit(&self, run_dir: &Path, monitor: ProcessId, until: u64) -> Result<bool> {
        let told = move |state: &State| state.kernel.monitors.get(&monitor).is_some_and(|monitor| monitor.run_ended);
        let over = self.wait_until(until, move |state| told(state) || !state.processes[monitor].alive);
        if !over || told(&self.world.state()) { Ok(over) } else { self.await_unattended(run_dir, until) }
    }

    fn await_monitor_gone(&self, run_dir: &Path, until: u64) -> bool {
        while self.run_dir(run_dir).is_monitored() {
            if self.now() >= until {
                return false;
            }
            self.world.sleep(self.me, LOOK_AGAIN);
        }
        true
    }

    fn await_unattended(&self, run_dir: &Path, until: u64) -> Result<bool> {
        let dir = self.run_dir(run_dir);
        if !self.await_monitor_gone(run_dir, until) {
            return Ok(false);
        }
        Ok(self.init_of(dir.try_read_state()?.as_ref()).is_none_or(|init| self.wait_gone(init, until)))
    }

    fn unattended_stop(&self, run_dir: &Path, signal: Signal, grace: Duration, until: u64) -> Result<()> {
        let init = self.signal(run_dir, if grace.is_zero() { Signal::KILL } else { signal })?;
        if self.wait_gone(init, self.until(grace).min(until)) {
            return Ok(());
        }
        self.signal(run_dir, Signal::KILL)?;
        if self.wait_gone(init, until) { Ok(()) } else { Err(timed_out()) }
    }

    /// Undoes a launch that did not come to its end.
    fn abandon(&self, run_dir: &Path, monitor: ProcessId) {
        let gone = self.wait_until(self.until(UNDOING), move |state| !state.processes[monitor].alive);
        let returned = self.world.state().kernel.monitors.get(&monitor).is_some_and(|monitor| monitor.returned);
        if gone && returned {
            return;
        }
        let pid = self.world.state().processes[monitor].pid;
        self.world.kill(monitor);
        if self.run_dir(run_dir).read_state().is_some_and(|state| state.monitor.pid == pid)
            && let Ok(init) = self.signal(run_dir, Signal::KILL)
        {
            self.wait_gone(init, self.until(UNDOING));
        }
        // What does not go now is found by the next sweep.
        let _ = self.sweep(run_dir);
    }
}

impl Kernel for SimulatedKernel {
    fn launch(&self, plan: &LaunchPlan, _attach: Option<&AttachOptions>, within: Duration) -> Result<Launched> {
        self.call("launch", &plan.run_dir)?;
        if self.draw(|state| state.faults.launch / 2) {
            return Err(Error::new(ErrorKind::Io, "fork: no more processes"));
        }
        let until = self.until(within);
        let (world, plan) = (Arc::clone(&self.world), plan.clone());
        let run_dir = plan.run_dir.clone();
        let monitor = self.world.spawn("monitor", move |me| monitor::monitor(&world, me, &plan));
        let opened = MonitorState { starter: self.me, starter_listens: true, ..MonitorState::default() };
        self.world.state().kernel.monitors.insert(monitor, opened);
        let outcome = loop {
            let told = move |state: &State| {
                let inbox = state.kernel.monitors.get(&monitor);
                inbox.is_none_or(|inbox| !inbox.to_starter.is_empty()) || !state.processes[monitor].alive
            };
            if !self.wait_until(until, told) {
                break Err(Error::new(ErrorKind::TimedOut, "the container did not start in time"));
            }
            self.call("status", &run_dir)?;
            let mut state = self.world.state();
            let Some(inbox) = state.kernel.monitors.get_mut(&monitor) else {
                break Err(Error::new(ErrorKind::Internal, "no monitor"));
            };
            match inbox.to_starter.pop_front() {
                Some(Status::Created) => inbox.go = true,
                Some(Status::Started(state)) => {
                    break Ok(Launched { state: *state, warnings: Vec::new(), session: None });
                }
                Some(Status::Failed(kind)) => break Err(Error::new(kind, "it does not start")),
                None => break Err(Error::new(ErrorKind::Internal, "the helper process died while starting")),
            }
        };
        if let Some(inbox) = self.world.state().kernel.monitors.get_mut(&monitor) {
            inbox.starter_listens = false;
        }
        outcome.inspect_err(|_| self.abandon(&run_dir, monitor))
    }

    fn observe(&self, run_dir: &Path, state: Option<&StateFile>) -> Observation {
        let liveness = |alive| if alive { Liveness::Alive } else { Liveness::Dead };
        Observation {
            monitor: liveness(self.run_dir(run_dir).is_monitored()),
            init: liveness(self.init_of(state).is_some()),
        }
    }

    fn stop(&self, run_dir: &Path, signal: Signal, grace: Span, within: Duration) -> Result<()> {
        let until = self.until(within);
        let over = match self.ask(run_dir, Request::Stop { signal, grace: grace.duration() }, until)? {
            Some(monitor) => self.await_exit(run_dir, monitor, until)?,
            None if self.run_dir(run_dir).is_monitored() => {
                // It winds up, or was killed just now: what still runs then is stopped from here.
                self.await_monitor_gone(run_dir, until)
                    && done_or_ended(self.unattended_stop(run_dir, signal, grace.duration(), until).map(|()| true))?
            }
            None => return self.unattended_stop(run_dir, signal, grace.duration(), until),
        };
        if over { Ok(()) } else { Err(timed_out()) }
    }

    fn kill(&self, run_dir: &Path, signal: Signal, within: Duration) -> Result<()> {
        let until = self.until(within);
        let directly = || -> Result<bool> {
            let init = self.signal(run_dir, signal)?;
            Ok(signal != Signal::KILL || self.wait_gone(init, until))
        };
        let ended = match self.ask(run_dir, Request::Kill { signal }, until.min(self.until(ANSWER))) {
            // A monitor that stands still must not keep its container alive.
            Err(error) if error.kind() == ErrorKind::TimedOut => directly()?,
            Err(error) => return Err(error),
            Ok(Some(monitor)) if signal == Signal::KILL => self.await_exit(run_dir, monitor, until)?,
            Ok(Some(_)) => true,
            Ok(None) if self.run_dir(run_dir).is_monitored() => {
                self.await_monitor_gone(run_dir, until) && done_or_ended(directly())?
            }
            Ok(None) => directly()?,
        };
        if ended { Ok(()) } else { Err(timed_out()) }
    }

    fn pause(&self, run_dir: &Path, within: Duration) -> Result<()> {
        self.ask(run_dir, Request::Pause, self.until(within))?.map(drop).ok_or_else(not_running)
    }

    fn unpause(&self, run_dir: &Path, within: Duration) -> Result<()> {
        if self.ask(run_dir, Request::Unpause, self.until(within))?.is_some() {
            return Ok(());
        }
        self.init_of(self.run_dir(run_dir).try_read_state()?.as_ref()).map(drop).ok_or_else(not_running)
    }

    fn attach(&self, _run_dir: &Path, _options: &AttachOptions, _within: Duration) -> Result<ProcessSession> {
        Err(Error::new(ErrorKind::Unsupported, "no streams in the simulation"))
    }

    fn exec(&self, run_dir: &Path, _spec: &ExecSpec, _within: Duration) -> Result<ProcessSession> {
        self.init_of(self.run_dir(run_dir).try_read_state()?.as_ref()).ok_or_else(not_running)?;
        self.call("exec", run_dir)?;
        Err(Error::new(ErrorKind::CommandNotFound, "no programs in the simulation"))
    }

    fn wait(&self, run_dir: &Path, within: Duration) -> Result<bool> {
        let until = self.until(within);
        match self.ask(run_dir, Request::Wait, until)? {
            Some(monitor) => self.await_exit(run_dir, monitor, until),
            None => self.await_unattended(run_dir, until),
        }
    }

    fn processes(&self, run_dir: &Path) -> Result<ProcessTable> {
        self.init_of(self.run_dir(run_dir).try_read_state()?.as_ref()).ok_or_else(not_running)?;
        Ok(ProcessTable::default())
    }

    fn sweep(&self, run_dir: &Path) -> Result<()> {
        if !self.disk.exists(run_dir) {
            return Ok(());
        }
        let dir = self.run_dir(run_dir);
        if self.init_of(dir.try_read_state()?.as_ref()).is_some() {
            return Err(Error::new(ErrorKind::Refused, "the container runs"));
        }
        let lock = dir.lock()?;
        self.call("cgroup", run_dir)?;
        let left: Vec<u64> = {
            let mut state = self.world.state();
            let now = state.now;
            let left = state.kernel.inits.iter().filter(|init| init.run_dir == run_dir && init.death > now);
            let left: Vec<u64> = left.map(|init| init.start_time).collect();
            left.iter().for_each(|init| state.kernel.signal(*init, Signal::KILL, now));
            left
        };
        if self.draw(|state| state.faults.busy) {
            return Err(Error::new(ErrorKind::Busy, "removing control groups: device or resource busy"));
        }
        let until = self.until(Duration::from_secs(2));
        if !left.into_iter().all(|init| self.wait_gone(init, until)) {
            return Err(Error::new(ErrorKind::Busy, "removing control groups: device or resource busy"));
        }
        dir.remove_parts();
        lock.release_with(&dir);
        Ok(())
    }

    fn remove_tree(&self, path: &Path) -> Result<()> {
        if self.draw(|state| state.faults.busy) {
            return Err(Error::new(ErrorKind::Io, "device or resource busy"));
        }
        self.disk.remove_tree(path).map_err(|error| Error::io(format_args!("removing {}", path.display()), error))
    }

    fn fill_volume(&self, fill: &VolumeFill, check: &dyn Fn() -> Result<()>) -> Result<()> {
        let failed = |error| Error::io("filling a volume", error);
        let [data, filling, filled] = ["data", "filling", "filled"].map(|part| fill.volume.join(part));
        if !self.disk.exists(&filled) {
            if !self.disk.list(&data).map_err(failed)?.is_empty() {
                return Ok(());
            }
            self.disk.remove_tree(&filling).map_err(failed)?;
            self.disk.create_dir(&filling).map_err(failed)?;
            check()?;
            self.disk.create_exclusive(&filling.join("seed"), b"from the image").map_err(failed)?;
            self.disk.rename(&filling, &filled).map_err(failed)?;
        }
        for entry in self.disk.list(&filled).map_err(failed)? {
            self.disk.rename(&filled.join(&entry.name), &data.join(&entry.name)).map_err(failed)?;
        }
        self.disk.remove_tree(&filled).map_err(failed)
    }

    fn watch_log(&self, _log_dir: &Path, _run_dir: &Path) -> Result<Box<dyn Watch>> {
        Err(Error::new(ErrorKind::Unsupported, "no streams in the simulation"))
    }

    fn support(&self) -> HostFacts {
        HostFacts::default()
    }

    fn reap(&self) {}
}

/// Who ended by itself is stopped.
fn done_or_ended(outcome: Result<bool>) -> Result<bool> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::Refused => Ok(true),
        outcome => outcome,
    }
}

pub fn not_running() -> Error {
    Error::new(ErrorKind::Refused, "the container is not running")
}

fn timed_out() -> Error {
    Error::new(ErrorKind::TimedOut, "the container's process has not ended yet")
}
