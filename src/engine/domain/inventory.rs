//! What does the engine show of its host, all at once?
//!
//! Deliberately elsewhere: keeping it up to date (`core::fold`, `supervisor`).

use std::sync::Arc;

use super::{Container, ContainerId, Error, HostInfo, HostSpec, Image, Operation, OperationId, Timestamp};

/// An immutable picture of one host; a newer picture replaces it whole.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Grows with every published picture.
    pub revision: u64,
    pub host: HostSpec,
    pub link: HostLink,
    pub info: Option<Arc<HostInfo>>,
    /// Sorted by creation time, newest first, then id.
    pub containers: Arc<[Arc<Container>]>,
    /// Sorted by creation time, newest first, then id.
    pub images: Arc<[Arc<Image>]>,
    /// Running first, then the last finished ones, newest first.
    pub operations: Arc<[Arc<Operation>]>,
}

/// How fresh the picture is.
#[derive(Clone, Debug, PartialEq)]
pub enum HostLink {
    /// Nothing has been heard yet.
    Connecting,
    /// Up to date as far as the host tells.
    Live,
    /// The last answer is from `since`; the error says what happened then.
    Stale { since: Timestamp, error: Error },
}

impl Inventory {
    /// The picture before the host has said anything.
    #[must_use]
    pub fn unknown(host: HostSpec) -> Self {
        Self {
            revision: 0,
            host,
            link: HostLink::Connecting,
            info: None,
            containers: Arc::from([]),
            images: Arc::from([]),
            operations: Arc::from([]),
        }
    }

    #[must_use]
    pub fn container(&self, id: &ContainerId) -> Option<&Arc<Container>> {
        self.containers.iter().find(|container| container.id == *id)
    }

    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<&Arc<Operation>> {
        self.operations.iter().find(|operation| operation.id == id)
    }
}
