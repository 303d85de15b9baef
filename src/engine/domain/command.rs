//! What can be asked of the engine, as values?
//!
//! Deliberately elsewhere: whether it is allowed (`core::admit`), who carries it out (`supervisor`),
//! the command line it stands for (`core::cli_line`).

use serde::{Deserialize, Serialize};

use super::{ContainerId, ContainerName, ContainerSpec, ImageReference, Platform, Signal, Span, Verb};

/// A change that somebody wants. Accepted commands become operations.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Create(Box<ContainerSpec>),
    /// Create and start, detached. Attached runs are `Create`, then a start that carries a session.
    Run(Box<ContainerSpec>),
    Start {
        container: ContainerSelector,
    },
    Stop {
        container: ContainerSelector,
        options: StopOptions,
    },
    Restart {
        container: ContainerSelector,
        options: StopOptions,
    },
    Kill {
        container: ContainerSelector,
        signal: Signal,
    },
    Pause {
        container: ContainerSelector,
    },
    Unpause {
        container: ContainerSelector,
    },
    Remove {
        container: ContainerSelector,
        options: RemoveOptions,
    },
    Rename {
        container: ContainerSelector,
        name: ContainerName,
    },
    Pull {
        reference: ImageReference,
        options: PullOptions,
    },
    Push {
        reference: ImageReference,
    },
    Tag {
        source: String,
        target: ImageReference,
    },
    RemoveImage {
        image: String,
        force: Force,
    },
    CreateIndex {
        targets: Vec<ImageReference>,
        sources: Vec<ImageReference>,
    },
    PruneContainers,
    /// Dangling images only, or every image without a container.
    PruneImages {
        unused: bool,
    },
    /// Containers to try everything on, made from this machine without network; or their removal.
    Demo(Demo),
}

impl Command {
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Run(_) => Verb::Run,
            Self::Start { .. } => Verb::Start,
            Self::Stop { .. } => Verb::Stop,
            Self::Restart { .. } => Verb::Restart,
            Self::Kill { .. } => Verb::Kill,
            Self::Pause { .. } => Verb::Pause,
            Self::Unpause { .. } => Verb::Unpause,
            Self::Remove { .. } => Verb::Remove,
            Self::Rename { .. } => Verb::Rename,
            Self::Pull { .. } => Verb::Pull,
            Self::Push { .. } => Verb::Push,
            Self::Tag { .. } => Verb::Tag,
            Self::RemoveImage { .. } => Verb::RemoveImage,
            Self::CreateIndex { .. } => Verb::CreateIndex,
            Self::PruneContainers => Verb::PruneContainers,
            Self::PruneImages { .. } => Verb::PruneImages,
            Self::Demo(_) => Verb::Demo,
        }
    }

    /// The existing container this is about, if it is about one.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerSelector> {
        match self {
            Self::Start { container }
            | Self::Stop { container, .. }
            | Self::Restart { container, .. }
            | Self::Kill { container, .. }
            | Self::Pause { container }
            | Self::Unpause { container }
            | Self::Remove { container, .. }
            | Self::Rename { container, .. } => Some(container),
            Self::Create(_)
            | Self::Run(_)
            | Self::Pull { .. }
            | Self::Push { .. }
            | Self::Tag { .. }
            | Self::RemoveImage { .. }
            | Self::CreateIndex { .. }
            | Self::PruneContainers
            | Self::PruneImages { .. }
            | Self::Demo(_) => None,
        }
    }
}

/// Names a container: exactly, or as a person typed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContainerSelector {
    Id(ContainerId),
    /// A name, a full id, or an unambiguous prefix of an id; looked up in that order.
    Query(String),
}

impl std::fmt::Display for ContainerSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id.short()),
            Self::Query(query) => f.write_str(query),
        }
    }
}

impl From<ContainerId> for ContainerSelector {
    fn from(id: ContainerId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for ContainerSelector {
    fn from(query: &str) -> Self {
        Self::Query(query.to_owned())
    }
}

/// What to do about the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Demo {
    /// Makes what is missing of it and starts what should run; what is there stays as it is.
    Start,
    /// Removes exactly what it made.
    Clean,
}

/// How to stop: absent values come from the container, then the image, then TERM and 10 s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopOptions {
    pub signal: Option<Signal>,
    /// Time between the signal and KILL; zero kills at once.
    pub grace: Option<Span>,
}

/// Whether to do it although something is in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Force {
    Yes,
    #[default]
    No,
}

/// How to remove a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveOptions {
    /// Kill it first when it runs; nothing there is a success.
    pub force: Force,
    /// Its anonymous volumes go too.
    pub volumes: bool,
}

/// How to pull.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullOptions {
    /// Absent: this host's own.
    pub platform: Option<Platform>,
}

/// What an attached client wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachOptions {
    pub stdin: bool,
    pub flow: Flow,
    /// The size of the client's terminal, when the container has one.
    pub terminal: Option<super::TerminalSize>,
}

/// What happens when the attached client does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flow {
    /// Like a shell pipe: the workload waits. For the foreground `run` that owns the output; no
    /// other verb ever waits for it.
    Lossless,
    /// The workload never waits; the client is told how much it missed.
    Viewer,
}
