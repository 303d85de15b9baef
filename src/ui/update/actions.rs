//! What does each action do? Moving, opening, sorting, switching; the rest is handed on.
//!
//! Deliberately elsewhere: acting on containers (`containers`) and images (`images`).

use super::{containers, images, leave, refresh, viewer, visit_selection};
use crate::{
    engine::domain::{Operation, OperationState},
    text::SafeText,
    ui::{
        command_line,
        cursor::Step,
        dialogs::{Dialog, Wish, choice, help, message, transfer},
        effect::{Effect, SubmitId},
        facts::Facts,
        keymap::Action,
        layout::Zoom,
        screens::{
            Screen,
            containers::state::{Filter, SortBy},
            detail::state::Tab,
            images::state::{History, Order},
            operations,
        },
        state::{NoticeTone, Part, Quitting, State},
    },
};

pub fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Up => walk(state, Step::Up(1)),
        Action::Down => walk(state, Step::Down(1)),
        Action::PageUp => walk(state, Step::Up(page(state))),
        Action::PageDown => walk(state, Step::Down(page(state))),
        Action::HalfUp => walk(state, Step::Up(page(state).div_ceil(2))),
        Action::HalfDown => walk(state, Step::Down(page(state).div_ceil(2))),
        Action::Top => walk(state, Step::First),
        Action::Bottom => walk(state, Step::Last),
        Action::Left => sideways(state, -8),
        Action::Right => sideways(state, 8),
        Action::Open => open(state),
        Action::Back => back(state),
        Action::Filter => filter(state),
        Action::SortByTrouble | Action::SortByName | Action::SortByStatus | Action::SortByImage | Action::SortByAge => {
            sort(state, action)
        }
        Action::Tab1 => tab(state, Tab::Logs),
        Action::Tab2 => tab(state, Tab::Inspect),
        Action::Tab3 => tab(state, Tab::Processes),
        Action::Tab4 => tab(state, Tab::Environment),
        Action::NextTab => tab(state, state.detail.tab.next()),
        Action::PreviousTab => tab(state, state.detail.tab.previous()),
        Action::Logs => show_detail(state, Tab::Logs),
        Action::Inspect => match state.screen {
            Screen::Containers => show_detail(state, Tab::Inspect),
            Screen::Images => open(state),
            Screen::Operations => Vec::new(),
        },
        Action::FocusNext => focus_next(state),
        Action::Grow | Action::Shrink | Action::Arrange => split(state, action),
        Action::Follow
        | Action::Wrap
        | Action::Timestamps
        | Action::Since
        | Action::SinceAll
        | Action::Search
        | Action::NextMatch
        | Action::PreviousMatch
        | Action::Fold
        | Action::FoldAll
        | Action::Reveal => viewer::perform(state, action),
        Action::Mark
        | Action::MarkAll
        | Action::Exec
        | Action::Attach
        | Action::StartStop
        | Action::Restart
        | Action::Kill
        | Action::Pause
        | Action::Rename
        | Action::Demo => match state.screen {
            Screen::Containers => containers::perform(state, action),
            Screen::Images | Screen::Operations => Vec::new(),
        },
        Action::CopyId if state.screen == Screen::Operations => copy_subject(state),
        Action::CopyId | Action::Remove | Action::Create | Action::Pull | Action::Push | Action::Tag => {
            match state.screen {
                Screen::Containers => containers::perform(state, action),
                Screen::Images => images::perform(state, action),
                Screen::Operations => Vec::new(),
            }
        }
        Action::Cancel => cancel(state),
        Action::CopyCommand => copy_command(state),
        Action::ShowContainers => show(state, Screen::Containers),
        Action::ShowImages => {
            show(state, if state.screen == Screen::Images { Screen::Containers } else { Screen::Images })
        }
        Action::ShowOperations if state.screen == Screen::Operations => show(state, Screen::Containers),
        Action::ShowOperations => {
            // One comes here to see what happened just now.
            state.operations = Default::default();
            show(state, Screen::Operations)
        }
        Action::Hosts => hosts(state),
        Action::Theme => {
            state.next_theme();
            Vec::new()
        }
        Action::CommandLine => {
            state.command_line = Some(command_line::State::default());
            Vec::new()
        }
        Action::Help => {
            state.open(Dialog::Help(help::State::new(&state.keymap, &state.scopes())));
            Vec::new()
        }
        Action::Refresh => ask_again(state),
        Action::Redraw => vec![Effect::Redraw],
        Action::Suspend => vec![Effect::Suspend],
        Action::Quit => match (state.screen, state.part) {
            (Screen::Containers, Part::List) => leave::quit(state),
            (Screen::Containers, Part::Detail) | (Screen::Images | Screen::Operations, _) => back(state),
        },
        Action::Interrupt => leave::interrupt(state),
    }
}

