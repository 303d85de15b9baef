//! What is true outside the screen? The engine's picture, the time, the host it is about.
//!
//! Deliberately elsewhere: what the person is doing (`state`, `screens`).

use std::{sync::Arc, time::Duration};

use crate::{
    engine::domain::{Container, ContainerId, HostSpec, Inventory, Operation, OperationState, Timestamp, Verb},
    text::units,
};

/// What ends the process of a container.
const ENDING: [Verb; 4] = [Verb::Stop, Verb::Restart, Verb::Kill, Verb::Remove];
/// The host may tell of the end a moment after its operation is over.
const JUST_ENDED: Duration = Duration::from_secs(5);

/// Counts the hosts opened in this session; a message of an older one is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// Read by every screen, written by `update` alone.
#[derive(Clone, Debug)]
pub struct Facts {
    pub epoch: Epoch,
    pub inventory: Arc<Inventory>,
    /// The time of the wake that is being handled.
    pub now: Timestamp,
    /// Ages are counted to this moment, which moves once a minute, so that they all change together.
    pub ages_at: Timestamp,
}

impl Facts {
    #[must_use]
    pub fn new(host: HostSpec, now: Timestamp) -> Self {
        Self { epoch: Epoch::default(), inventory: Arc::new(Inventory::unknown(host)), now, ages_at: now }
    }

    #[must_use]
    pub fn container(&self, id: &ContainerId) -> Option<&Arc<Container>> {
        self.inventory.container(id)
    }

    /// The operation that is going on with a container, if one is.
    #[must_use]
    pub fn operation_on(&self, id: &ContainerId) -> Option<&Arc<Operation>> {
        self.running_operations().find(|operation| operation.container.as_ref() == Some(id))
    }

    /// Whether an operation is about to end a container, or has just done so.
    #[must_use]
    pub fn is_being_ended(&self, id: &str) -> bool {
        self.inventory.operations.iter().any(|operation| {
            let recent = match &operation.state {
                OperationState::Queued | OperationState::Running => true,
                OperationState::Finished { at, .. } => self.now.since(*at) < JUST_ENDED,
            };
            let about_it = operation.container.as_ref().is_some_and(|container| container.as_str() == id);
            recent && about_it && ENDING.contains(&operation.verb)
        })
    }

    /// Running ones come first in the inventory.
    pub fn running_operations(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.inventory.operations.iter().take_while(|operation| operation.is_running())
    }

    /// An age with minute granularity.
    #[must_use]
    pub fn age(&self, since: Timestamp) -> String {
        let age = self.ages_at.since(since);
        if age < Duration::from_secs(60) { "<1m".to_owned() } else { units::age(age) }
    }

    /// Seconds since a moment, for what is running now.
    #[must_use]
    pub fn seconds(&self, since: Timestamp) -> String {
        format!("{}s", self.now.since(since).as_secs())
    }

    /// Seconds until a moment; none once it has passed.
    #[must_use]
    pub fn seconds_until(&self, moment: Timestamp) -> String {
        format!("{}s", moment.since(self.now).as_secs())
    }
}
