//! What do the keys do in the log, the tree and the other tabs of the detail?
//!
//! Deliberately elsewhere: moving in them (`actions`), typing a search (`keys`).

use crate::ui::{
    dialogs::{Dialog, Wish, choice},
    effect::Effect,
    keymap::Action,
    screens::detail::{logs::state::Since, state::Tab},
    search::Direction,
    state::State,
};

pub fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let rows = state.viewer_rows();
    let tab = state.detail.tab;
    let detail = &mut state.detail;
    match (action, tab) {
        (Action::Follow, Tab::Logs) => detail.logs.toggle_follow(&state.feedback),
        (Action::Wrap, Tab::Logs) => detail.logs.toggle_wrap(),
        (Action::Timestamps, Tab::Logs) => detail.logs.toggle_times(),
        (Action::SinceAll, Tab::Logs) => return detail.set_since(Since::All, &state.facts),
        (Action::Since, Tab::Logs) => ask_since(state),
        (Action::Search, Tab::Logs) => detail.logs.search.typing = true,
        (Action::Search, Tab::Inspect) => detail.inspect.typing = true,
        (Action::NextMatch, Tab::Logs) => detail.logs.next_match(Direction::Forward, &state.feedback),
        (Action::PreviousMatch, Tab::Logs) => detail.logs.next_match(Direction::Back, &state.feedback),
        (Action::NextMatch, Tab::Inspect) => detail.inspect.next_match(Direction::Forward, rows),
        (Action::PreviousMatch, Tab::Inspect) => detail.inspect.next_match(Direction::Back, rows),
        (Action::Fold, Tab::Inspect) => detail.inspect.toggle(rows),
        (Action::FoldAll, Tab::Inspect) => detail.inspect.toggle_all(rows),
        (Action::Reveal, Tab::Environment | Tab::Inspect) => detail.secrets = detail.secrets.toggled(),
        (_, Tab::Logs | Tab::Inspect | Tab::Processes | Tab::Environment) => {}
    }
    Vec::new()
}

fn ask_since(state: &mut State) {
    let item = |(key, since): (char, Since)| choice::Item {
        key,
        label: since.words(),
        note: String::new(),
        wish: Wish::ReadLogsSince(since),
    };
    let items = Since::CHOICES.into_iter().map(item).collect();
    state.open(Dialog::Choice(choice::State { title: "log since".to_owned(), lines: Vec::new(), items, index: 0 }));
}
