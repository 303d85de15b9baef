//! How does one layer get here? Its blob received and its directory unpacked, at the same time and only once.
//!
//! Deliberately elsewhere: which layers (`pull`), receiving (`receive`), unpacking (`unpack_stream`).

use std::path::PathBuf;

use super::{
    layers::{PublishedLayer, Staging},
    receive::{Control, Partial, TideReader, receive},
    source::ImageSource,
    store::ImageStore,
    transfers::TransferBoard,
    unpack_stream::unpack_stream,
    unpacker::{UnpackLimits, UnpackReport},
};
use crate::engine::{
    backend::{OperationContext, embedded::manifest::Descriptor},
    domain::{Digest, Error, ErrorKind, Result, TransferPhase},
    sync::Tide,
};

/// One blob to fetch and the layer it holds.
#[derive(Clone, Debug)]
pub(super) struct LayerJob {
    pub blob: Descriptor,
    pub diff_id: Digest,
    /// Of its lowest position.
    pub chain_id: Digest,
    /// Its positions in the manifest, for progress.
    pub lines: Vec<usize>,
}

/// What became of a layer.
pub(super) enum LayerOutcome {
    Published,
    /// It depends on the layers below and waits for them.
    Staged(Staging, Box<UnpackReport>),
}

impl LayerJob {
    /// One job for each different blob, in the manifest's order.
    ///
    /// # Errors
    /// `Protocol` when one blob is said to hold two different layers, or to have two sizes.
    pub(super) fn plan(blobs: &[Descriptor], diff_ids: &[Digest], chain_ids: &[Digest]) -> Result<Vec<Self>> {
        let mut jobs: Vec<Self> = Vec::new();
        for (line, ((blob, diff_id), chain_id)) in blobs.iter().zip(diff_ids).zip(chain_ids).enumerate() {
            match jobs.iter_mut().find(|job| job.blob.digest == blob.digest) {
                Some(job) if job.diff_id != *diff_id || job.blob.size != blob.size => {
                    let why = format!("layer {} appears twice with different contents", blob.digest.short());
                    return Err(Error::new(ErrorKind::Protocol, why));
                }
                Some(job) => job.lines.push(line),
                None => jobs.push(Self {
                    blob: blob.clone(),
                    diff_id: diff_id.clone(),
                    chain_id: chain_id.clone(),
                    lines: vec![line],
                }),
            }
        }
        Ok(jobs)
    }
}

impl ImageStore {
    pub(super) fn fetch_layer(
        &self,
        job: &LayerJob,
        source: &dyn ImageSource,
        context: &OperationContext,
        check: &(dyn Fn() -> Result<()> + Sync),
        board: TransferBoard<'_>,
    ) -> Result<LayerOutcome> {
        let is_here = || self.blobs.has(&job.blob) && self.layers.find(&job.diff_id, &job.chain_id).is_some();
        let joined = || board.phase(&job.lines, TransferPhase::Joined);
        if is_here() {
            board.phase(&job.lines, TransferPhase::Exists);
            return Ok(LayerOutcome::Published);
        }
        let outcome = (|| {
            let _writer = self.blobs.writer(self.layout.blob_lock(&job.blob.digest), context, check, &joined)?;
            let _unpacker = self.blobs.writer(self.layout.layer_lock(&job.diff_id), context, check, &joined)?;
            if is_here() {
                return Ok(LayerOutcome::Published);
            }
            let progress = |done| board.update(&job.lines, |transfer| transfer.done = done);
            let control = Control { context, check, progress: &progress };
            let unpacked = self.layers.find(&job.diff_id, &job.chain_id).is_some();
            match (self.blobs.has(&job.blob), unpacked) {
                (true, true) => Ok(LayerOutcome::Published),
                (false, true) => {
                    board.phase(&job.lines, TransferPhase::Fetching);
                    let partial = Partial::open(&self.blobs, &job.blob)?;
                    receive(&self.blobs, &job.blob, partial, source, control, &Tide::default())?;
                    Ok(LayerOutcome::Published)
                }
                (true, false) => match self.unpack_blob(job, board) {
                    // Found damaged just now and dropped: as if it had never been here.
                    Err(error) if error.kind() == ErrorKind::Corrupt && !self.blobs.has(&job.blob) => {
                        self.fetch_and_unpack(job, source, control, board)
                    }
                    other => other,
                },
                (false, false) => self.fetch_and_unpack(job, source, control, board),
            }
        })();
        let phase = if outcome.is_ok() { TransferPhase::Done } else { TransferPhase::Failed };
        board.phase(&job.lines, phase);
        outcome
    }

    /// Unpacks a layer whose blob is here into a directory of its own and publishes it.
    pub(super) fn unpack_again(
        &self,
        blob: &Descriptor,
        diff_id: &Digest,
        chain_id: &Digest,
        lowers: &[PathBuf],
        context: &OperationContext,
    ) -> Result<PublishedLayer> {
        let check = || context.check();
        let _unpacker = self.blobs.writer(self.layout.layer_lock(diff_id), context, &check, &|| {})?;
        if let Some(layer) = self.layers.find(diff_id, chain_id) {
            return Ok(layer);
        }
        let (staging, report) = self.stage_blob(blob, diff_id, &|_| {})?;
        self.layers.publish(staging, diff_id, chain_id, report, lowers)
    }

