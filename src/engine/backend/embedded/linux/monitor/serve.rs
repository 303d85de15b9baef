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

use super::{launch::Running, stopping::Stopping};
use crate::engine::{
    backend::embedded::{
        launch::LaunchPlan,
        linux::{
            cgroup::Frozen,
            client::{ClientId, Opener, Purpose},
            protocol::{Reply, Request},
            pump::{Pump, Token, Wish},
            signals,
            status_line::timespec,
        },
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

/// Serves until the container's init has ended and is reaped.
pub(super) fn serve(plan: &LaunchPlan, running: &mut Running, pump: &mut Pump, diverted: &OwnedFd) -> Ended {
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
                        begin_stop(running, &mut stopping, plan.stop_signal, plan.stop_grace.duration());
                    }
                }
                Waker::Pump(token) => pump.ready(token, events),
            }
        }
        if let Some(signal) = stopping.due(Instant::now()) {
            send(running, signal);
        }
        for wish in pump.end_turn() {
            match wish {
                Wish::Request(client, request) => answer(running, pump, &mut stopping, client, request),
                Wish::Signal(signal) => send(running, signal),
            }
        }
    }
}

fn wait(running: &Running, pump: &Pump, diverted: &OwnedFd, stopping: &Stopping) -> Vec<(Waker, PollFlags)> {
    let mut wakers = vec![Waker::Init, Waker::Listener, Waker::Termination];
    let mut fds = vec![
        PollFd::new(&running.init, PollFlags::IN),
        PollFd::new(&running.socket, PollFlags::IN),
        PollFd::new(diverted, PollFlags::IN),
    ];
    for (token, fd, events) in pump.interests() {
        wakers.push(Waker::Pump(token));
        fds.push(PollFd::from_borrowed_fd(fd, events));
    }
    let limit = stopping.wait(Instant::now()).map(timespec);
    match poll(&mut fds, limit.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        // Out of kernel memory is all that is left; the next turn may fare better.
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

fn answer(running: &mut Running, pump: &mut Pump, stopping: &mut Stopping, client: ClientId, request: Request) {
    match request {
        Request::Attach(options) => pump.attach(client, &options),
        Request::Wait => pump.reply(client, &Reply::done(), Purpose::Waiting),
        Request::Stop { signal, grace } => {
            begin_stop(running, stopping, signal, grace.duration());
            pump.reply(client, &Reply::done(), Purpose::Waiting);
        }
        Request::Kill { signal } => {
            send(running, signal);
            let then = if signal == Signal::KILL { Purpose::Waiting } else { Purpose::Answered };
            pump.reply(client, &Reply::done(), then);
        }
        Request::Pause => finish_request(pump, client, freeze(running, Frozen::Yes)),
        Request::Unpause => finish_request(pump, client, freeze(running, Frozen::No)),
    }
}

fn finish_request(pump: &mut Pump, client: ClientId, result: Result<()>) {
    let reply = match result {
        Ok(()) => Reply::done(),
        Err(error) => Reply::failed(&error),
    };
    pump.reply(client, &reply, Purpose::Answered);
}

fn begin_stop(running: &mut Running, stopping: &mut Stopping, signal: Signal, grace: std::time::Duration) {
    let now = Instant::now();
    let signal = stopping.ask(signal, grace, now);
    send(running, signal);
    if running.state.paused {
        // A frozen process hears nothing.
        thaw(running);
    }
    running.state.stopping_until = stopping.wait(now).map(|left| Timestamp::now().plus(left));
    publish(running);
}

/// Signals the container's init; KILL also reaches a frozen one.
fn send(running: &mut Running, signal: Signal) {
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

fn freeze(running: &mut Running, frozen: Frozen) -> Result<()> {
    if !running.cgroup.can_freeze() {
        return Err(Error::new(ErrorKind::Unsupported, "this container has no control group that can be frozen")
            .remedy("run it as root, or on a host whose control groups are delegated to you"));
    }
    if let Err(error) = running.cgroup.set_frozen(frozen) {
        if frozen == Frozen::Yes {
            thaw(running);
        }
        return Err(Error::io("freezing or thawing the container", error));
    }
    running.state.paused = frozen == Frozen::Yes;
    publish(running);
    Ok(())
}

fn publish(running: &Running) {
    // A full run directory loses this detail, not the container; the state is also told on request.
    let _ = running.run_dir.write_state(&running.state);
}
