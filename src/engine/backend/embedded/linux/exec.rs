//! How does one more process run in a container? The exec helper's whole life, one process per session.
//!
//! Single-threaded, as the monitor, because libcontainer clones it too. It joins what must be joined,
//! starts the process, moves its bytes and stays to reap it: the container's pid namespace cannot end
//! before that. Deliberately elsewhere: bytes (`pump`), asking for it (`linux_kernel`).

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    process::ExitCode,
};

use libcontainer::{
    container::{ContainerStatus, State, builder::ContainerBuilder},
    syscall::syscall::SyscallType,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::{PipeFlags, pipe_with},
    process::{WaitId, WaitIdOptions, waitid},
    thread::{ThreadNameSpaceType, move_into_thread_name_spaces},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    cgroup::{Birthplace, Born, born, put_decoy},
    client::Opener,
    console::ConsoleSocket,
    executor::{ExecReport, with_report},
    ids::Ids,
    inheritance,
    namespaces::{leave_mounts, own_cgroups, own_ids},
    null_device::open_null,
    process,
    protocol::{ExitNote, Kind, Status, parse},
    pump::{Pump, Stdio, Token, Wish},
    rootfs::{Rootfs, make_dir},
    run_dir::{Created, RunDir},
    runtime_failure::runtime_failure,
    signals, spec,
    status_line::StatusLine,
    unattended::{cgroup_of, init_of, not_running, read_state},
    user,
};
use crate::engine::{
    backend::embedded::stop_at,
    domain::{AttachOptions, Error, ErrorKind, ExecSpec, Flow, ProcessExit, Result, Signal, TerminalSize},
};

/// How long a container that is being killed may take to be gone.
const DYING_TURNS: u32 = 50;
const DYING_TURN: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// What an asker wants run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExecOrders {
    pub(super) run_dir: PathBuf,
    pub(super) spec: ExecSpec,
}

/// The `__exec` role: descriptors as for the monitor; 2 is a client's socket unless the process is detached.
pub fn exec() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // The asker knows why; there is nobody else to tell.
    }
}

fn run() -> Result<()> {
    let mut inherited = inheritance::take()?;

    let ExecOrders { run_dir, spec } = inherited.orders()?;
    // This one: by the time of a failure the container may run anew.
    let init = read_state(&run_dir).and_then(|state| init_of(&run_dir, state.as_ref()));
    let (process, stdio) = match start(&run_dir, &spec) {
        Ok(started) => started,
        Err(error) => {
            // A container that ended meanwhile makes any step fail, in words of that step.
            let unexplained = error.kind() == ErrorKind::Io;
            let ended = init.is_ok_and(|init| init.as_ref().is_none_or(ends_soon));
            let error = if unexplained && ended { not_running() } else { error };
            // The asker may be gone; then nobody wants to know.
            let _ = inherited.starter.send(&Status::Failed((&error).into()));
            return Err(error);
        }
    };
    stop_at::step("serve", &run_dir);
    let mut pump = Pump::new(stdio, None).map_err(|error| Error::io("serving the process", error))?;
    if !spec.detach {
        let options = AttachOptions { stdin: spec.interactive, flow: Flow::Lossless, terminal: spec.terminal };
        pump.add_client(inherited.client, Opener::Starter, Some(&options));
    }
    // As above.
    let _ = inherited.starter.send(&Status::Started { state: None });
    let exit = serve(&mut pump, &process, &inherited.diverted, inherited.starter);
    stop_at::step("announce the end", &run_dir);
    pump.drain();
    pump.announce_exit(&ExitNote { exit, oom_killed: false });
    pump.deliver();
    Ok(())
}

/// The processes of a container that is being killed die before the one that the others are named after.
fn ends_soon(init: &OwnedFd) -> bool {
    (0..DYING_TURNS).any(|_| {
        // Its end waits for every process of its namespace to be collected, ours among them. pid_namespaces(7).
        while let Ok(Some(_)) = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {}
        poll(&mut [PollFd::new(init, PollFlags::IN)], Some(&DYING_TURN)).is_ok_and(|count| count > 0)
    })
}

