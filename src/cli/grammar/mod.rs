//! What does a command line ask for? Words in, an [`Invocation`] out, from one table of verbs that the shell,
//! script lines, the UI's `:` line, help, man pages and completions share.
//!
//! Deliberately elsewhere: doing it (`cli::verbs`), the config file (`cli::settings`).

mod container_flags;
mod container_queries;
mod container_verbs;
mod flags;
mod help;
mod image_verbs;
mod invocation;
mod usage;
mod verb_entry;
mod wharf_verbs;
mod words;

use std::ffi::OsString;

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind as ClapErrorKind},
};

pub use self::{
    flags::Surroundings,
    invocation::{
        Ask, Change, Completable, ContainerFilter, EventFilter, Format, Globals, ImagesRequest, InspectKind,
        Invocation, ListRequest, Request, RunRequest, Shell, WaitGoal,
    },
    usage::{USAGE, USAGE_OF_RUN, UsageError},
    verb_entry::{Completes, Group, VerbEntry},
    words::split_words,
};
use crate::{engine::domain::Timestamp, text::escape_for_terminal};

/// Every verb, in the order of the help page.
pub fn verbs() -> impl Iterator<Item = &'static VerbEntry> {
    container_verbs::entries().chain(image_verbs::ENTRIES).chain(wharf_verbs::ENTRIES)
}

/// The entry of a verb by its words: `rm`, `index create`.
#[must_use]
pub fn find_verb(name: &str) -> Option<&'static VerbEntry> {
    verbs().find(|entry| entry.name == name)
}

/// Reads the words after `wharf`, with the variables, files and time of this process.
///
/// # Errors
/// What is wrong with them, safe to print, with the exit code to end with.
pub fn parse_line<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Invocation, UsageError> {
    let around = Surroundings {
        now: Timestamp::now(),
        variable: &|name| std::env::var(name).ok(), // Unset and not Unicode are the same: nothing to pass on.
        read_file: &|path| std::fs::read_to_string(path),
    };
    parse(words.into_iter().map(Into::into).collect(), &around)
}

/// Reads the words after `wharf`. Only the named verb's arguments are built: that is most of the start-up time.
///
/// # Errors
/// As [`parse_line`].
pub fn parse(words: Vec<OsString>, around: &Surroundings<'_>) -> Result<Invocation, UsageError> {
    let mut words = words.into_iter().peekable();
    let mut front = Vec::new();
    let mut verb = None;
    while let Some(word) = words.next() {
        match word.to_str().unwrap_or_default() {
            "--host" | "--format" | "--config" => {
                front.push(word);
                front.extend(words.next());
            }
            "-h" | "--help" | "help" => return help_on(words.collect()),
            "-V" | "--version" => return Ok(of("version", Request::Version)),
            flag if flag.starts_with('-') && flag != "-" => front.push(word),
            _ => {
                verb = Some(word);
                break;
            }
        }
    }
    let Some(verb) = verb else { return without_verb(front) };
    let Some(mut entry) = verb.to_str().and_then(entry_or_group) else {
        return Err(unknown_verb(&verb));
    };
    if let Entry::Group(group) = entry {
        let second = words.next();
        let second = second.as_ref().and_then(|word| word.to_str()).unwrap_or_default();
        entry = match find_verb(&format!("{group} {second}")) {
            Some(verb) => Entry::Verb(verb),
            None if matches!(second, "-h" | "--help" | "help") => {
                return Ok(of("", Request::Help(help::of_group(group))));
            }
            None => return Err(incomplete_group(group, second)),
        };
    }
    let Entry::Verb(entry) = entry else { return Err(unknown_verb(&verb)) };
    front.extend(words);
    read(entry, front, around).map_err(|error| UsageError { exit_code: entry.usage_exit_code, ..error })
}

/// The whole command tree, for man pages, completions and suggestions.
#[must_use]
pub fn command_tree() -> Command {
    let mut root = help::decorate(Command::new("wharf"))
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .args(flags::globals().map(|arg| arg.global(true)));
    for entry in verbs().filter(|entry| entry.group != Group::Hidden) {
        let command = command_of(entry, Command::new(entry.last_word()));
        root = match entry.first_word() {
            None => root.subcommand(command),
            Some(group) if root.find_subcommand(group).is_some() => {
                root.mut_subcommand(group, |parent| parent.subcommand(command))
            }
            Some(group) => {
                let parent = Command::new(group).about(help::group_about(group));
                let parent = parent.subcommand_required(true).disable_help_subcommand(true);
                root.subcommand(parent.subcommand(command))
            }
        };
    }
    root
}

