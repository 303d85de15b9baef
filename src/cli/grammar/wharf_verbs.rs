//! Which verbs are about Wharf itself?
//!
//! Deliberately elsewhere: containers (`container_verbs`) and images (`image_verbs`).

use clap::{Arg, ArgMatches};

use super::{
    flags::{Surroundings, is_set, number, required, switch, text, value, word},
    invocation::{Change, Completable, Request, Shell},
    usage::UsageError,
    verb_entry::{Group, VerbEntry},
};
use crate::engine::domain::{Command, Demo, RepairMode};

type Read = Result<Request, UsageError>;

/// Lines that run at once are bounded so that a typing error cannot flood the engine.
const MAX_JOBS: usize = 256;

pub static ENTRIES: &[VerbEntry] = &[
    VerbEntry {
        not_in_script: Some("a script has no screen"),
        ..VerbEntry::new("ui", Group::Wharf, "Open the full-screen interface", no_arguments, |_, _| Ok(Request::Screen))
    },
    VerbEntry {
        examples: &[
            "script --jobs 8 fill.txt",
            "script - <<'END'\n  create --name a alpine true\n  start a\n  barrier            # wait for all lines above\n  rm a\n  END",
        ],
        not_in_script: Some("scripts do not nest"),
        ..VerbEntry::new("script", Group::Wharf, "Run verbs from a file, one per line", script_arguments, read_script)
    },
    VerbEntry {
        examples: &["demo", "demo --clean   # remove exactly what it made"],
        ..VerbEntry::new(
            "demo",
            Group::Wharf,
            "Start a few harmless containers to try things on, without network",
            |command| command.arg(switch("clean", None, "Remove them again")),
            read_demo,
        )
    },
    VerbEntry::new(
        "system info",
        Group::Wharf,
        "Say where things are, what this host can do, and how to fix what it cannot",
        no_arguments,
        |_, _| Ok(Request::SystemInfo),
    ),
    VerbEntry {
        examples: &[
            "system repair --dry-run                # what was interrupted, and what would be done; changes nothing",
            "system repair                          # 0: all is well now; 1: something is left to you",
            "system repair --format json            # one object a line: subject, problem, action, mended",
        ],
        ..VerbEntry::new(
            "system repair",
            Group::Wharf,
            "Finish or undo everything that a kill, a crash or a full disk interrupted, and say what",
            |command| command.arg(switch("dry-run", None, "Only say what would be done")),
            |matches, _| {
                let mode = if is_set(matches, "dry-run") { RepairMode::LookOnly } else { RepairMode::Mend };
                Ok(Request::SystemRepair(mode))
            },
        )
    },
    VerbEntry {
        examples: &["completion bash >/etc/bash_completion.d/wharf", "completion zsh >\"${fpath[1]}/_wharf\""],
        not_in_script: Some("it prints a file for a shell"),
        ..VerbEntry::new(
            "completion",
            Group::Wharf,
            "Print the completion script for bash, zsh or fish",
            |command| command.arg(word("shell", "SHELL", "bash, zsh or fish")),
            read_completion,
        )
    },
    VerbEntry::new("version", Group::Wharf, "Print the version", no_arguments, |_, _| Ok(Request::Version)),
    VerbEntry {
        not_in_script: Some("it is for completion scripts"),
        ..VerbEntry::new(
            "__complete",
            Group::Hidden,
            "List names for completion scripts",
            |command| command.hide(true).arg(word("what", "WHAT", "containers or images")),
            read_complete,
        )
    },
];

fn no_arguments(command: clap::Command) -> clap::Command {
    command
}

fn script_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(value("jobs", Some('j'), "NUMBER", "Lines that run at once (default 1)"))
        .arg(switch("keep-going", Some('k'), "Go on after a line failed"))
        .arg(Arg::new("file").value_name("FILE").required(true).help("The file, or - for standard input"))
}

fn read_demo(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let demo = if is_set(matches, "clean") { Demo::Clean } else { Demo::Start };
    Ok(Request::Change(vec![Change { target: "demo".to_owned(), command: Command::Demo(demo) }]))
}

fn read_script(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let jobs: usize = number(matches, "jobs")?.unwrap_or(1);
    if !(1..=MAX_JOBS).contains(&jobs) {
        return Err(UsageError::new(format!("--jobs: {jobs} is not between 1 and {MAX_JOBS}")));
    }
    let file = text(matches, "file").filter(|file| file != "-").map(Into::into);
    Ok(Request::Script { file, jobs, keep_going: is_set(matches, "keep-going") })
}

fn read_completion(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let shell = match required(matches, "shell").as_str() {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        other => {
            let message = format!("there is no completion for {}", UsageError::quote(other));
            return Err(UsageError::new(message).hint("use bash, zsh or fish"));
        }
    };
    Ok(Request::Completion { shell })
}

fn read_complete(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    match required(matches, "what").as_str() {
        "containers" => Ok(Request::Complete(Completable::Containers)),
        "images" => Ok(Request::Complete(Completable::Images)),
        other => Err(UsageError::new(format!("nothing completes {}", UsageError::quote(other)))),
    }
}
