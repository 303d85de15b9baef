//! How does a plan become a running process? Prepare, create, wait for "go", start; undo on any failure.
//!
//! Deliberately elsewhere: what the spec says (`spec`), serving afterwards (`serve`).

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    time::Duration,
};

use libcontainer::{
    container::{Container, builder::ContainerBuilder},
    syscall::syscall::SyscallType,
};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::Value;

use super::{Ahead, GO};
use crate::engine::{
    backend::embedded::{
        launch::{FORMAT, LaunchPlan, ProcessIdentity, StateFile},
        linux::{
            cgroup::{Birthplace, Born, Cgroup, Limits, Mounts, Version, born, put_decoy},
            client_socket::ListeningSocket,
            console::ConsoleSocket,
            executor::{ExecReport, with_report},
            host_files,
            ids::Ids,
            namespaces::{enter_user_namespace, leave_mounts, leave_network, own_cgroups, own_ids},
            null_device::open_null,
            overlay::{Durability, Marks, mount_rootfs},
            parts::Parts,
            process,
            protocol::Status,
            pump::{Pump, Stdio},
            rootfs::Rootfs,
            run_dir::{Created, MonitorLock, RunDir},
            runtime_failure::runtime_failure,
            signals,
            spec::{self, Surroundings},
            status_line::StatusLine,
            unattended, user,
        },
        log_segments::LogWriter,
        stop_at,
    },
    domain::{Error, ErrorKind, NetworkMode, Result, Timestamp},
};

/// A monitor is the last to be killed when memory runs out; its container is not.
const MONITOR_OOM_SCORE: &str = "-999";

/// A process that has just started, and what moves its input and output.
pub(super) struct Launched {
    pub(super) running: Running,
    pub(super) pump: Pump,
}

/// What a monitor owns while its container runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) state: StateFile,
    pub(super) init: OwnedFd,
    pub(super) cgroup: Cgroup,
    pub(super) socket: ListeningSocket,
    pub(super) run_dir: RunDir,
    pub(super) lock: MonitorLock,
}

/// Carries `plan` out up to the running process. On an error nothing is left.
pub(super) fn launch(plan: &LaunchPlan, ahead: Ahead, starter: &mut StatusLine) -> Result<Launched> {
    let run_dir = RunDir::new(&plan.run_dir);
    stop_at::step("lock", &plan.run_dir);
    let lock = run_dir.lock()?;
    if starter.is_cut() {
        // Without it the container's lock is free, and what is here may be a later run of somebody else.
        lock.release_with(&run_dir);
        return Err(no_starter());
    }
    unattended::end_unrecorded(&run_dir)?;
    let mut undo = Undo { run_dir: run_dir.clone(), cgroup: None, init: None };
    match prepare_and_start(plan, ahead, starter, &run_dir, &mut undo) {
        Ok((state, init, cgroup, socket, pump)) => {
            Ok(Launched { running: Running { state, init, cgroup, socket, run_dir, lock }, pump })
        }
        Err(error) => {
            undo.run();
            lock.release_with(&run_dir);
            Err(error)
        }
    }
}

/// What a monitor needs of its own. Whatever can fail does so before the process starts: what has run cannot be undone.
struct Prepared {
    socket: ListeningSocket,
    log: LogWriter,
    boot_id: String,
    me: ProcessIdentity,
}

impl Prepared {
    fn of(plan: &LaunchPlan) -> Result<Self> {
        guard_from_oom_killer();
        stop_at::step("open log of", &plan.run_dir);
        let log = open_log(plan)?;
        let socket = ListeningSocket::bind(plan.run_dir.as_path())?;
        let boot_id = process::boot_id().map_err(|error| Error::io("reading the boot id", error))?;
        let me = process::identify(std::process::id()).map_err(|error| Error::io("looking at this process", error))?;
        Ok(Self { socket, log, boot_id, me })
    }
}

fn no_starter() -> Error {
    Error::new(ErrorKind::Cancelled, "the starter went away before the start")
}

