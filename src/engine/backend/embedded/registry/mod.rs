//! How do images come from and go to registries? The client side of the OCI distribution specification.
//!
//! [`Registry`] is one operation's connection: it carries the operation's cancel and deadline, its credentials and its
//! patience. Everything here is synchronous and portable. Deliberately elsewhere: the content store (`images`).

mod authenticator;
mod blob_reader;
mod challenge;
mod client;
mod create_index;
mod credential_helper;
mod credentials;
mod exchange;
mod failure;
mod fetch;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub mod nearness;
pub mod pace;
mod proxy;
mod push;
mod repository;
mod secret;
mod settings;
mod side_by_side;
pub mod transport;
mod transport_ureq;
mod upload;
mod url;

pub use blob_reader::{BlobReader, read_error};
pub use create_index::{CreatedIndex, create_index};
pub use credentials::login;
pub use fetch::{FetchedManifest, ManifestName, Registry};
pub use push::{BlobOrigin, PlannedManifest, PushPlan, TargetResult, outcome, push};
pub use repository::Repository;
pub use settings::RegistrySettings;
pub use url::{Scheme, Url};
