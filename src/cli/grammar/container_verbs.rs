//! Which verbs are about containers, and which flags do they take?
//!
//! Deliberately elsewhere: the flags of a new container (`container_flags`), images (`image_verbs`).

use clap::ArgMatches;

use super::{
    container_flags::{arguments as container_arguments, environment, read_spec},
    container_queries::QUERIES,
    flags::{Surroundings, is_set, names, required, switch, text, texts, trailing, typed, value, values, word},
    invocation::{Change, Request, RunRequest},
    usage::{USAGE_OF_RUN, UsageError},
    verb_entry::{Completes, Group, VerbEntry},
};
use crate::engine::domain::{Command, ContainerSelector, ExecSpec, Force, RemoveOptions, Signal, StopOptions};

type Read = Result<Request, UsageError>;

/// Verbs that change or enter containers, then those that look at them.
pub fn entries() -> impl Iterator<Item = &'static VerbEntry> {
    CHANGES.iter().chain(QUERIES)
}

const fn of_containers(
    name: &'static str,
    about: &'static str,
    arguments: fn(clap::Command) -> clap::Command,
    read: fn(&ArgMatches, &Surroundings<'_>) -> Read,
) -> VerbEntry {
    VerbEntry { completes: Completes::Containers, ..VerbEntry::new(name, Group::Containers, about, arguments, read) }
}

static CHANGES: &[VerbEntry] = &[
    VerbEntry {
        usage: Some("wharf run [OPTIONS] IMAGE [COMMAND [ARG...]]"),
        examples: &[
            "run --rm -it alpine                    # a shell; Ctrl-p Ctrl-q leaves it running",
            "run -d --name web -v /srv:/www nginx   # in the background; prints the id",
            "run --rm -m 512m --cpus 1.5 py:1 python job.py",
        ],
        completes: Completes::Images,
        usage_exit_code: USAGE_OF_RUN,
        ..VerbEntry::new("run", Group::Containers, "Create and start a container", run_arguments, read_run)
    },
    VerbEntry {
        usage: Some("wharf create [OPTIONS] IMAGE [COMMAND [ARG...]]"),
        examples: &["create --name job py:1 python job.py   # start it later: wharf start job"],
        completes: Completes::Images,
        usage_exit_code: USAGE_OF_RUN,
        ..VerbEntry::new("create", Group::Containers, "Create a container", container_arguments, read_create)
    },
    VerbEntry {
        examples: &["start web db", "start -ai job   # see its output, type into it"],
        ..of_containers(
            "start",
            "Start containers",
            |command| {
                command
                    .arg(switch("attach", Some('a'), "Show its output and pass on its exit code"))
                    .arg(switch("interactive", Some('i'), "Also pass on standard input"))
                    .arg(names("CONTAINER", "Names, ids or prefixes of ids"))
            },
            read_start,
        )
    },
    VerbEntry {
        examples: &["stop web db", "stop -t 0 web   # kill at once"],
        ..of_containers("stop", "Stop containers: signal, grace, kill", stop_arguments, |matches, _| {
            let options = stop_options(matches)?;
            Ok(on_each(matches, |container| Command::Stop { container, options: options.clone() }))
        })
    },
    of_containers("restart", "Stop containers and start them again", stop_arguments, |matches, _| {
        let options = stop_options(matches)?;
        Ok(on_each(matches, |container| Command::Restart { container, options: options.clone() }))
    }),
    VerbEntry {
        examples: &["kill web", "kill -s HUP web   # any signal, by name or number"],
        ..of_containers(
            "kill",
            "Send a signal to containers, KILL by default",
            |command| {
                command
                    .arg(value("signal", Some('s'), "SIGNAL", "Signal to send instead of KILL"))
                    .arg(names("CONTAINER", "Names, ids or prefixes of ids"))
            },
            |matches, _| {
                let signal = typed::<Signal>(matches, "signal")?.unwrap_or(Signal::KILL);
                Ok(on_each(matches, |container| Command::Kill { container, signal }))
            },
        )
    },
    of_containers("pause", "Freeze all processes of containers", container_names, |matches, _| {
        Ok(on_each(matches, |container| Command::Pause { container }))
    }),
    of_containers("unpause", "Let paused containers go on", container_names, |matches, _| {
        Ok(on_each(matches, |container| Command::Unpause { container }))
    }),
    VerbEntry {
        examples: &["rm job", "rm -f web db   # kill first if need be; fine if they are gone"],
        ..of_containers(
            "rm",
            "Remove containers",
            |command| {
                command
                    .arg(switch("force", Some('f'), "Kill a running one first; nothing there is fine"))
                    .arg(switch("volumes", Some('v'), "Also remove its anonymous volumes"))
                    .arg(names("CONTAINER", "Names, ids or prefixes of ids"))
            },
            |matches, _| {
                let force = if is_set(matches, "force") { Force::Yes } else { Force::No };
                let options = RemoveOptions { force, volumes: is_set(matches, "volumes") };
                Ok(on_each(matches, |container| Command::Remove { container, options: options.clone() }))
            },
        )
    },
    of_containers(
        "rename",
        "Give a container another name",
        |command| {
            command.arg(word("container", "CONTAINER", "Its name or id")).arg(word("name", "NAME", "Its new name"))
        },
        |matches, _| {
            let target = required(matches, "container");
            let name = required(matches, "name").parse()?;
            let container = ContainerSelector::Query(target.clone());
            Ok(Request::Change(vec![Change { target, command: Command::Rename { container, name } }]))
        },
    ),
    VerbEntry {
        usage: Some("wharf exec [OPTIONS] CONTAINER COMMAND [ARG...]"),
        examples: &["exec -it web sh", "exec web cat /etc/hostname", "exec -e DEBUG=1 -u nobody web ./task"],
        usage_exit_code: USAGE_OF_RUN,
        ..of_containers("exec", "Run a command in a running container", exec_arguments, read_exec)
    },
    VerbEntry {
        examples: &["attach web   # Ctrl-p Ctrl-q leaves, with a terminal"],
        not_in_script: Some("it needs a terminal of its own"),
        ..of_containers(
            "attach",
            "Connect to the input and output of a running container",
            |command| {
                command.arg(switch("no-stdin", None, "Only watch")).arg(word(
                    "container",
                    "CONTAINER",
                    "Its name or id",
                ))
            },
            |matches, _| {
                Ok(Request::Attach { container: required(matches, "container"), stdin: !is_set(matches, "no-stdin") })
            },
        )
    },
];

fn container_names(command: clap::Command) -> clap::Command {
    command.arg(names("CONTAINER", "Names, ids or prefixes of ids"))
}

fn on_each(matches: &ArgMatches, command: impl Fn(ContainerSelector) -> Command) -> Request {
    let change = |target: String| {
        let command = command(ContainerSelector::Query(target.clone()));
        Change { target, command }
    };
    Request::Change(texts(matches, "names").into_iter().map(change).collect())
}

fn run_arguments(command: clap::Command) -> clap::Command {
    container_arguments(command.arg(switch("detach", Some('d'), "Leave it in the background and print its id")))
}

fn read_run(matches: &ArgMatches, around: &Surroundings<'_>) -> Read {
    let spec = Box::new(read_spec(matches, around)?);
    Ok(Request::Run(RunRequest { spec, detach: is_set(matches, "detach") }))
}

fn read_create(matches: &ArgMatches, around: &Surroundings<'_>) -> Read {
    let spec = Box::new(read_spec(matches, around)?);
    let target = spec.name.as_ref().map_or_else(|| spec.image.clone(), ToString::to_string);
    Ok(Request::Change(vec![Change { target, command: Command::Create(spec) }]))
}

fn read_start(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let stdin = is_set(matches, "interactive");
    if !stdin && !is_set(matches, "attach") {
        return Ok(on_each(matches, |container| Command::Start { container }));
    }
    match texts(matches, "names").as_slice() {
        [container] => Ok(Request::StartAttached { container: container.clone(), stdin }),
        _ => Err(UsageError::new("start -a and -i take exactly one container")),
    }
}

fn stop_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(value("time", Some('t'), "SECONDS", "Grace between the signal and KILL").alias("timeout"))
        .arg(value("signal", Some('s'), "SIGNAL", "Signal that asks it to end"))
        .arg(names("CONTAINER", "Names, ids or prefixes of ids"))
}