/// Opens the container's log for appending.
fn open_log(plan: &LaunchPlan) -> Result<LogWriter> {
    let dir = plan.container_dir.join("log");
    LogWriter::open(&dir, &plan.log)
        .map_err(|error| Error::io(format_args!("opening the log in {}", dir.display()), error))
}

type Started = (StateFile, OwnedFd, Cgroup, ListeningSocket, Pump);

fn prepare_and_start(
    plan: &LaunchPlan,
    ahead: Ahead,
    starter: &mut StatusLine,
    run_dir: &RunDir,
    undo: &mut Undo,
) -> Result<Started> {
    stop_at::step("enter namespaces", &plan.run_dir);
    let ids = enter_namespaces(plan, ahead, starter)?;
    stop_at::step("make parts", &plan.run_dir);
    let durability = if plan.auto_remove { Durability::Volatile } else { Durability::Kept };
    let marks = if ids == Ids::All { Marks::Trusted } else { Marks::User };
    let parts = run_dir.create_parts()?;
    stop_at::step("mount", &plan.run_dir);
    mount_rootfs(&plan.rootfs, &parts.rootfs(), marks, durability)?;
    let (mounts, group) = (
        Mounts::read().map_err(|error| Error::io("looking for control groups", error))?,
        format!("/wharf-{}", plan.id),
    );
    let cgroup = Cgroup::locate(&mounts, &group);
    // A launch that was killed, and whose traces could not be swept, may have left a process that waits for ever.
    // Two processes on one root must not be: the first is waited for.
    if !cgroup.processes().is_empty() {
        cgroup.kill();
        let gone = cgroup.remove(Duration::from_secs(2));
        gone.map_err(|error| Error::io("ending what an earlier start left", error))?;
    }
    undo.cgroup = Some(cgroup.clone());
    // A run whose directory somebody deleted is not seen any more, but it still writes to the same files.
    cgroup.kill();
    let view = (ids == Ids::All && mounts.version() == Version::V1).then(|| parts.cgroup_view());
    let place = match ids {
        Ids::All => Birthplace::Group { cgroup: &cgroup, view: view.as_deref() },
        Ids::Ranges | Ids::Single => Birthplace::Here,
    };
    if ids == Ids::All {
        cgroup.make().map_err(|error| Error::io("making the container's control groups", error))?;
    }
    stop_at::step("write bundle", &plan.run_dir);
    let spec = write_bundle(plan, &parts, ids, place, view.as_deref(), &group)?;
    stop_at::step("create process", &plan.run_dir);
    let mut prepared = None;
    let (born, report, stdio) = create(plan, &parts, place, || prepared = Some(Prepared::of(plan)))?;
    stop_at::step("created process", &plan.run_dir);
    let (limits, warnings) = settable(plan, ids, &mounts);
    cgroup.limit(&limits).map_err(|error| Error::io("limiting the container", error))?;
    let identity = process::identify(born.pid).map_err(|error| Error::io("looking at the new process", error))?;
    let init = process::open(&identity)
        .map_err(|error| Error::io("holding the new process", error))?
        .ok_or_else(|| Error::new(ErrorKind::Internal, "the new process is already gone"))?;
    undo.init = Some(init.try_clone().map_err(|error| Error::io("holding the new process", error))?);
    let prepared = prepared.ok_or_else(|| Error::new(ErrorKind::Internal, "nothing was prepared"))?;
    let Prepared { socket, log, boot_id, me } = prepared?;
    let pump = Pump::new(stdio, Some(log)).map_err(|error| Error::io("serving the container", error))?;
    stop_at::step("tell created", &plan.run_dir);
    starter.send(&Status::Created { warnings })?;
    // While the starter makes up its mind.
    let joining = Some(spec::for_joining(spec));
    run_dir.note_created(&Created { boot_id: boot_id.clone(), init: identity.clone(), joining })?;
    match starter.receive(GO)? {
        Some(Status::Go) => {}
        Some(_) | None => return Err(no_starter()),
    }
    stop_at::step("start process", &plan.run_dir);
    let started = Timestamp::now();
    start(plan, &parts)?;
    if let Some(error) = report.wait() {
        return Err(error);
    }
    born.settle();
    let state = StateFile {
        format: FORMAT,
        generation: plan.generation,
        boot_id,
        pid_namespace: process::own_namespace(),
        monitor: me,
        init: identity,
        started,
        paused: false,
        stopping_until: None,
    };
    run_dir.write_state(&state)?;
    undo.init = None;
    Ok((state, init, cgroup, socket, pump))
}