pub fn show(state: &mut State, screen: Screen) -> Vec<Effect> {
    state.screen = screen;
    state.part = Part::List;
    state.split.zoom = Zoom::Both;
    refresh(state)
}

/// Gives the detail the keys and shows a tab.
pub fn show_detail(state: &mut State, tab: Tab) -> Vec<Effect> {
    if state.detail.target.is_none() {
        return Vec::new();
    }
    state.part = Part::Detail;
    state.detail.show_tab(tab, &state.facts)
}

fn filter(state: &mut State) -> Vec<Effect> {
    match state.screen {
        Screen::Containers => state.containers.filter.typing = true,
        Screen::Images => state.images.filter.typing = true,
        Screen::Operations => state.operations.filter.typing = true,
    }
    Vec::new()
}

fn focus_next(state: &mut State) -> Vec<Effect> {
    state.part = match state.part {
        Part::List if state.has_rows() => Part::Detail,
        Part::List | Part::Detail => Part::List,
    };
    if state.part == Part::List {
        state.split.zoom = Zoom::Both;
    }
    Vec::new()
}

fn split(state: &mut State, action: Action) -> Vec<Effect> {
    match (action, state.split.zoom) {
        (Action::Grow, _) => state.split.grow(),
        // From the whole screen, less room means beside the list again.
        (_, Zoom::Detail) => state.split.zoom = Zoom::Both,
        (Action::Shrink, _) => state.split.shrink(),
        _ => state.split.turn(state.size),
    }
    Vec::new()
}

fn ask_again(state: &mut State) -> Vec<Effect> {
    let mut effects = vec![Effect::Resync];
    if state.screen == Screen::Containers {
        effects.extend(state.detail.load(&state.facts));
    }
    effects
}

fn tab(state: &mut State, tab: Tab) -> Vec<Effect> {
    state.detail.show_tab(tab, &state.facts)
}

fn page(state: &State) -> usize {
    match state.part {
        Part::List => state.list_rows().max(1),
        Part::Detail => state.viewer_rows().max(2) - 1,
    }
}

fn walk(state: &mut State, step: Step) -> Vec<Effect> {
    let (list, viewer) = (state.list_rows(), state.viewer_rows());
    match (state.part, state.screen) {
        (Part::List, Screen::Containers) => {
            state.containers.step(step, &state.facts, list);
            return visit_selection(state);
        }
        (Part::List, Screen::Images) => state.images.step(step, &state.facts, list),
        (Part::List | Part::Detail, Screen::Operations) => state.operations.step(step, &state.facts, list),
        (Part::Detail, Screen::Images) => {
            let History::Entries(entries) = &state.images.history else { return Vec::new() };
            state.images.history_first = scrolled(state.images.history_first, step, entries.len(), viewer);
        }
        (Part::Detail, Screen::Containers) => match state.detail.tab {
            Tab::Logs => state.detail.logs.step(step, &state.feedback),
            Tab::Inspect => state.detail.inspect.step(step, viewer),
            Tab::Processes => {
                let total = state.feedback.viewer.total;
                state.detail.processes_first = scrolled(state.detail.processes_first, step, total, viewer);
            }
            Tab::Environment => {
                let total = state.detail.overview.lines.len();
                state.detail.overview.first = scrolled(state.detail.overview.first, step, total, viewer);
            }
        },
    }
    Vec::new()
}

