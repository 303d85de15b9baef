//! How do selection, filter and history of the images change?
//!
//! Deliberately elsewhere: keys and commands (`ui::update`).

use super::state::{History, Order, Row, State};
use crate::{
    engine::domain::{Digest, Error, HistoryEntry, Image, ImageReference},
    ui::{
        cursor::Step,
        effect::{Effect, Question},
        facts::Facts,
    },
};

impl State {
    /// Brings rows and selection in line with the inventory.
    pub fn refresh(&mut self, facts: &Facts, shown: usize) {
        let needle = self.filter.field.text().to_lowercase();
        let mut rows: Vec<Row> =
            facts.inventory.images.iter().enumerate().flat_map(|(at, image)| rows_of(at, image)).collect();
        self.total = rows.len();
        rows.retain(|row| needle.is_empty() || Named::at(*row, facts).is_some_and(|named| named.matches(&needle)));
        if self.order == Order::Name {
            rows.sort_by_cached_key(|row| Named::at(*row, facts).map(|named| named.shown()));
        }
        self.rows = rows;
        let same = |row: &Row| Named::at(*row, facts).is_some_and(|named| self.selected.as_ref() == Some(&named.key()));
        let here = self.rows.iter().position(same);
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

    pub fn order_by(&mut self, order: Order, facts: &Facts, shown: usize) {
        self.order = order;
        self.refresh(facts, shown);
    }

    /// What the keys act on.
    #[must_use]
    pub fn current<'a>(&self, facts: &'a Facts) -> Option<Named<'a>> {
        Named::at(*self.rows.get(self.cursor.index)?, facts)
    }

    /// Asks how the current image was made.
    pub fn ask_history(&mut self, facts: &Facts) -> Vec<Effect> {
        let Some(named) = self.current(facts) else { return Vec::new() };
        let question = Question::History(named.for_engine());
        self.query.0 += 1;
        self.history = History::Loading;
        vec![Effect::Ask { query: self.query, question }]
    }

    pub fn answered(&mut self, answer: Result<Vec<HistoryEntry>, Error>) {
        self.history = match answer {
            Ok(entries) => History::Entries(entries),
            Err(error) => History::Failed(error),
        };
        self.history_first = 0;
    }

    fn select_cursor(&mut self, facts: &Facts) {
        let selected = self.current(facts).map(|named| named.key());
        if selected != self.selected {
            self.selected = selected;
            self.history = History::NotAsked;
            self.visit += 1;
            self.query.0 += 1;
        }
    }
}

/// An image by one of its names, if it has any.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    pub image: &'a Image,
    pub reference: Option<&'a ImageReference>,
}

impl<'a> Named<'a> {
    #[must_use]
    pub fn at(row: Row, facts: &'a Facts) -> Option<Self> {
        let image = facts.inventory.images.get(row.image)?;
        Some(Self { image, reference: row.reference.and_then(|at| image.references.get(at)) })
    }

    /// What a person calls it.
    #[must_use]
    pub fn shown(&self) -> String {
        self.reference.map_or_else(|| "<none>".to_owned(), |reference| reference.familiar().to_string())
    }

    /// What names it without doubt: this name, else its id.
    #[must_use]
    pub fn for_engine(&self) -> String {
        self.reference.map_or_else(|| self.image.id.to_string(), |reference| reference.familiar().to_string())
    }

    fn key(&self) -> (Digest, Option<ImageReference>) {
        (self.image.id.clone(), self.reference.cloned())
    }

    fn matches(&self, needle: &str) -> bool {
        self.reference.is_some_and(|reference| reference.to_string().to_lowercase().contains(needle))
            || self.image.id.to_string().contains(needle)
    }
}

fn rows_of(image: usize, found: &Image) -> impl Iterator<Item = Row> {
    let named = (0..found.references.len()).map(move |at| Row { image, reference: Some(at) });
    named.chain(found.references.is_empty().then_some(Row { image, reference: None }))
}
