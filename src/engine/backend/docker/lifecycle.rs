//! How is a container started, stopped, signalled, paused, renamed and removed over the API?
//!
//! A refusal is never believed at once: the container is looked at again (`containers::reconsidered`).
//! Deliberately elsewhere: creating (`create`), the streams of a start (`session`).

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::{
    api::{Api, ApiVersion, Reply, typed_error},
    container_json,
    containers::{self, Remembered, reconsidered},
    failure::About,
    path::Path,
    quirks,
};
use crate::engine::{
    backend::OperationContext,
    core::limits,
    domain::{
        Container, ContainerId, ContainerName, Done, Error, ErrorKind, Force, ProcessExit, RemoveOptions, Result,
        Signal, Status, StopOptions, Timestamp, Verb,
    },
};

/// First and longest pause between two looks at a container that is on its way out.
const LOOK_FIRST: Duration = Duration::from_millis(20);
const LOOK_MAX: Duration = Duration::from_millis(500);

/// Daemons answer a `wait` with its head at once and the body at the exit.
const WAIT_HEAD: Duration = Duration::from_secs(10);

/// One container of one host, for the verbs below.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub api: &'a Api,
    pub remembered: &'a Remembered,
    pub id: &'a ContainerId,
}

impl Target<'_> {
    fn path(&self) -> Path {
        Path::new("/containers").part(self.id)
    }

    async fn look(&self) -> Result<Option<Container>> {
        containers::look(self.api, self.remembered, self.id).await
    }

    async fn reconsidered(&self, verb: Verb, refusal: Error) -> Result<()> {
        reconsidered(self.api, self.remembered, self.id, verb, Force::No, refusal).await
    }

    fn done(&self, already: bool) -> Done {
        self.remembered.forget(self.id);
        Done { already, container: Some(self.id.clone()), ..Done::default() }
    }

    /// 304 is "already so"; a refusal may turn out to be one as well.
    async fn settle(&self, verb: Verb, reply: Result<Reply>) -> Result<Done> {
        match reply.and_then(|reply| reply.success(About::Container)) {
            Ok(reply) => Ok(self.done(reply.status == StatusCode::NOT_MODIFIED)),
            Err(refusal) => {
                self.remembered.forget(self.id);
                self.reconsidered(verb, refusal).await.map(|()| self.done(true))
            }
        }
    }
}

/// Starts it. A command that is not there is told apart by the exit code the daemon left, 127 or 126.
///
/// # Errors
/// `CommandNotFound`, `CommandNotExecutable`, `Refused`, or the daemon's own reason.
pub async fn start(target: Target<'_>, context: &OperationContext) -> Result<Done> {
    let reply = target.api.post(target.path().then("start"), context.remaining()).await;
    match reply.and_then(|reply| reply.success(About::Container)) {
        Ok(reply) => Ok(target.done(reply.status == StatusCode::NOT_MODIFIED)),
        Err(refusal) => {
            target.remembered.forget(target.id);
            if let Some(kind) = start_failure(target, &refusal).await {
                return Err(Error::new(kind, refusal.reason()));
            }
            target.reconsidered(Verb::Start, refusal).await.map(|()| target.done(true))
        }
    }
}

async fn start_failure(target: Target<'_>, refusal: &Error) -> Option<ErrorKind> {
    let code = match containers::inspect(target.api, target.id).await {
        Ok(object) => {
            let never_ran = container_json::from_inspect(&object).is_some_and(|seen| !seen.status().has_process());
            container_json::start_failure_code(&object).filter(|_| never_ran)
        }
        // With auto-remove it is gone by now and its code with it: only the text is left.
        Err(_) => None,
    };
    match code {
        Some(127) => Some(ErrorKind::CommandNotFound),
        Some(126) => Some(ErrorKind::CommandNotExecutable),
        Some(_) | None => quirks::start_failure_in_words(refusal.reason()),
    }
}

/// Stops it: signal, grace, KILL, all done by the daemon where it can.
///
/// # Errors
/// `TimedOut` when it does not end; the daemon goes on.
pub async fn stop(target: Target<'_>, options: StopOptions, context: &OperationContext) -> Result<Done> {
    let daemon = target.api.daemon().await?;
    let object = containers::inspect(target.api, target.id).await?;
    let own_grace = object.pointer("/Config/StopTimeout").and_then(Value::as_u64).filter(|grace| *grace > 0);
    let own_grace = own_grace.map_or(limits::STOP_GRACE, Duration::from_secs).min(limits::STOP_GRACE_MAX);
    let grace = options.grace.map_or(own_grace, |grace| grace.duration());
    let own_signal = object.pointer("/Config/StopSignal").and_then(Value::as_str).and_then(|name| name.parse().ok());
    let signal = options.signal.or(own_signal).unwrap_or(Signal::TERM);
    context.report(|progress| {
        progress.step = format!("sent {signal}");
        progress.until = Some((Timestamp::now().plus(grace), Signal::KILL.to_string()));
    });
    // The signal may be named since API 1.42 only; before, it is sent by itself and waited for.
    let path = match options.signal {
        Some(signal) if daemon.api >= ApiVersion(1, 42) => target.path().then("stop").query("signal", signal),
        Some(signal) if !grace.is_zero() => return stop_by_hand(target, signal, grace, context).await,
        Some(_) | None => target.path().then("stop"),
    };
    // Whole seconds are all the API takes; a part of one is rounded up.
    let seconds = grace.as_millis().div_ceil(1000);
    let reply = target.api.post(path.query("t", seconds), context.remaining()).await;
    gone_is_stopped(target, target.settle(Verb::Stop, reply).await).await
}

