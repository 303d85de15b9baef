//! How does an image get here? Resolve, choose the platform, lease, fetch and unpack all layers at once, commit.
//!
//! Content first, record then, tag last: killed at any moment, the store shows the image as it was before, and what has
//! arrived is used by the next attempt. Deliberately elsewhere: one layer (`fetch_layer`), the registry (`source`).

use std::{
    collections::HashMap,
    io::Read,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::{
    blobs::mismatch,
    config::{CONFIG_MAX, ImageConfig},
    fetch_layer::{LayerJob, LayerOutcome},
    layers::PublishedLayer,
    records::{ImageRecord, RecordLayer, Records},
    source::{ImageSource, ManifestBytes},
    store::ImageStore,
    transfers::TransferBoard,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            machine::Task,
            manifest::{Descriptor, INDEX_DEPTH, ImageManifest, MANIFEST_MAX, Manifest, platform_mismatch},
            registry::read_error,
        },
    },
    domain::{Digest, Error, ErrorKind, ImageReference, Platform, Result, Verb},
};

/// Layers in work at a time. Each has up to four threads; more than three only fight over the disk.
const LAYERS_AT_ONCE: usize = 3;

/// A finished pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The image's id.
    pub id: Digest,
    /// What the reference led to: the digest of an index or a manifest.
    pub digest: Digest,
    /// The tag led to this very image before.
    pub already: bool,
}

/// What a reference led to for one platform.
struct Found {
    target: Digest,
    manifest: Descriptor,
    image: ImageManifest,
    config: ImageConfig,
}

impl ImageStore {
    /// Pulls `reference` for `platform` (this machine's when absent) from `source`. Whoever pulls the same blobs, here
    /// or in another process, is waited for instead of repeated.
    ///
    /// # Errors
    /// The source's; `PlatformMismatch` with what there is; `DigestMismatch`; `NoSpace`; `Cancelled`. Nothing is visible
    /// then, but whole blobs and partial downloads stay for the next attempt.
    pub fn pull(
        &self,
        reference: &ImageReference,
        platform: Option<&Platform>,
        source: &dyn ImageSource,
        context: &OperationContext,
    ) -> Result<Pulled> {
        let mut lease = self.leases.begin(Verb::Pull, context.remaining())?;
        context.step("resolving");
        let target = source.resolve(reference, context)?;
        let wanted = platform.cloned().unwrap_or_else(Platform::host);
        lease.add(Verb::Pull, [target.digest.clone()])?;
        let found = self
            .find_image(reference, target, &wanted, source, context, &mut |digest| lease.add(Verb::Pull, [digest]))?;
        let chain_ids = found.config.chain_ids();
        let diff_ids = found.config.rootfs.diff_ids.iter();
        let layers = found.image.layers.iter().map(|layer| &layer.digest);
        lease.add(Verb::Pull, layers.chain(diff_ids).chain(&chain_ids).cloned())?;
        context.step(source.step());
        let published = self.fetch_layers(&found, &chain_ids, source, context)?;
        context.check()?;
        self.commit(reference, found, published)
    }

    /// Walks from `target` to an image manifest and its configuration, storing both.
    fn find_image(
        &self,
        reference: &ImageReference,
        target: ManifestBytes,
        wanted: &Platform,
        source: &dyn ImageSource,
        context: &OperationContext,
        keep: &mut dyn FnMut(Digest) -> Result<()>,
    ) -> Result<Found> {
        if !target.digest.is_of(&target.bytes) {
            return Err(mismatch(&target.digest, "the manifest has another digest"));
        }
        if let Some(pinned) = reference.digest().filter(|pinned| **pinned != target.digest) {
            return Err(mismatch(pinned, "the registry answered with another manifest"));
        }
        let top = target.digest.clone();
        let mut current = target;
        for _ in 0..=INDEX_DEPTH {
            context.check()?;
            let descriptor = match Manifest::parse(&current.bytes, current.media_type.as_deref())? {
                Manifest::Index(index) => {
                    self.blobs.put(&current.digest, &current.bytes)?;
                    index.select(wanted)?.clone()
                }
                Manifest::Image(image) => return self.accept(top, current, image, wanted, source, context, keep),
            };
            keep(descriptor.digest.clone())?;
            let next = match self.blobs.read(&descriptor.digest, MANIFEST_MAX as u64)? {
                Some(bytes) => ManifestBytes {
                    bytes,
                    media_type: Some(descriptor.media_type.clone()),
                    digest: descriptor.digest.clone(),
                },
                None => source.manifest(&descriptor, context)?,
            };
            if !descriptor.digest.is_of(&next.bytes) || descriptor.size != next.bytes.len() as u64 {
                return Err(mismatch(&descriptor.digest, "the manifest is not the one its index names"));
            }
            current = next;
        }
        Err(Error::new(ErrorKind::Protocol, format!("its indexes are nested deeper than {INDEX_DEPTH}")))
    }

