//! What are the nouns of the engine? Plain values: no clock, no I/O, no tasks.
//!
//! Deliberately elsewhere: decisions about them (`core`), and how hosts provide them (`backend`).

mod command;
mod container;
mod container_spec;
mod digest;
mod error;
mod event;
mod history;
mod host;
mod id;
mod image;
mod image_import;
mod inventory;
mod log;
mod mount;
mod name;
mod operation;
mod parse;
mod platform;
mod port;
mod progress;
mod reference;
mod repair;
mod session;
mod settings;
mod signal;
mod size;
mod span;
mod status;
mod support;
mod verb;

pub use command::{
    About, Access, AttachOptions, Command, ContainerSelector, Demo, Description, Flow, Force, PullOptions,
    RemoveOptions, Several, StopOptions, Work,
};
pub use container::{Container, ContainerState, Health, Intent};
pub use container_spec::{ContainerSpec, NetworkMode, PullPolicy};
pub use digest::{Digest, DigestAlgorithm, Digester};
pub use error::{Error, ErrorKind, Result};
pub use event::{EngineEvent, EventAction, EventSubject};
pub use history::HistoryEntry;
pub use host::{HostInfo, HostKind, HostSpec};
pub use id::{ContainerId, Generation, OperationId, PrefixMatch, match_prefix};
pub use image::Image;
pub use image_import::ImageImport;
pub use inventory::{HostLink, Inventory};
pub use log::{LogEntry, LogItem, LogOptions, LogSource};
pub use mount::{InitialContent, Mount, MountKind, ReadOnly};
pub use name::{ContainerName, EnvEntry, EnvVar, Label, VolumeName, parse_env_file};
pub use operation::{Done, Failure, Operation, OperationState, Origin, Outcome, PastOperation};
pub use parse::ParseError;
pub use platform::Platform;
pub use port::{Protocol, PublishedPort, parse_publish};
pub use progress::{Progress, Transfer, TransferPhase};
pub use reference::{ImageReference, Tag};
pub use repair::{Finding, RepairMode};
pub use session::{ExecSpec, ProcessExit, ProcessTable, SessionInput, SessionOutput, TerminalSize};
pub use settings::{EngineSettings, LogRetention};
pub use signal::Signal;
pub use size::{Cpus, Size};
pub use span::{Span, Timestamp};
pub use status::Status;
pub use support::{Feature, Support, SupportItem};
pub use verb::Verb;
