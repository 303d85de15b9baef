//! What is needed to make an image out of one layer, without a registry?
//!
//! Deliberately elsewhere: how a host stores it (each backend), where a layer comes from (`demo`).

use std::{collections::BTreeMap, fmt, io};

use super::{ImageReference, Timestamp};

/// One uncompressed layer and how containers made from it run. The layer is read once, from its start to its end.
pub struct ImageImport {
    pub reference: ImageReference,
    /// An uncompressed tar archive with its two closing blocks of zeros (OCI image-spec, layer.md).
    pub layer: Box<dyn io::Read + Send>,
    /// Its length in bytes; a stream that ends earlier or goes on is an error.
    pub layer_size: u64,
    /// The same content and the same time make the same image id.
    pub created: Timestamp,
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    /// `KEY=VALUE`.
    pub env: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// For the image's history: what made the layer.
    pub created_by: String,
}

impl fmt::Debug for ImageImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageImport")
            .field("reference", &self.reference)
            .field("layer_size", &self.layer_size)
            .field("created", &self.created)
            .field("entrypoint", &self.entrypoint)
            .field("command", &self.command)
            .field("env", &self.env)
            .field("labels", &self.labels)
            .field("created_by", &self.created_by)
            .finish_non_exhaustive()
    }
}
