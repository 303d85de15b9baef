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
        screens::images::update::{name, name_for_engine},
        state::{NoticeTone, State},
    },
};

pub fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let chosen =
        state.images.current(&state.facts).map(|image| (name(image), name_for_engine(image), image.id.to_string()));
    match (action, chosen) {
        (Action::Pull, _) => state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Pull, ""))),
        (Action::Create, None) => state.open(Dialog::Create(Box::new(create::State::new("")))),
        (Action::Create, Some((_, image, _))) => state.open(Dialog::Create(Box::new(create::State::new(&image)))),
        (Action::Push, Some((image, ..))) => {
            state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Push, &image)))
        }
        (Action::Tag, Some((_, source, _))) => {
            state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Tag { source }, "")));
        }
        (Action::CopyId, Some((_, _, id))) => {
            state.note(NoticeTone::Good, format!("copied: {id}"));
            return vec![Effect::Copy(id)];
        }
        (Action::Remove, Some((shown, image, _))) => {
            let command = Command::RemoveImage { image, force: Force::No };
            let host = SafeText::from(state.facts.inventory.host.to_string());
            state.open(Dialog::Confirm(confirm::State {
                title: format!("remove {}?", SafeText::from(shown)),
                lines: vec![format!("on {host}"), "Layers that nothing else uses are deleted.".to_owned()],
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