async fn stop_by_hand(target: Target<'_>, signal: Signal, grace: Duration, context: &OperationContext) -> Result<Done> {
    let reply = target.api.post(target.path().then("kill").query("signal", signal), context.remaining()).await;
    if let Err(refusal) = reply.and_then(|reply| reply.success(About::Container)) {
        let settled = target.reconsidered(Verb::Stop, refusal).await.map(|()| target.done(true));
        return gone_is_stopped(target, settled).await;
    }
    if not_running(target, grace.min(context.remaining())).await? {
        return Ok(target.done(false));
    }
    context.step(format!("sent {}", Signal::KILL));
    kill(target, Signal::KILL, context).await
}

/// Stops and starts it in one request, so that the daemon keeps a container with auto-remove meanwhile.
///
/// # Errors
/// As `stop` and `start`; `Unsupported` for a signal of one's own with auto-remove on daemons before API 1.42.
pub async fn restart(target: Target<'_>, options: StopOptions, context: &OperationContext) -> Result<Done> {
    let path = target.path().then("restart");
    let path = match options.signal {
        None => path,
        Some(signal) if target.api.daemon().await?.api >= ApiVersion(1, 42) => path.query("signal", signal),
        Some(_) => {
            if target.look().await?.is_some_and(|seen| seen.auto_remove) {
                return Err(Error::new(ErrorKind::Unsupported, "this daemon would remove it at the stop")
                    .remedy("leave out the signal, or create it without --rm"));
            }
            stop(target, options, context).await?;
            context.check()?;
            return start(target, context).await;
        }
    };
    context.step("stopping and starting");
    let seconds = options.grace.map(|grace| grace.duration().as_millis().div_ceil(1000));
    let path = seconds.into_iter().fold(path, |path, seconds| path.query("t", seconds));
    let reply = target.api.post(path, context.remaining()).await;
    match reply.and_then(|reply| reply.success(About::Container)) {
        Ok(_) => Ok(target.done(false)),
        Err(refusal) => {
            target.remembered.forget(target.id);
            match start_failure(target, &refusal).await {
                Some(kind) => Err(Error::new(kind, refusal.reason())),
                None => Err(refusal),
            }
        }
    }
}

/// A container with auto-remove may be gone before the daemon has answered the stop.
async fn gone_is_stopped(target: Target<'_>, outcome: Result<Done>) -> Result<Done> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NoSuchContainer && target.look().await?.is_none() => {
            Ok(target.done(false))
        }
        outcome => outcome,
    }
}

/// Sends a signal; after KILL waits until the process is gone, which the daemon's answer does not promise.
///
/// # Errors
/// `Refused` when nothing runs there.
pub async fn kill(target: Target<'_>, signal: Signal, context: &OperationContext) -> Result<Done> {
    let path = target.path().then("kill").query("signal", signal);
    let reply = target.api.post(path, context.remaining()).await;
    if let Err(refusal) = reply.and_then(|reply| reply.success(About::Container)) {
        target.remembered.forget(target.id);
        return target.reconsidered(Verb::Kill, refusal).await.map(|()| target.done(true));
    }
    if signal == Signal::KILL {
        context.step("waiting for the process to end");
        if !not_running(target, context.remaining()).await? {
            return Err(Error::new(ErrorKind::TimedOut, "the signal was sent and the process is still there")
                .remedy("a process in uninterruptible sleep ends when its device answers; look again later"));
        }
    }
    Ok(target.done(false))
}

/// Whether it stopped running within `limit`.
async fn not_running(target: Target<'_>, limit: Duration) -> Result<bool> {
    match tokio::time::timeout(limit, wait_exit(target)).await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) if error.kind() == ErrorKind::NoSuchContainer => Ok(true),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Ends when it is not running; has no deadline of its own.
///
/// # Errors
/// `NoSuchContainer`, `Unreachable` when the daemon went away.
pub async fn wait_exit(target: Target<'_>) -> Result<ProcessExit> {
    waiting(target, "not-running").await?.exit().await
}

/// An exit that is being waited for on the daemon's side.
pub struct Waiting(super::api::Stream);

