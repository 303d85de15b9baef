//! How does a person leave? Asked when something would be cut short; never asked twice.
//!
//! Deliberately elsewhere: ending the loop (`ui::run`), going one level back (`actions`).

use std::time::Duration;

use super::{own_running, quit_now};
use crate::ui::{
    dialogs::{Dialog, Wish, choice},
    effect::{Effect, Timer},
    state::{Quitting, State},
};

const INTERRUPT_WINDOW: Duration = Duration::from_secs(2);

/// Ends at once, or asks when something would be cut short.
pub fn quit(state: &mut State) -> Vec<Effect> {
    let running = own_running(state);
    if running == 0 {
        return quit_now(state);
    }
    let item =
        |key, label: &str, note: &str, wish| choice::Item { key, label: label.to_owned(), note: note.to_owned(), wish };
    let what = if running == 1 {
        "One operation is running.".to_owned()
    } else {
        format!("{running} operations are running.")
    };
    state.open(Dialog::Choice(choice::State {
        title: "quit".to_owned(),
        lines: vec![what],
        items: vec![
            item('w', "wait for it, then quit", "esc stays", Wish::QuitWhenIdle),
            item('c', "cancel and quit", "pulls can be resumed; containers go on", Wish::CancelAndQuit),
        ],
        index: 0,
    }));
    Vec::new()
}

/// Ctrl-C: asks like `q`, and the second time within two seconds does not ask.
pub fn interrupt(state: &mut State) -> Vec<Effect> {
    match state.quitting {
        Quitting::Interrupted | Quitting::WhenIdle | Quitting::Now | Quitting::Lost => quit_now(state),
        Quitting::No => {
            let mut effects = quit(state);
            if state.quitting == Quitting::No {
                state.quitting = Quitting::Interrupted;
                effects.push(Effect::After(INTERRUPT_WINDOW, Timer::InterruptForgotten));
            }
            effects
        }
    }
}
