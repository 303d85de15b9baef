//! Which images are on this machine, and how do they come and go? The content store of the embedded engine.
//!
//! Deliberately elsewhere: talking to registries (`registry`), writing a layer's files (`linux::unpack`), containers'
//! own file systems (`containers`). Everything here is synchronous and portable.

mod blobs;
pub mod config;
mod fetch_layer;
mod layers;
mod layout;
mod leases;
mod pull;
mod receive;
pub mod records;
pub mod registry_source;
pub mod source;
mod store;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod transfers;
mod unpack_stream;
pub mod unpacker;
pub use self::{pull::Pulled, store::ImageStore};
