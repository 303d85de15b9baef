//! What does a container need of its image? Its layers on disk and its defaults, held while they are copied down.
//!
//! Deliberately elsewhere: getting images (`images`), merging the defaults with what was asked for (`resolve`).

use std::{any::Any, collections::BTreeMap, fmt, path::PathBuf};

use crate::engine::{
    backend::{OperationContext, embedded::images::unpacker::RootAttributes},
    domain::{Digest, Platform, Result},
};

/// Gives out images that are on this machine. Implemented by the image store and by tests.
pub trait BaseImages: Send + Sync {
    /// Finds an image as a person writes it: a reference, an id or a prefix of one.
    ///
    /// # Errors
    /// `NoSuchImage`, `Ambiguous`, `PlatformMismatch`, or what reading the store comes to.
    fn base(&self, query: &str, platform: Option<&Platform>, context: &OperationContext) -> Result<BaseImage>;

    /// Makes sure that the layers of an image are whole before a container made of it starts: a power cut may have taken
    /// files that were never synced.
    ///
    /// # Errors
    /// `Corrupt` when they cannot be had again; what the disk refuses.
    fn ready(&self, _image: &Digest, _context: &OperationContext) -> Result<()> {
        Ok(())
    }
}

/// An image to make a container of.
pub struct BaseImage {
    pub id: Digest,
    pub platform: Option<Platform>,
    /// Directories of the layers, topmost first, absolute.
    pub layers: Vec<PathBuf>,
    pub defaults: Defaults,
    /// What the container's own root directory is to look like: an overlay shows its upper directory's.
    pub root: RootAttributes,
    /// Keeps the image from being deleted until the container's record names it.
    pub hold: Box<dyn Any + Send>,
}

impl fmt::Debug for BaseImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseImage").field("id", &self.id).field("layers", &self.layers).finish_non_exhaustive()
    }
}

/// The part of an image's configuration that containers inherit. OCI image-spec config.md, `config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    /// `KEY=VALUE`.
    pub env: Vec<String>,
    pub workdir: String,
    pub user: String,
    pub labels: BTreeMap<String, String>,
    pub stop_signal: Option<String>,
    /// Paths that get a volume of their own.
    pub volumes: Vec<String>,
    /// `80/tcp`.
    pub exposed_ports: Vec<String>,
}