/// The first row after scrolling something without a cursor.
#[must_use]
pub fn scrolled(first: usize, step: Step, total: usize, shown: usize) -> usize {
    let most = total.saturating_sub(shown);
    match step {
        Step::Up(rows) => first.saturating_sub(rows),
        Step::Down(rows) => first.saturating_add(rows),
        Step::First => 0,
        Step::Last => most,
    }
    .min(most)
}

fn sideways(state: &mut State, columns: isize) -> Vec<Effect> {
    let rows = state.viewer_rows();
    match (state.screen, state.detail.tab) {
        (Screen::Containers, Tab::Logs) => state.detail.logs.scroll_sideways(columns),
        (Screen::Containers, Tab::Inspect) if columns < 0 => state.detail.inspect.fold(rows),
        (Screen::Containers, Tab::Inspect) => state.detail.inspect.unfold(rows),
        (Screen::Containers, Tab::Processes | Tab::Environment) | (Screen::Images | Screen::Operations, _) => {}
    }
    Vec::new()
}

fn open(state: &mut State) -> Vec<Effect> {
    match state.screen {
        Screen::Containers if state.detail.target.is_some() => {
            state.part = Part::Detail;
            state.split.zoom = Zoom::Detail;
            Vec::new()
        }
        Screen::Containers => Vec::new(),
        Screen::Images => {
            if state.has_rows() {
                state.part = Part::Detail;
            }
            state.images.ask_history(&state.facts)
        }
        Screen::Operations => {
            if let Some(operation) = state.operations.current(&state.facts).cloned() {
                let dialog = about_operation(&operation, &state.facts);
                state.open(dialog);
            }
            Vec::new()
        }
    }
}

/// How far it is, or how it ended.
fn about_operation(operation: &Operation, facts: &Facts) -> Dialog {
    let title = format!("{} {}", operation.verb, operations::view_model::subject(operation, facts));
    let cli = Some(String::from(operations::view_model::command_line(operation, facts)));
    match &operation.state {
        OperationState::Finished { outcome: Err(error), .. } => {
            Dialog::Message(message::State::of_error(&title, error, cli))
        }
        OperationState::Finished { outcome: Ok(done), .. } => {
            let mut lines = done.output.clone();
            lines.extend(done.warnings.iter().map(|warning| format!("warning: {warning}")));
            let text = if lines.is_empty() { "done".to_owned() } else { lines.join("\n") };
            Dialog::Message(message::State { cli, ..message::State::note(&title, &text) })
        }
        OperationState::Queued | OperationState::Running => {
            Dialog::Transfer(transfer::State { title, submit: SubmitId::default(), operation: Some(operation.id) })
        }
    }
}

