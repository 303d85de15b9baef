//! How does `exec` run a command beside a container's own?
//!
//! Deliberately elsewhere: joining terminal and process (`cli::attached`).

use super::{Work, attach::report};
use crate::{
    cli::{
        attached::{self, JoinedFrom, Joining, SignalsGo, terminal},
        exit::Exit,
        grammar::{USAGE_OF_RUN, UsageError},
    },
    engine::domain::{ContainerSelector, Error, ErrorKind, ExecSpec, HostSpec},
};

/// Runs the command; its exit code is ours.
pub async fn perform(work: &mut Work<'_>, name: &str, mut spec: ExecSpec) -> Exit {
    if spec.tty && spec.interactive && !spec.detach && (work.printer.is_captured() || !terminal::stdin_is_terminal()) {
        work.printer.usage(
            &UsageError::new("the input device is not a TTY")
                .hint("leave out -t when input comes from a pipe or a file"),
        );
        return Exit::Code(USAGE_OF_RUN);
    }
    if spec.tty {
        spec.terminal = terminal::size();
    }
    let signals = match work.engine.host() {
        HostSpec::Embedded => SignalsGo::ToTheProcess,
        HostSpec::Docker | HostSpec::Podman | HostSpec::Url(_) => SignalsGo::ToUs,
    };
    let joining = Joining { stdin: spec.interactive, tty: spec.tty, signals, from: JoinedFrom::Shell };
    let detach = spec.detach;
    let session = match work.engine.find_container(&ContainerSelector::from(name)).await {
        Ok(container) => work.engine.exec(&container.id, spec).await,
        Err(error) => Err(error),
    };
    match session {
        Ok(_) if detach => Exit::DONE,
        Ok(session) => match attached::join(session, joining, work.printer, work.signals).await {
            Ok(parting) => report(work, &parting, name).await,
            Err(error) => failure(work, name, &Error::io("joining the command", error)),
        },
        Err(error) => failure(work, name, &error),
    }
}

/// Nothing there is 1, as for every verb; the rest has Docker's codes.
fn failure(work: &mut Work<'_>, name: &str, error: &Error) -> Exit {
    let exit = work.failed(name, error);
    if matches!(error.kind(), ErrorKind::NoSuchContainer | ErrorKind::Ambiguous) {
        exit
    } else {
        Exit::of_start_failure(error.kind())
    }
}