fn start(run_dir: &Path, spec: &ExecSpec) -> Result<(OwnedFd, Stdio)> {
    let dir = RunDir::new(run_dir);
    let state = read_state(run_dir)?;
    let init = init_of(run_dir, state.as_ref())?.ok_or_else(not_running)?;
    let init_pid = state.as_ref().map(|state| state.init.pid).ok_or_else(not_running)?;
    let ids = own_ids();
    if ids != Ids::All {
        join_user_namespace(&init)?;
    }
    let cgroup = cgroup_of(run_dir)?;
    if cgroup.is_frozen() {
        return Err(Error::new(ErrorKind::Refused, "the container is paused").remedy("unpause it first"));
    }
    let id = run_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = match ids {
        Ids::All => Birthplace::Group { cgroup: &cgroup, view: None },
        Ids::Ranges | Ids::Single => Birthplace::Here,
    };
    stop_at::step("prepare", run_dir);
    let mut joining = read_joining(&dir)?;
    let process = describe(&joining, init_pid, spec, ids)?;
    let scratch = Scratch::create(&dir)?;
    let group = place.path_for_runtime(&scratch.path, &format!("/wharf-{id}"));
    if let Some(linux) = joining.get_mut("linux").and_then(Value::as_object_mut) {
        linux.insert("cgroupsPath".to_owned(), json!(group));
    }
    let process_file = scratch.fill(&id, init_pid, &joining, &process)?;
    stop_at::step("create process", run_dir);
    let (executor, report) = with_report(spec.terminal).map_err(|error| Error::io("preparing the process", error))?;
    let builder = ContainerBuilder::new(id, SyscallType::default())
        .with_root_path(&scratch.path)
        .map_err(|error| runtime_failure("preparing the runtime", &error))?
        .with_executor(executor);
    let (born, stdio) = build(builder, &scratch, &process_file, spec, &report, place)?;
    stop_at::step("created process", run_dir);
    if let Some(error) = report.wait() {
        return Err(error);
    }
    let pid = born.pid;
    born.settle();
    let gone = |error| Error::io("looking at the new process", error);
    let identity = process::identify(pid).map_err(gone)?;
    // Even when it has ended already it is our child, and there until we reap it.
    let process = process::open_child(&identity).map_err(gone)?;
    Ok((process, stdio))
}

fn build(
    builder: ContainerBuilder,
    scratch: &Scratch,
    process_file: &Path,
    spec: &ExecSpec,
    report: &ExecReport,
    place: Birthplace<'_>,
) -> Result<(Born, Stdio)> {
    let failed = |error: std::io::Error| Error::io("making the process's input and output", error);
    let refused = |error: rustix::io::Errno| failed(error.into());
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(refused);
    let mut console = None;
    let mut stdio = Stdio::Discarded;
    let builder = if spec.tty {
        let socket = ConsoleSocket::bind(&scratch.path, "console.sock").map_err(failed)?;
        let builder = builder.with_console_socket(Some(socket.path()));
        console = Some(socket);
        builder
    } else if spec.detach {
        builder.with_stdin(open_null()?).with_stdout(open_null()?).with_stderr(open_null()?)
    } else {
        let (stdout, stderr) = (pipe()?, pipe()?);
        let builder = builder.with_stdout(stdout.1).with_stderr(stderr.1);
        let (builder, stdin) = if spec.interactive {
            let (read, write) = pipe()?;
            (builder.with_stdin(read), Some(write))
        } else {
            (builder.with_stdin(open_null()?), None)
        };
        stdio = Stdio::Pipes { stdin, stdout: stdout.0, stderr: stderr.0 };
        builder
    };
    let builder = builder.as_tenant().with_process(Some(process_file)).with_detach(true).as_sibling(true);
    let build = move || {
        let pid = builder.build().map_err(|error| runtime_failure("starting the process", &error))?;
        u32::try_from(pid.as_raw()).map_err(|_| Error::new(ErrorKind::Internal, "the runtime gave no process"))
    };
    let born = born(place, report.as_fd(), build, || ()).map_err(|error| report.take().unwrap_or(error))?;
    if let Some(console) = console {
        stdio = Stdio::Terminal(console.receive().map_err(failed)?);
    }
    Ok((born, stdio))
}

