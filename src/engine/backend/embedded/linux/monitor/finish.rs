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

/// Everything after the end of the process, in the order that keeps it repeatable.
pub(super) fn finish(plan: &LaunchPlan, running: Running, mut pump: Pump, ended: Ended, hooks: MonitorHooks) {
    let finished = Timestamp::now();
    stop_at::step("drain output of", &plan.run_dir);
    pump.drain();
    let Running { state, init, cgroup, socket, run_dir, lock } = running;
    drop(init);
    let exit = ExitFile {
        format: FORMAT,
        generation: plan.generation,
        started: Some(state.started),
        finished,
        code: ended.code,
        oom_killed: cgroup.oom_kills() > 0,
        reason: None,
    };
    stop_at::step("remove control groups of", &plan.run_dir);
    let cleared = cgroup.remove(CGROUP_PATIENCE).is_ok();
    drop(socket);
    // Before the state file goes: whoever looks sees "running" or "exited", never nothing.
    record(plan, &exit);
    stop_at::step("clear", &plan.run_dir);
    run_dir.remove_parts();
    stop_at::step("report the end of", &plan.run_dir);
    (hooks.ended)(plan, &exit);
    stop_at::step("unlock", &plan.run_dir);
    if cleared {
        lock.release_with(&run_dir);
    } else {
        // The directory stays: by its name the next sweep finds the control group that is left.
        drop(lock);
    }
    stop_at::step("announce the end of", &plan.run_dir);
    let code = exit.code.map_or(ProcessExit::Unknown, ProcessExit::Code);
    pump.announce_exit(&ExitNote { exit: code, oom_killed: exit.oom_killed });
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
