//! What does the containers screen remember? Selection by id, order, filter, marks.
//!
//! Deliberately elsewhere: how these change (`update`), the rows as text (`view_model`).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    engine::domain::{ContainerId, Timestamp},
    ui::{cursor::Cursor, widgets::TextField},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub selected: Option<ContainerId>,
    pub cursor: Cursor,
    /// Made just now by the person: selected as soon as it is listed.
    pub awaited: Option<ContainerId>,
    pub sort: Sort,
    pub filter: Filter,
    pub marked: BTreeSet<ContainerId>,
    /// Indexes into the inventory's containers, filtered and in order.
    pub rows: Vec<usize>,
    pub totals: Totals,
    /// The last words of containers that failed, and the end of the run they belong to.
    pub last_lines: BTreeMap<ContainerId, LastLine>,
    /// Somebody publishes a port, so the column is worth its room.
    pub has_ports: bool,
    /// Columns of the longest name and of the longest image.
    pub longest_name: u16,
    pub longest_image: u16,
}

/// What a failed container printed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastLine {
    pub finished: Option<Timestamp>,
    /// Safe to show; empty until it has been read.
    pub text: String,
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub by: SortBy,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// What needs a person first, then what runs, then the rest, each newest first.
    #[default]
    Trouble,
    Name,
    Status,
    Image,
    Age,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Forward,
    Reversed,
}

/// A text that rows must contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub field: TextField,
    /// The keys go to the field.
    pub typing: bool,
}

impl Filter {
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.typing || !self.field.is_empty()
    }
}

/// How many there are of each kind, shown in the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub running: usize,
    pub stopped: usize,
    pub failed: usize,
}
