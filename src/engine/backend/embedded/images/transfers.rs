//! How far is each layer of a running pull? One line each, in the manifest's order.
//!
//! Deliberately elsewhere: who reads it (`OperationContext`).

use crate::engine::{
    backend::{OperationContext, embedded::manifest::Descriptor},
    domain::{Transfer, TransferPhase},
};

/// Reports the transfers of one operation.
#[derive(Clone, Copy)]
pub(super) struct TransferBoard<'a> {
    context: &'a OperationContext,
}

impl<'a> TransferBoard<'a> {
    /// Shows every blob as waiting.
    pub(super) fn open<'b>(context: &'a OperationContext, blobs: impl Iterator<Item = &'b Descriptor>) -> Self {
        let transfers: Vec<Transfer> = blobs
            .map(|blob| Transfer {
                name: blob.digest.short().to_owned(),
                phase: TransferPhase::Waiting,
                done: 0,
                total: blob.size,
                files: 0,
            })
            .collect();
        context.report(|progress| progress.transfers = transfers);
        Self { context }
    }

    /// Changes the line of every blob in `lines`.
    pub(super) fn update(&self, lines: &[usize], change: impl Fn(&mut Transfer)) {
        self.context.report(|progress| {
            for line in lines {
                progress.transfers.get_mut(*line).into_iter().for_each(&change);
            }
        });
    }

    pub(super) fn phase(&self, lines: &[usize], phase: TransferPhase) {
        self.update(lines, |transfer| {
            transfer.phase = phase;
            if matches!(phase, TransferPhase::Exists | TransferPhase::Done) {
                transfer.done = transfer.total;
            }
        });
    }
}
