//! What does a monitor do while its container runs? Wait for anything, answer, never block.
//!
//! Deliberately elsewhere: bytes (`pump`), the escalation as a value (`stopping`), the end (`finish`).

use std::{
    os::fd::{AsFd, OwnedFd},
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{WaitId, WaitIdOptions, waitid},
};

use super::{MonitorHooks, launch::Running, stopping::Stopping};
use crate::engine::{
    backend::embedded::{
        launch::{LaunchPlan, RunChange},
        linux::{
            cgroup::Frozen,
            client::{ClientId, Opener, Purpose},
            protocol::{Reply, Request},
            pump::{Pump, Token, Wish},
            signals,
            status_line::timespec,
        },
        stop_at,
    },
    domain::{Error, ErrorKind, Result, Signal, Timestamp},
};

/// How the container's init ended, as waitid(2) said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// 0 to 255; 128+n for signal n; `None` when the kernel did not tell.
    pub(super) code: Option<i32>,
}

/// What a poll entry of ours stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waker {
    Init,
    Listener,
    Termination,
    Pump(Token),
}

/// Tells the store what happens, once it is in the state file.
struct Teller<'a> {
    plan: &'a LaunchPlan,
    hooks: MonitorHooks,
}

impl Teller<'_> {
    fn tell(&self, change: &RunChange) {
        (self.hooks.changed)(self.plan, change);
    }
}

/// Serves until the container's init has ended and is reaped.
pub(super) fn serve(
    plan: &LaunchPlan,
    running: &mut Running,
    pump: &mut Pump,
    diverted: &OwnedFd,
    hooks: MonitorHooks,
) -> Ended {
    let teller = Teller { plan, hooks };
    let mut stopping = Stopping::default();
    loop {
        let woken = wait(running, pump, diverted, &stopping);
        for (waker, events) in woken {
            match waker {
                Waker::Init => {
                    if let Some(ended) = reap(running) {
                        return ended;
                    }
                }
                Waker::Listener => {
                    while let Some(socket) = running.socket.accept() {
                        pump.add_client(socket, Opener::Anyone, None);
                    }
                }
                Waker::Termination => {
                    // The machine or the session goes down: end the container as its owner would.
                    if signals::take_diverted(diverted) == Some(Signal::TERM) {
                        begin_stop(&teller, running, &mut stopping, plan.stop_signal, plan.stop_grace.duration());
                    }
                }
                Waker::Pump(token) => pump.ready(token, events),
            }
        }
        if let Some(signal) = stopping.due(Instant::now()) {
            send(&teller, running, signal);
        }
        for wish in pump.end_turn() {
            match wish {
                Wish::Request(client, request) => answer(&teller, running, pump, &mut stopping, client, request),
                Wish::Signal(signal) => send(&teller, running, signal),
            }
        }
    }
}

fn wait(running: &Running, pump: &Pump, diverted: &OwnedFd, stopping: &Stopping) -> Vec<(Waker, PollFlags)> {
    let now = Instant::now();
    let mut wakers = vec![Waker::Init, Waker::Termination];
    let mut fds = vec![PollFd::new(&running.init, PollFlags::IN), PollFd::new(diverted, PollFlags::IN)];
    let deaf = running.socket.wait(now);
    if deaf.is_none() {
        wakers.push(Waker::Listener);
        fds.push(PollFd::new(&running.socket, PollFlags::IN));
    }
    for (token, fd, events) in pump.interests() {
        wakers.push(Waker::Pump(token));
        fds.push(PollFd::from_borrowed_fd(fd, events));
    }
    let limit = [stopping.wait(now), pump.wait(now), deaf].into_iter().flatten().min().map(timespec);
    match poll(&mut fds, limit.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        // Out of kernel memory is all that is left, and no event tells when there is some again.
        Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
    }
    let mut woken: Vec<_> =
        wakers.into_iter().zip(fds.iter().map(PollFd::revents)).filter(|(_, events)| !events.is_empty()).collect();
    // The end of the process comes last in a turn, so that requests that came before it are heard.
    woken.sort_by_key(|(waker, _)| *waker == Waker::Init);
    woken
}

