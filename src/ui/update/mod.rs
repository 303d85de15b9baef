//! How does the state change, and what is to be done about it? A pure function of state and message.
//!
//! Deliberately elsewhere: doing it (`effect_runner`), drawing the result (`view`).

mod actions;
mod command_line;
mod completion;
mod containers;
mod images;
mod keys;
mod leave;
mod mouse;
pub mod offer;
mod outcomes;
mod viewer;
mod wishes;

use std::{sync::Arc, time::Duration};

use super::{
    dialogs::{Dialog, message},
    effect::{Effect, QueryId, Timer},
    facts::Epoch,
    input::TerminalEvent,
    message::{Answer, Message, QuitSignal},
    screens::Screen,
    state::{NoticeTone, Quitting, State},
};
use crate::{
    engine::domain::{EngineEvent, Error, HostLink, Inventory, Origin, Result},
    text::SafeText,
};

/// How long news stays; what went wrong here stays until a key.
const NOTICE: Duration = Duration::from_secs(4);

/// Handles one message. The caller has put the time of the wake into `state.facts.now`.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let before = state.notices;
    let mut effects = handle(state, message);
    if state.notices != before && state.notice.as_ref().is_some_and(|notice| notice.tone != NoticeTone::Bad) {
        effects.push(Effect::After(NOTICE, Timer::NoticeRead(state.notices)));
    }
    effects
}

fn handle(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Terminal { event: TerminalEvent::Key(key), frame } => keys::press(state, key, frame),
        Message::Terminal { event: TerminalEvent::Mouse(mouse), frame } => mouse::mouse(state, mouse, frame),
        Message::Terminal { event: TerminalEvent::Paste(text), .. } => keys::paste(state, &text),
        Message::Terminal { event: TerminalEvent::Resize(size), .. } => {
            state.size = size;
            vec![Effect::Redraw]
        }
        Message::Inventory { epoch, inventory } => take_inventory(state, epoch, inventory),
        Message::HostFailed { epoch, error } => host_failed(state, epoch, &error),
        Message::Happened { epoch, event } => {
            if epoch == state.facts.epoch {
                tell_end(state, &event);
            }
            Vec::new()
        }
        Message::LogItems { stream, items } => {
            if stream == state.detail.logs.stream {
                state.detail.logs.append(items, &state.feedback);
            }
            Vec::new()
        }
        Message::LogEnded { stream, result } => {
            if stream == state.detail.logs.stream {
                state.detail.logs.ended(result);
            }
            Vec::new()
        }
        Message::Answered { query, answer } => {
            answered(state, query, answer);
            Vec::new()
        }
        Message::Accepted { submit, operation } => {
            outcomes::accepted(state, submit, operation);
            Vec::new()
        }
        Message::Ended { epoch, submit, command, outcome } => {
            let mut effects = Vec::new();
            if epoch == state.facts.epoch {
                effects = outcomes::ended(state, submit, &command, outcome);
            }
            effects.extend(quit_if_idle(state));
            effects
        }
        Message::SessionEnded { name, result } => outcomes::session_ended(state, &name, result),
        Message::Timer(Timer::Detail(visit)) => state.detail.rested(visit, &state.facts),
        Message::Timer(Timer::LogQuiet(stream)) => {
            if stream == state.detail.logs.stream {
                state.detail.logs.opened();
            }
            Vec::new()
        }
        Message::Timer(Timer::Watch(submit)) => {
            wishes::watch(state, submit);
            Vec::new()
        }
        Message::Timer(Timer::NoticeRead(number)) => {
            if number == state.notices && state.quitting == Quitting::No {
                state.notice = None;
            }
            Vec::new()
        }
        Message::Timer(Timer::InterruptForgotten) => {
            if state.quitting == Quitting::Interrupted {
                state.quitting = Quitting::No;
            }
            Vec::new()
        }
        Message::Minute => {
            state.facts.ages_at = state.facts.now;
            Vec::new()
        }
        Message::Second => Vec::new(),
        Message::Signal(QuitSignal::Interrupt) => leave::interrupt(state),
        Message::Signal(QuitSignal::Terminate) => quit_now(state),
        Message::TerminalLost(defect) => {
            state.quitting = Quitting::Lost;
            state.defect = defect;
            vec![Effect::Quit]
        }
        Message::Defect(text) => {
            state.note(NoticeTone::Bad, SafeText::from(format!("a part of Wharf failed: {text}")));
            Vec::new()
        }
    }
}

