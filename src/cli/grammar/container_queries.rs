//! Which verbs look at containers without changing them, and which flags do they take?
//!
//! Deliberately elsewhere: changes (`container_verbs`), applying filters (`cli::verbs`).

use clap::{Arg, ArgAction, ArgMatches};

use super::{
    flags::{
        Surroundings, instant, is_set, names, number, required, switch, templates_are_missing, text, texts, typed,
        value, values, word,
    },
    invocation::{ContainerFilter, EventFilter, InspectKind, ListRequest, Request, WaitGoal},
    usage::UsageError,
    verb_entry::{Completes, Group, VerbEntry},
};
use crate::engine::{
    EventRange,
    domain::{LogOptions, Span, Status},
};

type Read = Result<Request, UsageError>;

pub static QUERIES: &[VerbEntry] = &[
    VerbEntry {
        examples: &[
            "ps -a",
            "ps -aq | xargs wharf rm -f",
            "ps --filter status=exited --filter label=job --format json",
        ],
        ..VerbEntry::new("ps", Group::Containers, "List containers", list_arguments, read_list)
    },
    VerbEntry {
        examples: &["logs -f --tail 100 web", "logs --since 10m -t web"],
        completes: Completes::Containers,
        ..VerbEntry::new("logs", Group::Containers, "Show what a container printed", logs_arguments, read_logs)
    },
    VerbEntry {
        examples: &["inspect web", "inspect web | jq '.[0].State'"],
        completes: Completes::Either,
        ..VerbEntry::new(
            "inspect",
            Group::Containers,
            "Show all there is to know, as Docker's JSON",
            inspect_arguments,
            read_inspect,
        )
    },
    VerbEntry {
        completes: Completes::Containers,
        ..VerbEntry::new(
            "top",
            Group::Containers,
            "List the processes of a container",
            |command| command.arg(word("container", "CONTAINER", "Its name or id")),
            |matches, _| Ok(Request::Top { container: required(matches, "container") }),
        )
    },
    VerbEntry {
        examples: &["wait job                    # prints its exit code", "wait --for running --timeout 30s web"],
        completes: Completes::Containers,
        ..VerbEntry::new(
            "wait",
            Group::Containers,
            "Wait until containers run, have exited or are gone",
            wait_arguments,
            read_wait,
        )
    },
    VerbEntry {
        examples: &["events --since 1h", "events --filter container=web --format json"],
        ..VerbEntry::new("events", Group::Containers, "Follow what happens on the host", events_arguments, read_events)
    },
];

fn list_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(switch("all", Some('a'), "Also those that do not run"))
        .arg(values("filter", Some('f'), "KEY=VALUE", "Only matching ones: name, id, status, label, ancestor, exited"))
        .arg(value("last", Some('n'), "NUMBER", "The newest so many, whatever their status"))
        .arg(switch("latest", Some('l'), "The newest one"))
        .arg(switch("size", Some('s'), "Also how much they wrote"))
        .arg(switch("no-trunc", None, "Whole ids and commands"))
}

fn read_list(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let last = if is_set(matches, "latest") { Some(1) } else { number(matches, "last")? };
    let filters: Result<_, _> = texts(matches, "filter").iter().map(|filter| container_filter(filter)).collect();
    Ok(Request::List(ListRequest {
        all: is_set(matches, "all"),
        last,
        no_trunc: is_set(matches, "no-trunc"),
        size: is_set(matches, "size"),
        filters: filters?,
    }))
}

fn container_filter(filter: &str) -> Result<ContainerFilter, UsageError> {
    let (key, value) = split_filter(filter)?;
    match key {
        "name" => Ok(ContainerFilter::Name(value.to_owned())),
        "id" => Ok(ContainerFilter::Id(value.to_owned())),
        "status" => status_filter(value),
        "label" => Ok(match value.split_once('=') {
            Some((key, value)) => ContainerFilter::Label { key: key.to_owned(), value: Some(value.to_owned()) },
            None => ContainerFilter::Label { key: value.to_owned(), value: None },
        }),
        "ancestor" => Ok(ContainerFilter::Ancestor(value.to_owned())),
        "exited" => value
            .parse()
            .map(ContainerFilter::Exited)
            .map_err(|_| UsageError::new(format!("--filter exited: {} is not an exit code", UsageError::quote(value)))),
        other => Err(unknown_filter(other, "name, id, status, label, ancestor or exited")),
    }
}

/// Our words and Docker's; Docker's `running` covers what still has its process.
fn status_filter(word: &str) -> Result<ContainerFilter, UsageError> {
    let fits: Vec<Status> =
        Status::ALL.into_iter().filter(|status| status.word() == word || status.docker_word() == word).collect();
    if fits.is_empty() {
        let known: Vec<&str> = Status::ALL.iter().map(|status| status.word()).collect();
        return Err(UsageError::new(format!("--filter status: there is no status {}", UsageError::quote(word)))
            .hint(format!("use one of {}", known.join(", "))));
    }
    Ok(ContainerFilter::Status(fits))
}

