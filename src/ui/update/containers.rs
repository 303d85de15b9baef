//! What do the keys do to containers? Marked ones or the selected one; what destroys asks first.
//!
//! Deliberately elsewhere: whether the engine allows it (`engine::core`), typing the same as words (`command_line`).

use super::wishes;
use crate::{
    engine::{
        cli_line,
        domain::{
            Command, Container, ContainerId, ContainerSelector, Demo, Force, RemoveOptions, Signal, Status, StopOptions,
        },
    },
    text::SafeText,
    ui::{
        dialogs::{Dialog, confirm, create, prompt},
        effect::{Effect, SessionKind, SessionRequest},
        keymap::Action,
        screens::{containers::view_model, detail::state::Tab},
        state::{NoticeTone, Part, State},
    },
};

#[expect(clippy::wildcard_enum_match_arm, reason = "only the actions about containers come here")]
pub fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let rows = state.list_rows();
    match action {
        Action::Mark => {
            state.containers.mark(&state.facts, rows);
            super::visit_selection(state)
        }
        Action::MarkAll => {
            state.containers.mark_all(&state.facts);
            Vec::new()
        }
        Action::CopyId => copy(state),
        Action::StartStop => start_or_stop(state),
        Action::Restart => each(state, |container| {
            Some(Command::Restart { container: by_id(container), options: StopOptions::default() })
        }),
        Action::Pause => pause_or_unpause(state),
        Action::Kill => ask(state, "kill", "Kill", "It gets no chance to end by itself.", |found, container| {
            found.status().has_process().then_some(Command::Kill { container, signal: Signal::KILL })
        }),
        Action::Remove => ask_remove(state),
        Action::Rename => {
            if let Some((id, name)) = current(state) {
                let purpose = prompt::Purpose::Rename { id, name: name.clone() };
                state.open(Dialog::Prompt(prompt::State::new(purpose, &name)));
            }
            Vec::new()
        }
        Action::Exec => session(state, SessionKind::Shell),
        Action::Attach => session(state, SessionKind::Attach),
        Action::Create => {
            let image = state
                .containers
                .selected
                .as_ref()
                .and_then(|id| state.facts.container(id))
                .map(|container| container.image.clone());
            state.open(Dialog::Create(Box::new(create::State::new(&image.unwrap_or_default()))));
            Vec::new()
        }
        Action::Pull => {
            state.open(Dialog::Prompt(prompt::State::new(prompt::Purpose::Pull, "")));
            Vec::new()
        }
        Action::Demo => {
            if !state.facts.inventory.containers.is_empty() {
                state.note(NoticeTone::Plain, "the demo is for an empty host; :demo starts it anyway");
                return Vec::new();
            }
            wishes::submit_and_watch(state, Command::Demo(Demo::Start))
        }
        _ => Vec::new(),
    }
}

fn by_id(container: &Container) -> ContainerSelector {
    ContainerSelector::Id(container.id.clone())
}

/// Starting what is running would be nothing; so one key does whichever makes sense for the selected container, which
/// the bottom line says, and the same to the marked ones that it fits: nothing starts because something else was to stop.
fn start_or_stop(state: &mut State) -> Vec<Effect> {
    if pointed_at(state).is_some_and(|container| container.status().has_process()) {
        each_that(state, "do not run", |container| {
            let stop = Command::Stop { container: by_id(container), options: StopOptions::default() };
            container.status().has_process().then_some(stop)
        })
    } else {
        each_that(state, "run already", |container| {
            (!container.status().has_process()).then(|| Command::Start { container: by_id(container) })
        })
    }
}

fn pause_or_unpause(state: &mut State) -> Vec<Effect> {
    if pointed_at(state).is_some_and(|container| container.status() == Status::Paused) {
        each_that(state, "are not paused", |container| {
            (container.status() == Status::Paused).then(|| Command::Unpause { container: by_id(container) })
        })
    } else {
        each_that(state, "are paused already", |container| {
            (container.status() != Status::Paused).then(|| Command::Pause { container: by_id(container) })
        })
    }
}

/// The container that decides what a key with two meanings does: the selected one if it is among those the key is for.
fn pointed_at(state: &State) -> Option<std::sync::Arc<Container>> {
    let targets = targets(state);
    let here = |container: &&std::sync::Arc<Container>| Some(&container.id) == state.detail.target.as_ref();
    targets.iter().find(here).or(targets.first()).cloned()
}

/// As [`each`]; says how many it is not for.
fn each_that(state: &mut State, why_not: &str, command: impl Fn(&Container) -> Option<Command>) -> Vec<Effect> {
    let all = targets(state).len();
    let effects = each(state, command);
    if effects.len() < all {
        state.note(NoticeTone::Plain, format!("{} of {all} {why_not}", all - effects.len()));
    }
    effects
}