fn enter_namespaces(plan: &LaunchPlan, ahead: Ahead, starter: &mut StatusLine) -> Result<Ids> {
    let ids = own_ids();
    if ids != Ids::All {
        enter_user_namespace(ids, || {
            starter.send(&Status::MapIds)?;
            match starter.receive(GO)? {
                Some(Status::Mapped) => Ok(()),
                Some(_) | None => Err(no_starter()),
            }
        })?;
    }
    if !ahead.mounts {
        leave_mounts().map_err(|error| Error::io("entering a mount namespace", error))?;
    }
    if ids != Ids::All {
        own_cgroups().map_err(|error| Error::io("mounting control groups", error))?;
    }
    match plan.network {
        NetworkMode::Host => {}
        NetworkMode::None | NetworkMode::Default if ahead.network => {}
        NetworkMode::None | NetworkMode::Default => {
            leave_network().map_err(|error| Error::io("entering a network namespace", error))?;
        }
    }
    Ok(ids)
}

/// Writes everything the runtime reads. Returns the spec.
fn write_bundle(
    plan: &LaunchPlan,
    parts: &Parts,
    ids: Ids,
    place: Birthplace<'_>,
    view: Option<&Path>,
    group: &str,
) -> Result<Value> {
    let rootfs = Rootfs::open(&parts.rootfs()).map_err(|error| Error::io("opening the container's root", error))?;
    let user = user::resolve(&rootfs, plan.process.user.as_deref())?.within(ids)?;
    rootfs.create_dir_all(&plan.process.workdir).map_err(|error| {
        Error::io(format_args!("making the working directory {}", plan.process.workdir.display()), error)
    })?;
    host_files::write(&parts.etc(), &plan.hostname, plan.network)
        .map_err(|error| Error::io("writing /etc/hosts and its like", error))?;
    let network = match plan.network {
        NetworkMode::Host => None,
        // The monitor's own, which its child has already: by this name it needs no rights over the monitor.
        NetworkMode::None | NetworkMode::Default => Some(PathBuf::from("/proc/self/ns/net")),
    };
    let surroundings = Surroundings {
        user: &user,
        rootfs: &parts.rootfs(),
        etc: &parts.etc(),
        cgroup: &place.path_for_runtime(&parts.bundle(), group),
        cgroup_view: view,
        network,
        ids,
        thermal: host_files::thermal_throttles(),
    };
    let spec = spec::build(plan, &surroundings);
    let text = serde_json::to_vec(&spec).unwrap_or_default();
    let path = parts.bundle().join("config.json");
    fs::write(&path, text)
        .and_then(|()| put_decoy(&parts.bundle()))
        .map_err(|error| Error::io(format_args!("writing {}", path.display()), error))?;
    Ok(spec)
}

/// The limits that can be set here, and a sentence for each that cannot.
fn settable(plan: &LaunchPlan, ids: Ids, mounts: &Mounts) -> (Limits, Vec<String>) {
    let mut warnings = Vec::new();
    let mut allowed = |asked: bool, controller: &str, what: &str| {
        let can = ids == Ids::All && mounts.can_limit(controller);
        if asked && !can {
            warnings.push(format!("the {what} limit is not set: this host gives us no {controller} control group"));
        }
        asked && can
    };
    let asked = &plan.limits;
    let limits = Limits {
        memory: asked.memory.filter(|_| allowed(true, "memory", "memory")),
        cpus: asked.cpus.filter(|_| allowed(true, "cpu", "cpu")),
        pids: asked.pids.filter(|_| allowed(true, "pids", "process")),
    };
    (limits, warnings)
}

