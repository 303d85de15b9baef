//! What does the tree remember, and how does it move, fold and search?
//!
//! Deliberately elsewhere: its rows (`rows`), drawing (`view`).

use std::collections::HashSet;

use serde_json::Value;

use super::rows::{self, Path, Row};
use crate::{
    engine::domain::Error,
    ui::{
        cursor::{Cursor, Step},
        search::{Direction, Needle},
        widgets::TextField,
    },
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub content: Content,
    pub rows: Vec<Row>,
    pub cursor: Cursor,
    unfolded: HashSet<Path>,
    pub field: TextField,
    pub typing: bool,
    pub needle: Needle,
    pub matches: Vec<Path>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    #[default]
    Nothing,
    Loading,
    Document(Value),
    Failed(Error),
}

impl State {
    /// Shows another document. What was unfolded stays so: the next container has the same shape.
    pub fn show(&mut self, document: Value, shown: usize) {
        if self.unfolded.is_empty() {
            // The parts that people look for first.
            let top = rows::rows(&document, &HashSet::new());
            let wanted = top.iter().filter(|row| matches!(row.key.as_str(), "State" | "Config" | "HostConfig"));
            self.unfolded = wanted.map(|row| row.path.clone()).collect();
        }
        self.content = Content::Document(document);
        self.refresh(shown);
        self.find();
    }

    pub fn fail(&mut self, error: Error) {
        self.content = Content::Failed(error);
        self.rows.clear();
    }

    pub fn step(&mut self, step: Step, shown: usize) {
        self.cursor.step(step, self.rows.len(), shown);
    }

    pub fn scroll(&mut self, step: Step, shown: usize) {
        self.cursor.scroll(step, self.rows.len(), shown);
    }

    /// Folds or unfolds the current row; on a leaf, nothing.
    pub fn toggle(&mut self, shown: usize) {
        if let Some(path) = self.current().map(|row| row.path.clone()) {
            if !self.unfolded.remove(&path) && self.has_children(&path) {
                self.unfolded.insert(path);
            }
            self.refresh(shown);
        }
    }

    /// Unfolds the current row.
    pub fn unfold(&mut self, shown: usize) {
        if let Some(path) = self.current().map(|row| row.path.clone()).filter(|path| self.has_children(path)) {
            self.unfolded.insert(path);
            self.refresh(shown);
        }
    }

    /// Folds the current row, or goes to the one it lies in.
    pub fn fold(&mut self, shown: usize) {
        let Some(mut path) = self.current().map(|row| row.path.clone()) else { return };
        if self.unfolded.remove(&path) {
            self.refresh(shown);
            return;
        }
        path.pop();
        if let Some(index) = self.rows.iter().position(|row| row.path == path) {
            self.cursor.place(index, self.rows.len(), shown);
        }
    }

    /// Unfolds everything, or folds everything when all is unfolded.
    pub fn toggle_all(&mut self, shown: usize) {
        let Content::Document(document) = &self.content else { return };
        let all = rows::branches(document);
        self.unfolded = if all.iter().all(|path| self.unfolded.contains(path)) { HashSet::new() } else { all };
        self.refresh(shown);
    }

    /// Looks for what is in the field and goes to the first match from here.
    pub fn search(&mut self, shown: usize) {
        self.needle = Needle::new(self.field.text());
        self.find();
        let here = self.current().map(|row| row.path.clone()).unwrap_or_default();
        if let Some(path) = self.matches.iter().find(|path| **path >= here).or(self.matches.first()).cloned() {
            self.go_to(&path, shown);
        }
    }

    pub fn end_search(&mut self) {
        self.field = TextField::default();
        self.needle = Needle::default();
        self.matches.clear();
        self.typing = false;
    }

    pub fn next_match(&mut self, direction: Direction, shown: usize) {
        let here = self.current().map(|row| row.path.clone()).unwrap_or_default();
        let next = match direction {
            Direction::Forward => self.matches.iter().find(|path| **path > here).or(self.matches.first()),
            Direction::Back => self.matches.iter().rev().find(|path| **path < here).or(self.matches.last()),
        };
        if let Some(path) = next.cloned() {
            self.go_to(&path, shown);
        }
    }

    /// Which of the matches the current row is, from 1.
    #[must_use]
    pub fn match_number(&self) -> Option<usize> {
        let here = &self.current()?.path;
        self.matches.iter().position(|path| path == here).map(|index| index + 1)
    }

    /// The value to copy: a text as it is, anything else as JSON.
    #[must_use]
    pub fn value_to_copy(&self) -> Option<String> {
        let Content::Document(document) = &self.content else { return None };
        let value = rows::node(document, &self.current()?.path)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    #[must_use]
    pub fn current(&self) -> Option<&Row> {
        self.rows.get(self.cursor.index)
    }

    fn find(&mut self) {
        self.matches = match &self.content {
            Content::Document(document) if !self.needle.is_empty() => {
                rows::find(document, &|text| self.needle.is_in(text))
            }
            Content::Document(_) | Content::Nothing | Content::Loading | Content::Failed(_) => Vec::new(),
        };
    }

    fn go_to(&mut self, path: &[usize], shown: usize) {
        self.unfolded.extend((1..path.len()).filter_map(|end| path.get(..end)).map(<[usize]>::to_vec));
        self.refresh(shown);
        if let Some(index) = self.rows.iter().position(|row| row.path == path) {
            self.cursor.place(index, self.rows.len(), shown);
        }
    }

    fn has_children(&self, path: &[usize]) -> bool {
        let Content::Document(document) = &self.content else { return false };
        match rows::node(document, path) {
            Some(Value::Object(map)) => !map.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => false,
        }
    }

    fn refresh(&mut self, shown: usize) {
        let here = self.current().map(|row| row.path.clone());
        if let Content::Document(document) = &self.content {
            self.rows = rows::rows(document, &self.unfolded);
        }
        let index = here.and_then(|path| self.rows.iter().position(|row| row.path == path));
        self.cursor.place(index.unwrap_or(self.cursor.index), self.rows.len(), shown);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree() -> State {
        let mut state = State::default();
        state.show(json!({"Id": "1", "State": {"Status": "running"}, "Mounts": [{"Source": "/srv"}]}), 10);
        state
    }

    #[test]
    fn the_parts_people_look_for_start_unfolded() {
        assert_eq!(
            tree().rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(),
            ["Id", "State", "Status", "Mounts"]
        );
    }

    #[test]
    fn a_match_in_a_folded_part_unfolds_the_way_to_it() {
        let mut state = tree();
        state.field.set("srv");
        state.search(10);
        assert_eq!(state.current().unwrap().key, "Source");
        assert_eq!(state.value_to_copy().unwrap(), "/srv");
        assert_eq!(state.match_number(), Some(1));
        state.step(Step::Up(1), 10);
        assert_eq!(state.match_number(), None);
    }

    #[test]
    fn folding_a_leaf_goes_to_what_it_lies_in() {
        let mut state = tree();
        state.step(Step::Down(2), 10);
        state.fold(10);
        assert_eq!(state.current().unwrap().key, "State");
        state.fold(10);
        assert_eq!(state.rows.len(), 3);
    }
}
