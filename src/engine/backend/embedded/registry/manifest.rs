//! What is in a manifest or an index? Reading them, keeping their bytes, choosing by platform.
//!
//! The forms are those of the OCI image specification (manifest.md, image-index.md, descriptor.md) and of Docker's
//! image manifest version 2, schema 2. Deliberately elsewhere: getting them (`fetch`), image configurations (`images`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    engine::domain::{Digest, Error, ErrorKind, Platform, Result},
    text::SafeText,
};

pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Everything we can read, as an `Accept` header.
pub const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                            application/vnd.docker.distribution.manifest.list.v2+json, \
                            application/vnd.docker.distribution.manifest.v2+json";

/// Larger manifests are refused, as registries themselves do.
pub const MANIFEST_LIMIT: u64 = 4 << 20;
/// Entries of one index, layers of one image: far above what exists, far below what would hurt.
const ENTRIES: usize = 2_000;
const LAYERS: usize = 1_000;

/// Content by digest, size and kind. Fields we do not know are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    #[serde(rename = "mediaType", default)]
    pub media_type: String,
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Map<String, Value>>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Descriptor {
    /// Content of which nothing more is known.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self { media_type: media_type.to_owned(), digest, size, platform: None, other: Map::new() }
    }

    /// The platform it is for, when it says so.
    pub fn platform(&self) -> Option<Platform> {
        platform_of(self.platform.as_ref()?)
    }

    /// Whether the bytes are to be had from where the layer's `urls` say instead of from registries. They are neither
    /// pushed nor followed.
    pub fn is_foreign(&self) -> bool {
        self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.")
    }
}

/// The platform in the fields of a descriptor or an image configuration.
pub fn platform_of(fields: &Map<String, Value>) -> Option<Platform> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let (os, architecture) = (text("os")?, text("architecture")?);
    Some(Platform::new(os, architecture, text("variant")))
}

/// A manifest or an index with the very bytes its digest is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub media_type: String,
    pub digest: Digest,
    pub bytes: Arc<[u8]>,
    pub content: ManifestContent,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ManifestContent {
    Image {
        config: Descriptor,
        /// From the base upwards.
        layers: Vec<Descriptor>,
    },
    Index(Vec<Descriptor>),
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "schemaVersion", default)]
    schema_version: Option<u64>,
    #[serde(rename = "mediaType", default)]
    media_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Manifest {
    /// Reads a manifest. The kind is what the document says, else what the server called it, else what it looks like.
    ///
    /// # Errors
    /// `Protocol` for what is no manifest, `Unsupported` for Docker's schema 1.
    pub fn parse(bytes: impl Into<Arc<[u8]>>, called: Option<&str>) -> Result<Self> {
        let bytes: Arc<[u8]> = bytes.into();
        let broken = |why: &str| Error::new(ErrorKind::Protocol, format!("the manifest is not valid: {why}"));
        let document: Document = serde_json::from_slice(&bytes)
            .map_err(|error| broken(SafeText::from_untrusted(&error.to_string()).truncate_end(160).as_str()))?;
        if document.schema_version == Some(1) {
            return Err(Error::new(ErrorKind::Unsupported, "the image is in Docker's old format (schema 1)")
                .remedy("build or push it again with a Docker of the last eight years"));
        }
        let content = match (document.manifests, document.config, document.layers) {
            (Some(manifests), None, None) if manifests.len() <= ENTRIES => ManifestContent::Index(manifests),
            (None, Some(config), Some(layers)) if layers.len() <= LAYERS => ManifestContent::Image { config, layers },
            (Some(_), None, None) | (None, Some(_), Some(_)) => return Err(broken("it has too many entries")),
            // Something that is both would be read differently by different programs.
            (Some(_), _, _) => return Err(broken("it is an index and an image at once")),
            (None, _, _) => return Err(broken("it is neither an image nor an index")),
        };
        let called = called.map(|called| called.split(';').next().unwrap_or_default().trim());
        let known = |kind: &&str| match content {
            ManifestContent::Image { .. } => [OCI_MANIFEST, DOCKER_MANIFEST].contains(kind),
            ManifestContent::Index(_) => [OCI_INDEX, DOCKER_INDEX].contains(kind),
        };
        let stated = document.media_type.as_deref().filter(|kind| !kind.is_empty());
        if stated.is_some_and(|kind| !known(&kind)) {
            return Err(broken("its kind does not fit its content"));
        }
        let guess = match content {
            ManifestContent::Image { .. } => OCI_MANIFEST,
            ManifestContent::Index(_) => OCI_INDEX,
        };
        let media_type = stated.or(called.filter(known)).unwrap_or(guess).to_owned();
        Ok(Self { media_type, digest: Digest::sha256_of(&bytes), bytes, content })
    }

    /// This manifest as an entry of an index.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest.clone(), self.bytes.len() as u64)
    }

    /// The blobs it needs: layers, then the configuration; none for an index. Repetitions are kept.
    pub fn blobs(&self) -> Vec<&Descriptor> {
        match &self.content {
            ManifestContent::Image { config, layers } => layers.iter().chain([config]).collect(),
            ManifestContent::Index(_) => Vec::new(),
        }
    }
}

/// The entry of an index that suits a machine of `wanted` best; entries without a platform (attestations and the
/// like are for `unknown`) only when nothing else is there.
///
/// # Errors
/// `PlatformMismatch`, naming what there is.
pub fn select<'a>(entries: &'a [Descriptor], wanted: &Platform) -> Result<&'a Descriptor> {
    let ranked = entries.iter().filter_map(|entry| Some((wanted.preference(&entry.platform()?)?, entry)));
    // The first of equals, as Docker does.
    if let Some((_, best)) = ranked.min_by_key(|(distance, _)| *distance) {
        return Ok(best);
    }
    if let [only] = entries
        && only.platform.is_none()
    {
        return Ok(only);
    }
    let mut there: Vec<String> = entries.iter().filter_map(Descriptor::platform).map(|p| p.to_string()).collect();
    there.retain(|platform| platform != "unknown/unknown");
    there.sort();
    there.dedup();
    let there = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
    let there = SafeText::from_untrusted(&there).truncate_end(200).as_str().to_owned();
    Err(Error::new(ErrorKind::PlatformMismatch, format!("there is no variant for {wanted}, only {there}"))
        .remedy("choose one of them with --platform, if this machine can run it"))
}

#[cfg(test)]
mod tests;
