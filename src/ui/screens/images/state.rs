//! What does the images screen remember?
//!
//! Deliberately elsewhere: how it changes (`update`).

use crate::{
    engine::domain::{Digest, Error, HistoryEntry},
    ui::{cursor::Cursor, effect::QueryId, screens::containers::state::Filter},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub selected: Option<Digest>,
    pub cursor: Cursor,
    pub filter: Filter,
    pub order: Order,
    /// Indexes into the inventory's images.
    pub rows: Vec<usize>,
    pub history: History,
    pub history_first: usize,
    pub query: QueryId,
    /// Grows with every change of the selection.
    pub visit: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Newest,
    Name,
}

/// The layers of the selected image.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum History {
    /// Enter asks for them.
    #[default]
    NotAsked,
    Loading,
    Entries(Vec<HistoryEntry>),
    Failed(Error),
}
