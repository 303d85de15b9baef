//! What does a push send, and where do its bytes come from?
//!
//! Deliberately elsewhere: sending (`registry::push`), which verifies and resumes; reading blobs (`blobs`).

use std::io::{self, Read};

use super::{pull::untagged, store::ImageStore};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            manifest::{Descriptor, MANIFEST_MAX, Manifest},
            registry::{BlobOrigin, PlannedManifest, PushPlan, Registry, Repository, push},
        },
    },
    domain::{Digest, Error, ErrorKind, ImageReference, Result, Verb},
};

impl ImageStore {
    /// Pushes the image that has the tag `reference` to where the reference says; returns the manifest's digest there.
    /// What is sent stays here meanwhile, whatever others remove.
    ///
    /// # Errors
    /// `NoSuchImage` when no image has that tag; `Corrupt`; the registry's.
    pub fn push(&self, reference: &ImageReference, registry: &Registry, context: &OperationContext) -> Result<Digest> {
        let reference = reference.clone().with_default_tag();
        if reference.digest().is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "a push goes to a tag, not to a digest")
                .remedy("leave out the @sha256:… part"));
        }
        let mut lease = self.leases.begin(Verb::Push, context.remaining())?;
        let plan = {
            // Between the look and the lease nothing may go.
            let guard = self.leases.share(Verb::Push)?;
            let missing = || {
                Error::new(ErrorKind::NoSuchImage, format!("No such image: {}", reference.familiar()))
                    .remedy(format!("give an image that name first: wharf tag IMAGE {}", reference.familiar()))
            };
            let id = self.records.tagged(&reference)?.ok_or_else(missing)?;
            let record = self.records.image(&id)?.ok_or_else(missing)?;
            let plan = self.plan(&record.manifest)?;
            drop(guard);
            lease.add(Verb::Push, record.blobs().cloned())?;
            if !record.blobs().all(|digest| self.blobs.size(digest).is_some()) {
                return Err(Error::new(ErrorKind::Corrupt, "a part of it is gone").remedy("pull it again"));
            }
            plan
        };
        let results = push(registry, &plan, std::slice::from_ref(&reference), self);
        let outcome = results.into_iter().next().map(|result| result.outcome);
        let digest = outcome.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the push had no result")))?;
        self.remember_digest(&reference, &digest)?;
        Ok(digest)
    }

    fn plan(&self, manifest: &Descriptor) -> Result<PushPlan> {
        let gone = || Error::new(ErrorKind::Corrupt, "its manifest is gone").remedy("pull it again");
        let bytes = self.blobs.read(&manifest.digest, MANIFEST_MAX as u64)?.ok_or_else(gone)?;
        let image = match Manifest::parse(&bytes, Some(&manifest.media_type))? {
            Manifest::Image(image) => image,
            Manifest::Index(_) => return Err(gone()),
        };
        let blobs = image.layers.into_iter().chain([image.config]).collect();
        let (media_type, digest) = (manifest.media_type.clone(), manifest.digest.clone());
        Ok(PushPlan::new(PlannedManifest { media_type, digest, bytes: bytes.into(), blobs }, Vec::new()))
    }

    /// After a push the image is known by its digest there too.
    fn remember_digest(&self, reference: &ImageReference, digest: &Digest) -> Result<()> {
        let _guard = self.leases.exclude(Verb::Push)?;
        // Untagged meanwhile: nothing to remember.
        let Some(id) = self.records.tagged(reference)? else { return Ok(()) };
        let Some(mut record) = self.records.image(&id)? else { return Ok(()) };
        let pushed = untagged(reference).with_digest(digest.clone());
        if record.manifest.digest == *digest && !record.digests.contains(&pushed) {
            record.digests.push(pushed);
            record.digests.sort();
            self.records.put_image(&record)?;
        }
        Ok(())
    }
}

impl BlobOrigin for ImageStore {
    /// Verified at its end, from wherever it is sent.
    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        let mut reader = self.blobs.open(&blob.digest)?;
        let skipped = io::copy(&mut Read::take(&mut reader, offset), &mut io::sink());
        skipped.map_err(|error| Error::io("reading a blob", error))?;
        Ok(Box::new(reader))
    }

    fn repositories(&self, digest: &Digest) -> Vec<Repository> {
        // Only a shortcut: without it the blob is sent.
        let records = self.records.images().unwrap_or_default();
        let having = records.iter().filter(|record| record.blobs().any(|blob| blob == digest));
        having.flat_map(|record| &record.digests).map(Repository::from).collect()
    }
}
