//! What is noted of a front's commands: questions and answers in the world's history, and what a screen shows.
//!
//! Which container a command is about, the front itself says, before the work on it begins. Deliberately elsewhere:
//! what is asked (`commands`), whether it fits together (`history`, `linear`).

use wharf::engine::domain::*;

use super::{
    super::{
        history::{Answer, Asked},
        world::nanos,
    },
    commands::{Open, PATIENCE, Use, User},
};

impl User {
    pub fn record(&mut self) {
        for door in 0..self.inventories.len() {
            let newest = self.inventories[door].newest();
            if newest.revision != self.revisions[door] {
                self.revisions[door] = newest.revision;
                newest.operations.iter().for_each(|operation| self.look_at(operation));
                self.show(&newest);
            }
        }
        let answers = std::mem::take(&mut *self.answers.lock().unwrap());
        for (operation, outcome) in answers {
            self.answered(operation, outcome);
        }
        let now = self.front.now();
        let late = |open: &&Open| now > open.begun + nanos(open.bound);
        if let Some(open) = self.open.values().find(late) {
            self.world().violate(format!("{} has no answer after {:?}", open.asked, open.bound));
        }
        let children = self.children.values().flatten().count();
        self.front.world.state().front(self.front.me).open = self.open.len() + children;
    }

    /// The front says which container an operation is about before its work begins.
    fn look_at(&mut self, operation: &Operation) {
        let ours = operation.origin == Origin::Here;
        let Some(container) = operation.container.as_ref().filter(|_| ours) else { return };
        match self.open.get_mut(&operation.id) {
            Some(open) if open.container.is_none() => {
                let mut state = self.front.world.state();
                open.alive = state.running(container);
                open.container = Some(container.clone());
                let Some(call) = open.call else { return };
                if open.verb == Verb::Run {
                    // It is created: from here on it is a start.
                    let created = state.history.end(call, Some(container), Answer::Done);
                    open.call = Some(state.history.begin(Asked::Start, Some(container)));
                    if let Err(why) = created {
                        state.violate(why);
                    }
                } else {
                    state.history.about(call, container);
                }
            }
            Some(_) => {}
            None => self.look_at_child(operation, container),
        }
    }

    fn look_at_child(&mut self, operation: &Operation, container: &ContainerId) {
        // Every removal that nobody asked for here is a prune's.
        if operation.verb != Verb::Remove || !self.prunes {
            return;
        }
        let mut state = self.front.world.state();
        let call = *self.children.entry(operation.id).or_insert_with(|| {
            let known = operation.id.0 < 1 << 48;
            (!known).then(|| state.history.begin(Asked::Remove, Some(container)))
        });
        let OperationState::Finished { outcome, .. } = &operation.state else { return };
        let Some(call) = call else { return };
        self.children.insert(operation.id, None);
        let answer = answer(outcome).of_one_that_worked(state.front(self.front.me).worked(operation.id));
        if let Err(why) = state.history.end(call, Some(container), answer) {
            state.violate(why);
        }
    }

    fn answered(&mut self, operation: OperationId, outcome: Outcome) {
        let me = self.front.me;
        let mut state = self.front.world.state();
        let Some(open) = self.open.remove(&operation) else {
            state.violate(format!("{operation} was answered twice"));
            return;
        };
        let now = state.now;
        self.last_end = now;
        state.commands += 1;
        state.tell(|| format!("{me}: ANSWER {} {outcome:?}", open.asked));
        let made = outcome.as_ref().ok().and_then(|done| done.container.clone());
        self.known.extend(made.clone());
        let worked = open.verb != Verb::Remove || state.front(me).worked(operation);
        let answer = answer(&outcome).of_one_that_worked(worked);
        if let Some(call) = open.call
            && let Err(why) = state.history.end(call, made.as_ref().or(open.container.as_ref()), answer)
        {
            state.violate(why);
        }
        let is_missing = match &outcome {
            Ok(done) => open.verb == Verb::Remove && open.force == Force::Yes && done.already,
            Err(error) => error.kind() == ErrorKind::NoSuchContainer,
        };
        if let (None, true, Some(name)) = (&open.container, is_missing, &open.name) {
            state.history.looked_up(name, open.order, None);
        }
        let done = outcome.as_ref().is_ok_and(|done| !done.already);
        if done && matches!(open.verb, Verb::Stop | Verb::Kill) {
            let survivor = open.alive.iter().any(|init| state.kernel.is_init_alive(*init, now));
            if survivor {
                state.violate(format!("{} is done and the process lives", open.asked));
            }
        }
        if state.faults.panic == 0
            && let Err(error) = &outcome
            && error.to_string().contains("defect in Wharf")
        {
            state.violate(format!("{}: {error}", open.asked));
        }
        let works = &state.front(me).works.clone();
        let goes_on = works.iter().any(|(thread, whose)| *whose == operation && state.processes[*thread].alive);
        let given_up = [open.cancelled, Some(open.begun.saturating_add(nanos(open.limit)))].into_iter().flatten().min();
        if goes_on && given_up.is_none_or(|at| now < at + nanos(PATIENCE)) {
            state.violate(format!("{} is answered and its work goes on", open.asked));
        }
    }

    /// What a screen would show.
    fn show(&self, inventory: &Inventory) {
        if self.usage != Use::Screen {
            return;
        }
        let rows = inventory.containers.iter();
        let rows = rows.map(|row| (row.id.clone(), (row.name.clone(), row.status()))).collect();
        let live = inventory.link == HostLink::Live;
        self.front.world.state().front(self.front.me).shown = live.then_some(rows);
    }
}

impl Answer {
    /// A removal that joined another shares its answer: it has removed nothing itself.
    fn of_one_that_worked(self, worked: bool) -> Self {
        if worked || self != Self::Done { self } else { Self::Already }
    }
}

fn answer(outcome: &Outcome) -> Answer {
    match outcome {
        Ok(done) if done.already => Answer::Already,
        Ok(_) => Answer::Done,
        Err(error) => Answer::Failed(error.kind()),
    }
}