enum Entry {
    Verb(&'static VerbEntry),
    Group(&'static str),
}

fn entry_or_group(first: &str) -> Option<Entry> {
    let group = || verbs().filter_map(VerbEntry::first_word).find(|group| *group == first).map(Entry::Group);
    find_verb(first).map(Entry::Verb).or_else(group)
}

fn of(verb: &'static str, request: Request) -> Invocation {
    Invocation { verb, globals: Globals::default(), request }
}

fn read(entry: &'static VerbEntry, words: Vec<OsString>, around: &Surroundings<'_>) -> Result<Invocation, UsageError> {
    let mut command = standalone(entry);
    match command.try_get_matches_from_mut(words) {
        Ok(matches) => Ok(Invocation {
            verb: entry.name,
            globals: flags::read_globals(&matches, entry.name)?,
            request: (entry.read)(&matches, around)?,
        }),
        Err(error) if error.kind() == ClapErrorKind::DisplayHelp => {
            Ok(of(entry.name, Request::Help(error.render().to_string())))
        }
        Err(error) => Err(from_clap(&error)),
    }
}

fn standalone(entry: &'static VerbEntry) -> Command {
    let command = Command::new(entry.name).no_binary_name(true).bin_name(format!("wharf {}", entry.name));
    command_of(entry, command).args(flags::globals())
}

fn command_of(entry: &'static VerbEntry, command: Command) -> Command {
    let command = (entry.arguments)(command.about(entry.about).args_override_self(true));
    let command = match entry.usage {
        Some(usage) => command.override_usage(usage),
        None => command,
    };
    if entry.examples.is_empty() { command } else { command.after_help(help::examples(entry)) }
}

/// Only flags: the screen with them, if they are ours.
fn without_verb(front: Vec<OsString>) -> Result<Invocation, UsageError> {
    let mut command = Command::new("wharf").no_binary_name(true).bin_name("wharf").args(flags::globals());
    let matches = command.try_get_matches_from_mut(front).map_err(|error| from_clap(&error))?;
    Ok(Invocation { verb: "", globals: flags::read_globals(&matches, "")?, request: Request::Screen })
}

fn help_on(words: Vec<OsString>) -> Result<Invocation, UsageError> {
    let words: Vec<&str> =
        words.iter().filter_map(|word| word.to_str()).filter(|word| !word.starts_with('-')).collect();
    let text = match words.as_slice() {
        [] => help::overview(),
        [first, rest @ ..] => match (entry_or_group(first), rest) {
            (Some(Entry::Verb(entry)), _) => standalone(entry).render_help().to_string(),
            (Some(Entry::Group(group)), [second, ..]) => match find_verb(&format!("{group} {second}")) {
                Some(entry) => standalone(entry).render_help().to_string(),
                None => return Err(incomplete_group(group, second)),
            },
            (Some(Entry::Group(group)), []) => help::of_group(group),
            (None, _) => return Err(unknown_verb(&OsString::from(first))),
        },
    };
    Ok(of("", Request::Help(text)))
}

fn unknown_verb(word: &OsString) -> UsageError {
    let shown = word.to_string_lossy();
    if let Some(hint) = help::docker_spelling(&shown) {
        return UsageError::new(format!("there is no verb {}", UsageError::quote(&shown))).hint(hint);
    }
    let suggestion = help::nearest(&shown).map(|near| format!("did you mean wharf {near}?"));
    UsageError::new(format!("there is no verb {}", UsageError::quote(&shown)))
        .hint(suggestion.unwrap_or_else(|| "wharf --help lists them".to_owned()))
}

fn incomplete_group(group: &str, second: &str) -> UsageError {
    let known: Vec<&str> =
        verbs().map(|entry| entry.name).filter(|name| name.split(' ').next() == Some(group)).collect();
    let message = match second {
        "" => format!("{group} needs another word"),
        _ => format!("there is no verb {}", UsageError::quote(&format!("{group} {second}"))),
    };
    UsageError::new(message).hint(format!("use wharf {}", known.join(" or wharf ")))
}

/// Clap's words in the shape of every other message: a line of what is wrong, a line of what to write. A flag that Docker has and we do not yet is called that.
fn from_clap(error: &clap::Error) -> UsageError {
    if error.kind() == ClapErrorKind::UnknownArgument
        && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && help::is_dockers_flag(flag)
    {
        let message = format!("Docker's {} is not available yet", UsageError::quote(flag));
        return UsageError::new(message).hint("the verb's --help lists the flags there are");
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let mut hint = "the verb's --help explains it".to_owned();
    let mut said: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" ")) {
        if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            hint = format!("write {}", escape_for_terminal(usage));
        } else if !paragraph.is_empty() && !paragraph.starts_with("For more information") {
            said.push(paragraph);
        }
    }
    UsageError::new(said.join("; ")).hint(hint)
}

#[cfg(test)]
mod tests;
