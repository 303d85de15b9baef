//! What does a monitor do from its first instruction to its last? One process that owns one container's run.
//!
//! Single-threaded from beginning to end, because libcontainer clones it: no logger, no runtime, no pool.
//! It launches (`launch`), serves until the container's init has ended (`serve`) and leaves nothing but
//! the exit record (`finish`). Deliberately elsewhere: starting a monitor (`launcher`), talking to it (`link`).

mod finish;
mod launch;
mod serve;
mod stopping;

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    process::ExitCode,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags, open},
    process::{Pid, set_child_subreaper, setsid, umask},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};

use super::{client::Opener, protocol::Status, pump::Pump, signals, status_line::StatusLine};
use crate::engine::{
    backend::embedded::launch::{ExitFile, LaunchPlan},
    domain::{AttachOptions, Error, ErrorKind, Result},
};

/// How long a starter may take to say "go" before everything is undone.
const GO: Duration = Duration::from_secs(60);

/// What the rest of the engine wants done by a monitor.
#[derive(Clone, Copy, Debug)]
pub struct MonitorHooks {
    /// Called once the run is over: `exit.json` is written (durably, unless the container removes itself),
    /// processes, mounts and control groups are gone. Tells the store, and removes the container if it
    /// is to remove itself. Attached clients learn of the end only after this returned.
    pub ended: fn(&LaunchPlan, &ExitFile),
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
    let (orders, mut starter, first_client) = take_inheritance()?;
    let diverted = signals::divert_termination().map_err(|error| Error::io("diverting signals", error))?;
    let launched = match launch::launch(&orders.plan, &mut starter, diverted.as_fd()) {
        Ok(launched) => launched,
        Err(error) => {
            // The starter may be gone; then nobody wants to know.
            let _ = starter.send(&Status::Failed((&error).into()));
            return Err(error);
        }
    };
    let failed = |error| Error::io("serving the container", error);
    let log = launch::open_log(&orders.plan)?;
    let mut pump = Pump::new(launched.stdio, Some(log)).map_err(failed)?;
    if let (Some(socket), Some(options)) = (first_client, &orders.attach) {
        pump.add_client(socket, Opener::Starter, Some(options));
    }
    // The starter has its answer once the state file is there; it may be gone by now, which changes nothing.
    let _ = starter.send(&Status::Started { state: Some(launched.running.state.clone()) });
    drop(starter);
    let mut running = launched.running;
    let ended = serve::serve(&orders.plan, &mut running, &mut pump, &diverted);
    finish::finish(&orders.plan, running, pump, ended, hooks);
    Ok(())
}

/// Takes what the starter passed and cuts every other tie to it: descriptors (a store's lock may be
/// among them), session, working directory.
fn take_inheritance() -> Result<(Orders, StatusLine, Option<OwnedFd>)> {
    let failed = |error: std::io::Error| Error::io("taking over from the starter", error);
    signals::close_from(3).map_err(failed)?;
    let keep =
        |fd: std::os::fd::BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|error| failed(error.into()));
    let orders = keep(rustix::stdio::stdin())?;
    let status = keep(rustix::stdio::stdout())?;
    let client = keep(rustix::stdio::stderr())?;
    let null =
        open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(|error| failed(error.into()))?;
    dup2_stdin(&null)
        .and_then(|()| dup2_stdout(&null))
        .and_then(|()| dup2_stderr(&null))
        .map_err(|error| failed(error.into()))?;
    // A session leader already (started by hand, in a test): as good.
    let _ = setsid();
    set_child_subreaper(Pid::from_raw(1)).map_err(|error| failed(error.into()))?;
    rustix::process::chdir("/").map_err(|error| failed(error.into()))?;
    umask(Mode::from_raw_mode(0o022));
    let mut text = Vec::new();
    File::from(orders).read_to_end(&mut text).map_err(failed)?;
    let orders: Orders = serde_json::from_slice(&text)
        .map_err(|error| Error::new(ErrorKind::Internal, "the orders do not parse").caused_by(error))?;
    let client = orders.attach.is_some().then_some(client);
    Ok((orders, StatusLine::new(status), client))
}
