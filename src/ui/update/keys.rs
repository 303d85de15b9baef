//! What does a key do now? Dialogs and typed text first, then the keymap.
//!
//! Deliberately elsewhere: what the actions do (`actions`).

use super::{actions, command_line, leave, refresh, wishes};
use crate::ui::{
    dialogs::Reaction,
    effect::Effect,
    input::{Key, KeyCode, Modifiers},
    screens::{Screen, containers::state::Filter, detail::state::Tab},
    state::{NoticeTone, Part, State},
    widgets::{TextField, text_field::Typed},
};

pub fn press(state: &mut State, key: Key, frame: u64) -> Vec<Effect> {
    if key.modifiers == Modifiers::Alt && state.keymap.action(&state.scopes(), key).is_none() {
        // A terminal sends the same bytes for Alt-x as for Esc and x in quick succession.
        let mut effects = press(state, Key::plain(KeyCode::Esc), frame);
        effects.extend(press(state, Key::plain(key.code), frame));
        return effects;
    }
    state.notice = None;
    if key == Key::ctrl('c') {
        return leave::interrupt(state);
    }
    if let Some(dialog) = state.dialogs.last_mut() {
        let reaction = dialog.key(key, frame, &state.facts, &state.feedback);
        if reaction == Reaction::Stay && key == Key::char('Y') && !dialog.types_text() {
            return dialog.command_line().map(Effect::Copy).into_iter().collect();
        }
        return wishes::react(state, reaction);
    }
    if state.command_line.is_some() {
        return command_line::key(state, key);
    }
    if let Some(effects) = type_filter(state, key) {
        return effects;
    }
    if type_search(state, key) {
        return Vec::new();
    }
    match state.keymap.action(&state.scopes(), key) {
        Some(action) => actions::perform(state, action),
        None => Vec::new(),
    }
}

/// Pasted text goes where text is typed, and nowhere else: it never presses keys.
pub fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some(dialog) = state.dialogs.last_mut() {
        dialog.paste(text);
        return Vec::new();
    }
    if state.command_line.is_some() {
        command_line::paste(state, text);
        return Vec::new();
    }
    if let Some(filter) = active_filter(state) {
        filter.field.insert(text);
        return refresh(state);
    }
    if let Some(field) = search_field(state) {
        field.insert(text);
        search(state);
        return Vec::new();
    }
    state.note(NoticeTone::Plain, "nothing takes text here; : opens the command line");
    Vec::new()
}

fn active_filter(state: &mut State) -> Option<&mut Filter> {
    let filter = match state.screen {
        Screen::Containers => &mut state.containers.filter,
        Screen::Images => &mut state.images.filter,
        Screen::Operations => &mut state.operations.filter,
    };
    filter.typing.then_some(filter)
}

fn type_filter(state: &mut State, key: Key) -> Option<Vec<Effect>> {
    let filter = active_filter(state)?;
    match filter.field.press(key) {
        Typed::Submitted => filter.typing = false,
        Typed::Left => *filter = Filter::default(),
        // The list can be walked while the filter is typed.
        Typed::Up | Typed::Down | Typed::PageUp | Typed::PageDown => {
            return state.keymap.action(&state.scopes(), key).map(|action| actions::perform(state, action));
        }
        Typed::Changed => {}
        Typed::Moved | Typed::Next | Typed::Previous => return Some(Vec::new()),
    }
    Some(refresh(state))
}

fn search_field(state: &mut State) -> Option<&mut TextField> {
    if state.screen != Screen::Containers || state.part != Part::Detail {
        return None;
    }
    match state.detail.tab {
        Tab::Logs => Some(&mut state.detail.logs.search).filter(|search| search.typing).map(|search| &mut search.field),
        Tab::Inspect => Some(&mut state.detail.inspect).filter(|tree| tree.typing).map(|tree| &mut tree.field),
        Tab::Processes | Tab::Environment => None,
    }
}

fn type_search(state: &mut State, key: Key) -> bool {
    let Some(field) = search_field(state) else { return false };
    match field.press(key) {
        Typed::Submitted => {
            let empty = field.is_empty();
            state.detail.logs.search.typing = false;
            state.detail.inspect.typing = false;
            if empty {
                end_search(state);
            }
        }
        Typed::Left => end_search(state),
        Typed::Changed => search(state),
        Typed::Moved | Typed::Next | Typed::Previous | Typed::Up | Typed::Down | Typed::PageUp | Typed::PageDown => {}
    }
    true
}

fn search(state: &mut State) {
    let rows = state.viewer_rows();
    match state.detail.tab {
        Tab::Logs => state.detail.logs.search(&state.feedback),
        Tab::Inspect => state.detail.inspect.search(rows),
        Tab::Processes | Tab::Environment => {}
    }
}

fn end_search(state: &mut State) {
    state.detail.logs.end_search();
    state.detail.inspect.end_search();
}
