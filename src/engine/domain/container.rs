//! What do we know about one container?
//!
//! Deliberately elsewhere: what was asked for at creation (`container_spec`), the embedded engine's
//! on-disk record (`backend::embedded`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ContainerId, ContainerName, Digest, Generation, PublishedPort, Status, Timestamp, Verb};

/// One container as observed on its host. Replaced whole, never edited in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    pub id: ContainerId,
    /// `None` for a daemon's ghost entry with an empty name list: shown by id, offered for removal.
    pub name: Option<ContainerName>,
    /// The image as its creator wrote it.
    pub image: String,
    pub image_id: Option<Digest>,
    /// Entrypoint and command as one argument vector.
    pub command: Vec<String>,
    pub created: Timestamp,
    pub labels: BTreeMap<String, String>,
    pub ports: Vec<PublishedPort>,
    pub tty: bool,
    pub auto_remove: bool,
    pub state: ContainerState,
    /// Why the container is not fully in our hands (its monitor was killed, say); it still runs.
    pub degraded: Option<String>,
    /// The change somebody is making right now, if any: another process's operation shows here.
    pub intent: Option<Intent>,
    /// Grows with every change of the record; readers keep the larger one.
    pub generation: Generation,
}

impl Container {
    /// One that was created and never ran; what else is known of it goes in by struct update.
    #[must_use]
    pub fn new(id: ContainerId, image: impl Into<String>, created: Timestamp) -> Self {
        Self {
            id,
            name: None,
            image: image.into(),
            image_id: None,
            command: Vec::new(),
            created,
            labels: BTreeMap::new(),
            ports: Vec::new(),
            tty: false,
            auto_remove: false,
            state: ContainerState::created(),
            degraded: None,
            intent: None,
            generation: Generation::default(),
        }
    }

    /// The name, or the short id where there is none.
    #[must_use]
    pub fn display_name(&self) -> String {
        match &self.name {
            Some(name) => name.to_string(),
            None => self.id.short().to_string(),
        }
    }

    #[must_use]
    pub fn status(&self) -> Status {
        self.state.status
    }
}

/// The changing half of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerState {
    pub status: Status,
    pub pid: Option<u32>,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// The process's exit code, 128+n for signal n; `None` while it runs and when nobody can tell.
    pub exit_code: Option<i32>,
    pub oom_killed: bool,
    pub health: Option<Health>,
    /// Why it failed to start, or what is broken.
    pub reason: Option<String>,
}

impl ContainerState {
    /// A container that never ran.
    #[must_use]
    pub fn created() -> Self {
        Self {
            status: Status::Created,
            pid: None,
            started: None,
            finished: None,
            exit_code: None,
            oom_killed: false,
            health: None,
            reason: None,
        }
    }
}

/// What the image's health check last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

/// A change in flight: written durably before its first step, cleared after its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub verb: Verb,
    /// The `wharf` process that makes the change.
    pub pid: u32,
    pub since: Timestamp,
    pub deadline: Option<Timestamp>,
}
