//! How do selection, filter and history of the images change?
//!
//! Deliberately elsewhere: keys and commands (`ui::update`).

use super::state::{History, Order, State};
use crate::{
    engine::domain::{Error, HistoryEntry, Image},
    ui::{
        cursor::Step,
        effect::{Effect, Question},
        facts::Facts,
    },
};

impl State {
    /// Brings rows and selection in line with the inventory.
    pub fn refresh(&mut self, facts: &Facts, shown: usize) {
        let images = &facts.inventory.images;
        let needle = self.filter.field.text().to_lowercase();
        self.rows = (0..images.len())
            .filter(|index| images.get(*index).is_some_and(|image| needle.is_empty() || matches(image, &needle)))
            .collect();
        if self.order == Order::Name {
            let key = |index: &usize| images.get(*index).map(|image| name(image));
            self.rows.sort_by_cached_key(key);
        }
        let selected = self.selected.clone();
        let here = self
            .rows
            .iter()
            .position(|index| images.get(*index).is_some_and(|image| Some(&image.id) == selected.as_ref()));
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

    /// The image the keys act on.
    #[must_use]
    pub fn current<'a>(&self, facts: &'a Facts) -> Option<&'a Image> {
        let index = self.rows.get(self.cursor.index)?;
        facts.inventory.images.get(*index).map(|image| &**image)
    }

    /// Asks how the current image was made.
    pub fn ask_history(&mut self, facts: &Facts) -> Vec<Effect> {
        let Some(image) = self.current(facts) else { return Vec::new() };
        let question = Question::History(name_for_engine(image));
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
        let selected = self.current(facts).map(|image| image.id.clone());
        if selected != self.selected {
            self.selected = selected;
            self.history = History::NotAsked;
            self.visit += 1;
            self.query.0 += 1;
        }
    }
}

/// What a person calls it.
#[must_use]
pub fn name(image: &Image) -> String {
    image.references.first().map_or_else(|| "<none>".to_owned(), |reference| reference.familiar().to_string())
}

/// What names it without doubt: its first tag, else its id.
#[must_use]
pub fn name_for_engine(image: &Image) -> String {
    image.references.first().map_or_else(|| image.id.to_string(), |reference| reference.familiar().to_string())
}

fn matches(image: &Image, needle: &str) -> bool {
    image.references.iter().any(|reference| reference.to_string().to_lowercase().contains(needle))
        || image.id.to_string().contains(needle)
}
