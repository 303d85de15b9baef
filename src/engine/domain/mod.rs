//! What are the nouns of the engine? Plain values: no clock, no I/O, no tasks.
//!
//! Deliberately elsewhere: decisions about them (`core`), and how hosts provide them (`backend`).

mod digest;
mod id;
mod mount;
mod name;
mod parse;
mod platform;
mod port;
mod reference;
mod signal;
mod size;
mod span;

pub use digest::{Digest, DigestAlgorithm, Digester};
pub use id::{ContainerId, Generation, OperationId, PrefixMatch, match_prefix};
pub use mount::{Mount, MountKind, ReadOnly};
pub use name::{ContainerName, EnvEntry, EnvVar, Label, VolumeName, parse_env_file};
pub use parse::ParseError;
pub use platform::Platform;
pub use port::{Protocol, PublishedPort, parse_publish};
pub use reference::{ImageReference, Tag};
pub use signal::Signal;
pub use size::{Cpus, Size};
pub use span::{Span, Timestamp};
