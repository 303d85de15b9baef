//! What can a person ask for on the command line, as values?
//!
//! Deliberately elsewhere: the words and flags these come from (the tables beside this file), carrying them
//! out (`cli::verbs`), and changes themselves, which are the engine's [`Command`]s.

use std::path::PathBuf;

use crate::engine::{
    EventRange,
    domain::{Command, ContainerSpec, ExecSpec, Force, LogOptions, RepairMode, Span, Status},
};

/// One parsed command line: the same for the shell, a script line and the UI's `:` line.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The verb's words, as in the table: `rm`, `index create`; empty for `wharf` alone.
    pub verb: &'static str,
    pub globals: Globals,
    pub request: Request,
}

/// The flags every verb takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// `--host`: a host word, a URL or a name of the config file, not yet looked up.
    pub host: Option<String>,
    pub config: Option<PathBuf>,
    pub format: Format,
    pub quiet: bool,
    pub no_color: bool,
}

/// How results are written to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: tables, ids and names.
    #[default]
    Table,
    /// One versioned object per line.
    Json,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// The full-screen interface.
    Screen,
    /// Changes, one per target; all are tried, each has its own result.
    Change(Vec<Change>),
    Run(RunRequest),
    /// `start -a` or `start -i`.
    StartAttached {
        container: String,
        stdin: bool,
    },
    Wait {
        containers: Vec<String>,
        goal: WaitGoal,
        timeout: Option<Span>,
    },
    List(ListRequest),
    Inspect {
        names: Vec<String>,
        kind: InspectKind,
    },
    Logs {
        container: String,
        options: LogOptions,
        timestamps: bool,
        raw: bool,
    },
    Exec {
        container: String,
        spec: ExecSpec,
    },
    Attach {
        container: String,
        stdin: bool,
    },
    Top {
        container: String,
    },
    Events {
        range: EventRange,
        filters: Vec<EventFilter>,
    },
    Images(ImagesRequest),
    History {
        image: String,
        no_trunc: bool,
    },
    PruneContainers {
        ask: Ask,
    },
    PruneImages {
        unused: bool,
        ask: Ask,
    },
    /// `None` is standard input.
    Script {
        file: Option<PathBuf>,
        jobs: usize,
        keep_going: bool,
    },
    SystemInfo,
    SystemRepair(RepairMode),
    Completion {
        shell: Shell,
    },
    Version,
    /// Names for the completion scripts.
    Complete(Completable),
    /// Text to show instead of doing anything.
    Help(String),
}

/// One command and what the person called its object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub target: String,
    pub command: Command,
}

/// `run`, attached unless detached.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRequest {
    pub spec: Box<ContainerSpec>,
    pub detach: bool,
}

/// `ps`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListRequest {
    pub all: bool,
    /// Only so many, newest first, whatever their status.
    pub last: Option<usize>,
    pub no_trunc: bool,
    pub size: bool,
    pub filters: Vec<ContainerFilter>,
}

/// `ps --filter KEY=VALUE`: several values of one key widen, different keys narrow, as in Docker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerFilter {
    Name(String),
    Id(String),
    Status(Vec<Status>),
    Label { key: String, value: Option<String> },
    Ancestor(String),
    Exited(i32),
}

/// `events --filter KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFilter {
    Container(String),
    Image(String),
    Action(String),
    Type(String),
}

/// `images`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagesRequest {
    /// Only this repository, or this reference when it has a tag.
    pub only: Option<String>,
    pub digests: bool,
    pub no_trunc: bool,
    pub dangling: Option<bool>,
}

/// What `wait` waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitGoal {
    Running,
    #[default]
    Exited,
    Removed,
}

/// What `inspect` looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InspectKind {
    /// A container, else an image.
    #[default]
    Any,
    Container,
    Image,
}

/// Whether to ask before deleting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    #[default]
    Yes,
    No,
}

impl From<Force> for Ask {
    fn from(force: Force) -> Self {
        match force {
            Force::Yes => Self::No,
            Force::No => Self::Yes,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What the hidden completion verb lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completable {
    Containers,
    Images,
}
