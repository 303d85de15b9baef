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
        domain::{AttachOptions, Error, ErrorKind, ExecSpec, Flow, Result, TerminalSize, Verb},
    },
};

/// Shells that images have, the nicer ones first.
const SHELLS: [&str; 3] = ["bash", "ash", "sh"];

/// An open session and whether it has a terminal of its own.
#[derive(Debug)]
pub struct Opened {
    session: Session,
    tty: bool,
}

/// Opens what was asked for; without a command, the first shell the image has.
///
/// # Errors
/// `CommandNotFound` when the image has no shell.
pub async fn open(engine: &Engine, request: &SessionRequest, size: Size) -> Result<Opened> {
    let terminal = Some(TerminalSize { columns: size.columns, rows: size.rows });
    match &request.kind {
        SessionKind::Attach => {
            let tty = engine.find_container(&request.container.clone().into()).await?.tty;
            let options = AttachOptions { stdin: true, flow: Flow::Viewer, terminal: terminal.filter(|_| tty) };
            let session = engine.attach(&request.container, options).await?;
            Ok(Opened { session, tty })
        }
        SessionKind::Exec(command) => {
            let spec = |command: Vec<String>| ExecSpec {
                command,
                tty: true,
                interactive: true,
                terminal,
                ..ExecSpec::default()
            };
            if !command.is_empty() {
                let session = engine.exec(&request.container, spec(command.clone())).await?;
                return Ok(Opened { session, tty: true });
            }
            let mut last = None;
            for shell in SHELLS {
                match engine.exec(&request.container, spec(vec![shell.to_owned()])).await {
                    Ok(session) => return Ok(Opened { session, tty: true }),
                    Err(error) if error.kind() == ErrorKind::CommandNotFound => last = Some(error),
                    Err(error) => return Err(error),
                }
            }
            Err(last
                .unwrap_or_else(|| Error::new(ErrorKind::CommandNotFound, "the image has no shell"))
                .during(Verb::Exec))
        }
    }
}

/// Joins the terminal with the process until it ends or the person detaches.
///
/// # Errors
/// When the terminal cannot be set up or the connection breaks.
pub async fn join(opened: Opened, request: &SessionRequest) -> Result<()> {
    let verb = match request.kind {
        SessionKind::Attach => Verb::Attach,
        SessionKind::Exec(_) => Verb::Exec,
    };
    cli::join_terminal(opened.session, opened.tty).await.map_err(|error| error.during(verb).on(&request.name))
}
