//! How does `run` become a container whose output, input and exit code are ours?
//!
//! Deliberately elsewhere: joining terminal and process (`cli::attached`), creating and starting (`engine`).

use super::{
    Work,
    attach::{self, report},
    change,
};
use crate::{
    cli::{
        attached::{self, JoinedFrom, Joining, Parting, SignalsGo, terminal},
        exit::Exit,
        grammar::{Change, RunRequest, USAGE_OF_RUN, UsageError},
    },
    engine::domain::{
        AttachOptions, Command, ContainerId, ContainerSelector, ContainerSpec, Error, ErrorKind, Flow, Force,
        RemoveOptions,
    },
};

/// Creates, starts and, unless detached, stays until the end.
pub async fn perform(work: &mut Work<'_>, request: RunRequest) -> Exit {
    let RunRequest { spec, detach } = request;
    let target = spec.name.as_ref().map_or_else(|| spec.image.clone(), ToString::to_string);
    if detach {
        return change::perform(work, vec![Change { target, command: Command::Run(spec) }]).await;
    }
    if let Some(refusal) = refuse_terminal(work, &spec) {
        work.printer.usage(&refusal);
        return Exit::Code(refusal.exit_code);
    }
    let facts = Facts::of(&spec);
    work.engine.expect_start(spec.network);
    let created = change::outcome_of(work, Change { target: target.clone(), command: Command::Create(spec) }).await;
    let done = match created {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => {
            work.failed(&target, &error);
            return Exit::of_start_failure(error.kind());
        }
        Err(signal) => return Exit::Signal(signal),
    };
    for warning in &done.warnings {
        work.printer.warning(warning);
    }
    let Some(id) = done.container.clone() else {
        let error = Error::new(ErrorKind::Internal, "the engine created a container without telling its id");
        work.failed(&target, &error);
        return Exit::ENGINE_FAILED;
    };
    start(work, id, facts, &target).await
}

/// What is still needed of the spec after it was handed over.
#[derive(Clone, Copy)]
struct Facts {
    interactive: bool,
    tty: bool,
    auto_remove: bool,
}

impl Facts {
    fn of(spec: &ContainerSpec) -> Self {
        Self { interactive: spec.interactive, tty: spec.tty, auto_remove: spec.auto_remove }
    }
}

async fn start(work: &mut Work<'_>, id: ContainerId, facts: Facts, target: &str) -> Exit {
    let options = AttachOptions {
        stdin: facts.interactive,
        flow: Flow::Lossless,
        terminal: if facts.tty { terminal::size() } else { None },
    };
    let joining =
        Joining { stdin: facts.interactive, tty: facts.tty, signals: SignalsGo::ToTheProcess, from: JoinedFrom::Shell };
    let parting = match work.engine.start_attached(ContainerSelector::Id(id.clone()), options) {
        Ok((ticket, session)) => match session.await {
            Ok(session) => attached::join(session, joining, work.printer, work.signals)
                .await
                .map_err(|error| Error::io("joining the container", error)),
            // It closes without a session when the start fails: the ticket says why.
            Err(_) => {
                Err(change::wait_for(ticket, attach::START_PATIENCE).await.err().unwrap_or_else(attach::no_session))
            }
        },
        Err(error) => Err(error),
    };
    match parting {
        Ok(parting) => {
            if facts.auto_remove && matches!(parting, Parting::OutputGone) {
                // What a pipe does to a process: nobody reads it, so it ends. Docker would let it run for ever.
                remove_leftover(work, id).await;
            }
            report(work, &parting, target).await
        }
        Err(error) => {
            if facts.auto_remove {
                remove_leftover(work, id).await;
            }
            work.failed(target, &error);
            Exit::of_start_failure(error.kind())
        }
    }
}

/// `--rm` holds for a container that never ran, too, and for one that nobody reads any more.
async fn remove_leftover(work: &mut Work<'_>, id: ContainerId) {
    let options = RemoveOptions { force: Force::Yes, volumes: true };
    let command = Command::Remove { container: ContainerSelector::Id(id.clone()), options };
    let removed = change::outcome_of(work, Change { target: id.to_string(), command }).await;
    if let Ok(Err(error)) = removed
        && error.kind() != ErrorKind::NoSuchContainer
    {
        work.printer.error(&error);
    }
}

/// Docker's refusal: a terminal cannot be joined to something that is none.
pub fn refuse_terminal(work: &Work<'_>, spec: &ContainerSpec) -> Option<UsageError> {
    let wrong = spec.tty && spec.interactive && (work.printer.is_captured() || !terminal::stdin_is_terminal());
    wrong.then(|| UsageError {
        exit_code: USAGE_OF_RUN,
        ..UsageError::new("the input device is not a TTY").hint("leave out -t when input comes from a pipe or a file")
    })
}