/// What the container's monitor noted for those who join it.
fn read_joining(dir: &RunDir) -> Result<Value> {
    let created = dir.read_created().map_err(|error| Error::io("reading how to join the container", error))?;
    match created {
        Some(Created { joining: Some(joining), .. }) => Ok(joining),
        // A monitor of an older version: its spec is on the disk.
        Some(Created { joining: None, .. }) | None => {
            let path = dir.old_spec();
            let text = fs::read(&path).map_err(|error| Error::io(format_args!("reading {}", path.display()), error))?;
            let spec = serde_json::from_slice(&text);
            spec.map(spec::for_joining).map_err(|error| damaged().caused_by(error))
        }
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Corrupt, "what was noted about the container is damaged")
}

/// The container's own process, changed as asked.
fn describe(joining: &Value, init_pid: u32, spec: &ExecSpec, ids: Ids) -> Result<Value> {
    let mut process = joining.get("process").and_then(Value::as_object).ok_or_else(damaged)?.clone();
    let mut env: Vec<String> = process
        .get("env")
        .and_then(Value::as_array)
        .map(|entries| entries.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if let Some(wanted) = &spec.user {
        let rootfs = Rootfs::of_process(init_pid).map_err(|error| Error::io("opening the container's root", error))?;
        let user = user::resolve(&rootfs, Some(wanted))?.within(ids)?;
        process.insert("user".to_owned(), json!({"uid": user.uid, "gid": user.gid, "additionalGids": user.groups}));
        set_variable(&mut env, &format!("HOME={}", user.home));
    }
    if spec.tty && !env.iter().any(|entry| entry.starts_with("TERM=")) {
        env.push("TERM=xterm".to_owned());
    }
    for variable in &spec.env {
        set_variable(&mut env, &variable.to_string());
    }
    if let Some(workdir) = &spec.workdir {
        process.insert("cwd".to_owned(), json!(workdir));
    }
    process.insert("env".to_owned(), json!(env));
    process.insert("args".to_owned(), json!(spec.command));
    process.insert("terminal".to_owned(), json!(spec.tty));
    Ok(Value::Object(process))
}

fn set_variable(env: &mut Vec<String>, entry: &str) {
    let key = entry.split('=').next().unwrap_or(entry);
    env.retain(|known| known.split('=').next() != Some(key));
    env.push(entry.to_owned());
}

/// Becomes root of the container's user namespace, with mounts and control groups to look at from there.
fn join_user_namespace(init: &OwnedFd) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("entering the container's user namespace", error);
    move_into_thread_name_spaces(init.as_fd(), ThreadNameSpaceType::USER).map_err(|error| failed(error.into()))?;
    leave_mounts().map_err(failed)?;
    own_cgroups().map_err(failed)
}

/// Moves bytes until the process has ended. What the asker says on the status line reaches the process even
/// when it does not read its input; an asker that goes away leaves the process to itself, as with Docker.
fn serve(pump: &mut Pump, process: &OwnedFd, diverted: &OwnedFd, starter: StatusLine) -> ProcessExit {
    let mut starter = Some(starter);
    loop {
        let (said, tokens, events) = wait(pump, process, diverted, starter.as_ref());
        if said {
            let controls = starter.as_mut().and_then(StatusLine::take_controls);
            if controls.is_none() {
                starter = None;
            }
            for (kind, payload) in controls.unwrap_or_default() {
                control(pump, process, kind, &payload);
            }
        }
        for (token, events) in tokens.into_iter().zip(events) {
            if !events.is_empty() {
                pump.ready(token, events);
            }
        }
        if signals::take_diverted(diverted) == Some(Signal::TERM) {
            // It may have ended by itself.
            let _ = signals::send(process.as_fd(), Signal::TERM);
        }
        for wish in pump.end_turn() {
            match wish {
                Wish::Signal(signal) => {
                    let _ = signals::send(process.as_fd(), signal); // As above.
                }
                Wish::Request(..) => {} // Nobody but the asker is connected, and it is attached.
            }
        }
        match waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Ok(Some(status)) => {
                let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
                return code.map_or(ProcessExit::Unknown, ProcessExit::Code);
            }
            Err(_) => return ProcessExit::Unknown, // Not our child: nobody can say how it ended.
        }
    }
}