fn split_filter(filter: &str) -> Result<(&str, &str), UsageError> {
    filter
        .split_once('=')
        .ok_or_else(|| UsageError::new(format!("--filter: {} is not KEY=VALUE", UsageError::quote(filter))))
}

fn unknown_filter(key: &str, known: &str) -> UsageError {
    UsageError::new(format!("--filter: there is no filter {}", UsageError::quote(key))).hint(format!("use {known}"))
}

fn logs_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(switch("follow", Some('f'), "Stay and show new lines"))
        .arg(value("tail", Some('n'), "NUMBER", "Only the last so many lines, or all"))
        .arg(value("since", None, "TIME", "Not before: 10m, 1h30m, 2026-01-31T12:00:00Z"))
        .arg(value("until", None, "TIME", "Not after"))
        .arg(switch("timestamps", Some('t'), "Each line's time before it"))
        .arg(switch("raw", None, "Control characters as they are, even on a terminal"))
        .arg(word("container", "CONTAINER", "Its name or id"))
}

fn read_logs(matches: &ArgMatches, around: &Surroundings<'_>) -> Read {
    let tail = match text(matches, "tail").as_deref() {
        None | Some("all" | "-1") => None,
        Some(_) => number(matches, "tail")?,
    };
    let options = LogOptions {
        follow: is_set(matches, "follow"),
        tail,
        since: instant(matches, "since", around.now)?,
        until: instant(matches, "until", around.now)?,
    };
    Ok(Request::Logs {
        container: required(matches, "container"),
        options,
        timestamps: is_set(matches, "timestamps"),
        raw: is_set(matches, "raw"),
    })
}

fn inspect_arguments(command: clap::Command) -> clap::Command {
    let template = Arg::new("template").short('f').value_name("TEMPLATE").action(ArgAction::Append).hide(true);
    command
        .arg(value("type", None, "TYPE", "Only look for: container or image"))
        .arg(template)
        .arg(names("NAME", "Containers or images"))
}

fn read_inspect(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    if !texts(matches, "template").is_empty() {
        return Err(templates_are_missing("inspect"));
    }
    let kind = match text(matches, "type").as_deref() {
        None => InspectKind::Any,
        Some("container") => InspectKind::Container,
        Some("image") => InspectKind::Image,
        Some(other) => {
            let message = format!("--type: there is no type {}", UsageError::quote(other));
            return Err(UsageError::new(message).hint("use container or image"));
        }
    };
    Ok(Request::Inspect { names: texts(matches, "names"), kind })
}

fn wait_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(value("for", None, "GOAL", "running, exited (default) or removed"))
        .arg(value("timeout", None, "TIME", "Give up after that long (exit code 124)"))
        .arg(names("CONTAINER", "Names, ids or prefixes of ids"))
}

fn read_wait(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let goal = match text(matches, "for").as_deref() {
        None | Some("exited") => WaitGoal::Exited,
        Some("running") => WaitGoal::Running,
        Some("removed") => WaitGoal::Removed,
        Some(other) => {
            let message = format!("--for: there is nothing like {} to wait for", UsageError::quote(other));
            return Err(UsageError::new(message).hint("use running, exited or removed"));
        }
    };
    let timeout = typed::<Span>(matches, "timeout")?;
    Ok(Request::Wait { containers: texts(matches, "names"), goal, timeout })
}

fn events_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(value("since", None, "TIME", "Begin with what happened then"))
        .arg(value("until", None, "TIME", "End there"))
        .arg(values("filter", Some('f'), "KEY=VALUE", "Only matching ones: container, image, event, type"))
}

fn read_events(matches: &ArgMatches, around: &Surroundings<'_>) -> Read {
    let filters: Result<_, _> = texts(matches, "filter").iter().map(|filter| event_filter(filter)).collect();
    let range =
        EventRange { since: instant(matches, "since", around.now)?, until: instant(matches, "until", around.now)? };
    Ok(Request::Events { range, filters: filters? })
}

fn event_filter(filter: &str) -> Result<EventFilter, UsageError> {
    let (key, value) = split_filter(filter)?;
    match key {
        "container" => Ok(EventFilter::Container(value.to_owned())),
        "image" => Ok(EventFilter::Image(value.to_owned())),
        "event" => Ok(EventFilter::Action(value.to_owned())),
        "type" => Ok(EventFilter::Type(value.to_owned())),
        other => Err(unknown_filter(other, "container, image, event or type")),
    }
}
