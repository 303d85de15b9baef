//! What is durably known about one container? Its `config.json`, written only under the container's lock.
//!
//! The intent in it is the journal: written before a change's first step, so that whoever comes after a
//! kill can finish or undo. Deliberately elsewhere: what the monitor writes (`launch`), merging both
//! (`observe`).

use std::{collections::BTreeMap, io, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::RECORD;
use crate::engine::{
    backend::embedded::{disk::Disk, launch::FORMAT},
    domain::{
        ContainerId, ContainerName, ContainerSpec, Digest, Error, ErrorKind, Generation, Intent, Mount, Platform,
        Result, Signal, Span, Timestamp, Verb, VolumeName,
    },
};

/// Everything about a container that outlives its processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Later formats are refused, not guessed at.
    pub format: u32,
    pub id: ContainerId,
    pub name: ContainerName,
    /// Grows with every write of this file.
    pub revision: Generation,
    /// The last run asked for; 0 before the first. A start is over when the monitor's files carry it.
    pub run: Generation,
    pub created: Timestamp,
    /// The operation that made it, unique in this store: a lost reply is resolved by looking for it.
    pub operation: String,
    pub image: ImageFacts,
    pub resolved: Resolved,
    pub mounts: Vec<RecordedMount>,
    /// As asked for; what `resolved` says is not repeated here.
    pub spec: ContainerSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<RecordedIntent>,
    /// Why the last start did not come to a running process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_failure: Option<StartFailure>,
}

/// The image at the time of creation; tags may have moved since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageFacts {
    pub id: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Directories of the layers, topmost first; relative ones lie below the data directory.
    pub layers: Vec<PathBuf>,
}

/// The process and its surroundings, with the image's configuration merged in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    /// `KEY=VALUE`.
    pub env: Vec<String>,
    pub workdir: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub hostname: String,
    pub labels: BTreeMap<String, String>,
    pub stop_signal: Option<Signal>,
    pub stop_grace: Option<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed_ports: Vec<String>,
}

impl Resolved {
    /// Entrypoint and command as one argument vector.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        self.entrypoint.iter().chain(&self.command).cloned().collect()
    }
}

/// A mount and, for volumes, which directory it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedMount {
    pub mount: Mount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeName>,
    /// The volume was made for this container alone and goes with `rm -v` and auto-remove.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
}

/// A change in flight: who makes it, until when, and which one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedIntent {
    pub pid: u32,
    pub since: Timestamp,
    pub deadline: Timestamp,
    pub change: Change,
}

/// What an interrupted change was about to do: enough to finish or undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Over when the monitor's files carry the record's `run`.
    Start,
    /// Stopped to be started again: whoever holds the restart lock keeps it from being removed meanwhile.
    Restart,
    /// The record has the new name already; `from` is to be freed.
    Rename { from: ContainerName },
    /// Finished by whoever comes next.
    Remove { volumes: bool },
}

impl Change {
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Start => Verb::Start,
            Self::Restart => Verb::Restart,
            Self::Rename { .. } => Verb::Rename,
            Self::Remove { .. } => Verb::Remove,
        }
    }
}

impl RecordedIntent {
    /// As the rest of the program knows it.
    #[must_use]
    pub fn visible(&self) -> Intent {
        Intent { verb: self.change.verb(), pid: self.pid, since: self.since, deadline: Some(self.deadline) }
    }
}

/// A start that came to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartFailure {
    pub at: Timestamp,
    /// Docker's codes: 127 not found, 126 not executable, 128 anything else.
    pub code: i32,
    /// Untrusted text.
    pub reason: String,
}

impl Record {
    /// The stop signal: asked for, else the image's, else TERM.
    #[must_use]
    pub fn stop_signal(&self) -> Signal {
        self.resolved.stop_signal.unwrap_or(Signal::TERM)
    }

    #[must_use]
    pub fn stop_grace(&self) -> Span {
        self.resolved.stop_grace.unwrap_or(Span(crate::engine::core::limits::STOP_GRACE))
    }

