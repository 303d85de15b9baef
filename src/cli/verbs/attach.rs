//! How does a person join a container that is there already, or watch its start?
//!
//! Deliberately elsewhere: the joining itself (`cli::attached`), `run` (`verbs::run`).

use std::time::Duration;

use super::{Work, change};
use crate::{
    cli::{
        attached::{self, JoinedFrom, Joining, Parting, SignalsGo, terminal},
        exit::Exit,
    },
    engine::domain::{AttachOptions, Container, ContainerSelector, Error, ErrorKind, Flow, ProcessExit},
};

/// How long the reason of a failed start may take after its session closed.
pub const START_PATIENCE: Duration = Duration::from_secs(30);

/// `wharf attach`.
pub async fn perform(work: &mut Work<'_>, name: &str, stdin: bool) -> Exit {
    let container = match work.engine.find_container(&ContainerSelector::from(name)).await {
        Ok(container) => container,
        Err(error) => return work.failed(name, &error),
    };
    // Who joins somebody else's process must not hold it up: a reader that stalls misses, and is told.
    match work.engine.attach(&container.id, options(&container, stdin, Flow::Viewer)).await {
        Ok(session) => {
            let joining =
                Joining { stdin, tty: container.tty, signals: SignalsGo::ToTheProcess, from: JoinedFrom::Shell };
            match attached::join(session, joining, work.printer, work.signals).await {
                Ok(parting) => report(work, &parting, name).await,
                Err(error) => work.failed(name, &Error::io("joining the container", error)),
            }
        }
        Err(error) => work.failed(name, &error),
    }
}

/// `wharf start -a`.
pub async fn start(work: &mut Work<'_>, name: String, stdin: bool) -> Exit {
    let selector = ContainerSelector::Query(name.clone());
    let container = match work.engine.find_container(&selector).await {
        Ok(container) => container,
        Err(error) => return work.failed(&name, &error),
    };
    let session = match work.engine.start_attached(selector, options(&container, stdin, Flow::Lossless)) {
        Ok((ticket, session)) => match session.await {
            Ok(session) => session,
            // It closes without a session when the start fails: the ticket says why.
            Err(_) => {
                let error = change::wait_for(ticket, START_PATIENCE).await.err().unwrap_or_else(no_session);
                work.failed(&name, &error);
                return start_failure(&error);
            }
        },
        Err(error) => return work.failed(&name, &error),
    };
    let joining = Joining { stdin, tty: container.tty, signals: SignalsGo::ToTheProcess, from: JoinedFrom::Shell };
    match attached::join(session, joining, work.printer, work.signals).await {
        Ok(parting) => report(work, &parting, &name).await,
        Err(error) => work.failed(&name, &Error::io("joining the container", error)),
    }
}

/// Turns the parting into an exit code and says what is not plain.
pub async fn report(work: &mut Work<'_>, parting: &Parting, target: &str) -> Exit {
    match parting {
        Parting::Exited(exit) => {
            if *exit == ProcessExit::Unknown {
                work.printer.warning(&format!("{target} has ended, but nobody saw its exit code"));
            }
            Exit::of_process(*exit)
        }
        Parting::Detached => {
            work.printer.note(&format!("\nleft {target}; it goes on (wharf attach joins it again)"));
            Exit::DONE
        }
        Parting::Lost => {
            let error = Error::new(ErrorKind::Unreachable, "the connection to its output was lost")
                .on(target)
                .remedy(format!("wharf ps shows whether it still runs, wharf logs {target} what it printed"));
            work.failed(target, &error);
            Exit::ENGINE_FAILED
        }
        Parting::OutputGone => Exit::BROKEN_PIPE,
        Parting::Interrupted(signal) => {
            work.printer.note(&format!("leaving {target} to itself; wharf stop or wharf kill ends it"));
            Exit::Signal(*signal)
        }
    }
}

/// The session's channel closed although the start went well.
pub fn no_session() -> Error {
    Error::new(ErrorKind::Internal, "the container started but its output could not be joined")
        .remedy("wharf logs shows what it printed")
}

fn options(container: &Container, stdin: bool, flow: Flow) -> AttachOptions {
    let terminal = if container.tty { terminal::size() } else { None };
    AttachOptions { stdin, flow, terminal }
}

fn start_failure(error: &Error) -> Exit {
    let has_own_code = matches!(error.kind(), ErrorKind::CommandNotFound | ErrorKind::CommandNotExecutable);
    if has_own_code { Exit::of_start_failure(error.kind()) } else { Exit::FAILED }
}
