//! What is there to know about one verb of the command line? One entry feeds parsing, help, man pages,
//! completions, script mode and the UI's `:` line.
//!
//! Deliberately elsewhere: the entries (`container_verbs`, `image_verbs`, `wharf_verbs`).

use clap::{ArgMatches, Command};

use super::{
    flags::Surroundings,
    invocation::Request,
    usage::{USAGE, UsageError},
};

/// One verb.
#[derive(Clone, Copy)]
pub struct VerbEntry {
    /// The words typed after `wharf`: `rm`, `index create`.
    pub name: &'static str,
    pub group: Group,
    /// One line.
    pub about: &'static str,
    /// The arguments in words, where clap's own rendering would mislead.
    pub usage: Option<&'static str>,
    /// Lines of `command  # what it does`, without `wharf`.
    pub examples: &'static [&'static str],
    pub arguments: fn(Command) -> Command,
    pub read: fn(&ArgMatches, &Surroundings<'_>) -> Result<Request, UsageError>,
    /// Why it cannot stand in a script, if it cannot.
    pub not_in_script: Option<&'static str>,
    pub completes: Completes,
    /// The exit code of a line that does not parse.
    pub usage_exit_code: u8,
}

/// The headings of `wharf --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Containers,
    Images,
    Wharf,
    /// For completion scripts, not for people.
    Hidden,
}

/// What the positional words of a verb name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completes {
    Containers,
    Images,
    Either,
    Nothing,
}

impl VerbEntry {
    /// An entry without anything special.
    pub const fn new(
        name: &'static str,
        group: Group,
        about: &'static str,
        arguments: fn(Command) -> Command,
        read: fn(&ArgMatches, &Surroundings<'_>) -> Result<Request, UsageError>,
    ) -> Self {
        Self {
            name,
            group,
            about,
            usage: None,
            examples: &[],
            arguments,
            read,
            not_in_script: None,
            completes: Completes::Nothing,
            usage_exit_code: USAGE,
        }
    }

    /// The last word of the name, which clap knows it by.
    #[must_use]
    pub fn last_word(&self) -> &'static str {
        self.name.rsplit(' ').next().unwrap_or(self.name)
    }

    /// The group word of a two-word verb: `index` of `index create`.
    #[must_use]
    pub fn first_word(&self) -> Option<&'static str> {
        self.name.split_once(' ').map(|(first, _)| first)
    }
}
