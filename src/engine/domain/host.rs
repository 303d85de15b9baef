//! Which engine are we talking to?
//!
//! Deliberately elsewhere: connecting (`backend`), named hosts of the config file (`cli`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{ParseError, Support};

/// Where commands go, as chosen by `--host`, `WHARF_HOST` or the config file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum HostSpec {
    #[default]
    Embedded,
    /// Docker at `DOCKER_HOST` or its default sockets.
    Docker,
    /// Podman's Docker-compatible API at its default sockets.
    Podman,
    /// `unix:///path`, `tcp://host:port` or `http://host:port`.
    Url(String),
}

impl FromStr for HostSpec {
    type Err = ParseError;

    /// An unknown scheme is an error; it never falls back to a local socket.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "embedded" => return Ok(Self::Embedded),
            "docker" => return Ok(Self::Docker),
            "podman" => return Ok(Self::Podman),
            _ => {}
        }
        let refuse = |why: &str| {
            ParseError::new("host", text, why)
                .with_hint("use embedded, docker, podman, unix:///path/to.sock or tcp://host:port")
        };
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Url(text.to_owned())),
            Some(("unix", _)) => Err(refuse("a socket path must be absolute")),
            Some(("tcp" | "http", rest)) if !rest.is_empty() => Ok(Self::Url(text.to_owned())),
            Some((scheme, _)) => Err(refuse(&format!("the scheme {scheme} is not supported"))),
            None => Err(refuse("there is no such host")),
        }
    }
}

impl fmt::Display for HostSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Docker => f.write_str("docker"),
            Self::Podman => f.write_str("podman"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// What kind of engine answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostKind {
    Embedded,
    Docker,
    Podman,
    /// In memory, for tests.
    Fake,
}

impl HostKind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Fake => "fake",
        }
    }
}

/// What a host says about itself once connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostInfo {
    pub kind: HostKind,
    /// Short text for the header: `embedded rootless`, `docker 20.10.24`.
    pub title: String,
    pub version: String,
    /// `user@machine` or the remote address.
    pub location: String,
    pub rootless: bool,
    /// Whoever can talk to this host is root on it.
    pub root_equivalent: bool,
    pub memory_bytes: Option<u64>,
    pub cpus: Option<usize>,
    pub support: Support,
    /// More facts for `system info`, in display order.
    pub facts: Vec<(String, String)>,
}
