//! What does a line after `:` do? The same verbs as in the shell, and a few words of the screen's own.
//!
//! Deliberately elsewhere: the grammar (`cli::grammar`), completing words (`completion`).

use super::{actions, completion, leave, visit_selection, wishes};
use crate::{
    cli::grammar::{self, InspectKind, Request, RunRequest},
    engine::{
        cli_line,
        domain::{Command, ContainerId, ContainerSelector, ParseError, Work},
    },
    text::SafeText,
    ui::{
        dialogs::{Dialog, confirm, message},
        effect::{Effect, SessionKind, SessionRequest},
        input::{Key, KeyCode},
        keymap::{ACTIONS, Action, Scope},
        screens::{Screen, containers::state::Filter, detail::state::Tab},
        state::{NoticeTone, State},
        widgets::text_field::Typed,
    },
};

/// Lines remembered.
const HISTORY: usize = 100;

pub fn key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some(line) = &mut state.command_line else { return Vec::new() };
    let was_empty = line.field.is_empty();
    match line.field.press(key) {
        Typed::Left => state.command_line = None,
        Typed::Submitted => return enter(state),
        Typed::Up => remember(state, 1),
        Typed::Down => remember(state, -1),
        Typed::Next => complete(state, 1),
        Typed::Previous => complete(state, -1),
        Typed::Changed => typed(state),
        Typed::Moved if was_empty && key.code == KeyCode::Backspace => state.command_line = None,
        Typed::Moved | Typed::PageUp | Typed::PageDown => {}
    }
    Vec::new()
}

pub fn paste(state: &mut State, text: &str) {
    if let Some(line) = &mut state.command_line {
        line.field.insert(text);
        typed(state);
    }
}

fn typed(state: &mut State) {
    let Some(mut line) = state.command_line.take() else { return };
    line.problem = None;
    line.chosen = None;
    line.back = 0;
    line.candidates = completion::candidates(line.field.before(), state);
    state.command_line = Some(line);
}

fn complete(state: &mut State, step: isize) {
    let Some(mut line) = state.command_line.take() else { return };
    if line.chosen.is_none() {
        line.typed = line.field.text().to_owned();
        line.candidates = completion::candidates(&line.typed, state);
    }
    let count = line.candidates.len();
    if count > 0 {
        let next = match line.chosen {
            None if step > 0 => 0,
            None => count - 1,
            Some(index) => (index + count).saturating_add_signed(step) % count,
        };
        if let Some(word) = line.candidates.get(next) {
            let text = completion::with_word(&line.typed, word);
            line.field.set(&text);
            line.chosen = Some(next).filter(|_| count > 1);
            if count == 1 {
                line.field.insert(" ");
                line.candidates = completion::candidates(line.field.text(), state);
            }
        }
    }
    state.command_line = Some(line);
}

fn remember(state: &mut State, step: isize) {
    let count = state.history.len();
    if let Some(line) = &mut state.command_line {
        line.back = line.back.saturating_add_signed(step).min(count);
        let text = count.checked_sub(line.back).and_then(|index| state.history.get(index)).cloned();
        line.field.set(&text.unwrap_or_default());
    }
}

fn enter(state: &mut State) -> Vec<Effect> {
    let Some(mut line) = state.command_line.take() else { return Vec::new() };
    let text = line.field.text().trim().to_owned();
    let text = text.strip_prefix("wharf ").unwrap_or(&text).to_owned();
    if text.is_empty() {
        return Vec::new();
    }
    if let Some(effects) = own_word(state, &text) {
        remember_line(state, &text);
        return effects;
    }
    let parsed = grammar::split_words(&text).and_then(grammar::parse_line);
    match parsed {
        Ok(invocation) => {
            remember_line(state, &text);
            carry_out(state, invocation.request, &text)
        }
        Err(error) => {
            line.problem = Some(match &error.hint {
                Some(hint) => format!("{}; {hint}", error.message.replace('\n', " ")),
                None => error.message.replace('\n', " "),
            });
            state.command_line = Some(line);
            Vec::new()
        }
    }
}

fn remember_line(state: &mut State, line: &str) {
    state.history.retain(|known| known != line);
    state.history.push(line.to_owned());
    if state.history.len() > HISTORY {
        state.history.remove(0);
    }
}

/// Words that only make sense on a screen.
fn own_word(state: &mut State, text: &str) -> Option<Vec<Effect>> {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    Some(match first {
        "q" | "quit" => leave::quit(state),
        "containers" => actions::show(state, Screen::Containers),
        "images" if rest.is_empty() => actions::show(state, Screen::Images),
        "operations" => actions::show(state, Screen::Operations),
        "help" if rest.is_empty() => actions::perform(state, Action::Help),
        "host" | "hosts" if rest.is_empty() => actions::perform(state, Action::Hosts),
        "host" => {
            let named = state.settings.hosts.iter().find(|(name, _)| name == rest).map(|(_, host)| host.clone());
            match named.map_or_else(|| rest.parse().map_err(|error: ParseError| error.to_string()), Ok) {
                Ok(host) => wishes::open_host(state, host),
                Err(why) => {
                    state.note(NoticeTone::Bad, SafeText::from(why));
                    Vec::new()
                }
            }
        }
        "theme" => actions::perform(state, Action::Theme),
        _ => {
            let entry = ACTIONS.iter().find(|entry| entry.scope == Scope::Global && entry.name == text)?;
            actions::perform(state, entry.action)
        }
    })
}

