//! What does `update` ask of the world? Values; the effect runner carries them out.
//!
//! Deliberately elsewhere: doing it (`effect_runner`), what comes back (`message`).

use std::time::Duration;

use crate::engine::domain::{Command, ContainerId, ExecSpec, HostSpec, LogOptions, OperationId};

/// Names one log stream; items of another one are stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamId(pub u64);

/// Names one question to the engine; an answer to an older one is stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct QueryId(pub u64);

/// Names one submitted command until its operation id is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubmitId(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Closes the present host and opens this one.
    OpenHost(HostSpec),
    Submit {
        submit: SubmitId,
        command: Command,
    },
    CancelOperation(OperationId),
    /// Ends the running stream, if any, and follows this log.
    FollowLogs {
        stream: StreamId,
        container: ContainerId,
        options: LogOptions,
    },
    EndLogs,
    Ask {
        query: QueryId,
        question: Question,
    },
    /// Asks the host to list everything again.
    Resync,
    Copy(String),
    /// Gives the terminal to a process in a container and comes back when it ends.
    Session(SessionRequest),
    /// Sends the timer's message after a while.
    After(Duration, Timer),
    /// Back to the shell until SIGCONT.
    Suspend,
    /// Forgets what the terminal shows and draws it whole.
    Redraw,
    Quit,
}

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    InspectContainer(ContainerId),
    Processes(ContainerId),
    History(String),
    /// The last line that an ended container printed.
    LastLine(ContainerId),
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionRequest {
    pub container: ContainerId,
    /// For messages.
    pub name: String,
    pub kind: SessionKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SessionKind {
    Attach,
    /// The shell that the image has.
    Shell,
    /// What it prints stays to be read until the person comes back.
    Exec(Box<ExecSpec>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A notice has been there long enough to be read.
    NoticeRead(u64),
    /// The selection has rested: load its detail. The number is the selection's.
    Detail(u64),
    /// The operation is worth a dialog if it still runs.
    Watch(SubmitId),
    /// A log that was opened has had its time to say something.
    LogQuiet(StreamId),
    /// The time for a second Ctrl-C is over.
    InterruptForgotten,
}
