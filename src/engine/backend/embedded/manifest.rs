//! What does a manifest or an index say? OCI image-spec manifest.md and image-index.md, and Docker's schema 2 twins.
//!
//! Deliberately elsewhere: fetching them (`registry`), keeping them (`images`), the image's configuration
//! (`images::config`). The bytes are kept by whoever has them: a digest covers bytes, never a re-encoding.

use serde::{Deserialize, Serialize};

use crate::engine::domain::{Digest, Error, ErrorKind, Platform, Result};

/// Manifests and indexes larger than this are refused, as registries do.
pub const MANIFEST_MAX: usize = 4 << 20;
/// How far an index may point to an index.
pub const INDEX_DEPTH: usize = 4;

pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What we tell registries we understand, best first.
pub const ACCEPT: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

/// Content by digest: what it is, how long it is, and for an index's entries, for which machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<DescriptorPlatform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The `platform` object of an index's entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptorPlatform {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
}

/// What a tag or a digest leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one lives for a moment; nobody keeps many")]
pub enum Manifest {
    Image(ImageManifest),
    Index(Index),
}

/// One image for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    pub schema_version: u32,
    #[serde(default)]
    pub media_type: Option<String>,
    pub config: Descriptor,
    /// Lowest first.
    pub layers: Vec<Descriptor>,
}

/// Several manifests, usually one for each platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default)]
    pub media_type: Option<String>,
    pub manifests: Vec<Descriptor>,
}

impl Manifest {
    /// Parses either kind. The media type in the bytes decides over `media_type`, the one they came with; the two must
    /// not name different kinds (OCI image-spec, CVE-2021-41190).
    ///
    /// # Errors
    /// `Protocol` when the bytes are no manifest, `Unsupported` for kinds we do not handle, with what to do.
    pub fn parse(bytes: &[u8], media_type: Option<&str>) -> Result<Self> {
        if bytes.len() > MANIFEST_MAX {
            return Err(broken(format!("the manifest has {} bytes, more than {MANIFEST_MAX}", bytes.len())));
        }
        let probe: Probe =
            serde_json::from_slice(bytes).map_err(|error| broken("the manifest is not valid JSON").caused_by(error))?;
        if probe.schema_version == 1 {
            return Err(Error::new(ErrorKind::Unsupported, "it is in Docker's schema 1 format, retired in 2017")
                .remedy("push it again with a current tool"));
        }
        if probe.has_layers() && probe.has_manifests() {
            return Err(broken("the manifest claims to be an image and an index at once"));
        }
        let said = probe.media_type.as_deref().or(media_type).map(base_type);
        match said {
            Some(OCI_INDEX | DOCKER_INDEX) => Self::index(bytes),
            Some(OCI_MANIFEST | DOCKER_MANIFEST) => Self::image(bytes),
            Some(other) if probe.media_type.is_some() => {
                Err(Error::new(ErrorKind::Unsupported, format!("it is of the unknown type {other}")))
            }
            // Registries label manifests carelessly; the content says what it is.
            Some(_) | None if probe.has_manifests() => Self::index(bytes),
            Some(_) | None if probe.has_layers() => Self::image(bytes),
            Some(_) | None => Err(broken("it is neither an image manifest nor an index")),
        }
    }

    fn index(bytes: &[u8]) -> Result<Self> {
        let index = serde_json::from_slice(bytes).map_err(|error| broken("the index is malformed").caused_by(error))?;
        Ok(Self::Index(index))
    }

    fn image(bytes: &[u8]) -> Result<Self> {
        let manifest: ImageManifest = serde_json::from_slice(bytes)
            .map_err(|error| broken("the image manifest is malformed").caused_by(error))?;
        let artifact = !matches!(base_type(&manifest.config.media_type), "" | OCI_CONFIG)
            && !manifest.config.media_type.starts_with("application/vnd.docker.");
        if artifact {
            let kind = &manifest.config.media_type;
            return Err(Error::new(ErrorKind::Unsupported, format!("it is not an image but an artifact ({kind})")));
        }
        Ok(Self::Image(manifest))
    }
}

impl Index {
    /// The entry that suits `wanted` best; the first of equals, as containerd has it.
    ///
    /// # Errors
    /// `PlatformMismatch`, listing what is there.
    pub fn select(&self, wanted: &Platform) -> Result<&Descriptor> {
        let usable = self.manifests.iter().filter_map(|descriptor| match descriptor.platform() {
            Some(platform) => wanted.preference(&platform).map(|distance| (distance, descriptor)),
            // Without a platform the entry is for whoever finds nothing better.
            None => Some((u32::MAX, descriptor)),
        });
        usable.min_by_key(|(distance, _)| *distance).map(|(_, descriptor)| descriptor).ok_or_else(|| {
            let there: Vec<String> =
                self.manifests.iter().filter_map(Descriptor::platform).map(|platform| platform.to_string()).collect();
            platform_mismatch(wanted, &there)
        })
    }
}

impl Descriptor {
    /// For which machine it is, if it says so. `unknown/unknown`, as build attestations have it, is for none.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        let raw = self.platform.as_ref()?;
        Some(Platform::new(&raw.os, &raw.architecture, raw.variant.as_deref()))
    }

    /// Whether the blob lies elsewhere than in its registry: we never follow such addresses.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.media_type.contains(".nondistributable.") || self.media_type.contains(".foreign.")
    }
}

/// `PlatformMismatch` with what there is instead.
#[must_use]
pub fn platform_mismatch(wanted: &Platform, there: &[String]) -> Error {
    let list = if there.is_empty() { "no platform".to_owned() } else { there.join(", ") };
    Error::new(ErrorKind::PlatformMismatch, format!("there is no variant for {wanted}, only for {list}"))
        .remedy("name one of them with --platform, or ask for another image")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    manifests: Option<serde::de::IgnoredAny>,
}

impl Probe {
    fn has_layers(&self) -> bool {
        self.layers.is_some()
    }

    fn has_manifests(&self) -> bool {
        self.manifests.is_some()
    }
}

/// A media type without parameters such as `; charset=utf-8`.
fn base_type(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type).trim()
}

fn broken(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, why)
}

#[cfg(test)]
mod tests;
