//! Which verbs does the engine know, and what are they called on the command line?
//!
//! Deliberately elsewhere: when a verb is allowed (`core::admit`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing a person or a script can ask for. `as_str` is the command-line name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Create,
    Run,
    Start,
    Stop,
    Restart,
    Kill,
    Pause,
    Unpause,
    Remove,
    Rename,
    Pull,
    Push,
    Tag,
    RemoveImage,
    CreateIndex,
    PruneContainers,
    PruneImages,
    Demo,
    Connect,
    List,
    Inspect,
    Logs,
    Attach,
    Exec,
    Processes,
    Wait,
    Images,
    History,
    Events,
    Repair,
}

impl Verb {
    /// The words typed after `wharf`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Run => "run",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Remove => "rm",
            Self::Rename => "rename",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Tag => "tag",
            Self::RemoveImage => "rmi",
            Self::CreateIndex => "index create",
            Self::PruneContainers => "prune containers",
            Self::PruneImages => "prune images",
            Self::Demo => "demo",
            Self::Connect => "connect",
            Self::List => "ps",
            Self::Inspect => "inspect",
            Self::Logs => "logs",
            Self::Attach => "attach",
            Self::Exec => "exec",
            Self::Processes => "top",
            Self::Wait => "wait",
            Self::Images => "images",
            Self::History => "history",
            Self::Events => "events",
            Self::Repair => "system repair",
        }
    }

    /// The verb inside a sentence: "cannot {phrase} web".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Run => "run",
            Self::Remove | Self::RemoveImage => "remove",
            Self::CreateIndex => "create the index",
            Self::PruneContainers => "prune containers on",
            Self::PruneImages => "prune images on",
            Self::Demo => "try",
            Self::Connect => "connect to",
            Self::List => "list containers on",
            Self::Logs => "read the logs of",
            Self::Attach => "attach to",
            Self::Exec => "run a command in",
            Self::Processes => "list the processes of",
            Self::Wait => "wait for",
            Self::Images => "list images on",
            Self::History => "read the history of",
            Self::Events => "follow the events of",
            Self::Repair => "repair",
            Self::Start
            | Self::Stop
            | Self::Restart
            | Self::Kill
            | Self::Pause
            | Self::Unpause
            | Self::Rename
            | Self::Pull
            | Self::Push
            | Self::Tag
            | Self::Inspect => self.as_str(),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