fn carry_out(state: &mut State, request: Request, text: &str) -> Vec<Effect> {
    match request {
        Request::Change(changes) => {
            let watch = matches!(changes.as_slice(), [only] if only.command.describe().work == Work::Transfer);
            changes
                .into_iter()
                .flat_map(|change| match watch {
                    true => wishes::submit_and_watch(state, change.command),
                    false => vec![state.submit(change.command)],
                })
                .collect()
        }
        Request::Run(run) => match why_not_in_background(&run) {
            None => wishes::submit_and_watch(state, Command::Run(run.spec)),
            Some(why) => {
                let shell = format!("or type it in a shell: wharf {text}");
                state.open(Dialog::Message(message::State::note("run", &format!("{why}\n{shell}"))));
                Vec::new()
            }
        },
        Request::StartAttached { container, .. } => {
            // What it prints is in its log.
            let mut effects = show_container(state, &container, Tab::Logs);
            effects.push(state.submit(Command::Start { container: ContainerSelector::Query(container) }));
            effects
        }
        Request::List(_) | Request::Wait { .. } => actions::show(state, Screen::Containers),
        Request::Images(_) => actions::show(state, Screen::Images),
        Request::Logs { container, .. } => show_container(state, &container, Tab::Logs),
        Request::Top { container } => show_container(state, &container, Tab::Processes),
        Request::Inspect { names, kind } => match (names.first(), kind) {
            (Some(name), InspectKind::Any | InspectKind::Container) => show_container(state, name, Tab::Inspect),
            (Some(_), InspectKind::Image) => actions::show(state, Screen::Images),
            (None, _) => Vec::new(),
        },
        Request::Exec { spec, .. } if spec.detach => {
            state.note(NoticeTone::Bad, format!("run it in a shell: wharf {}", SafeText::from_untrusted(text)));
            Vec::new()
        }
        Request::Exec { container, spec } => open_session(state, &container, SessionKind::Exec(Box::new(spec))),
        Request::Attach { container, .. } => open_session(state, &container, SessionKind::Attach),
        Request::History { .. } => actions::show(state, Screen::Images),
        Request::PruneContainers { .. } => {
            prune(state, Command::PruneContainers, "Every container that is not running is removed.")
        }
        Request::PruneImages { unused, .. } => {
            let what = if unused {
                "Every image without a container is removed."
            } else {
                "Images without a name are removed."
            };
            prune(state, Command::PruneImages { unused }, what)
        }
        Request::Help(help) => {
            state.open(Dialog::Message(message::State::note("help", &help)));
            Vec::new()
        }
        Request::Screen => Vec::new(),
        Request::Events { .. }
        | Request::Script { .. }
        | Request::SystemInfo
        | Request::SystemRepair { .. }
        | Request::Completion { .. }
        | Request::Version
        | Request::Complete(_) => {
            state.note(NoticeTone::Plain, format!("run it in a shell: wharf {}", SafeText::from_untrusted(text)));
            Vec::new()
        }
    }
}

/// A container that is run from here goes on in the background and its output to its log. What needs more than that is
/// not done by halves.
fn why_not_in_background(run: &RunRequest) -> Option<&'static str> {
    match (run.detach, run.spec.interactive || run.spec.tty, run.spec.auto_remove) {
        (true, ..) | (false, false, false) => None,
        (false, true, _) => Some("-i and -t want this terminal: add -d and attach with a,"),
        (false, false, true) => {
            Some("--rm would take the output away unread: leave it out, add -d if nobody wants it,")
        }
    }
}

fn prune(state: &mut State, command: Command, what: &str) -> Vec<Effect> {
    state.open(Dialog::Confirm(confirm::State {
        title: format!("{}?", command.verb()),
        lines: vec![what.to_owned(), format!("on {}", state.facts.inventory.host)],
        cli: cli_line(&command),
        verb: "Prune".to_owned(),
        commands: vec![command],
        button: confirm::Button::Cancel,
        opened_at: state.frame,
    }));
    Vec::new()
}

/// The container of a name, an id or the beginning of one.
fn find(state: &mut State, query: &str) -> Option<ContainerId> {
    let containers = &state.facts.inventory.containers;
    let by_name =
        containers.iter().find(|container| container.name.as_ref().is_some_and(|name| name.as_str() == query));
    let found = by_name.or_else(|| containers.iter().find(|container| container.id.as_str().starts_with(query)));
    let found = found.map(|container| container.id.clone());
    if found.is_none() {
        state.note(NoticeTone::Bad, format!("No such container: {}", SafeText::from_untrusted(query)));
    }
    found
}

fn show_container(state: &mut State, query: &str, tab: Tab) -> Vec<Effect> {
    let Some(id) = find(state, query) else { return Vec::new() };
    let mut effects = actions::show(state, Screen::Containers);
    let rows = state.list_rows();
    if !state.containers.select(&id, &state.facts, rows) {
        state.containers.filter = Filter::default();
        state.containers.refresh(&state.facts, rows);
        state.containers.select(&id, &state.facts, rows);
    }
    effects.extend(visit_selection(state));
    effects.extend(actions::show_detail(state, tab));
    effects
}

fn open_session(state: &mut State, query: &str, kind: SessionKind) -> Vec<Effect> {
    let Some(container) = find(state, query) else { return Vec::new() };
    vec![Effect::Session(SessionRequest { container, name: query.to_owned(), kind })]
}
