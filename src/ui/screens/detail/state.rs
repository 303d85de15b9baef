//! What does the detail remember? Whose it is, which tab, and each tab's own state.
//!
//! Deliberately elsewhere: loading (`update`).

use super::{logs, overview, processes, secrets::Secrets, tree};
use crate::{
    engine::domain::{ContainerId, Timestamp},
    ui::effect::QueryId,
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub target: Option<ContainerId>,
    pub tab: Tab,
    pub logs: logs::state::State,
    pub inspect: tree::state::State,
    pub processes: processes::State,
    pub processes_first: usize,
    pub overview: overview::State,
    pub secrets: Secrets,
    /// The newest question; answers to others are stale.
    pub query: QueryId,
    /// Grows with every change of the target, for the timer that waits until it rests.
    pub visit: u64,
    pub pace: Pace,
    /// The start of the run whose log is followed: another run needs a new stream.
    pub run: Option<Timestamp>,
}

/// How the selection has been moving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    #[default]
    Resting,
    /// One move after a rest: its target has been loaded.
    Moved,
    /// Move upon move: the newest target is not loaded yet.
    Running,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Logs,
    Inspect,
    Processes,
    Environment,
}

impl Tab {
    pub const ALL: [Self; 4] = [Self::Logs, Self::Inspect, Self::Processes, Self::Environment];

    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Logs => "1 logs",
            Self::Inspect => "2 inspect",
            Self::Processes => "3 processes",
            Self::Environment => "4 env",
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Logs => Self::Inspect,
            Self::Inspect => Self::Processes,
            Self::Processes => Self::Environment,
            Self::Environment => Self::Logs,
        }
    }

    #[must_use]
    pub fn previous(self) -> Self {
        self.next().next().next()
    }
}
