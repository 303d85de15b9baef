//! How does a client get hold of a container's own process? Attaching to a running one, and before a start.
//!
//! Before a start the stream and the wait are open first, so that neither the first byte nor a quick exit is missed.
//! Deliberately elsewhere: what flows (`session`), other commands in the container (`exec`).

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    api::Api,
    containers,
    lifecycle::{self, Target, Waiting},
    path::Path,
    session::{self, Remote, Sessions, Shape},
};
use crate::engine::{
    backend::{OperationContext, Session, Started},
    core::limits,
    domain::{
        AttachOptions, Container, ContainerId, Error, ErrorKind, Force, HostKind, ProcessExit, Result, Signal,
        TerminalSize, Verb,
    },
};

/// Pause between two looks at a container that removes itself.
const LOOK: Duration = Duration::from_millis(10);
/// A container that should remove itself is waited for so long.
const REMOVAL: Duration = Duration::from_secs(10);

/// A session with a running container.
///
/// # Errors
/// `NoSuchContainer`, `Refused` when it does not run.
pub async fn attach(
    target: Target<'_>,
    api: &Arc<Api>,
    sessions: &Sessions,
    options: AttachOptions,
) -> Result<Session> {
    let container = seen(target).await?;
    if !container.status().has_process() {
        let refusal = Error::new(ErrorKind::Refused, format!("it is {}", container.status()));
        containers::reconsidered(target.api, target.remembered, target.id, Verb::Attach, Force::No, refusal).await?;
    }
    let connection = api.hijack(stream_path(target.id, options.stdin), None::<&()>).await?;
    let waiting = waiting(target, &container, "not-running").await?;
    let remote = OwnProcess { api: Arc::clone(api), id: target.id.clone() };
    if let Some(size) = options.terminal.filter(|_| container.tty) {
        remote.resize(size).await;
    }
    let shape = Shape { tty: container.tty, stdin: options.stdin, flow: options.flow };
    Ok(session::begin(sessions, target.id, connection, shape, remote, |_| exit_of(waiting, None)))
}

/// Starts it with a session that sees its first byte.
///
/// # Errors
/// As a plain start; the session is gone with it.
pub async fn start(
    target: Target<'_>,
    api: &Arc<Api>,
    sessions: &Sessions,
    options: AttachOptions,
    context: &OperationContext,
) -> Result<Started> {
    let container = seen(target).await?;
    let connection = api.hijack(stream_path(target.id, options.stdin), None::<&()>).await?;
    let waiting = waiting(target, &container, "next-exit").await?;
    let done = lifecycle::start(target, context).await?;
    let remote = OwnProcess { api: Arc::clone(api), id: target.id.clone() };
    if let Some(size) = options.terminal.filter(|_| container.tty) {
        remote.resize(size).await;
    }
    let shape = Shape { tty: container.tty, stdin: options.stdin, flow: options.flow };
    let vanishing = container.auto_remove.then(|| (Arc::clone(api), target.id.clone()));
    let session = session::begin(sessions, target.id, connection, shape, remote, |_| exit_of(waiting, vanishing));
    Ok(Started { done, session: Some(session) })
}

async fn seen(target: Target<'_>) -> Result<Container> {
    let container = containers::look(target.api, target.remembered, target.id).await?;
    container.ok_or_else(|| Error::no_such_container(target.id.short()))
}

fn stream_path(id: &ContainerId, stdin: bool) -> Path {
    let path = Path::new("/containers").part(id).then("attach").query("stream", 1).query("stdout", 1);
    path.query("stderr", 1).query("stdin", stdin)
}

/// With auto-remove, "removed" tells the exit code on Docker and nothing is left afterwards; Podman's code is then
/// lost (it says 0), so there the exit is awaited and the removal looked for.
async fn waiting(target: Target<'_>, container: &Container, condition: &'static str) -> Result<Waiting> {
    let daemon = target.api.daemon().await?;
    let condition = if container.auto_remove && daemon.kind == HostKind::Docker { "removed" } else { condition };
    lifecycle::waiting(target, condition).await
}

async fn exit_of(waiting: Waiting, vanishing: Option<(Arc<Api>, ContainerId)>) -> Result<ProcessExit> {
    let exit = waiting.exit().await?;
    if let Some((api, id)) = vanishing {
        let gone = async {
            while let Ok(Some(_)) = containers::look(&api, &containers::Remembered::default(), &id).await {
                tokio::time::sleep(LOOK).await;
            }
        };
        // A removal that takes longer is the daemon's business; the exit is known.
        let _ = tokio::time::timeout(REMOVAL, gone).await;
    }
    Ok(exit)
}

/// The container's own process.
struct OwnProcess {
    api: Arc<Api>,
    id: ContainerId,
}

impl Remote for OwnProcess {
    fn resize(&self, size: TerminalSize) -> BoxFuture<'_, ()> {
        async move {
            let path = Path::new("/containers").part(&self.id).then("resize");
            let path = path.query("h", size.rows).query("w", size.columns);
            // Between exit and removal there is no terminal to resize; the next size comes with the next change.
            let _ = self.api.post(path, limits::READ_DEADLINE).await;
        }
        .boxed()
    }

    fn signal(&self, signal: Signal) -> BoxFuture<'_, Option<Vec<u8>>> {
        async move {
            let path = Path::new("/containers").part(&self.id).then("kill").query("signal", signal);
            // A process that has ended meanwhile needs no signal; its exit is on the way.
            let _ = self.api.post(path, limits::READ_DEADLINE).await;
            None
        }
        .boxed()
    }
}
