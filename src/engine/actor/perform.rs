//! How is one operation carried out, from admission to outcome, in bounded time?
//!
//! Deliberately elsewhere: what the host does (`backend`), which operation is next (`core::lane`).

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{ActorKey, Job, Seen};
use crate::engine::{
    backend::{Answer, Backend, OperationContext, Session},
    core::{
        admit::{Admission, admit},
        limits, subject,
    },
    domain::*,
    sync::time,
};

/// A host that ignores a cancel or a deadline is waited for this much longer.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn perform(backend: Arc<dyn Backend>, key: ActorKey, job: Job) -> Outcome {
    let verb = job.command.verb();
    let subject = subject(&job);
    let outcome = match key {
        ActorKey::Container(id) => on_container(&*backend, id, job).await,
        ActorKey::Image(_) | ActorKey::Single(_) => begun(&*backend, None, job).await,
    };
    outcome.map_err(|error| error.during(verb).on(subject))
}

fn subject(job: &Job) -> String {
    match &job.hint {
        Some(seen) => seen.display_name(),
        None => subject::subject(&job.command),
    }
}

async fn on_container(backend: &dyn Backend, id: ContainerId, job: Job) -> Outcome {
    let Description { verb, force, .. } = job.command.describe();
    let fresh = job.hint.as_deref().filter(|_| job.seen == Seen::JustNow);
    match admission(backend, &id, verb, force, fresh, &job.context).await? {
        Admission::Go => {}
        Admission::AlreadySo => return Ok(Done { container: Some(id), ..Done::already_so() }),
        Admission::Refuse { reason, remedy } => return Err(Error::new(ErrorKind::Refused, reason).remedy(remedy)),
    }
    let mut done = begun(backend, Some(id.clone()), job).await?;
    done.container.get_or_insert(id);
    Ok(done)
}

async fn begun(backend: &dyn Backend, container: Option<ContainerId>, job: Job) -> Outcome {
    let context = job.context.clone();
    bounded(begin(backend, container, job)?, &context).await
}

/// Asks the host. `container` is what a command about a container is about.
///
/// # Errors
/// `Internal` when the command came to an actor that cannot have it.
fn begin(backend: &dyn Backend, container: Option<ContainerId>, job: Job) -> Result<Answer<'_, Done>> {
    let Job { command, attach, context, .. } = job;
    let misrouted = || Error::new(ErrorKind::Internal, "it reached the wrong actor");
    let id = || container.ok_or_else(misrouted);
    Ok(match command {
        Command::Create(spec) | Command::Run(spec) => backend.create(*spec, context),
        Command::Start { .. } => start(backend, id()?, attach, context),
        Command::Stop { options, .. } => backend.stop(id()?, options, context),
        Command::Restart { options, .. } => backend.restart(id()?, options, context),
        Command::Kill { signal, .. } => backend.kill(id()?, signal, context),
        Command::Pause { .. } => backend.pause(id()?, context),
        Command::Unpause { .. } => backend.unpause(id()?, context),
        Command::Remove { options, .. } => remove(backend, id()?, options, context),
        Command::Rename { name, .. } => backend.rename(id()?, name, context),
        Command::Pull { reference, options } => backend.pull(reference, options, context),
        Command::Push { reference } => backend.push(reference, context),
        Command::Tag { source, target } => backend.tag(source, target, context),
        Command::RemoveImage { image, force } => backend.remove_image(image, force, context),
        Command::CreateIndex { targets, sources } => backend.create_index(targets, sources, context),
        Command::PruneImages { unused } => backend.prune_images(unused, context),
        // The supervisor makes other commands of these.
        Command::PruneContainers | Command::Demo(_) => return Err(misrouted()),
    })
}

fn start(
    backend: &dyn Backend,
    id: ContainerId,
    attach: Option<(AttachOptions, oneshot::Sender<Session>)>,
    context: OperationContext,
) -> Answer<'_, Done> {
    let (options, slot) = attach.unzip();
    let starting = backend.start(id, options, context);
    Box::pin(async move {
        let started = starting.await?;
        if let (Some(slot), Some(session)) = (slot, started.session) {
            // The asker may have left meanwhile: dropping the session detaches.
            let _ = slot.send(session);
        }
        Ok(started.done)
    })
}

/// A forced removal of what is not there any more is done already.
fn remove(
    backend: &dyn Backend,
    id: ContainerId,
    options: RemoveOptions,
    context: OperationContext,
) -> Answer<'_, Done> {
    let force = options.force;
    Box::pin(async move {
        match backend.remove(id, options, context).await {
            Err(error) if error.kind() == ErrorKind::NoSuchContainer && force == Force::Yes => Ok(Done::already_so()),
            outcome => outcome,
        }
    })
}

/// A refusal from what was seen before is checked against the host as it is now.
async fn admission(
    backend: &dyn Backend,
    id: &ContainerId,
    verb: Verb,
    force: Force,
    hint: Option<&Container>,
    context: &OperationContext,
) -> Result<Admission> {
    if let Some(seen) = hint
        && admit(verb, seen.status(), force) == Admission::Go
    {
        return Ok(Admission::Go);
    }
    match looked_at(backend.container(id.clone()), context).await? {
        Some(container) => Ok(admit(verb, container.status(), force)),
        None if verb == Verb::Remove && force == Force::Yes => Ok(Admission::AlreadySo),
        None => Err(Error::no_such_container(id)),
    }
}

/// A host that does not even say how the container is, is not waited for until the deadline.
async fn looked_at<T>(answer: Answer<'_, T>, context: &OperationContext) -> Result<T> {
    tokio::select! {
        biased;
        seen = answer => seen,
        () = context.cancel.cancelled() => Err(Error::cancelled()),
        () = time::sleep(limits::READ_DEADLINE.min(context.remaining())) => {
            Err(Error::new(ErrorKind::TimedOut, "the host did not say how it is")
                .remedy("check that the engine is up, or choose another with --host"))
        }
    }
}

/// Waits for the host, but never past the deadline or a cancel by more than `PATIENCE`.
pub async fn bounded(mut answer: Answer<'_, Done>, context: &OperationContext) -> Outcome {
    let error = tokio::select! {
        biased;
        outcome = &mut answer => return outcome,
        () = context.cancel.cancelled() => Error::cancelled(),
        () = time::sleep(context.remaining()) => {
            context.cancel.cancel();
            Error::new(ErrorKind::TimedOut, "the host did not finish it in time")
                .remedy("look at the object again; it may have been done late")
        }
    };
    match time::timeout(PATIENCE, answer).await {
        Ok(outcome) => outcome,
        Err(_) => Err(error),
    }
}
