//! How are single flags declared and read back? Shared vocabulary of the verb tables.
//!
//! Deliberately elsewhere: which verb has which flags (`container_verbs`, `image_verbs`, `wharf_verbs`).

use std::{io, path::Path, str::FromStr};

use clap::{Arg, ArgAction, ArgMatches};

use super::{
    invocation::{Format, Globals},
    usage::UsageError,
};
use crate::engine::domain::{ParseError, Timestamp};

/// What reading a command line may look at besides its words.
pub struct Surroundings<'a> {
    pub now: Timestamp,
    /// Variables of the caller, for `-e KEY`.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// For `--env-file`.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// A switch.
pub fn switch(name: &'static str, short: Option<char>, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    with_short(arg, short)
}

/// A flag with one value; the last one given counts.
pub fn value(name: &'static str, short: Option<char>, placeholder: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).value_name(placeholder).help(help);
    with_short(arg, short)
}

/// A flag that may be given several times.
pub fn values(name: &'static str, short: Option<char>, placeholder: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).value_name(placeholder).action(ArgAction::Append).help(help);
    with_short(arg, short)
}

/// One or more positional words.
pub fn names(placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new("names").value_name(placeholder).num_args(1..).required(true).help(help)
}

/// Exactly one positional word.
pub fn word(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(placeholder).required(true).help(help)
}

/// An object, then a command line of which nothing is ours any more.
pub fn trailing(placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new("words").value_name(placeholder).num_args(1..).trailing_var_arg(true).required(true).help(help)
}

fn with_short(arg: Arg, short: Option<char>) -> Arg {
    match short {
        Some(short) => arg.short(short),
        None => arg,
    }
}

/// The flags every verb takes.
pub fn globals() -> [Arg; 5] {
    [
        value("host", None, "HOST", "Engine to use: embedded, docker, podman, a URL, or a name from the config file"),
        value("format", None, "FORMAT", "Output: table or json (one object per line)"),
        switch("quiet", Some('q'), "Only ids, no progress"),
        value("config", None, "FILE", "Configuration file instead of the default one"),
        switch("no-color", None, "No colours, as with NO_COLOR"),
    ]
    .map(|arg| arg.help_heading("Everywhere").display_order(900))
}

/// `verb` is empty where there is none.
pub fn read_globals(matches: &ArgMatches, verb: &str) -> Result<Globals, UsageError> {
    Ok(Globals {
        host: text(matches, "host"),
        config: text(matches, "config").map(Into::into),
        format: text(matches, "format").map_or(Ok(Format::Table), |word| read_format(&word, verb))?,
        quiet: is_set(matches, "quiet"),
        no_color: is_set(matches, "no-color"),
    })
}

fn read_format(word: &str, verb: &str) -> Result<Format, UsageError> {
    match word {
        "table" => Ok(Format::Table),
        "json" => Ok(Format::Json),
        _ if word.contains("{{") => Err(templates_are_missing(verb)),
        other => Err(UsageError::new(format!("--format: there is no format {}", UsageError::quote(other)))
            .hint("use table or json")),
    }
}

pub fn templates_are_missing(verb: &str) -> UsageError {
    let way = match verb {
        "inspect" => "use jq: wharf inspect NAME | jq '.[0].State'".to_owned(),
        "ps" | "" => "use --format json and jq: wharf ps --format json | jq -r .name".to_owned(),
        verb => format!("use --format json and jq: wharf {verb} --format json ... | jq ."),
    };
    UsageError::new("--format: Go templates are not supported yet").hint(way)
}

// -- reading back --------------------------------------------------------------------------------

pub fn is_set(matches: &ArgMatches, name: &str) -> bool {
    matches.get_flag(name)
}

pub fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

pub fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).map(|values| values.cloned().collect()).unwrap_or_default()
}

/// The text of a required positional; clap has refused its absence.
pub fn required(matches: &ArgMatches, name: &str) -> String {
    text(matches, name).unwrap_or_default()
}

/// A flag's value as a domain type.
pub fn typed<T: FromStr<Err = ParseError>>(matches: &ArgMatches, name: &str) -> Result<Option<T>, UsageError> {
    let parse = |text: String| text.parse().map_err(|error| UsageError::of_flag(&format!("--{name}"), error));
    text(matches, name).map(parse).transpose()
}

/// A flag's value as a number.
pub fn number<T: FromStr>(matches: &ArgMatches, name: &str) -> Result<Option<T>, UsageError> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| UsageError::new(format!("--{name}: {} is not a number in range", UsageError::quote(&text))))
    };
    text(matches, name).map(parse).transpose()
}

/// A flag's value as a point in time.
pub fn instant(matches: &ArgMatches, name: &str, now: Timestamp) -> Result<Option<Timestamp>, UsageError> {
    let parse = |text: String| {
        Timestamp::parse_since(&text, now).map_err(|error| UsageError::of_flag(&format!("--{name}"), error))
    };
    text(matches, name).map(parse).transpose()
}
