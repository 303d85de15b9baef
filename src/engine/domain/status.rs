//! Where is a container in its life?
//!
//! Deliberately elsewhere: which verbs each status allows (`core::admit`), glyphs and colours (`ui::theme`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The life-cycle of a container as last observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody is creating it; not usable yet.
    Creating,
    Created,
    Running,
    Paused,
    /// Its restart policy waits for the next try.
    Restarting,
    /// A stop has been sent and the process is still there.
    Stopping,
    Exited,
    Removing,
    /// Something it needs is gone or damaged; removal with force always works. Whether anything runs in it is asked then.
    Broken,
    /// The host cannot say.
    Unknown,
}

impl Status {
    pub const ALL: [Self; 10] = [
        Self::Creating,
        Self::Created,
        Self::Running,
        Self::Paused,
        Self::Restarting,
        Self::Stopping,
        Self::Exited,
        Self::Removing,
        Self::Broken,
        Self::Unknown,
    ];

    /// Whether the container has, or may have, a process.
    #[must_use]
    pub fn has_process(self) -> bool {
        match self {
            Self::Running | Self::Paused | Self::Restarting | Self::Stopping | Self::Unknown => true,
            Self::Creating | Self::Created | Self::Exited | Self::Removing | Self::Broken => false,
        }
    }

    /// Whether it is over, or never began: what `prune` removes. A broken one in which something runs refuses that.
    #[must_use]
    pub fn is_idle(self) -> bool {
        match self {
            Self::Created | Self::Exited | Self::Broken => true,
            Self::Creating
            | Self::Running
            | Self::Paused
            | Self::Restarting
            | Self::Stopping
            | Self::Removing
            | Self::Unknown => false,
        }
    }

    /// Our word for it, also the value of `status` in JSON output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Exited => "exited",
            Self::Removing => "removing",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }

    /// Docker's word, for `inspect` (`State.Status`); a stopping container still runs there.
    #[must_use]
    pub fn docker_word(self) -> &'static str {
        match self {
            Self::Creating | Self::Created => "created",
            Self::Running | Self::Stopping | Self::Unknown => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Removing => "removing",
            Self::Broken => "dead",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
