//! What does a monitor do from its first instruction to its last? One process that owns one container's run.
//!
//! Single-threaded from beginning to end, because libcontainer clones it: no logger, no runtime, no pool.
//! It launches (`launch`), serves until the container's init has ended (`serve`) and leaves nothing but
//! the exit record (`finish`). Deliberately elsewhere: starting a monitor (`launcher`), talking to it (`link`).

mod ahead;
mod finish;
mod launch;
mod serve;
mod stopping;

pub(super) use ahead::Ahead;

use std::{process::ExitCode, time::Duration};

use rustix::process::{Pid, set_child_subreaper};

use super::{client::Opener, inheritance, protocol::Status};
use crate::engine::{
    backend::embedded::{
        launch::{ExitFile, LaunchPlan, RunChange},
        stop_at,
    },
    domain::{AttachOptions, Error, Result},
};

/// How long a starter may take to say "go" before everything is undone.
const GO: Duration = Duration::from_secs(60);

/// What the rest of the engine wants done by a monitor.
#[derive(Clone, Copy, Debug)]
pub struct MonitorHooks {
    /// Called when the run has begun and at each change of its state file but the last: tells the store,
    /// quickly, and never fails.
    pub changed: fn(&LaunchPlan, &RunChange),
    /// Called once the run is over and `exit.json` is written (durably, unless the container removes itself); processes
    /// and control groups are gone. Tells the store, and removes the container if it is to remove itself; the mounts and
    /// runtime files of any other are gone by now. As soon as a removed container cannot be found any more, and
    /// before its files are deleted, this calls the last argument, which tells the clients. All others learn of the end
    /// after this returned.
    pub ended: fn(&LaunchPlan, &ExitFile, &mut dyn FnMut()),
}

/// A plan and the wish of the first client, as the starter wrote them.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Orders {
    pub(super) plan: LaunchPlan,
    /// Present when descriptor 2 is a client's socket.
    pub(super) attach: Option<AttachOptions>,
}

/// The `__monitor` role: descriptor 0 holds the orders, 1 is the status line, 2 the first client.
pub fn monitor(hooks: MonitorHooks) -> ExitCode {
    match run(hooks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // The starter knows why; there is nobody else to tell.
    }
}

fn run(hooks: MonitorHooks) -> Result<()> {
    let mut inherited = inheritance::take()?;
    let ahead = Ahead::of_this_process().go();
    let orders: Orders = inherited.orders()?;
    let mut starter = inherited.starter;
    set_child_subreaper(Pid::from_raw(1)).map_err(|error| Error::io("becoming a subreaper", error.into()))?;
    let launched = match launch::launch(&orders.plan, ahead, &mut starter) {
        Ok(launched) => launched,
        Err(error) => {
            // Whoever saw it being started must look again: the starter, which would tell, may be gone.
            (hooks.changed)(&orders.plan, &RunChange::Undone);
            let _ = starter.send(&Status::Failed((&error).into()));
            return Err(error);
        }
    };
    let mut pump = launched.pump;
    if let Some(options) = &orders.attach {
        pump.add_client(inherited.client, Opener::Starter, Some(options));
    }
    (hooks.changed)(&orders.plan, &RunChange::Started);
    stop_at::step("tell started", &orders.plan.run_dir);
    // The starter has its answer once the state file is there; it may be gone by now, which changes nothing.
    let _ = starter.send(&Status::Started { state: Some(launched.running.state.clone()) });
    drop(starter);
    let mut running = launched.running;
    stop_at::step("serve", &orders.plan.run_dir);
    let ended = serve::serve(&orders.plan, &mut running, &mut pump, &inherited.diverted, hooks);
    finish::finish(&orders.plan, running, pump, ended, hooks);
    Ok(())
}