    #[expect(clippy::too_many_arguments, reason = "a step of find_image with all it knows")]
    fn accept(
        &self,
        target: Digest,
        bytes: ManifestBytes,
        image: ImageManifest,
        wanted: &Platform,
        source: &dyn ImageSource,
        context: &OperationContext,
        keep: &mut dyn FnMut(Digest) -> Result<()>,
    ) -> Result<Found> {
        keep(image.config.digest.clone())?;
        let config = self.fetch_config(&image.config, source, context)?;
        let config = ImageConfig::parse(&config)?;
        if let Some(there) = config.platform().filter(|there| !wanted.matches(there)) {
            return Err(platform_mismatch(wanted, &[there.to_string()]));
        }
        if image.layers.len() != config.rootfs.diff_ids.len() {
            let (layers, diffs) = (image.layers.len(), config.rootfs.diff_ids.len());
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("its manifest lists {layers} layers and its configuration {diffs}"),
            ));
        }
        if let Some(foreign) = image.layers.iter().find(|layer| layer.is_foreign()) {
            let why = format!("its layer {} lies outside the registry", foreign.digest.short());
            return Err(Error::new(ErrorKind::Unsupported, why)
                .remedy("images of that kind are for Windows; ask for a Linux variant"));
        }
        self.blobs.put(&bytes.digest, &bytes.bytes)?;
        let media_type = image.media_type.clone().or(bytes.media_type).unwrap_or_default();
        let size = bytes.bytes.len() as u64;
        let manifest = Descriptor { media_type, digest: bytes.digest, size, platform: None, annotations: None };
        Ok(Found { target, manifest, image, config })
    }

    fn fetch_config(
        &self,
        descriptor: &Descriptor,
        source: &dyn ImageSource,
        context: &OperationContext,
    ) -> Result<Vec<u8>> {
        if descriptor.size > CONFIG_MAX {
            let why = format!("its configuration has {} bytes, more than {CONFIG_MAX}", descriptor.size);
            return Err(Error::new(ErrorKind::Protocol, why));
        }
        if let Ok(Some(bytes)) = self.blobs.read(&descriptor.digest, CONFIG_MAX) {
            return Ok(bytes);
        }
        let mut bytes = Vec::new();
        let body = source.blob(descriptor, 0, context)?;
        body.take(descriptor.size + 1).read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.len() as u64 != descriptor.size {
            return Err(mismatch(&descriptor.digest, "it has another size than its manifest says"));
        }
        self.blobs.put(&descriptor.digest, &bytes)?;
        Ok(bytes)
    }

    /// All layers at once, each blob and each layer once; then, from below, those that depend on others.
    fn fetch_layers(
        &self,
        found: &Found,
        chain_ids: &[Digest],
        source: &dyn ImageSource,
        context: &OperationContext,
    ) -> Result<Vec<PublishedLayer>> {
        let board = TransferBoard::open(context, found.image.layers.iter());
        let jobs = LayerJob::plan(&found.image.layers, &found.config.rootfs.diff_ids, chain_ids)?;
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let outcomes: Mutex<HashMap<Digest, LayerOutcome>> = Mutex::default();
        let errors: Mutex<Vec<Error>> = Mutex::default();
        let check = || if failed.load(Ordering::Relaxed) { Err(Error::cancelled()) } else { context.check() };
        let work = || {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = check().and_then(|()| self.fetch_layer(job, source, context, &check, board));
                match outcome {
                    Ok(outcome) => {
                        let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                        outcomes.insert(job.diff_id.clone(), outcome);
                    }
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                    }
                }
            }
        };
        let workers = (0..LAYERS_AT_ONCE.min(jobs.len())).map(|_| Box::new(work) as Task<'_>).collect();
        let ended = self.machine.threads.together(workers);
        let mut errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.map_err(|_| Error::new(ErrorKind::Internal, "a thread that fetched a layer panicked"))?;
        // Layers that were stopped because another one failed only say so; the cause is what counts.
        errors.sort_by_key(|error| error.kind() == ErrorKind::Cancelled);
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.complete_layers(found, chain_ids, outcomes, context)
    }

    /// Publishes what waited for the layers below, from the bottom up.
    fn complete_layers(
        &self,
        found: &Found,
        chain_ids: &[Digest],
        mut outcomes: HashMap<Digest, LayerOutcome>,
        context: &OperationContext,
    ) -> Result<Vec<PublishedLayer>> {
        let mut published: Vec<PublishedLayer> = Vec::with_capacity(chain_ids.len());
        let positions = found.config.rootfs.diff_ids.iter().zip(chain_ids).zip(&found.image.layers);
        for ((diff_id, chain_id), blob) in positions {
            let layer = match (self.layers.find(diff_id, chain_id), outcomes.remove(diff_id)) {
                (Some(layer), _) => layer,
                (None, Some(LayerOutcome::Staged(staging, report))) => {
                    self.layers.publish(staging, diff_id, chain_id, *report, &self.lowers_of(&published))?
                }
                // Used a second time upon other layers: it needs a directory of its own.
                (None, Some(LayerOutcome::Published) | None) => {
                    self.unpack_again(blob, diff_id, chain_id, &self.lowers_of(&published), context)?
                }
            };
            published.push(layer);
        }
        Ok(published)
    }

    fn commit(&self, reference: &ImageReference, found: Found, published: Vec<PublishedLayer>) -> Result<Pulled> {
        let id = found.image.config.digest.clone();
        let chain_ids = found.config.chain_ids();
        let root = published.iter().rev().find_map(|layer| layer.report.root).unwrap_or_default();
        let layers = published.into_iter().zip(chain_ids).zip(found.image.layers);
        let layers =
            layers.zip(&found.config.rootfs.diff_ids).map(|(((layer, chain_id), blob), diff_id)| RecordLayer {
                diff_id: diff_id.clone(),
                chain_id,
                key: layer.key,
                blob,
                bytes: layer.report.bytes,
                members: layer.report.members,
                opaque: layer.report.opaque_root,
            });
        let mut record = ImageRecord {
            format: Records::format(),
            id: id.clone(),
            manifest: found.manifest,
            config: found.image.config,
            digests: Vec::new(),
            platform: found.config.platform(),
            created: found.config.created,
            pulled: self.machine.clock.now(),
            layers: layers.collect(),
            root,
        };
        let _guard = self.leases.exclude(Verb::Pull)?;
        let known = self.records.image(&id)?;
        record.digests = known.as_ref().map(|known| known.digests.clone()).unwrap_or_default();
        record.digests.push(untagged(reference).with_digest(found.target.clone()));
        record.digests.sort();
        record.digests.dedup();
        if let Some(known) = &known {
            record.pulled = known.pulled;
        }
        // What is here may be so for an instant only: its writer died, or has not come to the sync yet.
        self.blobs.sync(record.blobs().chain([&found.target]))?;
        if known.as_ref() == Some(&record) {
            self.records.sync_images()?;
        } else {
            self.records.put_image(&record)?;
        }
        let tag = reference.clone().with_default_tag();
        let before = if tag.digest().is_some() { Some(id.clone()) } else { self.records.tagged(&tag)? };
        if before.as_ref() != Some(&id) {
            self.records.put_tag(&tag, &id)?;
            self.write_index()?;
        } else if tag.digest().is_none() {
            self.records.sync_tag(&tag)?;
        }
        Ok(Pulled { already: before.as_ref() == Some(&id), id, digest: found.target })
    }
}

/// Registry and repository alone.
pub(super) fn untagged(reference: &ImageReference) -> ImageReference {
    reference.name().parse().unwrap_or_else(|_| reference.clone().without_digest())
}
