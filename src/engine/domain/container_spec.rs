//! What does somebody want a new container to be?
//!
//! Deliberately elsewhere: merging with the image's configuration (each backend), flags (`cli`), the form (`ui`).

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{ContainerName, Cpus, EnvVar, Mount, Platform, Signal, Size, Span};

/// The options of `create` and `run`, Docker's meanings. Absent means "as the image says".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// Reference or id (prefix) of the image, as written.
    pub image: String,
    pub name: Option<ContainerName>,
    /// `--entrypoint`: replaces the image's and drops its command; an empty string resets it.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command when not empty.
    pub command: Vec<String>,
    /// Added to the image's environment; the later value of a key wins.
    pub env: Vec<EnvVar>,
    pub workdir: Option<PathBuf>,
    /// `user[:group]`, names or numbers, looked up inside the container.
    pub user: Option<String>,
    pub hostname: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    pub read_only: bool,
    pub tty: bool,
    /// Keep standard input open.
    pub interactive: bool,
    pub auto_remove: bool,
    pub memory: Option<Size>,
    pub cpus: Option<Cpus>,
    /// At most this many processes; `None` is no limit.
    pub pids_limit: Option<u32>,
    pub network: NetworkMode,
    pub stop_signal: Option<Signal>,
    pub stop_timeout: Option<Span>,
    pub pull: PullPolicy,
    pub platform: Option<Platform>,
}

/// Which network the container joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkMode {
    /// The host's default: the daemon's own on Docker and Podman, `none` (with a warning) on the embedded engine.
    #[default]
    Default,
    /// Loopback only.
    None,
    /// The host's own network, unprotected.
    Host,
}

/// When `create` and `run` fetch the image first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    Always,
    #[default]
    Missing,
    Never,
}
