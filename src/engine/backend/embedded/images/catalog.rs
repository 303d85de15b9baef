//! Which images are here, and which one does a person mean?
//!
//! Deliberately elsewhere: what one image looks like inside (`inspect`), getting images (`pull`).

use std::path::PathBuf;

use super::{
    config::{CONFIG_MAX, ImageConfig},
    leases::CollectionGuard,
    records::ImageRecord,
    store::ImageStore,
    unpacker::RootAttributes,
};
use crate::engine::{
    backend::OperationContext,
    domain::{Digest, Error, ErrorKind, Image, ImageReference, Platform, Result, Size, Verb},
};

/// An image to make a container of. While it lives, nothing of any image is deleted: hold it until the container's
/// record names the image, no longer.
#[derive(Debug)]
pub struct PinnedImage {
    pub record: ImageRecord,
    pub config: ImageConfig,
    /// Directories of the layers, topmost first.
    pub lowers: Vec<PathBuf>,
    /// What the container's own root directory must look like: the overlay shows the upper one's attributes.
    pub root: RootAttributes,
    _guard: CollectionGuard,
}

/// How a query named its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FoundBy {
    Tag(ImageReference),
    /// `repository@digest`, as it stands in the record.
    Digest(ImageReference),
    Id,
}

impl ImageStore {
    /// Every image, newest first.
    ///
    /// # Errors
    /// What reading the store comes to.
    pub fn images(&self) -> Result<Vec<Image>> {
        let tags = self.records.tags()?;
        let records = self.records.images()?;
        Ok(records
            .into_iter()
            .map(|record| Image {
                references: tags.iter().filter(|(_, id)| *id == record.id).map(|(tag, _)| tag.clone()).collect(),
                size: Size(record.size()),
                layers: record.layers.len(),
                digests: record.digests,
                created: record.created,
                platform: record.platform,
                id: record.id,
                containers: None,
            })
            .collect())
    }

    /// The image a person names: by reference (default tag added), `repository@digest`, id, or unambiguous prefix of an
    /// id, looked up in Docker's order.
    ///
    /// # Errors
    /// `NoSuchImage`; `Ambiguous` with the candidates.
    pub fn find(&self, query: &str) -> Result<ImageRecord> {
        self.find_with(query).map(|(record, _)| record)
    }

    /// The image and its layers, ready for a container. Layers that an earlier boot did not settle are unpacked again
    /// first; `context` bounds that.
    ///
    /// # Errors
    /// As [`Self::find`]; `PlatformMismatch`; `Corrupt` when content is gone or damaged.
    pub fn pin(&self, query: &str, platform: Option<&Platform>, context: &OperationContext) -> Result<PinnedImage> {
        loop {
            let guard = self.leases.share(Verb::Create)?;
            let record = self.find(query)?;
            if let (Some(wanted), Some(there)) = (platform, &record.platform)
                && !wanted.matches(there)
            {
                return Err(crate::engine::backend::embedded::manifest::platform_mismatch(
                    wanted,
                    &[there.to_string()],
                ));
            }
            if self.is_unpacked(&record) {
                let config = self.config(&record)?;
                let (lowers, root) = (self.lowers(&record), record.root);
                return Ok(PinnedImage { record, config, lowers, root, _guard: guard });
            }
            drop(guard);
            self.restore(&record, context)?;
        }
    }