fn reap(running: &Running) -> Option<Ended> {
    match waitid(WaitId::PidFd(running.init.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        Ok(Some(status)) => {
            let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
            Some(Ended { code })
        }
        Ok(None) | Err(Errno::INTR) => None,
        Err(_) => Some(Ended { code: None }), // Not our child: nobody can say how it ended.
    }
}

fn answer(
    teller: &Teller<'_>,
    running: &mut Running,
    pump: &mut Pump,
    stopping: &mut Stopping,
    client: ClientId,
    request: Request,
) {
    match request {
        Request::Attach(_) | Request::Wait if pump.is_full() => {
            let error =
                Error::new(ErrorKind::Busy, "too many clients are attached to the container or wait for its end");
            finish_request(pump, client, Err(error.remedy("end some of them")));
        }
        Request::Attach(options) => pump.attach(client, &options),
        Request::Wait => pump.reply(client, &Reply::done(), Purpose::Waiting),
        Request::Stop { signal, grace } => {
            begin_stop(teller, running, stopping, signal, grace.duration());
            pump.reply(client, &Reply::done(), Purpose::Waiting);
        }
        Request::Kill { signal } => {
            send(teller, running, signal);
            let then = if signal == Signal::KILL { Purpose::Waiting } else { Purpose::Answered };
            pump.reply(client, &Reply::done(), then);
        }
        Request::Resize(size) => {
            pump.resize(Some(size));
            pump.reply(client, &Reply::done(), Purpose::Answered);
        }
        Request::Pause => finish_request(pump, client, freeze(teller, running, Frozen::Yes)),
        Request::Unpause => finish_request(pump, client, freeze(teller, running, Frozen::No)),
    }
}

fn finish_request(pump: &mut Pump, client: ClientId, result: Result<()>) {
    let reply = match result {
        Ok(()) => Reply::done(),
        Err(error) => Reply::failed(&error),
    };
    pump.reply(client, &reply, Purpose::Answered);
}

fn begin_stop(
    teller: &Teller<'_>,
    running: &mut Running,
    stopping: &mut Stopping,
    signal: Signal,
    grace: std::time::Duration,
) {
    let now = Instant::now();
    stop_at::step("begin to stop", &teller.plan.run_dir);
    let signal = stopping.ask(signal, grace, now);
    signal_init(running, signal);
    if running.state.paused {
        // A frozen process hears nothing.
        thaw(running);
    }
    running.state.stopping_until = stopping.wait(now).map(|left| Timestamp::now().plus(left));
    publish(running);
    teller.tell(&RunChange::Stopping { signal });
}

fn send(teller: &Teller<'_>, running: &mut Running, signal: Signal) {
    stop_at::step("signal", &teller.plan.run_dir);
    signal_init(running, signal);
    stop_at::step("signalled", &teller.plan.run_dir);
    teller.tell(&RunChange::Signalled { signal });
}

/// Signals the container's init; KILL also reaches a frozen one.
fn signal_init(running: &mut Running, signal: Signal) {
    // It may have ended by itself; the next turn sees that.
    let _ = signals::send(running.init.as_fd(), signal);
    if signal == Signal::KILL && running.state.paused {
        thaw(running);
        publish(running);
    }
}

fn thaw(running: &mut Running) {
    // Nobody to answer here; a group that cannot be thawed stays paused in the state, visibly.
    if running.cgroup.set_frozen(Frozen::No).is_ok() {
        running.state.paused = false;
    }
}

fn freeze(teller: &Teller<'_>, running: &mut Running, frozen: Frozen) -> Result<()> {
    if !running.cgroup.can_freeze() {
        return Err(Error::new(ErrorKind::Unsupported, "this container has no control group that can be frozen")
            .remedy("run it as root, or on a host whose control groups are delegated to you"));
    }
    stop_at::step("freeze or thaw", &teller.plan.run_dir);
    if let Err(error) = running.cgroup.set_frozen(frozen) {
        if frozen == Frozen::Yes {
            thaw(running);
        }
        return Err(Error::io("freezing or thawing the container", error));
    }
    running.state.paused = frozen == Frozen::Yes;
    publish(running);
    teller.tell(if running.state.paused { &RunChange::Paused } else { &RunChange::Unpaused });
    Ok(())
}

fn publish(running: &Running) {
    // A full run directory loses this detail, not the container; the state is also told on request.
    let _ = running.run_dir.write_state(&running.state);
}
