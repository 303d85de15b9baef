//! What does the embedded engine ask of the machine it runs on? One trait: launch, signal, observe.
//!
//! Everything here is synchronous and bounded: each call ends within the time it is given. Two live
//! implementations: `linux` (monitors, namespaces, cgroups) and the model used under simulation.
//! Deliberately elsewhere: what to launch (`containers`), the plan and the files (`launch`).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::launch::{LaunchPlan, StateFile};
use crate::engine::domain::{
    AttachOptions, ExecSpec, NetworkMode, ProcessTable, Result, SessionInput, SessionOutput, Signal, Span, Support,
};

/// The machine under the embedded engine. `run_dir` is always `run/c/<id>` as in [`LaunchPlan`].
pub trait Kernel: Send + Sync + 'static {
    /// Starts a monitor for `plan` and waits until the process runs. On any failure, and when the
    /// caller dies half-way, nothing is left: no process, mount, cgroup or file in `run_dir`.
    ///
    /// The kinds of failure a caller can tell apart: `CommandNotFound` (127), `CommandNotExecutable`
    /// (126), `Busy` (another monitor is still there), `TimedOut`, everything else is 125.
    fn launch(&self, plan: &LaunchPlan, attach: Option<&AttachOptions>, within: Duration) -> Result<Launched>;

    /// A launch on this network will follow unless something goes wrong. A hint, and it returns at once; over with the
    /// next launch, with [`Self::expect_no_launch`] or with this process.
    fn expect_launch(&self, _network: NetworkMode) {}

    /// Makes ready what the expected launch needs in any case, if it is still expected. `runs` is `run/c`.
    fn prepare_launch(&self, _runs: &Path) {}

    /// Something went wrong.
    fn expect_no_launch(&self) {}

    /// Who is alive now. Pass `state.json` as read, if there is one. Reads only; a few file opens.
    fn observe(&self, run_dir: &Path, state: Option<&StateFile>) -> Observation;

    /// Asks the monitor for signal, grace, KILL and waits until the run is over and recorded. The
    /// escalation goes on in the monitor when the caller gives up (`TimedOut`) or dies. Without a
    /// monitor the escalation is done from here. `Refused` when nothing runs.
    fn stop(&self, run_dir: &Path, signal: Signal, grace: Span, within: Duration) -> Result<()>;

    /// Sends a signal; after KILL waits until the run is over and recorded. Works without a monitor
    /// (then nobody records the exit). `Refused` when nothing runs.
    fn kill(&self, run_dir: &Path, signal: Signal, within: Duration) -> Result<()>;

    /// Freezes every process. `Refused` when it does not run, `Unsupported` without a freezer.
    fn pause(&self, run_dir: &Path, within: Duration) -> Result<()>;
    fn unpause(&self, run_dir: &Path, within: Duration) -> Result<()>;

    /// Joins the running process's input and output.
    fn attach(&self, run_dir: &Path, options: &AttachOptions, within: Duration) -> Result<ProcessSession>;

    /// Runs one more process in the container; returns once it runs. With `detach` the session ends
    /// at once. `CommandNotFound` and `CommandNotExecutable` as in `launch`.
    fn exec(&self, run_dir: &Path, spec: &ExecSpec, within: Duration) -> Result<ProcessSession>;

    /// Waits until the run of this container is over and recorded (`true`), or the time is up
    /// (`false`). `true` at once when nothing runs.
    fn wait(&self, run_dir: &Path, within: Duration) -> Result<bool>;

    /// `ps` of the container's processes, as the host sees them.
    fn processes(&self, run_dir: &Path) -> Result<ProcessTable>;

    /// Clears what a run left that nobody tends any more (killed monitor, reboot): cgroups, sockets,
    /// runtime files; last, `run_dir` itself. Idempotent. `Refused` while a process is alive.
    fn sweep(&self, run_dir: &Path) -> Result<()>;

    /// Deletes a directory tree, also one whose files belong to other ids of our user namespace.
    /// Nothing there is a success.
    fn remove_tree(&self, path: &Path) -> Result<()>;

    /// Gives an empty volume what the image has at `path`, with owners, permissions and times, as Docker does; a volume
    /// that has something in it, and a path that is no directory, stay as they are. Whatever cuts it, asking again
    /// goes on where it stopped. The caller holds the volume's lock. `check` is asked now and then whether to go on.
    fn fill_volume(&self, fill: &VolumeFill, check: &dyn Fn() -> Result<()>) -> Result<()>;

    /// A watch that wakes when the log may have grown or rotated, and when its container may have ended.
    fn watch_log(&self, log_dir: &Path, run_dir: &Path) -> Result<Box<dyn Watch>>;

    /// What this machine can do, with the exact fix for what it cannot; and facts for `system info`.
    fn support(&self) -> HostFacts;

    /// Collects monitors and helpers of ours that have ended. Never blocks; call it now and then.
    fn reap(&self);
}