fn targets(state: &State) -> Vec<std::sync::Arc<Container>> {
    let ids = match state.part {
        Part::List => state.containers.targets(&state.facts),
        // In the detail the keys are about the container that is looked at, whatever is marked.
        Part::Detail => state.detail.target.iter().cloned().collect(),
    };
    ids.iter().filter_map(|id| state.facts.container(id)).cloned().collect()
}

fn each(state: &mut State, command: impl Fn(&Container) -> Option<Command>) -> Vec<Effect> {
    let commands: Vec<Command> = targets(state).iter().filter_map(|container| command(container)).collect();
    state.containers.marked.clear();
    commands.into_iter().map(|command| state.submit(command)).collect()
}

fn current(state: &State) -> Option<(ContainerId, String)> {
    let id = state.detail.target.as_ref().or(state.containers.selected.as_ref())?;
    let container = state.facts.container(id)?;
    Some((id.clone(), container.display_name()))
}

fn session(state: &mut State, kind: SessionKind) -> Vec<Effect> {
    let Some((container, name)) = current(state) else { return Vec::new() };
    let running = state.facts.container(&container).is_some_and(|found| found.status() == Status::Running);
    if !running {
        let name = SafeText::from_untrusted(&name).into_owned();
        state.note(NoticeTone::Bad, format!("{name} is not running; s starts it"));
        return Vec::new();
    }
    vec![Effect::Session(SessionRequest { container, name, kind })]
}

fn ask_remove(state: &mut State) -> Vec<Effect> {
    let any_running = targets(state).iter().any(|container| container.status().has_process());
    let force = if any_running { Force::Yes } else { Force::No };
    let (verb, warning) = match force {
        Force::Yes => ("Stop and remove", "What runs is killed first. Named volumes are kept."),
        Force::No => ("Remove", "Its files and its log go. Named volumes are kept."),
    };
    ask(state, "remove", verb, warning, |_, container| {
        Some(Command::Remove { container, options: RemoveOptions { force, ..RemoveOptions::default() } })
    })
}

/// Asks before something that cannot be taken back. `command` is made for the id, and once more for the name, which a
/// person reads more easily.
fn ask(
    state: &mut State,
    verb: &str,
    button: &str,
    warning: &str,
    command: impl Fn(&Container, ContainerSelector) -> Option<Command>,
) -> Vec<Effect> {
    let chosen: Vec<_> = targets(state)
        .into_iter()
        .filter_map(|container| command(&container, by_id(&container)).map(|command| (container, command)))
        .collect();
    let named = |found: &Container| command(found, ContainerSelector::Query(found.display_name()));
    let Some((first, line)) = chosen.first().and_then(|(first, _)| Some((first, cli_line(&named(first)?)))) else {
        state.note(NoticeTone::Plain, format!("nothing to {verb} here"));
        return Vec::new();
    };
    let host = SafeText::from(state.facts.inventory.host.to_string());
    let name = SafeText::from(first.display_name());
    let (title, mut lines) = if chosen.len() == 1 {
        let status = view_model::status(first, &state.facts, state.theme.glyphs);
        (format!("{verb} {name}?"), vec![format!("{} on {host}", status.words)])
    } else {
        let names: Vec<String> =
            chosen.iter().take(6).map(|(found, _)| SafeText::from(found.display_name()).into()).collect();
        let more = chosen.len().saturating_sub(6);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (
            format!("{verb} {} containers?", chosen.len()),
            vec![format!("{}{rest}", names.join(", ")), format!("on {host}")],
        )
    };
    lines.push(warning.to_owned());
    let cli = if chosen.len() > 1 { format!("{line} …") } else { line };
    state.open(Dialog::Confirm(confirm::State {
        title,
        lines,
        cli,
        verb: button.to_owned(),
        commands: chosen.into_iter().map(|(_, command)| command).collect(),
        button: confirm::Button::Cancel,
        opened_at: state.frame,
    }));
    state.containers.marked.clear();
    Vec::new()
}

fn copy(state: &mut State) -> Vec<Effect> {
    let text = match (state.part, state.detail.tab) {
        (Part::Detail, Tab::Logs) => state.detail.logs.line_to_copy(),
        (Part::Detail, Tab::Inspect) => state.detail.inspect.value_to_copy(),
        (Part::List, _) | (Part::Detail, Tab::Processes | Tab::Environment) => {
            state.containers.selected.as_ref().map(ToString::to_string)
        }
    };
    let Some(text) = text else { return Vec::new() };
    let row = state.detail.inspect.current().filter(|_| state.part == Part::Detail && state.detail.tab == Tab::Inspect);
    let shown = row.map_or_else(|| text.clone(), |row| row.named(state.detail.secrets));
    let shown = SafeText::from(shown);
    state.note(NoticeTone::Good, format!("copied: {}", shown.truncate_end(60)));
    vec![Effect::Copy(text)]
}
