//! What does a monitor do when its container has ended? Record it, clean up, tell, and leave nothing.
//!
//! Deliberately elsewhere: removing the container itself (`MonitorHooks::ended`).

use std::{fs, io, time::Duration};

use super::{MonitorHooks, launch::Running, serve::Ended};
use crate::engine::{
    backend::embedded::{
        launch::{ExitFile, FORMAT, LaunchPlan},
        linux::{
            cgroup::Cgroup,
            protocol::ExitNote,
            pump::Pump,
            run_dir::{RunDir, Sync, replace},
        },
        stop_at,
    },
    domain::{ProcessExit, Timestamp},
};

/// Processes of a killed pid namespace are gone when its init is; this is for stragglers in its group.
const CGROUP_PATIENCE: Duration = Duration::from_secs(5);

/// Everything after the end of the process, in the order that keeps it repeatable. Clients learn of it when nothing is
/// left, or, where the container removes itself, as soon as nobody can find it any more: they need not wait for
/// the deleting of what it had.
pub(super) fn finish(plan: &LaunchPlan, running: Running, mut pump: Pump, ended: Ended, hooks: MonitorHooks) {
    let finished = Timestamp::now();
    stop_at::step("drain output of", &plan.run_dir);
    pump.drain();
    let Running { state, init, cgroup, socket, run_dir, lock } = running;
    drop((init, socket));
    let exit = ExitFile {
        format: FORMAT,
        generation: plan.generation,
        started: Some(state.started),
        finished,
        code: ended.code,
        oom_killed: cgroup.oom_kills() > 0,
        reason: None,
    };
    let code = exit.code.map_or(ProcessExit::Unknown, ProcessExit::Code);
    let note = ExitNote { exit: code, oom_killed: exit.oom_killed };
    // Before the state file goes: whoever looks sees "running" or "exited", never nothing.
    record(plan, &exit);
    let mut cleared = (!plan.auto_remove).then(|| clear(plan, &cgroup, &run_dir));
    let mut told = false;
    stop_at::step("report the end of", &plan.run_dir);
    (hooks.ended)(plan, &exit, &mut || {
        stop_at::step("announce the removal of", &plan.run_dir);
        pump.announce_exit(&note);
        told = true;
        cleared.get_or_insert_with(|| clear(plan, &cgroup, &run_dir));
    });
    let cleared = cleared.unwrap_or_else(|| clear(plan, &cgroup, &run_dir));
    stop_at::step("unlock", &plan.run_dir);
    match cleared {
        Cleared::Wholly => lock.release_with(&run_dir),
        // The directory stays: by its name the next sweep finds the control group that is left.
        Cleared::ButTheGroup => drop(lock),
    }
    stop_at::step("announce the end of", &plan.run_dir);
    if !told {
        pump.announce_exit(&note);
    }
    pump.deliver();
}

/// What is gone after clearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cleared {
    Wholly,
    ButTheGroup,
}

/// Removes the run's control groups and files.
fn clear(plan: &LaunchPlan, cgroup: &Cgroup, run_dir: &RunDir) -> Cleared {
    stop_at::step("remove control groups of", &plan.run_dir);
    let removed = cgroup.remove(CGROUP_PATIENCE);
    stop_at::step("clear", &plan.run_dir);
    run_dir.remove_parts();
    if removed.is_ok() { Cleared::Wholly } else { Cleared::ButTheGroup }
}

/// Writes `exit.json`: durably, unless nobody will ever read it.
fn record(plan: &LaunchPlan, exit: &ExitFile) {
    let sync = if plan.auto_remove { Sync::No } else { Sync::Yes };
    let text = serde_json::to_vec(exit).unwrap_or_default();
    let path = plan.container_dir.join("exit.json");
    let mut result = replace(&path, &text, sync);
    // A full disk: the log is ours to give up, the exit code is not.
    if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::StorageFull) {
        // Whatever could be freed was freed.
        let _ = fs::remove_dir_all(plan.container_dir.join("log"));
        result = replace(&path, &text, sync);
    }
    // Without a record the container is "exited, code unknown", which is then the truth.
    drop(result);
}