fn stop_options(matches: &ArgMatches) -> Result<StopOptions, UsageError> {
    Ok(StopOptions { signal: typed(matches, "signal")?, grace: typed(matches, "time")? })
}

fn exec_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(switch("interactive", Some('i'), "Pass on standard input"))
        .arg(switch("tty", Some('t'), "Give it a terminal"))
        .arg(switch("detach", Some('d'), "Leave it in the background"))
        .arg(value("user", Some('u'), "USER[:GROUP]", "User to run as"))
        .arg(value("workdir", Some('w'), "DIR", "Working directory inside"))
        .arg(values("env", Some('e'), "KEY=VALUE", "Set a variable; KEY alone takes it from here"))
        .arg(values("env-file", None, "FILE", "Read variables from a file"))
        .arg(trailing("CONTAINER", "Container, then the command to run in it"))
}

fn read_exec(matches: &ArgMatches, around: &Surroundings<'_>) -> Read {
    let mut words = texts(matches, "words").into_iter();
    let container = words.next().unwrap_or_default();
    let command: Vec<String> = words.collect();
    if command.is_empty() {
        return Err(UsageError::new("exec needs a command to run").hint(format!("wharf exec -it {container} sh")));
    }
    let spec = ExecSpec {
        command,
        env: environment(&texts(matches, "env-file"), &texts(matches, "env"), around)?,
        workdir: text(matches, "workdir").map(Into::into),
        user: text(matches, "user"),
        tty: is_set(matches, "tty"),
        interactive: is_set(matches, "interactive"),
        detach: is_set(matches, "detach"),
        terminal: None,
    };
    Ok(Request::Exec { container, spec })
}