    /// Directories of published layers, given lowest first, for a layer above them: topmost first.
    pub(super) fn lowers_of(&self, published: &[PublishedLayer]) -> Vec<PathBuf> {
        let mut lowers = Vec::with_capacity(published.len());
        for layer in published.iter().rev() {
            lowers.push(self.layers.files(&layer.key));
            if layer.report.opaque_root {
                break;
            }
        }
        lowers
    }

    fn fetch_and_unpack(
        &self,
        job: &LayerJob,
        source: &dyn ImageSource,
        control: Control<'_>,
        board: TransferBoard<'_>,
    ) -> Result<LayerOutcome> {
        board.phase(&job.lines, TransferPhase::Fetching);
        let partial = Partial::open(&self.blobs, &job.blob)?;
        let continued = partial.is_continued();
        match self.fetch_and_unpack_once(job, partial, source, control, board) {
            // The beginning, from an earlier attempt, may be what is wrong; it is dropped now.
            Err(error) if continued && error.kind() == ErrorKind::DigestMismatch => {
                let fresh = Partial::open(&self.blobs, &job.blob)?;
                self.fetch_and_unpack_once(job, fresh, source, control, board)
            }
            other => other,
        }
    }

    fn fetch_and_unpack_once(
        &self,
        job: &LayerJob,
        partial: Partial,
        source: &dyn ImageSource,
        control: Control<'_>,
        board: TransferBoard<'_>,
    ) -> Result<LayerOutcome> {
        let path = self.layout.partial_blob(&job.blob.digest);
        let file = self.disk.open(&path).map_err(|error| Error::io("opening a partial download", error))?;
        let staging = self.layers.stage(&job.diff_id)?;
        let target = staging.files();
        let tide = Tide::default();
        let (mut received, mut unpacked) = (None, None);
        let receiving = || {
            let outcome = receive(&self.blobs, &job.blob, partial, source, control, &tide);
            if outcome.is_ok() {
                board.phase(&job.lines, TransferPhase::Unpacking);
            }
            received = Some(outcome);
        };
        let unpacking = || {
            let outcome = self.unpack(TideReader::new(file, &tide), job, &target, board);
            // A broken layer is received to its end, to learn whether the transfer or the image is at fault.
            if outcome.as_ref().is_err_and(|error| error.kind() != ErrorKind::Corrupt) {
                tide.abandon();
            }
            unpacked = Some(outcome);
        };
        let ended = self.machine.threads.together(vec![Box::new(receiving), Box::new(unpacking)]);
        let (Ok(()), Some(received), Some(unpacked)) = (ended, received, unpacked) else {
            return Err(Error::new(ErrorKind::Internal, "a thread that received or unpacked a layer panicked"));
        };
        match (received, unpacked) {
            (Err(error), Err(cause)) if error.kind() == ErrorKind::Cancelled => {
                (control.check)()?;
                Err(cause)
            }
            (Err(error), _) => Err(error),
            (Ok(()), unpacked) => self.settle_outcome(job, staging, unpacked?),
        }
    }

    fn unpack_blob(&self, job: &LayerJob, board: TransferBoard<'_>) -> Result<LayerOutcome> {
        board.update(&job.lines, |transfer| {
            transfer.phase = TransferPhase::Unpacking;
            transfer.done = transfer.total;
        });
        let files = |count| board.update(&job.lines, |transfer| transfer.files = count);
        let (staging, report) = self.stage_blob(&job.blob, &job.diff_id, &files)?;
        self.settle_outcome(job, staging, report)
    }

    fn stage_blob(
        &self,
        blob: &Descriptor,
        diff_id: &Digest,
        files: &(dyn Fn(u64) + Sync),
    ) -> Result<(Staging, UnpackReport)> {
        let staging = self.layers.stage(diff_id)?;
        let limits = UnpackLimits::for_blob(blob.size);
        let reader = self.blobs.open(&blob.digest)?;
        match unpack_stream(
            reader,
            diff_id,
            &staging.files(),
            self.layers.unpacker(),
            &*self.machine.threads,
            &limits,
            files,
        ) {
            Ok(report) => Ok((staging, report)),
            Err(error) => {
                self.drop_if_damaged(&blob.digest)?;
                Err(error)
            }
        }
    }

    /// Tells a damaged blob from a broken image.
    fn drop_if_damaged(&self, digest: &Digest) -> Result<()> {
        let damaged = std::io::copy(&mut self.blobs.open(digest)?, &mut std::io::sink())
            .is_err_and(|error| error.kind() == std::io::ErrorKind::InvalidData);
        if damaged {
            self.blobs.discard(digest);
            return Err(super::blobs::corrupt(digest));
        }
        Ok(())
    }

    fn unpack(
        &self,
        stream: impl std::io::Read + Send,
        job: &LayerJob,
        target: &std::path::Path,
        board: TransferBoard<'_>,
    ) -> Result<UnpackReport> {
        let files = |count| board.update(&job.lines, |transfer| transfer.files = count);
        let limits = UnpackLimits::for_blob(job.blob.size);
        unpack_stream(stream, &job.diff_id, target, self.layers.unpacker(), &*self.machine.threads, &limits, &files)
    }

    fn settle_outcome(&self, job: &LayerJob, staging: Staging, report: UnpackReport) -> Result<LayerOutcome> {
        if report.is_contextual() && job.diff_id != job.chain_id {
            return Ok(LayerOutcome::Staged(staging, Box::new(report)));
        }
        self.layers.publish(staging, &job.diff_id, &job.chain_id, report, &[])?;
        Ok(LayerOutcome::Published)
    }
}
