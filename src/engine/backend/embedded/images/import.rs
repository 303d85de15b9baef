//! How does a layer made on this machine become an image? Its blob is stored, then it is pulled from here.
//!
//! Deliberately elsewhere: unpacking and committing (`pull`, `fetch_layer`), where the layer comes from (`demo`).

use std::io::{self, Read, Write as _};

use super::{
    config::{BuildStep, ContainerDefaults, ImageConfig, RootFs},
    pull::Pulled,
    source::{ImageSource, ManifestBytes},
    store::ImageStore,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            disk,
            manifest::{Descriptor, ImageManifest, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST},
        },
    },
    domain::{
        Digest, DigestAlgorithm, Digester, Error, ErrorKind, ImageImport, ImageReference, Platform, Result, Verb,
    },
};

/// Bytes of the layer written and hashed at a time.
const PIECE: usize = 256 << 10;

impl ImageStore {
    /// Makes an image of one layer for this machine's platform and tags it. The same layer, configuration and time make
    /// the same image, and the second time `already` says so.
    ///
    /// # Errors
    /// `InvalidInput` when the layer is not as long as it was said to be; `Corrupt` when it is no archive; `NoSpace`,
    /// `Cancelled`. No image is visible then.
    pub fn import(&self, import: ImageImport, context: &OperationContext) -> Result<Pulled> {
        let mut lease = self.leases.begin(Verb::Demo, context.remaining())?;
        let ImageImport { reference, layer, layer_size, created, entrypoint, command, env, labels, created_by } =
            import;
        context.step("storing the layer");
        let layer = self.store_layer(layer, layer_size, context, &mut |digest| lease.add(Verb::Demo, [digest]))?;
        let platform = Platform::host();
        let config = ImageConfig {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            created: Some(created),
            author: None,
            config: ContainerDefaults { env, entrypoint, cmd: command, labels, ..ContainerDefaults::default() },
            rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![layer.digest.clone()] },
            history: vec![BuildStep { created: Some(created), created_by, ..BuildStep::default() }],
        };
        let config = serde_json::to_vec(&config).expect("a configuration has only string keys");
        let config_digest = Digest::sha256_of(&config);
        lease.add(Verb::Demo, [config_digest.clone()])?;
        self.blobs.put(&config_digest, &config)?;
        let manifest = ImageManifest {
            schema_version: 2,
            media_type: Some(OCI_MANIFEST.to_owned()),
            config: descriptor(OCI_CONFIG, config_digest, config.len() as u64),
            layers: vec![layer],
        };
        let bytes = serde_json::to_vec(&manifest).expect("a manifest has only string keys");
        let manifest =
            ManifestBytes { digest: Digest::sha256_of(&bytes), bytes, media_type: Some(OCI_MANIFEST.to_owned()) };
        self.pull(&reference, None, &MadeHere(manifest), context)
    }

    /// Writes and hashes the layer. `keep` is told its digest before the blob is visible under it.
    fn store_layer(
        &self,
        mut layer: Box<dyn Read + Send>,
        size: u64,
        context: &OperationContext,
        keep: &mut dyn FnMut(Digest) -> Result<()>,
    ) -> Result<Descriptor> {
        let writing = |error| Error::io("writing a layer", error);
        let mut file = self.disk.create_temporary(&self.layout.ingest()).map_err(writing)?;
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        let (mut piece, mut written) = (vec![0; PIECE], 0_u64);
        loop {
            context.check()?;
            let count = match layer.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| Error::io("reading the new layer", error))?,
            };
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            written += bytes.len() as u64;
            file.write_all(bytes).map_err(writing)?;
            digester.update(bytes);
        }
        if written != size {
            let why = format!("the layer has {written} bytes, {size} were promised");
            return Err(Error::new(ErrorKind::InvalidInput, why));
        }
        let descriptor = descriptor(OCI_LAYER, digester.finish(), size);
        keep(descriptor.digest.clone())?;
        if !self.blobs.has(&descriptor) {
            file.commit(&self.layout.blob(&descriptor.digest), disk::Sync::Yes).map_err(writing)?;
        }
        Ok(descriptor)
    }
}

/// An image whose parts are all in the store already.
struct MadeHere(ManifestBytes);

impl ImageSource for MadeHere {
    fn step(&self) -> &'static str {
        "unpacking"
    }

    fn resolve(&self, _: &ImageReference, _: &OperationContext) -> Result<ManifestBytes> {
        Ok(self.0.clone())
    }

    fn manifest(&self, descriptor: &Descriptor, _: &OperationContext) -> Result<ManifestBytes> {
        Err(lost(descriptor))
    }

    fn blob(&self, descriptor: &Descriptor, _: u64, _: &OperationContext) -> Result<Box<dyn Read + Send>> {
        Err(lost(descriptor))
    }
}

/// Only damage on the disk, found and dropped meanwhile, leads here.
fn lost(descriptor: &Descriptor) -> Error {
    Error::new(ErrorKind::Corrupt, format!("blob {} was stored just now and is damaged", descriptor.digest.short()))
        .remedy("check the disk, then try again")
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Descriptor {
    Descriptor { media_type: media_type.to_owned(), digest, size, platform: None, annotations: None }
}
