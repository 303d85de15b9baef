//! How is another command run in a running container?
//!
//! Deliberately elsewhere: what flows (`session`), the container's own process (`attach`).

use std::{sync::Arc, time::Duration};

use bollard::models::ExecConfig;
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};

use super::{
    api::{Api, typed_error},
    containers,
    failure::About,
    lifecycle::Target,
    path::Path,
    quirks,
    session::{self, Remote, Sessions, Shape},
};
use crate::engine::{
    backend::{Session, session_input},
    core::limits,
    domain::{Error, ErrorKind, ExecSpec, Flow, Force, HostKind, ProcessExit, Result, Signal, TerminalSize, Verb},
    sync::ring,
};

/// After the stream's end the daemon needs a moment to know the exit code.
const LOOK_FIRST: Duration = Duration::from_millis(2);
const LOOK_MAX: Duration = Duration::from_millis(100);
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// Runs a command beside the container's own. Its exit code is 127 or 126 when it is not there or not executable.
///
/// # Errors
/// `NoSuchContainer`, `Refused` when the container does not run.
pub async fn exec(target: Target<'_>, api: &Arc<Api>, sessions: &Sessions, spec: ExecSpec) -> Result<Session> {
    let config = ExecConfig {
        attach_stdin: Some(spec.interactive),
        attach_stdout: Some(!spec.detach),
        attach_stderr: Some(!spec.detach),
        tty: Some(spec.tty),
        env: (!spec.env.is_empty()).then(|| spec.env.iter().map(ToString::to_string).collect()),
        cmd: Some(spec.command),
        user: spec.user,
        working_dir: spec.workdir.map(|workdir| workdir.to_string_lossy().into_owned()),
        ..ExecConfig::default()
    };
    let made = match api.typed().create_exec(target.id.as_str(), config).await {
        Ok(made) => made,
        Err(error) => {
            let refusal = typed_error(error, About::Container);
            let Target { api, remembered, id } = target;
            containers::reconsidered(api, remembered, id, Verb::Exec, Force::No, refusal).await?;
            return Err(Error::new(ErrorKind::Refused, "it is not running"));
        }
    };
    let remote = OtherProcess { api: Arc::clone(api), id: made.id.clone(), tty: spec.tty };
    let start = Path::new("/exec").part(&made.id).then("start");
    if spec.detach {
        let reply = api.post_json(start, &json!({"Detach": true, "Tty": spec.tty}), limits::STEP_DEADLINE).await?;
        reply.success(About::Container)?;
        return Ok(silent());
    }
    let connection = api.hijack(start, Some(&json!({"Detach": false, "Tty": spec.tty}))).await?;
    if let Some(size) = spec.terminal.filter(|_| spec.tty) {
        remote.resize(size).await;
    }
    let shape = Shape { tty: spec.tty, stdin: spec.interactive, flow: Flow::Lossless };
    let (again, id) = (Arc::clone(api), made.id);
    let exit = |head| exit_of(again, id, head);
    Ok(session::begin(sessions, target.id, connection, shape, remote, exit))
}

/// Nobody listens: the channels are closed from the start.
fn silent() -> Session {
    let (input, _) = session_input();
    let (_, output) = ring(1);
    Session { input, output }
}

async fn exit_of(api: Arc<Api>, exec: String, head: Vec<u8>) -> Result<ProcessExit> {
    let mut pause = LOOK_FIRST;
    let looking = async {
        loop {
            let object: Value = api.get(Path::new("/exec").part(&exec).then("json")).await?.json(About::Container)?;
            let code = object.get("ExitCode").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
            let running = object.get("Running").and_then(Value::as_bool).unwrap_or_default();
            if let Some(code) = code.filter(|code| !running && *code >= 0) {
                let pid = object.get("Pid").and_then(Value::as_i64).unwrap_or_default();
                // Podman keeps no process id, and its code is right.
                let ran = pid > 0 || api.daemon().await?.kind == HostKind::Podman;
                return Ok::<_, Error>(ProcessExit::Code(if ran { code } else { quirks::never_ran(code, &head) }));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOK_MAX);
        }
    };
    match tokio::time::timeout(LOOK_LIMIT, looking).await {
        Ok(Ok(exit)) => Ok(exit),
        // The container went away and took the exec's record with it.
        Ok(Err(error)) if error.kind() == ErrorKind::NoSuchContainer => Ok(ProcessExit::Unknown),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(ProcessExit::Unknown),
    }
}

/// A command beside the container's own process.
struct OtherProcess {
    api: Arc<Api>,
    id: String,
    tty: bool,
}

impl Remote for OtherProcess {
    fn resize(&self, size: TerminalSize) -> BoxFuture<'_, ()> {
        async move {
            let path = Path::new("/exec").part(&self.id).then("resize");
            let path = path.query("h", size.rows).query("w", size.columns);
            // A process that has ended has no terminal to resize.
            let _ = self.api.post(path, limits::READ_DEADLINE).await;
        }
        .boxed()
    }

    /// The API cannot signal an exec (`quirks`); on a terminal the keys do.
    fn signal(&self, signal: Signal) -> BoxFuture<'_, Option<Vec<u8>>> {
        let key = match signal {
            Signal::INT => Some(3),
            Signal::QUIT => Some(28),
            Signal::TSTP => Some(26),
            Signal::HUP => Some(4),
            _ => None,
        };
        let keys = key.filter(|_| self.tty).map(|key| vec![key]);
        async move { keys }.boxed()
    }
}
