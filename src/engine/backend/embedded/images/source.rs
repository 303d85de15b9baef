//! Where can an image come from? A registry, or this machine itself.
//!
//! Deliberately elsewhere: the registry client (`registry`), making an image here (`import`).

use std::io::Read;

use crate::engine::{
    backend::{OperationContext, embedded::manifest::Descriptor},
    domain::{Digest, ImageReference, Result},
};

/// A place that has images. Implemented by the registry client and by an image made on this machine.
pub trait ImageSource: Sync {
    /// What goes on while its layers come, for whoever watches.
    fn step(&self) -> &'static str {
        "pulling"
    }

    /// What `reference` leads to right now: an image manifest or an index.
    fn resolve(&self, reference: &ImageReference, context: &OperationContext) -> Result<ManifestBytes>;

    /// A manifest of the same repository by digest. The caller verifies the bytes.
    fn manifest(&self, descriptor: &Descriptor, context: &OperationContext) -> Result<ManifestBytes>;

    /// The bytes of a blob from `offset` on. The caller verifies them; an early end may be continued later.
    fn blob(&self, descriptor: &Descriptor, offset: u64, context: &OperationContext) -> Result<Box<dyn Read + Send>>;
}

/// A manifest as it came.
#[derive(Clone, Debug)]
pub struct ManifestBytes {
    pub bytes: Vec<u8>,
    pub media_type: Option<String>,
    /// Of `bytes`.
    pub digest: Digest,
}
