//! What happens with what a person decided in a dialog?
//!
//! Deliberately elsewhere: the dialogs (`ui::dialogs`).

use std::time::Duration;

use crate::{
    engine::{
        cli_line,
        domain::{Command, HostSpec},
    },
    text::SafeText,
    ui::{
        dialogs::{Dialog, Reaction, Wish, transfer},
        effect::{Effect, SubmitId, Timer},
        facts::{Epoch, Facts},
        state::{NoticeTone, Part, Quitting, State},
    },
};

/// How long a command may take before it gets a dialog.
const PATIENCE: Duration = Duration::from_millis(300);

/// Closes the top dialog as its reaction says and does what it wants.
pub fn react(state: &mut State, reaction: Reaction) -> Vec<Effect> {
    match reaction {
        Reaction::Stay => Vec::new(),
        Reaction::Close => {
            state.dialogs.pop();
            Vec::new()
        }
        Reaction::Want(wishes) => {
            let form = state.dialogs.pop().filter(Dialog::is_filled_in);
            let effects = wishes.into_iter().flat_map(|wish| fulfil(state, wish)).collect();
            state.sent = form.map(|form| (state.submits, form));
            effects
        }
    }
}

fn fulfil(state: &mut State, wish: Wish) -> Vec<Effect> {
    match wish {
        Wish::Submit(command) => vec![state.submit(command)],
        Wish::SubmitAndWatch(command) => submit_and_watch(state, command),
        Wish::CancelOperation(operation) => {
            state.note(NoticeTone::Plain, "asked it to end");
            vec![Effect::CancelOperation(operation)]
        }
        Wish::Copy(text) => {
            state.note(NoticeTone::Good, format!("copied: {}", SafeText::from_untrusted(&text)));
            vec![Effect::Copy(text)]
        }
        Wish::OpenHost(host) => open_host(state, host),
        Wish::ReadLogsSince(since) => state.detail.set_since(since, &state.facts),
        Wish::OpenSession(request) => vec![Effect::Session(request)],
        Wish::QuitWhenIdle => {
            state.quitting = Quitting::WhenIdle;
            state.note(NoticeTone::Plain, "quitting when the running operations have ended; esc stays");
            Vec::new()
        }
        Wish::CancelAndQuit => super::quit_now(state),
    }
}

/// Submits a command whose progress is worth looking at.
///
/// A transfer gets its dialog at once. What may be over in a moment gets it only when it is not: a dialog that
/// flashes up steals keys.
pub fn submit_and_watch(state: &mut State, command: Command) -> Vec<Effect> {
    let quick = command.describe().about.new_container().is_some();
    let title = cli_line(&command);
    let title = title.strip_prefix("wharf ").unwrap_or(&title).to_owned();
    let effect = state.submit(command);
    let submit = state.submits;
    let dialog = transfer::State { title, submit, operation: None };
    if quick {
        state.watched.push(dialog);
        return vec![effect, Effect::After(PATIENCE, Timer::Watch(submit))];
    }
    state.open(Dialog::Transfer(dialog));
    vec![effect]
}

/// A quick command was not quick.
pub fn watch(state: &mut State, submit: SubmitId) {
    if let Some(index) = state.watched.iter().position(|dialog| dialog.submit == submit) {
        let dialog = state.watched.remove(index);
        state.open(Dialog::Transfer(dialog));
    }
}

/// Another host: everything known is about the old one and goes.
pub fn open_host(state: &mut State, host: HostSpec) -> Vec<Effect> {
    let facts = Facts::new(host.clone(), state.facts.now);
    state.facts = Facts { epoch: Epoch(state.facts.epoch.0 + 1), ..facts };
    state.containers = Default::default();
    state.images = Default::default();
    state.operations = Default::default();
    let (stream, query, tab) = (state.detail.logs.stream, state.detail.query, state.detail.tab);
    state.detail = Default::default();
    // Numbers go on, so that late answers of the old host stay stale.
    state.detail.logs.stream.0 = stream.0 + 1;
    state.detail.query.0 = query.0 + 1;
    state.detail.tab = tab;
    state.part = Part::List;
    vec![Effect::EndLogs, Effect::OpenHost(host)]
}
