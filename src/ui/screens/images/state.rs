//! What does the images screen remember?
//!
//! Deliberately elsewhere: how it changes (`update`).

use crate::{
    engine::domain::{Digest, Error, HistoryEntry, ImageReference},
    ui::{cursor::Cursor, effect::QueryId, screens::containers::state::Filter},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The selected row's image and name.
    pub selected: Option<(Digest, Option<ImageReference>)>,
    pub cursor: Cursor,
    pub filter: Filter,
    pub order: Order,
    pub rows: Vec<Row>,
    /// How many rows there are without a filter.
    pub total: usize,
    pub history: History,
    pub history_first: usize,
    pub query: QueryId,
    /// Grows with every change of the selection.
    pub visit: u64,
}

/// An image by one of its names, or by none: indexes into the inventory's images and into that image's references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub image: usize,
    pub reference: Option<usize>,
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