fn control(pump: &Pump, process: &OwnedFd, kind: Kind, payload: &[u8]) {
    match kind {
        Kind::Signal => {
            if let Ok(signal) = parse::<Signal>(payload) {
                // It may have ended by itself.
                let _ = signals::send(process.as_fd(), signal);
            }
        }
        Kind::Resize => pump.resize(parse::<TerminalSize>(payload).ok()), // Odd size: none.
        Kind::Request
        | Kind::Reply
        | Kind::Stdin
        | Kind::Eof
        | Kind::Stdout
        | Kind::Stderr
        | Kind::Missed
        | Kind::Exit
        | Kind::Status => {} // Nothing an asker says here.
    }
}

/// Whether the starter said something, and what else is ready.
fn wait(
    pump: &Pump,
    process: &OwnedFd,
    diverted: &OwnedFd,
    starter: Option<&StatusLine>,
) -> (bool, Vec<Token>, Vec<PollFlags>) {
    let interests = pump.interests();
    let mut fds = vec![PollFd::new(process, PollFlags::IN), PollFd::new(diverted, PollFlags::IN)];
    fds.extend(starter.map(|starter| PollFd::from_borrowed_fd(starter.as_fd(), PollFlags::IN)));
    let ours = fds.len();
    fds.extend(interests.iter().map(|(_, fd, events)| PollFd::from_borrowed_fd(*fd, *events)));
    if poll(&mut fds, None).is_err() {
        // Interrupted, or out of kernel memory: the next turn may fare better, and there is no event for either.
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let said = starter.is_some() && fds.get(2).is_some_and(|starter| !starter.revents().is_empty());
    let events = fds.iter().skip(ours).map(PollFd::revents).collect();
    (said, interests.into_iter().map(|(token, ..)| token).collect(), events)
}

/// A directory that the runtime takes for the container's, so that what it leaves there goes with it.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn create(dir: &RunDir) -> Result<Self> {
        let failed = |error| Error::io("preparing the runtime", error);
        make_dir(&dir.exec(), 0o700).map_err(failed)?;
        let path = dir.exec().join(std::process::id().to_string());
        // What a helper of this number left that was killed.
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        make_dir(&path, 0o700).map_err(failed)?;
        Ok(Self { path })
    }

    /// Writes what the runtime would have left of the container. Returns where the process is described.
    fn fill(&self, id: &str, init_pid: u32, spec: &Value, process: &Value) -> Result<PathBuf> {
        let failed = |error| Error::io("writing what to run", error);
        let inner = self.path.join(id);
        make_dir(&inner, 0o700).map_err(failed)?;
        let init = i32::try_from(init_pid).ok(); // Every process number is one.
        State::new(id, ContainerStatus::Running, init, self.path.clone())
            .save(&inner)
            .map_err(|error| runtime_failure("preparing the runtime", &error))?;
        put_decoy(&self.path).map_err(failed)?;
        let write = |name: &str, value: &Value| {
            let path = self.path.join(name);
            fs::write(&path, serde_json::to_vec(value).unwrap_or_default()).map(|()| path)
        };
        write("config.json", spec).map_err(failed)?;
        write("process.json", process).map_err(failed)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What resists goes with the run directory.
        let _ = fs::remove_dir_all(&self.path);
    }
}