/// Brings every screen in line with the newest picture.
pub(super) fn refresh(state: &mut State) -> Vec<Effect> {
    let list_rows = |screen: Screen| if state.screen == screen { state.list_rows() } else { 0 };
    let (containers, images, operations) =
        (list_rows(Screen::Containers), list_rows(Screen::Images), list_rows(Screen::Operations));
    state.containers.refresh(&state.facts, containers);
    state.images.refresh(&state.facts, images);
    state.operations.refresh(&state.facts, operations);
    if is_rough(state) {
        return Vec::new();
    }
    let mut effects = state.containers.ask_last_lines(&state.facts);
    effects.extend(visit_selection(state));
    effects
}

/// Rows may be there before their times are exact, by which new runs are told from old ones: nothing is loaded by them.
fn is_rough(state: &State) -> bool {
    state.facts.inventory.link == HostLink::Connecting
}

/// Shows the selected container in the detail.
pub(super) fn visit_selection(state: &mut State) -> Vec<Effect> {
    if is_rough(state) {
        return Vec::new();
    }
    let selected = state.containers.selected.clone();
    state.detail.visit(selected.as_ref(), &state.facts)
}

fn take_inventory(state: &mut State, epoch: Epoch, inventory: Arc<Inventory>) -> Vec<Effect> {
    if epoch != state.facts.epoch {
        return Vec::new();
    }
    state.facts.inventory = inventory;
    let mut effects = refresh(state);
    effects.extend(quit_if_idle(state));
    effects
}

fn host_failed(state: &mut State, epoch: Epoch, error: &Error) -> Vec<Effect> {
    if epoch == state.facts.epoch {
        let title = format!("cannot use {}", state.facts.inventory.host);
        state.open(Dialog::Message(message::State::of_error(&title, error, None)));
    }
    Vec::new()
}

/// Never in place of an error that is still to be read, nor of the question whether to quit.
fn tell_end(state: &mut State, event: &EngineEvent) {
    let asked_here = state.facts.is_being_ended(&event.id);
    let line = state.ends.hear(event, asked_here, state.facts.now);
    let unread = state.notice.as_ref().is_some_and(|notice| notice.tone == NoticeTone::Bad);
    if let Some(line) = line.filter(|_| !unread && state.quitting == Quitting::No) {
        state.note(NoticeTone::Plain, line);
    }
}

fn answered(state: &mut State, query: QueryId, answer: Result<Answer>) {
    if let Ok(Answer::LastLine { container, text }) = &answer {
        if let Some(line) = state.containers.last_lines.get_mut(container) {
            line.text.clone_from(text);
        }
        return;
    }
    match state.screen {
        Screen::Containers if query == state.detail.query => {
            let rows = state.viewer_rows();
            state.detail.answered(answer, &state.facts, rows);
        }
        Screen::Images if query == state.images.query => match answer {
            Ok(Answer::History(entries)) => state.images.answered(Ok(entries)),
            Ok(Answer::Inspect(_) | Answer::Processes(_) | Answer::LastLine { .. }) => {}
            Err(error) => state.images.answered(Err(error)),
        },
        Screen::Containers | Screen::Images | Screen::Operations => {}
    }
}

fn quit_if_idle(state: &mut State) -> Vec<Effect> {
    if state.quitting == Quitting::WhenIdle && own_running(state) == 0 {
        return quit_now(state);
    }
    Vec::new()
}

fn quit_now(state: &mut State) -> Vec<Effect> {
    state.quitting = Quitting::Now;
    vec![Effect::Quit]
}

/// Operations of this process that have not ended; those of others go on without us.
fn own_running(state: &State) -> usize {
    state.facts.running_operations().filter(|operation| operation.origin == Origin::Here).count()
}
