//! How are all stopped containers removed? One removal each, through their actors.
//!
//! Deliberately elsewhere: removing one (`actor`), pruning images (one call of the backend).

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::Request;
use crate::engine::{
    actor::Report,
    backend::{Backend, OperationContext},
    domain::*,
};

/// Children of a composite operation live above every number the door hands out.
const CHILDREN: u64 = 1 << 48;

/// Removes what is created or exited; a container that refuses is skipped with its reason.
pub async fn containers(
    operation: OperationId,
    backend: Arc<dyn Backend>,
    requests: mpsc::WeakSender<Request>,
    reports: mpsc::Sender<Report>,
    context: OperationContext,
) {
    let outcome = prune(operation, &*backend, &requests, &context).await;
    // A closed channel means the engine is gone, and with it everybody who could read this.
    let _ = reports.send(Report::Ended(operation, outcome)).await;
}

async fn prune(
    operation: OperationId,
    backend: &dyn Backend,
    requests: &mpsc::WeakSender<Request>,
    context: &OperationContext,
) -> Outcome {
    let mut done = Done::default();
    let stopped = backend.containers().await?.into_iter().filter(|container| match container.status() {
        Status::Created | Status::Exited | Status::Broken => true,
        Status::Creating
        | Status::Running
        | Status::Paused
        | Status::Restarting
        | Status::Stopping
        | Status::Removing
        | Status::Unknown => false,
    });
    for (number, container) in stopped.enumerate() {
        context.check()?;
        context.step(format!("removing {}", container.display_name()));
        let Some(sender) = requests.upgrade() else { return Err(Error::cancelled()) };
        let (reply, removed) = oneshot::channel();
        let request = Request::Submit {
            operation: OperationId(CHILDREN + (operation.0 << 20) + number as u64),
            command: Command::Remove {
                container: ContainerSelector::Id(container.id.clone()),
                options: RemoveOptions::default(),
            },
            attach: None,
            progress: watch::Sender::default(),
            reply,
        };
        let accepted = sender.send(request).await.is_ok();
        match removed.await {
            Ok(Ok(_)) if accepted => done.output.push(container.id.to_string()),
            Ok(Err(error)) => done.warnings.push(error.to_string()),
            Ok(Ok(_)) | Err(_) => return Err(Error::cancelled()),
        }
    }
    Ok(done)
}