/// Begins to wait; once this returns, no exit is missed. `condition` is one of the API's.
///
/// # Errors
/// `NoSuchContainer`.
pub async fn waiting(target: Target<'_>, condition: &'static str) -> Result<Waiting> {
    let path = target.path().then("wait").query("condition", condition);
    // Podman looks again after this pause; Docker ignores it.
    let path = path.query("interval", "25ms");
    target.api.stream(http::Method::POST, path, None, About::Container, WAIT_HEAD).await.map(Waiting)
}

impl Waiting {
    /// # Errors
    /// `Unreachable` when the daemon went away, `Protocol` when its answer makes no sense.
    pub async fn exit(self) -> Result<ProcessExit> {
        let body = self.0.whole().await?;
        let answer: Value = serde_json::from_slice(&body).map_err(|error| super::api::unreadable(&error))?;
        let code = answer.get("StatusCode").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
        Ok(code.filter(|code| *code >= 0).map_or(ProcessExit::Unknown, ProcessExit::Code))
    }
}

pub async fn pause(target: Target<'_>, context: &OperationContext) -> Result<Done> {
    let reply = target.api.post(target.path().then("pause"), context.remaining()).await;
    target.settle(Verb::Pause, reply).await
}

pub async fn unpause(target: Target<'_>, context: &OperationContext) -> Result<Done> {
    let reply = target.api.post(target.path().then("unpause"), context.remaining()).await;
    target.settle(Verb::Unpause, reply).await
}

/// # Errors
/// `NameInUse` when another container has the name.
pub async fn rename(target: Target<'_>, name: &ContainerName) -> Result<Done> {
    let options = bollard::query_parameters::RenameContainerOptionsBuilder::new().name(name.as_str()).build();
    let answer = target.api.typed().rename_container(target.id.as_str(), options).await;
    let Err(error) = answer else { return Ok(target.done(false)) };
    let refusal = typed_error(error, About::Container);
    target.remembered.forget(target.id);
    // A lost reply, and a name it already has, look the same afterwards.
    let now = target.look().await?.ok_or_else(|| Error::no_such_container(target.id.short()))?;
    if now.name.as_ref() == Some(name) {
        return Ok(target.done(true));
    }
    let owner = containers::find(target.api, target.remembered, name.as_str()).await;
    match owner {
        Ok(owner) if owner.id != *target.id && owner.name.as_ref() == Some(name) => Err(name_in_use(name, &owner.id)),
        Ok(_) | Err(_) => Err(refusal),
    }
}

/// Another container has the name.
#[must_use]
pub fn name_in_use(name: &ContainerName, owner: &ContainerId) -> Error {
    Error::new(ErrorKind::NameInUse, format!("the name {name} belongs to container {}", owner.short()))
        .remedy(format!("choose another name, or remove that container: wharf rm {name}"))
}

/// Removes it and ends when it is gone, however the daemon puts it: 204, 404 and the failures of the removal window
/// are one outcome.
///
/// # Errors
/// `Refused` when it runs and force was not given, `TimedOut` when the removal does not end.
pub async fn remove(target: Target<'_>, options: &RemoveOptions, context: &OperationContext) -> Result<Done> {
    let force = options.force == Force::Yes;
    let path = target.path().query("v", options.volumes).query("force", force);
    let reply = target.api.delete(path, context.remaining()).await;
    target.remembered.forget(target.id);
    let refusal = match reply.and_then(|reply| reply.success(About::Container)) {
        Ok(_) => return Ok(target.done(false)),
        Err(refusal) => refusal,
    };
    let mut pause = LOOK_FIRST;
    let mut asked_again = false;
    loop {
        context.check()?;
        let Some(seen) = containers::listed(target.api, target.id).await? else {
            // Gone: by somebody else before we came, or by our own request whose answer was lost.
            if refusal.kind() == ErrorKind::NoSuchContainer {
                return Err(Error::no_such_container(target.id.short()));
            }
            return Ok(target.done(false));
        };
        match seen.status() {
            Status::Removing if refusal.kind() == ErrorKind::NoSuchContainer => return Err(quirks::ghost(&seen)),
            Status::Removing => {
                context.step("waiting for the daemon to finish the removal");
                tokio::time::sleep(pause.min(context.remaining())).await;
                pause = (pause * 2).min(LOOK_MAX);
            }
            Status::Running | Status::Paused | Status::Restarting | Status::Stopping if !force => {
                let verb = Verb::Remove;
                return target.reconsidered(verb, refusal).await.map(|()| target.done(true));
            }
            Status::Creating
            | Status::Created
            | Status::Running
            | Status::Paused
            | Status::Restarting
            | Status::Stopping
            | Status::Exited
            | Status::Broken
            | Status::Unknown => {
                if asked_again {
                    return Err(refusal);
                }
                // Something else was going on with it (a start, a stop, another removal); once more, then believe it.
                asked_again = true;
                let path = target.path().query("v", options.volumes).query("force", force);
                let reply = target.api.delete(path, context.remaining()).await;
                if reply.and_then(|reply| reply.success(About::Container)).is_ok() {
                    return Ok(target.done(false));
                }
            }
        }
    }
}