/// Creates the container's process, which then waits to be started; `meanwhile` is done beside the runtime's work.
fn create(
    plan: &LaunchPlan,
    parts: &Parts,
    place: Birthplace<'_>,
    meanwhile: impl FnOnce(),
) -> Result<(Born, ExecReport, Stdio)> {
    let failed = |error: std::io::Error| Error::io("making the container's input and output", error);
    let (executor, report) = with_report(plan.process.terminal).map_err(failed)?;
    let mut builder = ContainerBuilder::new(plan.id.to_string(), SyscallType::default())
        .with_root_path(parts.runtime())
        .map_err(|error| runtime_failure("preparing the runtime", &error))?
        .with_executor(executor);
    let mut console = None;
    let mut pipes = None;
    if plan.process.tty {
        let socket = ConsoleSocket::bind(&parts.bundle(), "console.sock").map_err(failed)?;
        builder = builder.with_console_socket(Some(socket.path()));
        console = Some(socket);
    } else {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()));
        let (stdout, stderr) = (pipe()?, pipe()?);
        let stdin = if plan.process.interactive {
            let (read, write) = pipe()?;
            builder = builder.with_stdin(read);
            Some(write)
        } else {
            builder = builder.with_stdin(open_null()?);
            None
        };
        builder = builder.with_stdout(stdout.1).with_stderr(stderr.1);
        pipes = Some(Stdio::Pipes { stdin, stdout: stdout.0, stderr: stderr.0 });
    }
    let builder = builder.as_init(parts.bundle()).with_systemd(false).with_detach(true).as_sibling(true);
    let build = move || {
        let container = builder.build().map_err(|error| runtime_failure("creating the container", &error))?;
        let pid = container.pid().map(|pid| pid.as_raw()).and_then(|pid| u32::try_from(pid).ok());
        pid.ok_or_else(|| Error::new(ErrorKind::Internal, "the runtime created no process"))
    };
    let born = born(place, report.as_fd(), build, meanwhile).map_err(|error| report.take().unwrap_or(error))?;
    let stdio = match (console, pipes) {
        (Some(console), _) => Stdio::Terminal(console.receive().map_err(failed)?),
        (None, Some(pipes)) => pipes,
        (None, None) => Stdio::Discarded,
    };
    Ok((born, report, stdio))
}

fn start(plan: &LaunchPlan, parts: &Parts) -> Result<()> {
    let failed = |error| runtime_failure("starting the process", &error);
    Container::load(parts.runtime().join(plan.id.as_str())).map_err(failed)?.start().map_err(failed)
}

fn guard_from_oom_killer() {
    // A monitor without it is as good while there is memory.
    let _ = fs::write("/proc/self/oom_score_adj", MONITOR_OOM_SCORE);
}

/// What a launch has made so far and takes back when it fails.
struct Undo {
    run_dir: RunDir,
    cgroup: Option<Cgroup>,
    init: Option<OwnedFd>,
}

impl Undo {
    fn run(self) {
        if let Some(init) = &self.init {
            // It may have ended by itself.
            let _ = signals::send(init.as_fd(), crate::engine::domain::Signal::KILL);
            let _ = rustix::process::waitid(
                rustix::process::WaitId::PidFd(init.as_fd()),
                rustix::process::WaitIdOptions::EXITED,
            );
        }
        if let Some(cgroup) = &self.cgroup {
            // Whoever is there was created and never started.
            cgroup.kill();
            // What stays is found by the next sweep; the launch's own error is the one to tell.
            let _ = cgroup.remove(Duration::from_secs(2));
        }
        self.run_dir.remove_parts();
    }
}
