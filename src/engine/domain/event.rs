//! What happened on a host?
//!
//! Deliberately elsewhere: the state after it (`inventory`); an event is a hint to look again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One fact, in the order its host reports them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEvent {
    pub at: Timestamp,
    pub subject: EventSubject,
    pub action: EventAction,
    /// Full container id, or an image reference or id.
    pub id: String,
    /// The name at that time, where there is one.
    pub name: Option<String>,
    /// `exitCode`, `signal`, `image` and whatever the host adds (untrusted text).
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSubject {
    Container,
    Image,
    /// Networks, volumes and what hosts invent later.
    Other,
}

/// Docker's action words; unknown ones are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventAction {
    Create,
    Start,
    Kill,
    Die,
    Oom,
    Stop,
    Restart,
    Pause,
    Unpause,
    Rename,
    Destroy,
    Pull,
    Push,
    Tag,
    Untag,
    Delete,
    #[serde(untagged)]
    Other(String),
}

impl EventAction {
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Kill => "kill",
            Self::Die => "die",
            Self::Oom => "oom",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Rename => "rename",
            Self::Destroy => "destroy",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Tag => "tag",
            Self::Untag => "untag",
            Self::Delete => "delete",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for EventAction {
    fn from(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "start" => Self::Start,
            "kill" => Self::Kill,
            "die" | "died" => Self::Die,
            "oom" => Self::Oom,
            "stop" => Self::Stop,
            "restart" => Self::Restart,
            "pause" => Self::Pause,
            "unpause" => Self::Unpause,
            "rename" => Self::Rename,
            "destroy" | "remove" => Self::Destroy,
            "pull" => Self::Pull,
            "push" => Self::Push,
            "tag" => Self::Tag,
            "untag" => Self::Untag,
            "delete" => Self::Delete,
            other => Self::Other(other.to_owned()),
        }
    }
}
