//! Which repository on which registry?
//!
//! Deliberately elsewhere: tags and digests in it (`ImageReference`), its address (`settings`).

use std::{fmt, sync::Arc};

use crate::engine::domain::ImageReference;

/// A place that holds blobs and manifests: `ghcr.io` and `owner/app`. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: Arc<str>,
    path: Arc<str>,
}

impl Repository {
    /// Host and optional port.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path on the registry: `library/nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl From<&ImageReference> for Repository {
    fn from(reference: &ImageReference) -> Self {
        Self { registry: reference.registry().into(), path: reference.repository().into() }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}
