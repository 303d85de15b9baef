//! What does the detail load, when, and what does it do with the answers?
//!
//! Deliberately elsewhere: keys (`ui::update`), the tabs' own movements (beside their states).

use std::time::Duration;

use super::{
    logs, overview, processes, secrets,
    state::{Pace, State, Tab},
    tree,
};
use crate::{
    engine::domain::{Container, ContainerId, LogOptions, Status},
    ui::{
        effect::{Effect, Question, StreamId, Timer},
        facts::Facts,
        message::Answer,
        screens::detail::logs::state::{Since, StreamLink},
    },
};

/// A selection that moves on within this time is not worth a request. Longer than a held key takes to repeat (33 ms), shorter
/// than fingers take between two presses.
const REST: Duration = Duration::from_millis(40);
/// A log that says nothing for so long is waited for in words. No longer, or the screen still changes when nobody does anything.
const QUIET: Duration = Duration::from_millis(20);
/// Lines asked for when nothing else was said.
const TAIL: usize = 2_000;

impl State {
    /// Follows the selection. A single move loads at once; of a run of moves, a held key, only the first and the last do.
    pub fn visit(&mut self, target: Option<&ContainerId>, facts: &Facts) -> Vec<Effect> {
        if self.target.as_ref() == target {
            return self.follow_new_run(facts);
        }
        let first = self.target.is_none();
        self.target = target.cloned();
        self.visit += 1;
        self.query.0 += 1;
        self.logs.link = StreamLink::Idle;
        self.forget_content();
        let mut effects = Vec::new();
        if !first {
            effects.push(Effect::EndLogs);
        }
        if target.is_some() {
            effects.push(Effect::After(REST, Timer::Detail(self.visit)));
            match self.pace {
                Pace::Resting => {
                    self.pace = Pace::Moved;
                    effects.extend(self.load(facts));
                }
                Pace::Moved | Pace::Running => self.pace = Pace::Running,
            }
        }
        effects
    }

    /// The selection has rested since that visit, if none came after it.
    pub fn rested(&mut self, visit: u64, facts: &Facts) -> Vec<Effect> {
        if visit != self.visit {
            return Vec::new();
        }
        match std::mem::replace(&mut self.pace, Pace::Resting) {
            Pace::Running => self.load(facts),
            Pace::Resting | Pace::Moved => Vec::new(),
        }
    }

    pub fn show_tab(&mut self, tab: Tab, facts: &Facts) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.tab != tab {
            if self.tab == Tab::Logs {
                self.logs.link = StreamLink::Idle;
                effects.push(Effect::EndLogs);
            }
            self.tab = tab;
            effects.extend(self.load(facts));
        }
        effects
    }

    /// Another reach into the past.
    pub fn set_since(&mut self, since: Since, facts: &Facts) -> Vec<Effect> {
        self.logs.since = since;
        self.load_logs(facts)
    }

    /// Asks for the current tab's content again.
    pub fn load(&mut self, facts: &Facts) -> Vec<Effect> {
        let Some(id) = self.target.clone() else { return Vec::new() };
        self.query.0 += 1;
        let query = self.query;
        match self.tab {
            Tab::Logs => self.load_logs(facts),
            Tab::Inspect | Tab::Environment => {
                vec![Effect::Ask { query, question: Question::InspectContainer(id) }]
            }
            Tab::Processes => {
                let running = facts.container(&id).is_some_and(|container| container.status().has_process());
                if !running {
                    self.processes = processes::State::Nothing;
                    return Vec::new();
                }
                vec![Effect::Ask { query, question: Question::Processes(id) }]
            }
        }
    }

    /// An answer to the newest question.
    pub fn answered(&mut self, answer: Result<Answer, crate::engine::domain::Error>, facts: &Facts, shown: usize) {
        match (self.tab, answer) {
            (Tab::Processes, Ok(Answer::Processes(table))) => {
                self.processes = processes::State::Table { table, at: facts.now };
            }
            (Tab::Processes, Err(error)) => self.processes = processes::State::Failed(error),
            (_, Ok(Answer::Inspect(document))) => {
                self.overview.lines = overview::lines(&document);
                self.inspect.show(document, shown);
            }
            (_, Err(error)) => self.inspect.fail(error),
            (_, Ok(Answer::Processes(_) | Answer::History(_) | Answer::LastLine { .. })) => {}
        }
    }

    /// The container started again since its log was opened, or it ran for the first time.
    fn follow_new_run(&mut self, facts: &Facts) -> Vec<Effect> {
        let container = self.target.as_ref().and_then(|id| facts.container(id));
        let Some(container) = container else { return Vec::new() };
        let over = self.pace != Pace::Running && matches!(self.logs.link, StreamLink::Idle | StreamLink::Ended);
        if self.tab == Tab::Logs && over && container.state.started != self.run && has_log(container) {
            return self.load_logs(facts);
        }
        Vec::new()
    }

    fn load_logs(&mut self, facts: &Facts) -> Vec<Effect> {
        let Some(id) = self.target.clone() else { return Vec::new() };
        let Some(container) = facts.container(&id) else { return Vec::new() };
        let kept = std::mem::take(&mut self.logs);
        self.logs = logs::state::State {
            stream: StreamId(kept.stream.0 + 1),
            wrap: kept.wrap,
            times: kept.times,
            since: kept.since,
            ..logs::state::State::default()
        };
        self.run = container.state.started;
        if !has_log(container) {
            return vec![Effect::EndLogs];
        }
        self.logs.link = StreamLink::Loading;
        let (tail, since) = match self.logs.since {
            Since::Tail => (Some(TAIL), None),
            Since::All => (None, None),
            Since::Last(span) => (None, Some(facts.now.minus(span))),
        };
        let options = LogOptions { follow: true, tail, since, until: None };
        let stream = self.logs.stream;
        vec![Effect::FollowLogs { stream, container: id, options }, Effect::After(QUIET, Timer::LogQuiet(stream))]
    }

    fn forget_content(&mut self) {
        self.logs.buffer = logs::buffer::LogBuffer::default();
        self.inspect.content = tree::state::Content::Loading;
        self.inspect.rows.clear();
        self.processes = processes::State::Loading;
        self.overview.lines.clear();
        self.secrets = secrets::Secrets::Hidden;
        self.overview.first = 0;
        self.processes_first = 0;
        self.run = None;
    }
}

/// A container that never ran has printed nothing.
fn has_log(container: &Container) -> bool {
    match container.status() {
        Status::Creating | Status::Created => container.state.started.is_some(),
        Status::Running
        | Status::Paused
        | Status::Restarting
        | Status::Stopping
        | Status::Exited
        | Status::Removing
        | Status::Broken
        | Status::Unknown => true,
    }
}

#[cfg(test)]
mod tests;
