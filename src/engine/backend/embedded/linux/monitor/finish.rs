//! What does a monitor do when its container has ended? Record it, clean up, tell, and leave nothing.
//!
//! Deliberately elsewhere: removing the container itself (`MonitorHooks::ended`).

use std::{fs, io, time::Duration};

use super::{MonitorHooks, launch::Running, serve::Ended};
use crate::engine::{
    backend::embedded::{
        launch::{ExitFile, FORMAT, LaunchPlan},
        linux::{
            protocol::ExitNote,
            pump::Pump,
            run_dir::{Sync, replace},
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
    stop_at::step("remove control groups of", &plan.run_dir);
    let cleared = cgroup.remove(CGROUP_PATIENCE).is_ok();
    // Before the state file goes: whoever looks sees "running" or "exited", never nothing.
    record(plan, &exit);
    let clear = || {
        stop_at::step("clear", &plan.run_dir);
        run_dir.remove_parts();
    };
    if !plan.auto_remove {
        clear();
    }
    let mut told = false;
    stop_at::step("report the end of", &plan.run_dir);
    (hooks.ended)(plan, &exit, &mut || {
        stop_at::step("announce the removal of", &plan.run_dir);
        pump.announce_exit(&note);
        told = true;
    });
    if plan.auto_remove {
        clear();
    }
    stop_at::step("unlock", &plan.run_dir);
    if cleared {
        lock.release_with(&run_dir);
    } else {
        // The directory stays: by its name the next sweep finds the control group that is left.
        drop(lock);
    }
    stop_at::step("announce the end of", &plan.run_dir);
    if !told {
        pump.announce_exit(&note);
    }
    pump.deliver();
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
