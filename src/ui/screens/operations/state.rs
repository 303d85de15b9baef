//! What does the operations screen remember, and how does it move?
//!
//! Deliberately elsewhere: the operations themselves (`Facts`), their words (`view_model`).

use std::{cmp::Reverse, sync::Arc};

use super::view_model;
use crate::{
    engine::domain::{Operation, OperationId},
    ui::{
        cursor::{Cursor, Step},
        facts::Facts,
        screens::containers::state::Filter,
    },
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub selected: Option<OperationId>,
    pub cursor: Cursor,
    pub filter: Filter,
    /// Indexes into the inventory's operations, filtered: what runs first, then the newest.
    pub rows: Vec<usize>,
}

impl State {
    /// Brings the rows in line with the inventory and follows the selected operation where it went.
    pub fn refresh(&mut self, facts: &Facts, shown: usize) {
        let operations = &facts.inventory.operations;
        let needle = self.filter.field.text().to_lowercase();
        let mut rows: Vec<(usize, &Arc<Operation>)> = operations.iter().enumerate().collect();
        rows.retain(|(_, operation)| needle.is_empty() || view_model::contains(operation, facts, &needle));
        rows.sort_by_key(|(_, operation)| (!operation.is_running(), Reverse(operation.started)));
        let here = rows.iter().position(|(_, operation)| Some(operation.id) == self.selected);
        self.rows = rows.into_iter().map(|(index, _)| index).collect();
        self.cursor.place(here.unwrap_or(self.cursor.index), self.rows.len(), shown);
        self.select_cursor(facts);
    }

    pub fn step(&mut self, step: Step, facts: &Facts, shown: usize) {
        self.cursor.step(step, self.rows.len(), shown);
        self.select_cursor(facts);
    }

    pub fn scroll(&mut self, step: Step, facts: &Facts, shown: usize) {
        self.cursor.scroll(step, self.rows.len(), shown);
        self.select_cursor(facts);
    }

    #[must_use]
    pub fn current<'a>(&self, facts: &'a Facts) -> Option<&'a Arc<Operation>> {
        facts.inventory.operations.get(*self.rows.get(self.cursor.index)?)
    }

    fn select_cursor(&mut self, facts: &Facts) {
        self.selected = self.current(facts).map(|operation| operation.id);
    }
}