    #[must_use]
    pub fn is_removing(&self) -> bool {
        matches!(&self.intent, Some(RecordedIntent { change: Change::Remove { .. }, .. }))
    }
}

/// What reading a record can come to.
#[derive(Debug)]
pub enum Read {
    Record(Box<Record>),
    /// There is no such container.
    Gone,
    /// The directory is there and its record is not, or says nothing to us: shown, and removable.
    Damaged(Damage),
}

/// Why a record says nothing to us.
#[derive(Clone, Debug)]
pub enum Damage {
    /// It is missing or makes no sense, and always will.
    Lost(String),
    /// It is there for somebody else, or later: the disk refuses it now, or a later Wharf wrote it.
    Unreadable(Error),
}

impl Damage {
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Lost(reason) => reason,
            Self::Unreadable(error) => error.reason(),
        }
    }

    /// Why a verb that needs the record does nothing, and what can be done.
    #[must_use]
    pub fn error(&self, id: &ContainerId) -> Error {
        let id = id.short();
        match self {
            Self::Lost(reason) => {
                Error::new(ErrorKind::Corrupt, reason.clone()).remedy(format!("remove it with wharf rm {id}"))
            }
            Self::Unreadable(error) => {
                let later = error.kind() == ErrorKind::Unsupported;
                let first = if later { "use that Wharf" } else { "look at the disk it is on and try again" };
                error.clone().remedy(format!("{first}; wharf rm --force {id} removes it as it is"))
            }
        }
    }
}

/// Reads the record in `dir`. Never fails: what cannot be read is a status, not an error.
pub fn read(disk: &dyn Disk, dir: &Path) -> Read {
    let bytes = match disk.read(&dir.join(RECORD)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !disk.exists(dir) => return Read::Gone,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Read::Damaged(Damage::Lost(format!("its record cannot be read: {error}")));
        }
        Err(error) => return Read::Damaged(Damage::Unreadable(Error::io("its record cannot be read", error))),
    };
    match serde_json::from_slice::<Record>(&bytes) {
        Ok(record) if record.format == FORMAT => Read::Record(Box::new(record)),
        Ok(record) => Read::Damaged(of_another_format(record.format)),
        Err(error) => Read::Damaged(match serde_json::from_slice::<Written>(&bytes) {
            Ok(Written { format }) if format > FORMAT => of_another_format(format),
            Ok(_) | Err(_) => Damage::Lost(format!("its record is damaged: {error}")),
        }),
    }
}

fn of_another_format(format: u32) -> Damage {
    if format < FORMAT {
        return Damage::Lost(format!("its record is damaged: there is no format {format}"));
    }
    let reason = format!("its record has format {format}, written by a later Wharf");
    Damage::Unreadable(Error::new(ErrorKind::Unsupported, reason))
}

/// What every format begins with, ours and later ones.
#[derive(Deserialize)]
struct Written {
    format: u32,
}

/// How durably a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before the first step of a change that a power cut must not undo.
    Synced,
    /// For containers that are removed when they end: a power cut ends them. It may also tear what is not synced, so
    /// nothing that is to last is ever replaced like this.
    Unsynced,
}

/// Replaces the record in `dir`, one revision on. The caller holds the container's lock.
///
/// # Errors
/// `NoSpace`, `Denied` or `Io`; the old record stays then.
pub fn write(disk: &dyn Disk, dir: &Path, record: &mut Record, durability: Durability) -> Result<()> {
    let mut next = record.clone();
    next.revision = record.revision.next();
    let bytes = to_bytes(&next)?;
    let path = dir.join(RECORD);
    let written = match durability {
        Durability::Synced => disk.write_durable(&path, &bytes),
        Durability::Unsynced => disk.write_atomic(&path, &bytes),
    };
    written.map_err(|error| Error::io("its record cannot be written", error))?;
    *record = next;
    Ok(())
}

/// # Errors
/// `Internal` for a value that JSON cannot hold (a path that is not UTF-8).
pub fn to_bytes(record: &Record) -> Result<Vec<u8>> {
    serde_json::to_vec(record)
        .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("it cannot be written down: {error}")))
}
