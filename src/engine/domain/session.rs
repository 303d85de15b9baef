//! What flows between a client and a process in a container?
//!
//! Deliberately elsewhere: the channels that carry it (`backend::Session`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{EnvVar, Signal};

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    pub columns: u16,
    pub rows: u16,
}

/// A command to run beside a container's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecSpec {
    pub command: Vec<String>,
    pub env: Vec<EnvVar>,
    pub workdir: Option<PathBuf>,
    pub user: Option<String>,
    pub tty: bool,
    pub interactive: bool,
    /// Nobody listens; the call returns once it runs.
    pub detach: bool,
    pub terminal: Option<TerminalSize>,
}

/// From the client to the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionInput {
    Stdin(Vec<u8>),
    /// Half-close: the process reads end of file.
    Eof,
    Resize(TerminalSize),
    Signal(Signal),
}

/// From the process to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOutput {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// A viewer fell behind by so many bytes.
    Missed {
        bytes: u64,
    },
    /// The last item: the process ended, everything it printed came before.
    Exit(ProcessExit),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessExit {
    /// 0 to 255; 128+n for signal n.
    Code(i32),
    /// Nobody saw it end.
    Unknown,
}

/// `ps` inside a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessTable {
    pub titles: Vec<String>,
    pub rows: Vec<Vec<String>>,
}
