//! How do order, filter, selection and marks of the containers change?
//!
//! Deliberately elsewhere: keys (`ui::update`), starting and stopping (`ui::update::containers`).

use std::cmp::Ordering;

use super::{
    state::{Direction, LastLine, Sort, SortBy, State, Totals},
    view_model::{Urgency, urgency},
};
use crate::{
    engine::domain::{Container, ContainerId, Status},
    ui::{
        cursor::Step,
        effect::{Effect, QueryId, Question},
        facts::Facts,
    },
};

/// Rows whose last lines are worth asking for: what floats up is among the first.
const VISIBLE: usize = 24;

impl State {
    /// Brings rows, totals, selection and marks in line with the inventory. `shown` rows fit on the screen.
    pub fn refresh(&mut self, facts: &Facts, shown: usize) {
        let containers = &facts.inventory.containers;
        let needle = self.filter.field.text().to_lowercase();
        self.totals = Totals::default();
        self.has_ports = containers.iter().any(|container| !container.ports.is_empty());
        let longest = |text: &dyn Fn(&Container) -> usize| {
            let most = containers.iter().map(|container| text(container)).max().unwrap_or(0);
            u16::try_from(most).unwrap_or(u16::MAX)
        };
        self.longest_name = longest(&|container| container.name.as_ref().map_or(12, |name| name.as_str().len()));
        self.longest_image = longest(&|container| container.image.len());
        let mut rows: Vec<(Urgency, usize)> = Vec::with_capacity(containers.len());
        for (index, container) in containers.iter().enumerate() {
            let urgency = urgency(container, facts);
            match urgency {
                Urgency::Trouble => self.totals.failed += 1,
                Urgency::Busy | Urgency::Running => self.totals.running += 1,
                Urgency::Quiet => self.totals.stopped += 1,
            }
            if needle.is_empty() || matches(container, &needle) {
                rows.push((urgency, index));
            }
        }
        let get = |index: usize| containers.get(index).map(|container| &**container);
        rows.sort_by(|left, right| compare(self.sort, (left.0, get(left.1)), (right.0, get(right.1))));
        self.rows = rows.into_iter().map(|(_, index)| index).collect();
        self.marked.retain(|id| facts.inventory.container(id).is_some());
        if let Some(id) = self.awaited.take_if(|id| facts.inventory.container(id).is_some()) {
            self.selected = Some(id);
        }
        let here = self.selected.as_ref().and_then(|id| self.position(id, facts));
        // The selected one is gone: stay where the eye is.
        let index = here.unwrap_or(self.cursor.index);
        self.cursor.place(index, self.rows.len(), shown);
        self.select_cursor(facts);
    }

    /// Asks for the last line of what failed and can be seen, once for each end.
    pub fn ask_last_lines(&mut self, facts: &Facts) -> Vec<Effect> {
        self.last_lines.retain(|id, _| facts.inventory.container(id).is_some());
        let containers = &facts.inventory.containers;
        let mut effects = Vec::new();
        for container in self.rows.iter().take(VISIBLE).filter_map(|index| containers.get(*index)) {
            let ended = container.status() == Status::Exited && container.state.reason.is_none();
            let finished = container.state.finished;
            let known = self.last_lines.get(&container.id).is_some_and(|line| line.finished == finished);
            if ended && !known && urgency(container, facts) == Urgency::Trouble {
                self.last_lines.insert(container.id.clone(), LastLine { finished, text: String::new() });
                let question = Question::LastLine(container.id.clone());
                effects.push(Effect::Ask { query: QueryId::default(), question });
            }
        }
        effects
    }

    pub fn step(&mut self, step: Step, facts: &Facts, shown: usize) {
        self.cursor.step(step, self.rows.len(), shown);
        self.select_cursor(facts);
    }

    pub fn scroll(&mut self, step: Step, facts: &Facts, shown: usize) {
        self.cursor.scroll(step, self.rows.len(), shown);
        self.select_cursor(facts);
    }

    /// Selects a container; false when no row shows it.
    pub fn select(&mut self, id: &ContainerId, facts: &Facts, shown: usize) -> bool {
        let Some(index) = self.position(id, facts) else { return false };
        self.cursor.place(index, self.rows.len(), shown);
        self.select_cursor(facts);
        true
    }

    /// Sorts by something else, or the other way round. Trouble is no column that could show which way: it comes first.
    pub fn sort_by(&mut self, by: SortBy, facts: &Facts, shown: usize) {
        let direction = match (self.sort.by == by && by != SortBy::Trouble, self.sort.direction) {
            (true, Direction::Forward) => Direction::Reversed,
            (true, Direction::Reversed) | (false, _) => Direction::Forward,
        };
        self.sort = Sort { by, direction };
        self.refresh(facts, shown);
    }

    /// Marks or unmarks the current row and goes on to the next.
    pub fn mark(&mut self, facts: &Facts, shown: usize) {
        if let Some(id) = self.selected.clone() {
            if !self.marked.remove(&id) {
                self.marked.insert(id);
            }
            self.step(Step::Down(1), facts, shown);
        }
    }

    /// Marks every row shown, or none when all are.
    pub fn mark_all(&mut self, facts: &Facts) {
        let all: Vec<ContainerId> =
            self.rows.iter().filter_map(|index| facts.inventory.containers.get(*index)).map(|c| c.id.clone()).collect();
        if all.iter().all(|id| self.marked.contains(id)) {
            self.marked.clear();
        } else {
            self.marked.extend(all);
        }
    }

    /// What an action is about: the marked ones in row order, else the selected one.
    #[must_use]
    pub fn targets(&self, facts: &Facts) -> Vec<ContainerId> {
        if self.marked.is_empty() {
            return self.selected.iter().cloned().collect();
        }
        let containers = facts.inventory.containers.iter().map(|container| &container.id);
        containers.filter(|id| self.marked.contains(id)).cloned().collect()
    }

    fn position(&self, id: &ContainerId, facts: &Facts) -> Option<usize> {
        let containers = &facts.inventory.containers;
        self.rows.iter().position(|index| containers.get(*index).is_some_and(|container| container.id == *id))
    }

    fn select_cursor(&mut self, facts: &Facts) {
        let row = self.rows.get(self.cursor.index);
        self.selected = row.and_then(|index| facts.inventory.containers.get(*index)).map(|c| c.id.clone());
    }
}

fn matches(container: &Container, needle: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(needle);
    container.name.as_ref().is_some_and(|name| has(name.as_str()))
        || has(&container.image)
        || container.id.as_str().starts_with(needle)
        || container.status().word().contains(needle)
        || container.command.iter().any(|word| has(word))
}

fn compare(sort: Sort, left: (Urgency, Option<&Container>), right: (Urgency, Option<&Container>)) -> Ordering {
    let ((left_urgency, Some(left)), (right_urgency, Some(right))) = (left, right) else { return Ordering::Equal };
    let forward = match sort.by {
        SortBy::Trouble => left_urgency.cmp(&right_urgency),
        SortBy::Name => left.name.cmp(&right.name),
        SortBy::Status => left.status().cmp(&right.status()),
        SortBy::Image => left.image.cmp(&right.image),
        SortBy::Age => right.created.cmp(&left.created),
    };
    // The sort is stable, and the inventory is newest first: equal ones keep that order.
    match sort.direction {
        Direction::Forward => forward,
        Direction::Reversed => forward.reverse(),
    }
}

#[cfg(test)]
mod tests;