/// Which volume gets what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFill {
    /// The volume's own directory; its content is in `data` there.
    pub volume: PathBuf,
    /// The image's layers, topmost first.
    pub lowers: Vec<PathBuf>,
    /// In the image; absolute.
    pub path: PathBuf,
}

/// A run that has begun.
pub struct Launched {
    /// As in the `state.json` that is now there.
    pub state: StateFile,
    /// What was asked for and could not be done (limits without cgroups): for the person who asked.
    pub warnings: Vec<String>,
    /// Present when an attach was asked for; it sees the first byte.
    pub session: Option<ProcessSession>,
}

impl std::fmt::Debug for Launched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launched")
            .field("state", &self.state)
            .field("warnings", &self.warnings)
            .field("attached", &self.session.is_some())
            .finish()
    }
}

/// Who is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// A monitor holds `monitor.lock`: launching, running, or winding up.
    pub monitor: Liveness,
    /// The init of the `state.json` that was passed: same process, same boot.
    pub init: Liveness,
}

impl Observation {
    /// The container runs but nobody tends it: its monitor was killed.
    #[must_use]
    pub fn degraded(self) -> bool {
        self.init == Liveness::Alive && self.monitor == Liveness::Dead
    }

    /// A process of it, or somebody who tends one.
    #[must_use]
    pub fn anybody(self) -> bool {
        self.init == Liveness::Alive || self.monitor == Liveness::Alive
    }
}

/// Whether a process is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    Alive,
    Dead,
}

/// Two halves, for two threads. Dropping both detaches.
pub struct ProcessSession {
    pub input: Box<dyn SessionWriter>,
    pub output: Box<dyn SessionReader>,
}

/// Towards the process.
pub trait SessionWriter: Send {
    /// Blocks while the process does not read its input; `hang_up` from another thread ends that. A signal
    /// or a size never waits for input.
    fn send(&mut self, input: SessionInput) -> Result<()>;
    /// One more of the same, for another thread.
    fn second(&self) -> Box<dyn SessionWriter>;
    /// A handle that ends the session from any thread.
    fn hang_up_handle(&self) -> Box<dyn HangUp>;
}

/// From the process.
pub trait SessionReader: Send {
    /// Blocks until there is output. `None`: the connection is gone; after `Exit` always.
    fn receive(&mut self) -> Result<Option<SessionOutput>>;
}

/// Ends a session: a blocked `receive` returns `None`, a blocked `send` fails.
pub trait HangUp: Send + Sync {
    fn hang_up(&self);
}

/// Tells a thread when to look again at what it watches.
pub trait Watch: Send {
    /// Waits until something may have changed, or the time is up. May wake for nothing.
    ///
    /// # Errors
    /// When the system cannot tell any more.
    fn wait(&mut self, within: Duration) -> Result<()>;

    /// Ends this and every later wait, from any thread.
    fn waker(&self) -> Result<Box<dyn Fn() + Send + Sync>>;
}

/// What `system info` says about this machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostFacts {
    pub support: Support,
    pub rootless: bool,
    pub memory_bytes: Option<u64>,
    pub cpus: Option<usize>,
    /// Kernel, cgroup version, overlay, id ranges ...: in display order.
    pub facts: Vec<(String, String)>,
}
