//! How are the [`Kernel`] calls carried out? By asking the monitor, and without one, directly.
//!
//! Deliberately elsewhere: each piece of work (its own file in this folder).

use std::{
    path::{Path, PathBuf},
    process::Child,
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{
    exec::ExecOrders,
    launcher::{NotStarted, Ready, Spawned, await_start, spawn_monitor, spawn_role},
    link::{Link, Waited},
    monitor::Orders,
    past_monitor::{self, ANSWER, Monitored, Unheard},
    protocol::{Decoder, Request},
    ps,
    run_dir::RunDir,
    sealed::SealedBinary,
    session::{self, Control},
    unattended::{self, not_running, timed_out},
    waiting_monitor::ExpectedLaunch,
};
use crate::engine::{
    backend::embedded::{
        kernel::{HostFacts, Kernel, Launched, Liveness, Observation, ProcessSession, VolumeFill, Watch},
        launch::{LaunchPlan, StateFile},
        stop_at,
    },
    domain::{AttachOptions, Error, ErrorKind, ExecSpec, NetworkMode, ProcessTable, Result, Signal, Span},
};

/// How soon a pause is noticed by whoever waits for a process to begin in the container.
const LOOK_FOR_PAUSE: Duration = Duration::from_millis(250);

/// How long a failed launch may take to undo itself before it is undone from outside.
const UNDOING: Duration = Duration::from_secs(5);

/// A directory with nothing in it, beside the run directories.
const EMPTY: &str = "empty";

/// This machine.
#[derive(Debug)]
pub struct LinuxKernel {
    /// The wharf binary whose roles are started.
    binary: PathBuf,
    sealed: OnceLock<SealedBinary>,
    children: Mutex<Vec<Child>>,
    expected: ExpectedLaunch,
}

impl LinuxKernel {
    /// `binary` is this program unless a test says otherwise: [`Self::this_binary`].
    #[must_use]
    pub fn new(binary: PathBuf) -> Self {
        Self { binary, sealed: OnceLock::new(), children: Mutex::new(Vec::new()), expected: ExpectedLaunch::default() }
    }

    /// The running program's own file, even when it has been replaced or removed since.
    #[must_use]
    pub fn this_binary() -> PathBuf {
        PathBuf::from("/proc/self/exe")
    }

    /// The binary as roles run it, sealed once for this process. `run_dir` is `run/c/<id>`.
    fn sealed_binary(&self, run_dir: &Path) -> Result<&Path> {
        self.sealed_beside(run_dir.parent().unwrap_or(run_dir))
    }

    /// As above; `runs` is `run/c`.
    fn sealed_beside(&self, runs: &Path) -> Result<&Path> {
        if let Some(sealed) = self.sealed.get() {
            return Ok(sealed.path());
        }
        let run = runs.parent().unwrap_or(runs);
        let sealed = std::fs::create_dir_all(run).and_then(|()| SealedBinary::of(&self.binary, &run.join(EMPTY)));
        let sealed = sealed.map_err(|error| Error::io("sealing the wharf program", error))?;
        Ok(self.sealed.get_or_init(|| sealed).path())
    }

    /// A monitor that has its orders: the one that waits, if there is one, or a new one.
    fn monitor_for(&self, plan: &LaunchPlan, attach: Option<&AttachOptions>, within: Duration) -> Result<Spawned> {
        let orders = Orders { plan: plan.clone(), attach: attach.cloned() };
        match self.expected.end().map(|waiting| waiting.give(&orders, ANSWER.min(within))) {
            Some(Ok(spawned)) => return Ok(spawned),
            Some(Err(child)) => self.adopt(child),
            None => {}
        }
        spawn_monitor(self.sealed_binary(&plan.run_dir)?, &orders)
    }

    fn adopt(&self, child: Child) {
        self.reap();
        if let Ok(mut children) = self.children.lock() {
            children.push(child);
        }
    }

    /// Undoes a launch that did not come to its end. A monitor that has told its failure has undone everything
    /// itself; any other is killed, and with it what it created.
    fn abandon(&self, run_dir: &Path, mut child: Child, why: &NotStarted) {
        let told = matches!(why, NotStarted::Told(_));
        if wait_child(&child, UNDOING) && child.wait().is_ok_and(|status| status.code().is_some()) && told {
            return;
        }
        let monitor = child.id();
        let _ = child.kill(); // Ended meanwhile is as good.
        let _ = child.wait(); // As above.
        // Only what this monitor started: the directory may have come to belong to another one's run.
        if RunDir::new(run_dir).read_state().is_some_and(|state| state.monitor.pid == monitor)
            && let Ok(init) = unattended::signal(run_dir, Signal::KILL)
        {
            // What does not end now is found by the next sweep.
            let _ = unattended::wait_gone(&init, Instant::now() + UNDOING);
        }
        let _ = unattended::sweep(run_dir); // As above.
    }

    /// Without a monitor that answers: is one there?
    fn is_monitored(&self, run_dir: &Path) -> Monitored {
        if RunDir::new(run_dir).is_monitored() { Monitored::Yes } else { Monitored::No }
    }

    /// Ends a stop or kill, whatever came of asking the monitor.
    fn after(&self, waited: Waited, run_dir: &Path, unheard: Unheard, there: Monitored, until: Instant) -> Result<()> {
        match waited {
            Waited::Ended(_) => Ok(()),
            Waited::TimeUp => Err(timed_out()),
            Waited::Lost => past_monitor::act_unheard(run_dir, unheard, there, until),
        }
    }
}

impl Kernel for LinuxKernel {
    fn expect_launch(&self, network: NetworkMode) {
        if let Some(waiting) = self.expected.begin(network) {
            self.adopt(waiting.dismiss());
        }
    }

    fn prepare_launch(&self, runs: &Path) {
        self.expected.prepare(|| self.sealed_beside(runs));
        if let Some(sealed) = self.sealed.get() {
            sealed.let_go_of_mount();
        }
    }

    fn expect_no_launch(&self) {
        if let Some(waiting) = self.expected.end() {
            self.adopt(waiting.dismiss());
        }
    }

    fn launch(&self, plan: &LaunchPlan, attach: Option<&AttachOptions>, within: Duration) -> Result<Launched> {
        self.reap();
        stop_at::step("spawn monitor", &plan.run_dir);
        let mut spawned = self.monitor_for(plan, attach, within)?;
        stop_at::step("spawned monitor", &plan.run_dir);
        match await_start(&mut spawned, within) {
            Ok(ready) => {
                let state = ready.state.ok_or_else(|| Error::new(ErrorKind::Internal, "the monitor sent no state"))?;
                let session = spawned
                    .client
                    .map(|stream| session::session(stream, Decoder::default(), Control::Monitor(plan.run_dir.clone())));
                let session = session.transpose()?;
                self.adopt(spawned.child);
                stop_at::step("started", &plan.run_dir);
                Ok(Launched { state, warnings: ready.warnings, session })
            }
            Err(not_started) => {
                drop(spawned.status);
                drop(spawned.client);
                self.abandon(&plan.run_dir, spawned.child, &not_started);
                Err(not_started.error())
            }
        }
    }

    fn observe(&self, run_dir: &Path, state: Option<&StateFile>) -> Observation {
        let liveness = |alive| if alive { Liveness::Alive } else { Liveness::Dead };
        Observation {
            monitor: liveness(RunDir::new(run_dir).is_monitored()),
            // Who cannot look must not take it for ended.
            init: liveness(unattended::init_of(run_dir, state).map_or(true, |init| init.is_some())),
        }
    }

    fn stop(&self, run_dir: &Path, signal: Signal, grace: Span, within: Duration) -> Result<()> {
        let until = Instant::now() + within;
        stop_at::step("ask to stop", run_dir);
        let asked = Instant::now();
        let (waited, there) = match Link::ask(run_dir, Request::Stop { signal, grace }, until.min(asked + ANSWER)) {
            Ok(Some(mut link)) => {
                stop_at::step("asked to stop", run_dir);
                (link.wait_for_exit(until)?, Monitored::Yes)
            }
            Ok(None) => (Waited::Lost, self.is_monitored(run_dir)),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return past_monitor::act(run_dir, Unheard::Stop(signal, grace.duration()), until);
            }
            Err(error) => return Err(error),
        };
        // It has wound up, or it was killed, perhaps before it heard us: what still runs is stopped from here.
        let grace = grace.duration().saturating_sub(asked.elapsed());
        self.after(waited, run_dir, Unheard::Stop(signal, grace), there, until)
    }

    fn kill(&self, run_dir: &Path, signal: Signal, within: Duration) -> Result<()> {
        let until = Instant::now() + within;
        stop_at::step("ask to kill", run_dir);
        let asked = Link::ask(run_dir, Request::Kill { signal }, until.min(Instant::now() + ANSWER));
        let (waited, there) = match asked {
            Ok(asked) => {
                stop_at::step("asked to kill", run_dir);
                match asked {
                    Some(_) if signal != Signal::KILL => return Ok(()),
                    Some(mut link) => (link.wait_for_exit(until)?, Monitored::Yes),
                    None => (Waited::Lost, self.is_monitored(run_dir)),
                }
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return past_monitor::act(run_dir, Unheard::Kill(signal), until);
            }
            Err(error) => return Err(error),
        };
        self.after(waited, run_dir, Unheard::Kill(signal), there, until)
    }

    fn pause(&self, run_dir: &Path, within: Duration) -> Result<()> {
        stop_at::step("ask to pause", run_dir);
        if Link::ask(run_dir, Request::Pause, Instant::now() + within)?.is_some() {
            return Ok(());
        }
        unattended::running_init(run_dir)?;
        Err(Error::new(ErrorKind::Refused, "its monitor was killed, and nobody else could say that it is paused")
            .remedy("stop it and start it again"))
    }

    fn unpause(&self, run_dir: &Path, within: Duration) -> Result<()> {
        stop_at::step("ask to unpause", run_dir);
        if Link::ask(run_dir, Request::Unpause, Instant::now() + within)?.is_some() {
            return Ok(());
        }
        unattended::running_init(run_dir)?;
        unattended::cgroup_of(run_dir)?
            .set_frozen(super::cgroup::Frozen::No)
            .map_err(|error| Error::io("thawing the container", error))
    }

    fn attach(&self, run_dir: &Path, options: &AttachOptions, within: Duration) -> Result<ProcessSession> {
        let link = Link::ask(run_dir, Request::Attach(options.clone()), Instant::now() + within)?;
        let (stream, decoder) = link.ok_or_else(not_running)?.into_parts();
        session::session(stream, decoder, Control::Monitor(run_dir.to_owned()))
    }

    fn exec(&self, run_dir: &Path, spec: &ExecSpec, within: Duration) -> Result<ProcessSession> {
        self.reap();
        let orders = ExecOrders { run_dir: run_dir.to_owned(), spec: spec.clone() };
        stop_at::step("spawn exec", run_dir);
        let mut spawned = spawn_role(self.sealed_binary(run_dir)?, "__exec", &orders, !spec.detach)?;
        stop_at::step("spawned exec", run_dir);
        match await_unfrozen_start(&mut spawned, run_dir, within) {
            Ok(_) => {
                self.adopt(spawned.child);
                match spawned.client {
                    Some(stream) => {
                        let line = Control::Line(spawned.status.into_socket());
                        session::session(stream, Decoder::default(), line)
                    }
                    None => session::detached(),
                }
            }
            Err(error) => {
                // A helper that could not say so in time takes its process with it.
                if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Refused) {
                    let _ = spawned.child.kill(); // Ended meanwhile is as good.
                }
                self.adopt(spawned.child);
                Err(error)
            }
        }
    }

    fn wait(&self, run_dir: &Path, within: Duration) -> Result<bool> {
        let until = Instant::now() + within;
        let mut link = match Link::ask(run_dir, Request::Wait, until.min(Instant::now() + ANSWER)) {
            Ok(Some(link)) => link,
            Ok(None) => return past_monitor::wait(run_dir, until),
            // It is slow, stands still, or too many wait already: none of that is an end, and the process tells of its own.
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Busy) => {
                return past_monitor::wait(run_dir, until);
            }
            Err(error) => return Err(error),
        };
        match link.wait_for_exit(until)? {
            Waited::Ended(_) => Ok(true),
            Waited::TimeUp => Ok(false),
            Waited::Lost => past_monitor::wait(run_dir, until),
        }
    }

    fn processes(&self, run_dir: &Path) -> Result<ProcessTable> {
        let state = unattended::read_state(run_dir)?;
        unattended::init_of(run_dir, state.as_ref())?.ok_or_else(not_running)?;
        Ok(state.map(|state| ps::table(state.init.pid)).unwrap_or_default())
    }

    fn sweep(&self, run_dir: &Path) -> Result<()> {
        unattended::sweep(run_dir)
    }

    fn remove_tree(&self, path: &Path) -> Result<()> {
        stop_at::step("delete tree", path);
        match super::unpack::unpacker_of_this_user(self.binary.clone()).remove(path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io(format_args!("removing {}", path.display()), error)),
        }
    }

    fn fill_volume(&self, fill: &VolumeFill, check: &dyn Fn() -> Result<()>) -> Result<()> {
        match super::unpack::HelperUnpacker::new(self.binary.clone()).fill(fill, check) {
            Ok(()) => Ok(()),
            // Whoever wants it to end is told so, not that the helper was ended.
            Err(error) => {
                check().and(Err(Error::io(format_args!("copying {} of the image", fill.path.display()), error)))
            }
        }
    }

    fn watch_log(&self, log_dir: &Path, run_dir: &Path) -> Result<Box<dyn Watch>> {
        super::log_watch::watch(log_dir, run_dir)
    }

    fn support(&self) -> HostFacts {
        super::support::facts()
    }

    fn reap(&self) {
        if let Ok(mut children) = self.children.lock() {
            // An error means somebody else collected it: as good.
            children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        }
    }
}

/// As [`await_start`], for a process in a container that may be paused before it has begun: it would stand still
/// there for as long as the container does.
fn await_unfrozen_start(spawned: &mut Spawned, run_dir: &Path, within: Duration) -> Result<Ready> {
    let until = Instant::now() + within;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match await_start(spawned, left.min(LOOK_FOR_PAUSE)).map_err(NotStarted::error) {
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                if unattended::cgroup_of(run_dir)?.is_frozen() {
                    return Err(
                        Error::new(ErrorKind::Refused, "the container was paused meanwhile").remedy("unpause it first")
                    );
                }
                if left <= LOOK_FOR_PAUSE {
                    return Err(error);
                }
            }
            outcome => return outcome,
        }
    }
}

/// Whether `child` ended within the time.
fn wait_child(child: &Child, within: Duration) -> bool {
    match pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
        Ok(process) => unattended::wait_gone(&process, Instant::now() + within).unwrap_or(false), // Not known: no.
        Err(_) => true, // Collected by somebody else.
    }
}
