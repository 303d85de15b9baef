//! What are the nouns of the engine? Plain values: no clock, no I/O, no tasks.
//!
//! Deliberately elsewhere: decisions about them (`core`), and how hosts provide them (`backend`).

mod digest;
mod id;
mod parse;
mod platform;
mod reference;
mod signal;
mod size;

pub use digest::{Digest, DigestAlgorithm, Digester};
pub use id::{ContainerId, Generation, OperationId, PrefixMatch, match_prefix};
pub use parse::ParseError;
pub use platform::Platform;
pub use reference::{ImageReference, Tag};
pub use signal::Signal;
pub use size::{Cpus, Size};
