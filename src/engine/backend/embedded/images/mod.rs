//! Which images are on this machine, and how do they come and go? The content store of the embedded engine.
//!
//! Deliberately elsewhere: talking to registries (`registry`), writing a layer's files (`linux::unpack`), containers'
//! own file systems (`containers`). Everything here is synchronous and portable.

mod blobs;
mod catalog;
mod collect;
pub mod config;
mod fetch_layer;
mod import;
mod inspect;
mod layers;
mod layout;
mod leases;
mod pull;
mod push;
mod receive;
mod records;
pub mod registry_source;
mod remove;
mod repair;
pub mod source;
mod store;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
mod transfers;
mod unpack_stream;
pub mod unpacker;
mod untag;

pub use self::{
    blobs::VerifyingReader,
    catalog::PinnedImage,
    pull::Pulled,
    records::{ImageRecord, RecordLayer},
    remove::{PruneScope, Removed},
    store::ImageStore,
    untag::ImageUser,
};
