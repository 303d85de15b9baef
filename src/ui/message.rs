//! What can wake the loop? One closed list; nothing else changes the state.
//!
//! Deliberately elsewhere: handling it (`update`).

use std::sync::Arc;

use serde_json::Value;

use super::{
    effect::{QueryId, StreamId, SubmitId, Timer},
    facts::Epoch,
    input::TerminalEvent,
};
use crate::engine::domain::{
    Command, ContainerId, EngineEvent, Error, HistoryEntry, Inventory, LogItem, OperationId, Outcome, ProcessTable,
    Result,
};

#[derive(Debug)]
pub enum Message {
    /// `frame` is the number of frames drawn when the event was read from the terminal.
    Terminal {
        event: TerminalEvent,
        frame: u64,
    },
    Inventory {
        epoch: Epoch,
        inventory: Arc<Inventory>,
    },
    HostFailed {
        epoch: Epoch,
        error: Error,
    },
    /// Something ended a container, or will.
    Happened {
        epoch: Epoch,
        event: Box<EngineEvent>,
    },
    LogItems {
        stream: StreamId,
        items: Vec<LogItem>,
    },
    LogEnded {
        stream: StreamId,
        result: Result<()>,
    },
    Answered {
        query: QueryId,
        answer: Result<Answer>,
    },
    Accepted {
        submit: SubmitId,
        operation: OperationId,
    },
    Ended {
        epoch: Epoch,
        submit: SubmitId,
        command: Box<Command>,
        outcome: Outcome,
    },
    SessionEnded {
        name: String,
        result: Result<()>,
    },
    Timer(Timer),
    /// The shared tick of ages.
    Minute,
    /// A second passed while something counts them.
    Second,
    /// The operating system wants us to end, or a person pressed the keys for it elsewhere.
    Signal(QuitSignal),
    /// The terminal is gone.
    /// What panicked, if that is why.
    TerminalLost(Option<String>),
    /// A task panicked; the text says where.
    Defect(String),
}

#[derive(Debug)]
pub enum Answer {
    Inspect(Value),
    Processes(ProcessTable),
    History(Vec<HistoryEntry>),
    LastLine { container: ContainerId, text: String },
}

/// SIGINT asks like Ctrl-C; SIGTERM and SIGHUP do not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuitSignal {
    Interrupt,
    Terminate,
}
