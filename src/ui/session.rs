//! How does a process in a container get the terminal for a while? Opened, joined, left.
//!
//! Deliberately elsewhere: the joining itself (`cli::attached`), giving the terminal away and taking it back (`run`).

use super::{
    effect::{SessionKind, SessionRequest},
    geometry::Size,
};
use crate::{
    cli,
    engine::{
        Engine, Session,
        domain::{AttachOptions, Error, ErrorKind, ExecSpec, Flow, ProcessExit, Result, TerminalSize, Verb},
    },
    text::SafeText,
};

/// The nicest shell that the image has. Every image with a shell has `sh`, so one call finds out.
const SHELL: [&str; 3] = ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"];
/// What runtimes exit with when the program is not there.
const NOT_THERE: [i32; 2] = [126, 127];

/// An open session and whether it has a terminal of its own.
#[derive(Debug)]
pub struct Opened {
    session: Session,
    tty: bool,
}

/// Opens what was asked for; without a command, a shell.
///
/// # Errors
/// `CommandNotFound` when the program is not there, as far as the host says so before it starts.
pub async fn open(engine: &Engine, request: &SessionRequest, size: Size) -> Result<Opened> {
    let terminal = Some(TerminalSize { columns: size.columns, rows: size.rows });
    match &request.kind {
        SessionKind::Attach => {
            let tty = engine.find_container(&request.container.clone().into()).await?.tty;
            let options = AttachOptions { stdin: true, flow: Flow::Viewer, terminal: terminal.filter(|_| tty) };
            let session = engine.attach(&request.container, options).await?;
            Ok(Opened { session, tty })
        }
        SessionKind::Exec(spec) => {
            // On a terminal of its own whatever was asked for: the person's is free, and keys that leave work.
            let spec = ExecSpec { tty: true, interactive: true, terminal, ..(**spec).clone() };
            Ok(Opened { session: engine.exec(&request.container, spec).await?, tty: true })
        }
        SessionKind::Shell => {
            let command = SHELL.map(str::to_owned).to_vec();
            let spec = ExecSpec { command, tty: true, interactive: true, terminal, ..ExecSpec::default() };
            match engine.exec(&request.container, spec).await {
                Ok(session) => Ok(Opened { session, tty: true }),
                Err(error) if error.kind() == ErrorKind::CommandNotFound => Err(no_shell(&request.name)),
                Err(error) => Err(error),
            }
        }
    }
}

/// What a person should know while our screen is away.
#[must_use]
pub fn announcement(request: &SessionRequest, opened: &Opened) -> String {
    let tty = opened.tty;
    let name = SafeText::from_untrusted(&request.name);
    match request.kind {
        SessionKind::Attach if !tty => format!("attached to {name}; ctrl-c comes back and does it no harm"),
        SessionKind::Attach => format!("attached to {name}; ctrl-p ctrl-q comes back"),
        SessionKind::Shell | SessionKind::Exec(_) => format!("in {name}; exit or ctrl-p ctrl-q comes back"),
    }
}

/// Joins the terminal with the process until it ends or the person detaches. Returns what to say of a command that ran
/// to its end: what it printed is still to be read.
///
/// # Errors
/// When the terminal cannot be set up or the connection breaks; `CommandNotFound` when there is no shell.
pub async fn join(opened: Opened, request: &SessionRequest) -> Result<Option<String>> {
    let verb = match request.kind {
        SessionKind::Attach => Verb::Attach,
        SessionKind::Shell | SessionKind::Exec(_) => Verb::Exec,
    };
    let ended = cli::join_terminal(opened.session, opened.tty).await;
    let ended = ended.map_err(|error| error.during(verb).on(&request.name))?;
    match (&request.kind, ended) {
        (SessionKind::Shell, Some(ProcessExit::Code(code))) if NOT_THERE.contains(&code) => {
            Err(no_shell(&request.name))
        }
        (SessionKind::Exec(_), Some(ProcessExit::Code(code))) => Ok(Some(format!("[exited {code}; enter comes back]"))),
        (SessionKind::Exec(_), Some(ProcessExit::Unknown)) => Ok(Some("[it ended; enter comes back]".to_owned())),
        (SessionKind::Attach | SessionKind::Shell, Some(_)) | (_, None) => Ok(None),
    }
}

fn no_shell(name: &str) -> Error {
    Error::new(ErrorKind::CommandNotFound, "there is no shell in this image").during(Verb::Exec).on(name)
}
