//! What does an image say about itself? OCI image-spec config.md, Docker's additions included.
//!
//! Deliberately elsewhere: Docker-shaped output (`inspect`, `history`), merging with what a person asks for
//! (`containers`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::engine::domain::{Digest, Error, ErrorKind, Platform, Result, Timestamp};

/// Configurations larger than this are refused, as manifests are.
pub const CONFIG_MAX: u64 = 8 << 20;

/// An image's configuration. Its bytes' digest is the image's id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(default, deserialize_with = "lenient_time", skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: ContainerDefaults,
    pub rootfs: RootFs,
    #[serde(default, deserialize_with = "null_is_default")]
    pub history: Vec<BuildStep>,
}

/// How containers of the image run unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerDefaults {
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `KEY=VALUE`.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Paths that get anonymous volumes.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Value>,
    /// `80/tcp`.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
}

/// The layers by what they hold, not by how they are packed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Digests of the uncompressed tar streams, lowest first.
    #[serde(default, deserialize_with = "null_is_default")]
    pub diff_ids: Vec<Digest>,
}

/// One step of the image's making, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildStep {
    #[serde(deserialize_with = "lenient_time", skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "is_false")]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// # Errors
    /// `Protocol` when the bytes are no image configuration.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::new(ErrorKind::Protocol, "the image's configuration is malformed").caused_by(error))
    }

    /// The machine it is for, if it says so.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        let known = !self.os.is_empty() && !self.architecture.is_empty();
        known.then(|| Platform::new(&self.os, &self.architecture, self.variant.as_deref()))
    }

    /// What identifies each layer together with all below it, lowest first. OCI image-spec config.md, "Layer ChainID".
    #[must_use]
    pub fn chain_ids(&self) -> Vec<Digest> {
        let mut chain: Vec<Digest> = Vec::with_capacity(self.rootfs.diff_ids.len());
        for diff_id in &self.rootfs.diff_ids {
            let next = match chain.last() {
                None => diff_id.clone(),
                Some(below) => Digest::sha256_of(format!("{below} {diff_id}").as_bytes()),
            };
            chain.push(next);
        }
        chain
    }
}

/// Go writes `null` for an empty list, map or string.
fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A time that is missing, null or no time is unknown, not an error: nothing depends on it.
fn lenient_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()).filter(|time: &Timestamp| !time.is_zero()))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_nulls_and_omissions_are_read() {
        let config = ImageConfig::parse(
            br#"{"architecture":"amd64","os":"linux","created":"2024-05-01T10:00:00.5Z","history":null,
                "config":{"Env":["A=b"],"Cmd":null,"Entrypoint":["/e"],"Labels":null,"Volumes":{"/v":{}}},
                "rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"#,
        )
        .unwrap();
        assert_eq!(config.config.env, ["A=b"]);
        assert!(config.config.cmd.is_empty() && config.config.volumes.contains_key("/v"));
        assert_eq!(config.platform().unwrap().to_string(), "linux/amd64");
        assert!(config.created.is_some());
        let minimal =
            ImageConfig::parse(br#"{"rootfs":{"diff_ids":null},"config":null,"created":"yesterday"}"#).unwrap();
        assert_eq!((minimal.platform(), minimal.created), (None, None));
    }

    #[test]
    fn a_chain_id_covers_every_layer_below() {
        let layer = |text: &str| Digest::sha256_of(text.as_bytes());
        let mut config = ImageConfig::default();
        config.rootfs.diff_ids = vec![layer("a"), layer("b"), layer("c")];
        let chain = config.chain_ids();
        assert_eq!(chain[0], layer("a"));
        assert_eq!(chain[1], layer(&format!("{} {}", layer("a"), layer("b"))));
        assert_eq!(chain[2], layer(&format!("{} {}", chain[1], layer("c"))));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for bytes in [&b"{}"[..], b"[]", b"{\"rootfs\":{\"diff_ids\":[\"md5:1\"]}}", b"\xff"] {
            assert_eq!(ImageConfig::parse(bytes).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }
}
