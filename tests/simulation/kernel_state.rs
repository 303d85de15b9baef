//! What does the simulated kernel know? The processes of containers, their monitors, and who listens where.
//! Deliberately elsewhere: what it is asked (`kernel`), what monitors do (`monitor`).

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    time::Duration,
};

use wharf::engine::{
    backend::embedded::launch::StateFile,
    domain::{ErrorKind, Signal},
};

use super::scheduler::ProcessId;

/// The kernel's own memory; a power cut clears it.
#[derive(Default)]
pub struct KernelState {
    pub inits: Vec<Init>,
    pub monitors: BTreeMap<ProcessId, MonitorState>,
    /// Which monitor listens in a run directory.
    pub sockets: BTreeMap<PathBuf, ProcessId>,
    ticks: u64,
}

/// A container's process.
#[derive(Clone, Debug)]
pub struct Init {
    pub pid: u32,
    pub start_time: u64,
    pub run_dir: PathBuf,
    pub started: bool,
    /// When it is gone; far away for one that stays.
    pub death: u64,
    pub code: i32,
    /// It does not mind the stop signal.
    pub deaf: bool,
    /// How long KILL takes.
    pub stuck: u64,
}

/// The kernel's and the starter's view of a monitor.
#[derive(Default)]
pub struct MonitorState {
    pub starter: ProcessId,
    /// The starter holds its end of the status line.
    pub starter_listens: bool,
    pub to_starter: VecDeque<Status>,
    pub go: bool,
    pub requests: VecDeque<(u64, Request)>,
    pub replies: BTreeMap<u64, Option<ErrorKind>>,
    pub next_request: u64,
    /// Its clients were told of the end of the run.
    pub run_ended: bool,
    /// It returned by itself, not killed.
    pub returned: bool,
}

#[derive(Clone, Debug)]
pub enum Status {
    Created,
    Started(Box<StateFile>),
    Failed(ErrorKind),
}

#[derive(Clone, Copy, Debug)]
pub enum Request {
    Stop { signal: Signal, grace: Duration },
    Kill { signal: Signal },
    Pause,
    Unpause,
    Wait,
}

impl KernelState {
    pub fn has_pid(&self, pid: u32, now: u64) -> bool {
        self.inits.iter().any(|init| init.pid == pid && init.death > now)
    }

    /// When something happens by itself.
    pub fn changes(&self) -> impl Iterator<Item = u64> {
        self.inits.iter().map(|init| init.death)
    }

    pub fn next_tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    pub fn init(&mut self, start_time: u64) -> Option<&mut Init> {
        self.inits.iter_mut().find(|init| init.start_time == start_time)
    }

    pub fn is_init_alive(&self, start_time: u64, now: u64) -> bool {
        self.inits.iter().any(|init| init.start_time == start_time && init.death > now)
    }

    /// Sends a signal to a process that may have ended.
    pub fn signal(&mut self, start_time: u64, signal: Signal, now: u64) {
        let Some(init) = self.init(start_time).filter(|init| init.death > now) else { return };
        if signal == Signal::KILL {
            (init.death, init.code) = (init.death.min(now + init.stuck), 137);
        } else if !init.deaf && init.started {
            (init.death, init.code) = (init.death.min(now + 1_000_000), 143);
        }
    }
}
