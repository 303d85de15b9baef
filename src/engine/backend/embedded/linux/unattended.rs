//! What can be done for a container whose monitor is gone? Signal it, wait for it, clear up after it.
//!
//! Everything by process identity, never by a bare number. Deliberately elsewhere: the usual way (`link`).

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};

use super::{
    cgroup::{Cgroup, Frozen, Mounts},
    link::time_left,
    process,
    run_dir::RunDir,
    signals,
    status_line::timespec,
};
use crate::engine::{
    backend::embedded::{launch::StateFile, stop_at},
    domain::{Error, ErrorKind, Result, Signal},
};

/// The running init that `state` names, if it is of this boot and alive.
///
/// # Errors
/// When that cannot be found out now: nobody may take it for ended. `Unsupported` when it lives where we cannot reach it.
pub(super) fn init_of(run_dir: &Path, state: Option<&StateFile>) -> Result<Option<OwnedFd>> {
    let Some(state) = state else { return Ok(None) };
    let unknown = |error| Error::io("looking whether the container's process lives", error);
    if process::boot_id().map_err(unknown)? != state.boot_id {
        return Ok(None);
    }
    let elsewhere = |named| process::own_namespace().is_some_and(|own| own != named);
    if state.pid_namespace.is_some_and(elsewhere) {
        return if goes_on_elsewhere(run_dir)? { Err(out_of_reach()) } else { Ok(None) };
    }
    process::open(&state.init).map_err(unknown)
}

/// Numbers of another PID namespace name nobody here. A lock and a control group are the same everywhere; without
/// control groups, whose monitor is gone counts as ended, as it is when its namespace is.
fn goes_on_elsewhere(run_dir: &Path) -> Result<bool> {
    Ok(RunDir::new(run_dir).is_monitored() || cgroup_of(run_dir)?.is_populated())
}

/// The running init of this run directory. Nothing there is `Refused`.
pub(super) fn running_init(run_dir: &Path) -> Result<OwnedFd> {
    init_of(run_dir, read_state(run_dir)?.as_ref())?.ok_or_else(not_running)
}

/// Who runs in the run directory, if anybody.
pub(super) fn read_state(run_dir: &Path) -> Result<Option<StateFile>> {
    RunDir::new(run_dir).try_read_state().map_err(|error| Error::io("reading who runs in it", error))
}

/// The control groups of the container whose run directory this is.
pub(super) fn cgroup_of(run_dir: &Path) -> Result<Cgroup> {
    let mounts = Mounts::read().map_err(|error| Error::io("looking for control groups", error))?;
    let id = run_dir.file_name().unwrap_or_default().to_string_lossy();
    Ok(Cgroup::locate(&mounts, &format!("/wharf-{id}")))
}

/// Sends a signal, thawing what must be thawed for it to matter. Nothing there is `Refused`.
pub(super) fn signal(run_dir: &Path, signal: Signal) -> Result<OwnedFd> {
    let init = running_init(run_dir)?;
    match signals::send(init.as_fd(), signal) {
        Ok(()) => {}
        Err(error) if signals::is_gone(&error) => return Err(not_running()),
        Err(error) => return Err(Error::io("sending the signal", error)),
    }
    let cgroup = cgroup_of(run_dir)?;
    if cgroup.is_frozen() && signal == Signal::KILL {
        cgroup.set_frozen(Frozen::No).map_err(|error| Error::io("thawing the container", error))?;
    }
    Ok(init)
}

/// Waits until the process has ended: `true`; or the time is up: `false`.
pub(super) fn wait_gone(process: &OwnedFd, until: Instant) -> Result<bool> {
    loop {
        let mut fds = [PollFd::new(process, PollFlags::IN)];
        match poll(&mut fds, Some(&timespec(time_left(until)))) {
            Ok(0) if Instant::now() >= until => return Ok(false),
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(Error::io("waiting for the container's process", error.into())),
        }
    }
}

/// Signal, grace, KILL, from here.
pub(super) fn stop(run_dir: &Path, stop_signal: Signal, grace: Duration, until: Instant) -> Result<()> {
    let init = signal(run_dir, if grace.is_zero() { Signal::KILL } else { stop_signal })?;
    let grace_over = Instant::now().checked_add(grace).map_or(until, |at| at.min(until));
    if wait_gone(&init, grace_over)? {
        return Ok(());
    }
    match signal(run_dir, Signal::KILL) {
        // It ended at the last moment.
        Err(error) if error.kind() == ErrorKind::Refused => {}
        outcome => drop(outcome?),
    }
    if wait_gone(&init, until)? { Ok(()) } else { Err(timed_out()) }
}

/// Removes what an unattended run left: its groups, its files, at last its run directory.
pub(super) fn sweep(run_dir: &Path) -> Result<()> {
    if !run_dir.exists() {
        // Perhaps somebody cleared a temporary directory under a running container: its group still has its name.
        return sweep_group(run_dir);
    }
    let dir = RunDir::new(run_dir);
    if init_of(run_dir, read_state(run_dir)?.as_ref())?.is_some() {
        return Err(Error::new(ErrorKind::Refused, "the container runs").remedy("stop or kill it first"));
    }
    let lock = dir.lock()?;
    end_unrecorded(&dir)?;
    sweep_group(run_dir)?;
    stop_at::step("clear", run_dir);
    dir.remove_files();
    stop_at::step("unlock", run_dir);
    lock.release_with(&dir);
    Ok(())
}

/// Ends a process whose monitor was killed between starting it and saying so. Where there are control groups its group
/// would tell as well.
pub(super) fn end_unrecorded(dir: &RunDir) -> Result<()> {
    let unknown = |error| Error::io("looking whether a process was left", error);
    let Some(created) = dir.read_created().map_err(unknown)? else { return Ok(()) };
    if process::boot_id().map_err(unknown)? != created.boot_id {
        return Ok(());
    }
    let Some(process) = process::open(&created.init).map_err(unknown)? else { return Ok(()) };
    // It may have ended meanwhile.
    let _ = signals::send(process.as_fd(), Signal::KILL);
    if wait_gone(&process, Instant::now() + Duration::from_secs(2))? { Ok(()) } else { Err(timed_out()) }
}

/// Ends who is left in the container's group, and removes it. They belong to no run any more: execs of a dead one, a
/// process that was created and never started, or one whose run directory was deleted by somebody.
fn sweep_group(run_dir: &Path) -> Result<()> {
    let cgroup = cgroup_of(run_dir)?;
    stop_at::step("kill stragglers of", run_dir);
    cgroup.kill();
    if cgroup.is_frozen() {
        cgroup.set_frozen(Frozen::No).map_err(|error| Error::io("thawing what is left", error))?;
    }
    stop_at::step("remove control groups of", run_dir);
    cgroup.remove(Duration::from_secs(2)).map_err(|error| Error::io("removing control groups", error))
}

pub(super) fn not_running() -> Error {
    Error::new(ErrorKind::Refused, "the container is not running")
}

fn out_of_reach() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "it runs in another PID namespace, and its processes cannot be reached from here",
    )
    .remedy("run wharf where the container was started, not inside another container or unshare")
}

pub(super) fn timed_out() -> Error {
    Error::new(ErrorKind::TimedOut, "the container's process has not ended yet")
        .remedy("a process that hangs in the kernel cannot be killed before the kernel lets it go")
}
