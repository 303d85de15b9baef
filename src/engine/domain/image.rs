//! What do we know about one image?
//!
//! Deliberately elsewhere: manifests and layers as bytes (`backend::embedded`).

use serde::{Deserialize, Serialize};

use super::{Digest, ImageReference, Platform, Size, Timestamp};

/// One image as listed by its host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The digest of the image's configuration, Docker's image id.
    pub id: Digest,
    /// Every tagged reference to it; empty for a dangling image.
    pub references: Vec<ImageReference>,
    /// `repository@digest` forms: the manifest digests it was pulled or pushed by.
    pub digests: Vec<ImageReference>,
    pub created: Option<Timestamp>,
    /// Unpacked size in bytes, all layers.
    pub size: Size,
    pub platform: Option<Platform>,
    pub layers: usize,
    /// Containers made from it, where the host counts them.
    pub containers: Option<usize>,
}
