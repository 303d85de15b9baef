//! What does the log viewer remember? The lines, where it looks, what it searches.
//!
//! Deliberately elsewhere: how that changes (`update`).

use std::time::Duration;

use super::{
    buffer::LogBuffer,
    layout::{Position, Wrap},
};
use crate::{
    engine::domain::Error,
    ui::{effect::StreamId, search::Needle, widgets::TextField},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub stream: StreamId,
    pub link: StreamLink,
    pub buffer: LogBuffer,
    pub follow: Follow,
    pub top: Position,
    pub wrap: Wrap,
    pub times: Times,
    /// Columns scrolled to the right, without wrapping.
    pub left: usize,
    pub since: Since,
    pub search: Search,
}

/// How the stream is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum StreamLink {
    /// Nothing to read: no container, or one that never ran.
    #[default]
    Idle,
    Loading,
    Live,
    Ended,
    Failed(Error),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    #[default]
    End,
    /// The person reads something further up.
    Released,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    Shown,
    #[default]
    Hidden,
}

/// How far back the log goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// The last lines, however old: enough to read, little to load.
    #[default]
    Tail,
    All,
    Last(Duration),
}

impl Since {
    /// The choices by their digit.
    pub const CHOICES: [(char, Self); 7] = [
        ('0', Self::All),
        ('1', Self::Last(Duration::from_secs(60))),
        ('2', Self::Last(Duration::from_secs(5 * 60))),
        ('3', Self::Last(Duration::from_secs(15 * 60))),
        ('4', Self::Last(Duration::from_secs(60 * 60))),
        ('5', Self::Last(Duration::from_secs(6 * 60 * 60))),
        ('6', Self::Last(Duration::from_secs(24 * 60 * 60))),
    ];

    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Tail => "last lines".to_owned(),
            Self::All => "everything".to_owned(),
            Self::Last(span) => format!("last {}", crate::text::units::age(span)),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub field: TextField,
    pub typing: bool,
    pub needle: Needle,
    /// Lines that match among those kept.
    pub matches: usize,
    /// The line of the current match.
    pub current: Option<u64>,
    /// Which of the matches it is, from 1.
    pub position: Option<usize>,
}
