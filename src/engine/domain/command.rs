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
    /// The one list of what each command is; everybody else asks here.
    #[must_use]
    pub fn describe(&self) -> Description<'_> {
        let on = |verb, container| Description::new(verb, About::Container(container));
        match self {
            Self::Create(spec) => Description::new(Verb::Create, About::NewContainer(spec)).takes(Work::Transfer),
            Self::Run(spec) => Description::new(Verb::Run, About::NewContainer(spec)).takes(Work::Transfer),
            Self::Start { container } => on(Verb::Start, container),
            Self::Stop { container, options } => on(Verb::Stop, container).takes(Work::Stop(options)),
            Self::Restart { container, options } => on(Verb::Restart, container).takes(Work::StopAndStep(options)),
            Self::Kill { container, .. } => on(Verb::Kill, container),
            Self::Pause { container } => on(Verb::Pause, container),
            Self::Unpause { container } => on(Verb::Unpause, container),
            Self::Remove { container, options } => on(Verb::Remove, container).forced(options.force),
            Self::Rename { container, .. } => on(Verb::Rename, container),
            Self::Pull { reference, .. } => {
                Description::new(Verb::Pull, About::Reference(reference, Access::Write)).takes(Work::Transfer)
            }
            Self::Push { reference } => {
                Description::new(Verb::Push, About::Reference(reference, Access::Read)).takes(Work::Transfer)
            }
            Self::Tag { source, target } => Description::new(Verb::Tag, About::Alias { source, target }),
            Self::RemoveImage { image, force } => {
                Description::new(Verb::RemoveImage, About::Image(image)).forced(*force)
            }
            Self::CreateIndex { targets, sources } => {
                Description::new(Verb::CreateIndex, About::Index { targets, sources }).takes(Work::Transfer)
            }
            Self::PruneContainers => {
                Description::new(Verb::PruneContainers, About::Several(Several::StoppedContainers))
            }
            Self::PruneImages { unused: true } => Description::new(Verb::PruneImages, About::Host("unused images")),
            Self::PruneImages { unused: false } => Description::new(Verb::PruneImages, About::Host("dangling images")),
            Self::Demo(wanted) => Description::new(Verb::Demo, About::Several(Several::Demo(*wanted))),
        }
    }

    #[must_use]
    pub fn verb(&self) -> Verb {
        self.describe().verb
    }

    /// The existing container this is about, if it is about one.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerSelector> {
        self.describe().about.container()
    }
}

/// What can be known of a command without knowing which one it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Description<'a> {
    pub verb: Verb,
    pub about: About<'a>,
    pub work: Work<'a>,
    pub force: Force,
}

impl<'a> Description<'a> {
    fn new(verb: Verb, about: About<'a>) -> Self {
        Self { verb, about, work: Work::Step, force: Force::No }
    }

    fn takes(self, work: Work<'a>) -> Self {
        Self { work, ..self }
    }

    fn forced(self, force: Force) -> Self {
        Self { force, ..self }
    }
}

/// The object of a command. From it follow its actor, what it is called, and which lines of a script wait for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum About<'a> {
    /// A container that exists.
    Container(&'a ContainerSelector),
    /// A container that it makes.
    NewContainer(&'a ContainerSpec),
    Reference(&'a ImageReference, Access),
    /// An image that exists, by reference or id as typed.
    Image(&'a str),
    /// A further name for an image that exists.
    Alias {
        source: &'a str,
        target: &'a ImageReference,
    },
    Index {
        targets: &'a [ImageReference],
        sources: &'a [ImageReference],
    },
    /// Whatever the host finds, in words.
    Host(&'static str),
    /// Things that get a command each.
    Several(Several),
}

impl<'a> About<'a> {
    /// The container that exists, if it is about one.
    #[must_use]
    pub fn container(self) -> Option<&'a ContainerSelector> {
        if let Self::Container(container) = self { Some(container) } else { None }
    }

    /// The container that it makes, if it makes one.
    #[must_use]
    pub fn new_container(self) -> Option<&'a ContainerSpec> {
        if let Self::NewContainer(spec) = self { Some(spec) } else { None }
    }
}

/// What a command that is made of other commands is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Several {
    StoppedContainers,
    Demo(Demo),
}

/// What happens to the image of a reference on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// What a command spends its time on; how long that may be, `core::time_limit` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work<'a> {
    /// Calls to the host or the kernel that end soon.
    Step,
    /// Data from or to a registry.
    Transfer,
    /// A process that is given time to end.
    Stop(&'a StopOptions),
    StopAndStep(&'a StopOptions),
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
