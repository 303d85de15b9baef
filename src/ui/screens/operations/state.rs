//! What does the operations screen remember, and how does it move?
//!
//! Deliberately elsewhere: the operations themselves (`Facts`).

use std::sync::Arc;

use crate::{
    engine::domain::{Operation, OperationId},
    ui::{
        cursor::{Cursor, Step},
        facts::Facts,
    },
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub selected: Option<OperationId>,
    pub cursor: Cursor,
}

impl State {
    /// Follows the selected operation where it went.
    pub fn refresh(&mut self, facts: &Facts, shown: usize) {
        let operations = &facts.inventory.operations;
        let here = operations.iter().position(|operation| Some(operation.id) == self.selected);
        self.cursor.place(here.unwrap_or(self.cursor.index), operations.len(), shown);
        self.select_cursor(facts);
    }

    pub fn step(&mut self, step: Step, facts: &Facts, shown: usize) {
        self.cursor.step(step, facts.inventory.operations.len(), shown);
        self.select_cursor(facts);
    }

    pub fn scroll(&mut self, step: Step, facts: &Facts, shown: usize) {
        self.cursor.scroll(step, facts.inventory.operations.len(), shown);
        self.select_cursor(facts);
    }

    #[must_use]
    pub fn current<'a>(&self, facts: &'a Facts) -> Option<&'a Arc<Operation>> {
        facts.inventory.operations.get(self.cursor.index)
    }

    fn select_cursor(&mut self, facts: &Facts) {
        self.selected = self.current(facts).map(|operation| operation.id);
    }
}
