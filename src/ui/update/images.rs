//! What do the keys do to images?
//!
//! Deliberately elsewhere: selecting them (`screens::images`).

use crate::{
    engine::{
        cli_line,
        domain::{Command, Force},
    },
    text::SafeText,
    ui::{
        dialogs::{Dialog, confirm, create, prompt},
        effect::Effect,
        keymap::Action,
        state::{NoticeTone, State},
    },
};

pub fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let chosen = state.images.current(&state.facts).map(|named| {
        let names = named.image.references.len();
        (named.shown(), named.for_engine(), named.image.id.to_string(), names)
    });
    match (action, chosen) {
        (Action::Pull, _) => state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Pull, ""))),
        (Action::Create, None) => state.open(Dialog::Create(Box::new(create::State::new("")))),
        (Action::Create, Some((_, image, ..))) => state.open(Dialog::Create(Box::new(create::State::new(&image)))),
        (Action::Push, Some((image, ..))) => {
            state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Push, &image)))
        }
        (Action::Tag, Some((_, source, ..))) => {
            state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Tag { source }, "")));
        }
        (Action::CopyId, Some((_, _, id, _))) => {
            state.note(NoticeTone::Good, format!("copied: {id}"));
            return vec![Effect::Copy(id)];
        }
        (Action::Remove, Some((shown, image, _, names))) => {
            let command = Command::RemoveImage { image, force: Force::No };
            let host = SafeText::from(state.facts.inventory.host.to_string());
            state.open(Dialog::Confirm(confirm::State {
                title: format!("remove {}?", SafeText::from(shown)),
                lines: vec![format!("on {host}"), what_goes(names)],
                cli: cli_line(&command),
                verb: "Remove".to_owned(),
                commands: vec![command],
                button: confirm::Button::Cancel,
                opened_at: state.frame,
            }));
        }
        (_, None | Some(_)) => {}
    }
    Vec::new()
}

fn what_goes(names: usize) -> String {
    match names {
        0 | 1 => "Layers that nothing else uses are deleted.".to_owned(),
        2 => "Only this name goes: the image has another.".to_owned(),
        _ => format!("Only this name goes: the image has {} others.", names - 1),
    }
}
