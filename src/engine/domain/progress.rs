//! How far is a running operation?
//!
//! Deliberately elsewhere: drawing bars (`ui`, `cli`).

use serde::Serialize;

use super::Timestamp;

/// A snapshot of a running operation's advance; a newer one replaces it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// What happens now, as a clause: `sent SIGTERM`, `resolving`, `waiting for layer 3`.
    pub step: String,
    /// When the step gives up or escalates, and to what (`kill`).
    pub until: Option<(Timestamp, String)>,
    /// The deadline has passed: what it still waits for, named by the watchdog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<String>,
    /// One entry per blob of a transfer, in the manifest's order.
    pub transfers: Vec<Transfer>,
}

impl Progress {
    /// Bytes done and bytes known, over all transfers.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        self.transfers
            .iter()
            .fold((0, 0), |(done, total), transfer| (done + transfer.done, total + transfer.total.max(transfer.done)))
    }
}

/// The advance of one blob.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transfer {
    /// What a person calls it: a short digest or `config`.
    pub name: String,
    pub phase: TransferPhase,
    /// Compressed bytes.
    pub done: u64,
    pub total: u64,
    /// Files unpacked so far.
    pub files: u64,
}

/// Where one blob is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferPhase {
    Waiting,
    /// Another operation or process is already fetching it.
    Joined,
    Fetching,
    Unpacking,
    Uploading,
    /// It was already there.
    Exists,
    /// The registry linked it from another repository.
    Mounted,
    Done,
    Failed,
}

impl TransferPhase {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Joined => "joined",
            Self::Fetching => "fetch",
            Self::Unpacking => "unpack",
            Self::Uploading => "upload",
            Self::Exists => "exists",
            Self::Mounted => "mounted",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}
