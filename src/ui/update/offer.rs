//! Which keys are worth showing now? Only those that do something here, on this object, in this status.
//!
//! Deliberately elsewhere: drawing them (`widgets::hints`), all keys (`dialogs::help`).

use crate::{
    engine::domain::Container,
    ui::{
        keymap::{ACTIONS, Action, Scope},
        screens::{
            Screen,
            detail::{logs::state::Follow, state::Tab},
        },
        state::{Part, State},
        widgets::hints::Hint,
    },
};

/// Hints in the order of the table, the most specific scope first.
#[must_use]
pub fn hints(state: &State) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::with_capacity(16);
    for scope in state.scopes() {
        for entry in ACTIONS.iter().filter(|entry| entry.scope == scope && !entry.hint.is_empty()) {
            let Some(key) = state.keymap.key(scope, entry.action) else { continue };
            let shadowed = state.keymap.action(&state.scopes(), key) != Some(entry.action);
            if shadowed || hints.iter().any(|hint| hint.action == entry.action) {
                continue;
            }
            if let Some(word) = word_for(state, scope, entry.action, entry.hint) {
                let hint = Hint { key: key.hint(), word: word.to_owned(), action: entry.action };
                // The way out is what a person looks for first.
                let place = if entry.action == Action::Back { 0 } else { hints.len() };
                hints.insert(place, hint);
            }
        }
    }
    hints
}

fn word_for(state: &State, scope: Scope, action: Action, hint: &'static str) -> Option<&'static str> {
    let container = || -> Option<&Container> {
        let id = state.detail.target.as_ref()?;
        state.facts.container(id).map(|container| &**container)
    };
    match (action, scope) {
        (Action::Open | Action::Filter, Scope::List) => {
            let any = match state.screen {
                Screen::Containers => !state.facts.inventory.containers.is_empty(),
                Screen::Images => !state.facts.inventory.images.is_empty(),
                Screen::Operations => !state.facts.inventory.operations.is_empty(),
            };
            any.then_some(hint)
        }
        (Action::StartStop, _) => {
            let running = container()?.status().has_process();
            Some(if running { "stop" } else { "start" })
        }
        (Action::Exec, _) => container().filter(|found| found.status().has_process()).map(|_| hint),
        (Action::Logs, Scope::Container) if state.part == Part::Detail && state.detail.tab == Tab::Logs => None,
        (Action::Logs | Action::Restart | Action::Remove, Scope::Container) => container().map(|_| hint),
        (Action::Follow, _) => Some(hint).filter(|_| state.detail.logs.follow == Follow::Released),
        (Action::Back, _) => Some(hint).filter(|_| state.part == Part::Detail || state.screen != Screen::Containers),
        (Action::Quit, _) => Some(hint).filter(|_| state.part == Part::List && state.screen == Screen::Containers),
        (Action::Push | Action::Tag | Action::Remove, Scope::Images) => {
            state.images.current(&state.facts).map(|_| hint)
        }
        (Action::Cancel, _) => {
            state.operations.current(&state.facts).filter(|operation| operation.is_running()).map(|_| hint)
        }
        (Action::CopyCommand, _) => state.operations.current(&state.facts).map(|_| hint),
        _ => Some(hint),
    }
}
