//! What passes between the engine and a container's monitor process? The plan in, two files out.
//!
//! Deliberately elsewhere: making a plan (`containers`), carrying it out (`linux::monitor`), the socket
//! protocol (`linux::protocol`). Everything here is versioned: a monitor of the last release stays usable.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::domain::{
    ContainerId, Cpus, Generation, Mount, NetworkMode, Signal, Size, Span, TerminalSize, Timestamp,
};

/// The version this build writes into every file and message.
pub const FORMAT: u32 = 1;

/// Everything a monitor needs; complete, so that the monitor reads nothing else at start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaunchPlan {
    pub format: u32,
    pub id: ContainerId,
    /// The generation of this run; `state.json` and `exit.json` carry it back.
    pub generation: Generation,
    /// `data/containers/<id>`: the monitor writes `exit.json` and `log/` here and nothing else.
    pub container_dir: PathBuf,
    /// `run/c/<id>`: `state.json`, `monitor.lock`, the socket, the runtime's own directory.
    pub run_dir: PathBuf,
    pub rootfs: RootfsPlan,
    pub process: ProcessPlan,
    pub hostname: String,
    pub mounts: Vec<ResolvedMount>,
    pub read_only: bool,
    pub limits: ResourceLimits,
    /// Never `Default`: resolved by the engine.
    pub network: NetworkMode,
    pub stop_signal: Signal,
    pub stop_grace: Span,
    pub auto_remove: bool,
    pub log: LogLimits,
}

/// The overlay: read-only layers, topmost first, under a private upper directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RootfsPlan {
    pub lowers: Vec<PathBuf>,
    pub upper: PathBuf,
    pub work: PathBuf,
}

/// The process to start, with the image's configuration already merged in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessPlan {
    /// Entrypoint and command.
    pub args: Vec<String>,
    /// `KEY=VALUE`, complete but for `HOME`, `HOSTNAME` and `TERM`, which the monitor adds when absent.
    pub env: Vec<String>,
    pub workdir: PathBuf,
    /// `user[:group]`, looked up in the container's own `/etc/passwd` and `/etc/group`.
    pub user: Option<String>,
    pub tty: bool,
    pub terminal: Option<TerminalSize>,
    /// Keep standard input open for attached clients.
    pub interactive: bool,
}

/// A mount whose volume, if any, already has a directory on the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResolvedMount {
    pub mount: Mount,
    /// The directory or file to bind; `None` for tmpfs.
    pub source: Option<PathBuf>,
}

/// Limits as asked for; the monitor reports those it cannot set as warnings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceLimits {
    pub memory: Option<Size>,
    pub cpus: Option<Cpus>,
    pub pids: Option<u32>,
}

/// How much log is kept: `segments` files of `segment_bytes` each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLimits {
    pub segment_bytes: u64,
    pub segments: u32,
}

impl Default for LogLimits {
    /// 10 MiB x 3 per container: bounded by default.
    fn default() -> Self {
        Self { segment_bytes: 10 << 20, segments: 3 }
    }
}

/// `run/c/<id>/state.json`, written by the monitor: who runs. Not synced; the boot id dates it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateFile {
    pub format: u32,
    pub generation: Generation,
    pub boot_id: String,
    /// The PID namespace in which the numbers below mean these processes; absent in files of earlier versions.
    /// Its inode number, pid_namespaces(7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_namespace: Option<u64>,
    pub monitor: ProcessIdentity,
    /// The container's init.
    pub init: ProcessIdentity,
    pub started: Timestamp,
    pub paused: bool,
    /// A stop was asked for: its signal was sent and KILL follows at this time.
    pub stopping_until: Option<Timestamp>,
}

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`, clock ticks since boot. proc(5).
    pub start_time: u64,
}

/// `containers/<id>/exit.json`, written durably by the monitor: how a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExitFile {
    pub format: u32,
    pub generation: Generation,
    pub started: Option<Timestamp>,
    pub finished: Timestamp,
    /// 0 to 255; 128+n for signal n; `None` when nobody saw the end.
    pub code: Option<i32>,
    pub oom_killed: bool,
    /// Why the process never started, in the words of the runtime (untrusted text).
    pub reason: Option<String>,
}

/// A step in the life of one run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunChange {
    Started,
    Paused,
    Unpaused,
    /// The stop signal was sent; KILL follows when the grace is over.
    Stopping {
        signal: Signal,
    },
    /// A signal was sent, including the KILL after a grace.
    Signalled {
        signal: Signal,
    },
    Ended(ExitFile),
    /// It never ran, and what was made for it is gone.
    Undone,
}
