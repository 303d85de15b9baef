//! How does a person hear that something ended? A notice when it went well, the whole error when it did not.
//!
//! Deliberately elsewhere: the list of operations, which keeps all of it (`screens::operations`).

use super::{NOTICE, refresh};
use crate::{
    engine::{
        cli_line,
        domain::{Command, ContainerSelector, Done, Error, ErrorKind, OperationId, Outcome, Result},
        subject,
    },
    text::SafeText,
    ui::{
        dialogs::{Dialog, message, prompt},
        effect::{Effect, SubmitId},
        state::{NoticeTone, State},
    },
};

/// The engine took a command: a dialog that waits for it learns its number.
pub fn accepted(state: &mut State, submit: SubmitId, operation: OperationId) {
    let open = state.dialogs.iter_mut().filter_map(|dialog| match dialog {
        Dialog::Transfer(transfer) => Some(transfer),
        Dialog::Choice(_)
        | Dialog::Confirm(_)
        | Dialog::Create(_)
        | Dialog::Help(_)
        | Dialog::Message(_)
        | Dialog::Prompt(_) => None,
    });
    for transfer in open.chain(&mut state.watched) {
        if transfer.submit == submit && transfer.operation.is_none() {
            transfer.operation = Some(operation);
        }
    }
}

pub fn ended(state: &mut State, submit: SubmitId, command: &Command, outcome: Outcome) -> Vec<Effect> {
    state.watched.retain(|dialog| dialog.submit != submit);
    let watched = state
        .dialogs
        .iter()
        .position(|dialog| matches!(dialog, Dialog::Transfer(transfer) if transfer.submit == submit));
    let form = state.sent.take_if(|(sent, _)| *sent == submit).map(|(_, form)| form);
    let subject = subject_of(command, state);
    let mut effects = Vec::new();
    match outcome {
        Ok(result) => {
            // The bars have nothing more to tell; the result is in the notice and among the operations.
            if let Some(index) = watched {
                state.dialogs.remove(index);
            }
            note_success(state, command, &subject, &result);
            if command.describe().about.new_container().is_some() {
                // Who makes something wants to look at it.
                state.containers.awaited = result.container;
                effects = refresh(state);
            }
        }
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            if let Some(index) = watched {
                state.dialogs.remove(index);
            }
            state.note(NoticeTone::Plain, format!("cancelled: {} {subject}", command.verb()));
        }
        Err(error) => {
            if let Some(index) = watched {
                state.dialogs.remove(index);
            }
            match form.filter(|_| state.dialogs.is_empty()) {
                Some(form) => state.open(form.refused(in_one_line(&error))),
                None => fail(state, &format!("{} {subject}", command.verb()), &error, Some(cli_line(command))),
            }
        }
    }
    effects
}

fn in_one_line(error: &Error) -> String {
    match error.remedy_text() {
        Some(remedy) => format!("{error}; {remedy}"),
        None => error.to_string(),
    }
}

/// Shows an error in a dialog of its own, unless another one is open: then in the bottom line.
pub fn fail(state: &mut State, title: &str, error: &Error, cli: Option<String>) {
    if state.dialogs.is_empty() {
        state.open(Dialog::Message(message::State::of_error(title, error, cli)));
    } else {
        let text = SafeText::from(error.to_string());
        state.note(NoticeTone::Bad, format!("{text} (F4 shows all of it)"));
    }
}

/// Back from exec or attach.
pub fn session_ended(state: &mut State, name: &str, result: Result<()>) -> Vec<Effect> {
    let mut effects = vec![Effect::Resync];
    match result {
        Ok(()) => state.note(NoticeTone::Plain, format!("back from {}", SafeText::from_untrusted(name))),
        Err(error) if error.kind() == ErrorKind::CommandNotFound => {
            let found = state.facts.inventory.containers.iter().find(|container| container.display_name() == *name);
            if let Some(container) = found {
                let purpose = prompt::Purpose::Exec { id: container.id.clone(), name: name.to_owned() };
                let mut dialog = prompt::State::new(purpose, "");
                dialog.problem = Some(format!("{}; name a program that is there", error.reason()));
                state.open(Dialog::Prompt(dialog));
            }
        }
        Err(error) => fail(state, &format!("session in {name}"), &error, None),
    }
    effects.extend(refresh(state));
    effects
}

fn note_success(state: &mut State, command: &Command, subject: &str, result: &Done) {
    let (now, id) = (state.facts.now, result.container.as_ref());
    if result.warnings.is_empty() && id.is_some_and(|id| state.ends.told_within(id.as_str(), now, NOTICE)) {
        // It began as asked and has ended badly since: that is the news.
        return;
    }
    if let Some(warning) = result.warnings.first() {
        state.note(NoticeTone::Bad, SafeText::from(warning.clone()));
    } else if result.already {
        state.note(NoticeTone::Plain, format!("{subject}: already so"));
    } else {
        // Who typed `run` as in a shell may have expected to stay with it.
        let place = if matches!(command, Command::Run(_)) { " in the background" } else { "" };
        state.note(NoticeTone::Good, format!("{} {subject}{place}", command.verb().done()));
    }
}

/// What a person calls the object of a command.
fn subject_of(command: &Command, state: &State) -> String {
    let known = match command.container() {
        Some(ContainerSelector::Id(id)) => state.facts.container(id),
        Some(ContainerSelector::Query(_)) | None => None,
    };
    SafeText::from(known.map_or_else(|| subject(command), |container| container.display_name())).into()
}
