//! What if a container's monitor is there and does not answer? Its process is signalled and waited for all the same.
//!
//! A monitor that winds up does not answer either, and its work is waited for. Deliberately elsewhere: the usual way
//! (`link`), a container whose monitor is gone (`unattended`).

use std::{
    os::fd::AsFd as _,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    process,
    run_dir::RunDir,
    signals,
    unattended::{self, timed_out},
};
use crate::engine::{
    backend::embedded::launch::ProcessIdentity,
    domain::{ErrorKind, Result, Signal},
};

/// A monitor that is alive answers within milliseconds; one that does not in this time stands still.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// How often somebody who waits for a monitor to finish looks, at first: flock(2) tells nobody with a deadline that a
/// lock is free, and who holds it is known only once the monitor's state is written.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// The same, of one that takes its time.
const LOOK_SELDOM: Duration = Duration::from_millis(100);

/// What a monitor that did not answer in time was to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unheard {
    Kill(Signal),
    Stop(Signal, Duration),
}

/// Does what a monitor that stands still was asked for. If that ends the container, ends the monitor too, unless it
/// was only slow and records the end.
pub(super) fn act(run_dir: &Path, unheard: Unheard, until: Instant) -> Result<()> {
    let monitor = RunDir::new(run_dir).read_state().map(|state| state.monitor);
    match unheard {
        Unheard::Kill(signal) => {
            let init = unattended::signal(run_dir, signal)?;
            if signal != Signal::KILL {
                return Ok(());
            }
            if !unattended::wait_gone(&init, until)? {
                return Err(timed_out());
            }
        }
        Unheard::Stop(signal, grace) => unattended::stop(run_dir, signal, grace, until)?,
    }
    end_monitor(run_dir, monitor, until);
    Ok(())
}

/// The same of a monitor that does not listen, because it winds up, begins, or has other clients than it can hear.
/// `there`: whether there was one; then a process that has ended is what was asked for.
pub(super) fn act_unheard(run_dir: &Path, unheard: Unheard, there: Monitored, until: Instant) -> Result<()> {
    let acted = match unheard {
        Unheard::Kill(signal) => match unattended::signal(run_dir, signal) {
            Ok(_) if signal != Signal::KILL => return Ok(()),
            Ok(init) if !unattended::wait_gone(&init, until)? => return Err(timed_out()),
            signalled => signalled.map(drop),
        },
        Unheard::Stop(signal, grace) => unattended::stop(run_dir, signal, grace, until),
    };
    match acted {
        Err(error) if error.kind() == ErrorKind::Refused && there == Monitored::Yes => {}
        acted => acted?,
    }
    if await_monitor_gone(run_dir, until) { Ok(()) } else { Err(timed_out()) }
}

/// Waits until the run is over and recorded, `true`, or the time is up, `false`, with nobody to tell.
pub(super) fn wait(run_dir: &Path, until: Instant) -> Result<bool> {
    let ended = match await_init_gone(run_dir, until) {
        // Out of our reach: then its monitor is all there is to see.
        Err(error) if error.kind() == ErrorKind::Unsupported => true,
        ended => ended?,
    };
    if !ended || !await_monitor_gone(run_dir, until) {
        return Ok(false);
    }
    // A monitor that was killed may have left one that was not to be seen before.
    await_init_gone(run_dir, until)
}

fn await_init_gone(run_dir: &Path, until: Instant) -> Result<bool> {
    match unattended::init_of(run_dir, unattended::read_state(run_dir)?.as_ref())? {
        Some(init) => unattended::wait_gone(&init, until),
        None => Ok(true),
    }
}

/// Whether a monitor was there when it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Monitored {
    Yes,
    No,
}

/// Waits until no monitor holds the run directory.
pub(super) fn await_monitor_gone(run_dir: &Path, until: Instant) -> bool {
    let dir = RunDir::new(run_dir);
    let begun = Instant::now();
    while dir.is_monitored() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep((begun.elapsed() / 8).clamp(LOOK_AGAIN, LOOK_SELDOM));
    }
    true
}

/// It may be slow, not stopped; then it records the end. Standing still, it would keep what it holds. One that cannot be
/// looked at now is met by the next verb.
fn end_monitor(run_dir: &Path, monitor: Option<ProcessIdentity>, until: Instant) {
    if !await_monitor_gone(run_dir, Instant::now() + ANSWER)
        && let Some(monitor) = monitor.and_then(|identity| process::open(&identity).ok().flatten())
    {
        // It may have gone just now.
        let _ = signals::send(monitor.as_fd(), Signal::KILL);
        await_monitor_gone(run_dir, until);
    }
}
