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

/// What a verb is called wherever a person meets it.
struct Words {
    /// Typed after `wharf`.
    name: &'static str,
    /// "cannot {phrase} web".
    phrase: &'static str,
    /// "{doing} 3s".
    doing: &'static str,
    /// "{done} web".
    done: &'static str,
}

impl Verb {
    fn words(self) -> Words {
        let words = |name, phrase, doing, done| Words { name, phrase, doing, done };
        match self {
            Self::Create => words("create", "create", "creating", "created"),
            Self::Run => words("run", "run", "starting", "started"),
            Self::Start => words("start", "start", "starting", "started"),
            Self::Stop => words("stop", "stop", "stopping", "stopped"),
            Self::Restart => words("restart", "restart", "restarting", "restarted"),
            Self::Kill => words("kill", "kill", "killing", "killed"),
            Self::Pause => words("pause", "pause", "pausing", "paused"),
            Self::Unpause => words("unpause", "unpause", "unpausing", "unpaused"),
            Self::Remove => words("rm", "remove", "removing", "removed"),
            Self::Rename => words("rename", "rename", "renaming", "renamed"),
            Self::Pull => words("pull", "pull", "pulling", "pulled"),
            Self::Push => words("push", "push", "pushing", "pushed"),
            Self::Tag => words("tag", "tag", "tagging", "tagged"),
            Self::RemoveImage => words("rmi", "remove", "removing", "removed"),
            Self::CreateIndex => words("index create", "create the index", "creating an index", "made the index"),
            Self::PruneContainers => words("prune containers", "prune containers on", "pruning", "pruned"),
            Self::PruneImages => words("prune images", "prune images on", "pruning", "pruned"),
            Self::Demo => words("demo", "try", "building the demo", "built"),
            Self::Connect => words("connect", "connect to", "connecting", "connected"),
            Self::List => words("ps", "list containers on", "working", "done"),
            Self::Inspect => words("inspect", "inspect", "working", "done"),
            Self::Logs => words("logs", "read the logs of", "working", "done"),
            Self::Attach => words("attach", "attach to", "working", "done"),
            Self::Exec => words("exec", "run a command in", "working", "done"),
            Self::Processes => words("top", "list the processes of", "working", "done"),
            Self::Wait => words("wait", "wait for", "working", "done"),
            Self::Images => words("images", "list images on", "working", "done"),
            Self::History => words("history", "read the history of", "working", "done"),
            Self::Events => words("events", "follow the events of", "working", "done"),
            Self::Repair => words("system repair", "repair", "repairing", "repaired"),
        }
    }

    /// The words typed after `wharf`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.words().name
    }

    /// The verb inside a sentence: "cannot {phrase} web".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        self.words().phrase
    }

    /// The verb as what is going on.
    #[must_use]
    pub fn doing(self) -> &'static str {
        self.words().doing
    }

    /// The verb as what has been done.
    #[must_use]
    pub fn done(self) -> &'static str {
        self.words().done
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
