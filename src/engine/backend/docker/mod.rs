//! How are Docker and Podman driven? Their Engine API over bollard and our own wire, behind the backend seam.
//!
//! A daemon's state is a truth we do not own: every refusal is checked by looking again, every event is a hint.
//! Deliberately elsewhere: deciding (`core::admit`, `actor`); no other folder names bollard.

mod address;
mod api;
mod connection;
mod container_json;
mod containers;
mod failure;
mod host_info;
mod lifecycle;
mod path;
pub mod quirks;

use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::sync::mpsc;

use self::{api::Api, connection::Connections, containers::Remembered, lifecycle::Target};
use super::{Answer, Backend, EventRange, Notice, OperationContext, Session, Started};
use crate::engine::domain::{
    AttachOptions, Container, ContainerId, ContainerName, ContainerSpec, Done, EngineEvent, Error, ErrorKind, ExecSpec,
    Force, HistoryEntry, HostInfo, HostSpec, Image, ImageReference, LogItem, LogOptions, ProcessExit, ProcessTable,
    PullOptions, RemoveOptions, Result, Signal, StopOptions,
};

/// Docker or Podman, behind one address.
struct DockerBackend {
    api: Arc<Api>,
    remembered: Arc<Remembered>,
}

/// Returns at once; the daemon is dialled by the first call.
///
/// # Errors
/// `InvalidInput` or `Unsupported` when the address in `DOCKER_HOST` or the like cannot be used.
pub fn open(host: &HostSpec) -> Result<Arc<dyn Backend>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let candidates = address::candidates(host, &variable)?;
    let api = Arc::new(Api::new(Connections::new(host.clone(), candidates))?);
    Ok(Arc::new(DockerBackend { api, remembered: Arc::new(Remembered::default()) }))
}

impl DockerBackend {
    fn target<'a>(&'a self, id: &'a ContainerId) -> Target<'a> {
        Target { api: &self.api, remembered: &self.remembered, id }
    }
}

impl Backend for DockerBackend {
    fn info(&self) -> Answer<'_, HostInfo> {
        host_info::read(&self.api).boxed()
    }

    fn containers(&self) -> Answer<'_, Vec<Container>> {
        containers::list(&self.api, &self.remembered).boxed()
    }

    fn find_container(&self, query: String) -> Answer<'_, Container> {
        async move { containers::find(&self.api, &self.remembered, &query).await }.boxed()
    }

    fn container(&self, id: ContainerId) -> Answer<'_, Option<Container>> {
        async move { containers::look(&self.api, &self.remembered, &id).await }.boxed()
    }

    fn inspect_container(&self, id: ContainerId) -> Answer<'_, Value> {
        async move { containers::inspect(&self.api, &id).await }.boxed()
    }

    fn processes(&self, id: ContainerId) -> Answer<'_, ProcessTable> {
        async move { containers::processes(&self.api, &self.remembered, &id).await }.boxed()
    }

    fn images(&self) -> Answer<'_, Vec<Image>> {
        not_yet()
    }

    fn inspect_image(&self, _query: String) -> Answer<'_, Value> {
        not_yet()
    }

    fn history(&self, _query: String) -> Answer<'_, Vec<HistoryEntry>> {
        not_yet()
    }

    fn watch(&self, _notices: mpsc::Sender<Notice>) -> Answer<'_, ()> {
        not_yet()
    }

    fn events(&self, _range: EventRange, _events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()> {
        not_yet()
    }

    fn logs(&self, _id: ContainerId, _options: LogOptions, _items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()> {
        not_yet()
    }

    fn create(&self, _spec: ContainerSpec, _context: OperationContext) -> Answer<'_, Done> {
        not_yet()
    }

    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, context: OperationContext) -> Answer<'_, Started> {
        async move {
            match attach {
                Some(_) => not_yet().await,
                None => Ok(Started { done: lifecycle::start(self.target(&id), &context).await?, session: None }),
            }
        }
        .boxed()
    }

    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::stop(self.target(&id), options, &context).await }.boxed()
    }

    fn kill(&self, id: ContainerId, signal: Signal, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::kill(self.target(&id), signal, &context).await }.boxed()
    }

    fn pause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::pause(self.target(&id), &context).await }.boxed()
    }

    fn unpause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::unpause(self.target(&id), &context).await }.boxed()
    }

    fn rename(&self, id: ContainerId, name: ContainerName, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::rename(self.target(&id), &name, &context).await }.boxed()
    }

    fn remove(&self, id: ContainerId, options: RemoveOptions, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::remove(self.target(&id), &options, &context).await }.boxed()
    }

    fn wait_exit(&self, id: ContainerId) -> Answer<'_, ProcessExit> {
        async move { lifecycle::wait_exit(self.target(&id)).await }.boxed()
    }

    fn attach(&self, _id: ContainerId, _options: AttachOptions) -> Answer<'_, Session> {
        not_yet()
    }

    fn exec(&self, _id: ContainerId, _spec: ExecSpec) -> Answer<'_, Session> {
        not_yet()
    }

    fn pull(&self, _reference: ImageReference, _options: PullOptions, _context: OperationContext) -> Answer<'_, Done> {
        not_yet()
    }

    fn push(&self, _reference: ImageReference, _context: OperationContext) -> Answer<'_, Done> {
        not_yet()
    }

    fn tag(&self, _source: String, _target: ImageReference, _context: OperationContext) -> Answer<'_, Done> {
        not_yet()
    }

    fn remove_image(&self, _image: String, _force: Force, _context: OperationContext) -> Answer<'_, Done> {
        not_yet()
    }

    fn create_index(
        &self,
        _targets: Vec<ImageReference>,
        _sources: Vec<ImageReference>,
        _context: OperationContext,
    ) -> Answer<'_, Done> {
        async {
            Err(Error::new(ErrorKind::Unsupported, "the Engine API cannot join images of several platforms")
                .remedy("wharf --host embedded index create -t TARGET SOURCE..."))
        }
        .boxed()
    }

    fn prune_images(&self, _unused: bool, _context: OperationContext) -> Answer<'_, Done> {
        not_yet()
    }
}

fn not_yet<'a, T: Send + 'a>() -> Answer<'a, T> {
    async { Err(Error::new(ErrorKind::Unsupported, "not on Docker and Podman in this build")) }.boxed()
}