/// One level back; never further than the list of containers.
pub fn back(state: &mut State) -> Vec<Effect> {
    if state.quitting == Quitting::WhenIdle {
        state.quitting = Quitting::No;
        state.note(NoticeTone::Plain, "staying");
        return Vec::new();
    }
    let searching = !state.detail.logs.search.needle.is_empty() || !state.detail.inspect.needle.is_empty();
    if state.part == Part::Detail {
        if searching {
            state.detail.logs.end_search();
            state.detail.inspect.end_search();
        } else {
            state.part = Part::List;
            state.split.zoom = Zoom::Both;
        }
        return Vec::new();
    }
    match state.screen {
        Screen::Containers if !state.containers.marked.is_empty() => {
            state.containers.marked.clear();
            Vec::new()
        }
        Screen::Containers if state.containers.filter.is_active() => {
            state.containers.filter = Filter::default();
            refresh(state)
        }
        Screen::Containers => Vec::new(),
        Screen::Images if state.images.filter.is_active() => {
            state.images.filter = Filter::default();
            refresh(state)
        }
        Screen::Operations if state.operations.filter.is_active() => {
            state.operations.filter = Filter::default();
            refresh(state)
        }
        Screen::Images | Screen::Operations => show(state, Screen::Containers),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the actions that sort come here")]
fn sort(state: &mut State, action: Action) -> Vec<Effect> {
    let rows = state.list_rows();
    match (state.screen, action) {
        (Screen::Images, Action::SortByName) => state.images.order_by(Order::Name, &state.facts, rows),
        (Screen::Images, _) => state.images.order_by(Order::Newest, &state.facts, rows),
        (Screen::Operations, _) => {}
        (Screen::Containers, _) => {
            let by = match action {
                Action::SortByName => SortBy::Name,
                Action::SortByStatus => SortBy::Status,
                Action::SortByImage => SortBy::Image,
                Action::SortByAge => SortBy::Age,
                _ => SortBy::Trouble,
            };
            state.containers.sort_by(by, &state.facts, rows);
        }
    }
    Vec::new()
}

fn hosts(state: &mut State) -> Vec<Effect> {
    let present = &state.facts.inventory.host;
    let fixed = [
        ("embedded", "our own engine, no daemon"),
        ("docker", "DOCKER_HOST or the usual sockets"),
        ("podman", "its Docker-compatible socket"),
    ];
    let fixed =
        fixed.into_iter().filter_map(|(name, note)| Some((name.to_owned(), name.parse().ok()?, note.to_owned())));
    let named = state.settings.hosts.iter().map(|(name, host)| {
        let address = host.to_string();
        let note = if *name == address { "given at the start".to_owned() } else { address };
        (name.clone(), host.clone(), note)
    });
    let keys = "123456789abcdefghilmnoprstuvwxyz".chars();
    let item = |(key, (label, host, note))| {
        let note = if host == *present { format!("{note} · here now") } else { note };
        choice::Item { key, label, note, wish: Wish::OpenHost(host) }
    };
    let items: Vec<_> = keys.zip(fixed.chain(named)).map(item).collect();
    state.open(Dialog::Choice(choice::State { title: "host".to_owned(), lines: Vec::new(), items, index: 0 }));
    Vec::new()
}

fn cancel(state: &mut State) -> Vec<Effect> {
    let Some(operation) = state.operations.current(&state.facts).cloned() else { return Vec::new() };
    if !operation.is_running() {
        state.note(NoticeTone::Plain, "it has ended already");
        return Vec::new();
    }
    state.note(NoticeTone::Plain, format!("asked {} to end", operation.verb));
    vec![Effect::CancelOperation(operation.id)]
}

/// The id of the container it is about, else what the asker called its object.
fn copy_subject(state: &mut State) -> Vec<Effect> {
    let Some(operation) = state.operations.current(&state.facts) else { return Vec::new() };
    let text = operation.container.as_ref().map_or_else(|| operation.subject.clone(), ToString::to_string);
    state.note(NoticeTone::Good, format!("copied: {}", SafeText::from_untrusted(&text)));
    vec![Effect::Copy(text)]
}

fn copy_command(state: &mut State) -> Vec<Effect> {
    let line = match state.screen {
        Screen::Operations => state.operations.current(&state.facts),
        Screen::Containers | Screen::Images => state.facts.inventory.operations.first(),
    };
    let line = line.map(|operation| String::from(operations::view_model::command_line(operation, &state.facts)));
    match line {
        Some(line) => {
            state.note(NoticeTone::Good, format!("copied: {}", SafeText::from_untrusted(&line)));
            vec![Effect::Copy(line)]
        }
        None => Vec::new(),
    }
}
