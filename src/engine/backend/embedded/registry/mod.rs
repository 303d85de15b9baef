//! How do images come from and go to registries? The client side of the OCI distribution specification.
//!
//! [`Registry`] is one operation's connection: it carries the operation's cancel and deadline, its credentials and its
//! patience. Everything here is synchronous and portable. Deliberately elsewhere: the content store (`images`).

mod authenticator;
mod blob_reader;
mod challenge;
mod client;
mod credential_helper;
mod credentials;
mod exchange;
mod failure;
mod fetch;
pub mod nearness;
pub mod pace;
mod proxy;
mod repository;
mod secret;
mod settings;
pub mod transport;
mod transport_ureq;
mod url;

pub use blob_reader::{BlobReader, read_error};
pub use fetch::{FetchedManifest, ManifestName, Registry};
pub use repository::Repository;
pub use settings::RegistrySettings;
pub use url::{Scheme, Url};