    /// Makes the layers of a container's image usable in this boot, as [`Self::pin`] does for a new container. An image
    /// that is not here at all, not even for its containers, is nothing to be checked.
    ///
    /// # Errors
    /// `Corrupt` when content is gone or damaged; the disk's.
    pub fn ready(&self, id: &Digest, context: &OperationContext) -> Result<()> {
        match self.records.image_or_held(id) {
            Ok(Some(record)) if !self.is_unpacked(&record) => self.restore(&record, context),
            Ok(Some(_) | None) => Ok(()),
            // A damaged record says nothing about the layers: the mount will tell.
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn is_unpacked(&self, record: &ImageRecord) -> bool {
        record
            .layers
            .iter()
            .all(|layer| self.layers.find(&layer.diff_id, &layer.chain_id).is_some_and(|found| found.key == layer.key))
    }

    /// The image's configuration.
    ///
    /// # Errors
    /// `Corrupt` when it is gone or damaged.
    pub fn config(&self, record: &ImageRecord) -> Result<ImageConfig> {
        ImageConfig::parse(&self.config_bytes(record)?)
    }

    pub(super) fn config_bytes(&self, record: &ImageRecord) -> Result<Vec<u8>> {
        self.blobs.read(&record.config.digest, CONFIG_MAX)?.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "its configuration is gone from the store").remedy("pull the image again")
        })
    }

    pub(super) fn find_with(&self, query: &str) -> Result<(ImageRecord, FoundBy)> {
        let hex = query.strip_prefix("sha256:").unwrap_or(query);
        if let Ok(id) = format!("sha256:{hex}").parse::<Digest>()
            && let Some(record) = self.by_digest(&id)?
        {
            return Ok((record, FoundBy::Id));
        }
        if let Ok(reference) = query.parse::<ImageReference>()
            && let Some(found) = self.by_reference(reference.with_default_tag())?
        {
            return Ok(found);
        }
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex.is_empty() || !is_hex {
            return Err(Error::no_such_image(query));
        }
        let mut matching = self.records.images()?;
        matching.retain(|record| record.id.hex().starts_with(hex));
        match (matching.pop(), matching.as_slice()) {
            (Some(record), []) => Ok((record, FoundBy::Id)),
            (Some(last), others) => {
                let ids: Vec<&str> = others.iter().chain([&last]).map(|record| record.id.short()).collect();
                Err(Error::new(ErrorKind::Ambiguous, format!("{query} could be {}", ids.join(", ")))
                    .remedy("write more digits of the id"))
            }
            (None, _) => Err(Error::no_such_image(query)),
        }
    }

    /// By the image's id, or by a manifest's or index's digest it came by.
    fn by_digest(&self, digest: &Digest) -> Result<Option<ImageRecord>> {
        if let Some(record) = self.records.image(digest)? {
            return Ok(Some(record));
        }
        let came_by = |record: &ImageRecord| record.digests.iter().any(|known| known.digest() == Some(digest));
        Ok(self.records.images()?.into_iter().find(came_by))
    }

    fn by_reference(&self, reference: ImageReference) -> Result<Option<(ImageRecord, FoundBy)>> {
        if let Some(digest) = reference.digest() {
            let name = reference.name();
            let images = self.records.images()?;
            return Ok(images.into_iter().find_map(|record| {
                let mut known = record.digests.iter();
                let known = known.find(|known| known.name() == name && known.digest() == Some(digest))?.clone();
                Some((record, FoundBy::Digest(known)))
            }));
        }
        let Some(id) = self.records.tagged(&reference)? else { return Ok(None) };
        let record = self.records.image(&id)?.ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("{} leads to an image that is gone", reference.familiar()))
                .remedy("pull it again")
        })?;
        Ok(Some((record, FoundBy::Tag(reference))))
    }

    /// Unpacks from their blobs the layers that are not sound, and remembers where they are now.
    fn restore(&self, record: &ImageRecord, context: &OperationContext) -> Result<()> {
        context.step("unpacking layers again");
        let mut lease = self.leases.begin(Verb::Create, context.remaining())?;
        let layers = record.layers.iter();
        lease.add(
            Verb::Create,
            layers.flat_map(|layer| [&layer.diff_id, &layer.chain_id, &layer.blob.digest]).cloned(),
        )?;
        let mut restored = record.clone();
        let mut below = Vec::with_capacity(record.layers.len());
        for layer in &mut restored.layers {
            context.check()?;
            let lowers = self.lowers_of(&below);
            let found = self.unpack_again(&layer.blob, &layer.diff_id, &layer.chain_id, &lowers, context)?;
            layer.key = found.key.clone();
            below.push(found);
        }
        let _guard = self.leases.exclude(Verb::Create)?;
        if self.records.image(&record.id)?.as_ref() == Some(record) && restored != *record {
            self.records.put_image(&restored)?;
        }
        Ok(())
    }
}
