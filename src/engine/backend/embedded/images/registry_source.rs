//! How does an image come from a registry? One repository as a source of the store.
//!
//! Deliberately elsewhere: everything about registries (`registry`), what is done with the bytes (`pull`).

use std::io::Read;

use super::source::{ImageSource, ManifestBytes};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            manifest::Descriptor,
            registry::{FetchedManifest, ManifestName, Registry, Repository},
        },
    },
    domain::{ImageReference, Result},
};

/// One repository on a registry. The connection already carries the operation's context.
pub struct RegistrySource {
    registry: Registry,
    repository: Repository,
}

impl RegistrySource {
    pub fn new(registry: Registry, reference: &ImageReference) -> Self {
        Self { registry, repository: Repository::from(reference) }
    }
}

impl ImageSource for RegistrySource {
    fn resolve(&self, reference: &ImageReference, _: &OperationContext) -> Result<ManifestBytes> {
        self.registry.manifest(&self.repository, &ManifestName::from(reference)).map(ManifestBytes::from)
    }

    fn manifest(&self, descriptor: &Descriptor, _: &OperationContext) -> Result<ManifestBytes> {
        let name = ManifestName::Digest(descriptor.digest.clone());
        self.registry.manifest(&self.repository, &name).map(ManifestBytes::from)
    }

    fn blob(&self, descriptor: &Descriptor, offset: u64, _: &OperationContext) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.registry.blob(&self.repository, descriptor, offset)?))
    }
}

impl From<FetchedManifest> for ManifestBytes {
    fn from(fetched: FetchedManifest) -> Self {
        Self { bytes: fetched.bytes.to_vec(), media_type: fetched.media_type, digest: fetched.digest }
    }
}
