//! How are Docker and Podman driven? Their Engine API over bollard and our own wire, behind the backend seam.
//!
//! A daemon's state is a truth we do not own: every refusal is checked by looking again, every event is a hint.
//! Deliberately elsewhere: deciding (`core::admit`, `actor`); no other folder names bollard.

mod address;
mod api;
mod attach;
mod connection;
mod container_json;
mod containers;
mod create;
mod credentials;
mod events;
mod exec;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod host_info;
mod images;
mod import;
mod json_stream;
mod lifecycle;
mod log_lines;
mod multiplexed;
mod path;
pub mod quirks;
mod session;
mod transfer;
mod wire;

use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::sync::mpsc;

use self::{
    api::Api, connection::Connections, containers::Remembered, events::LastHeard, images::KnownImages,
    lifecycle::Target, session::Sessions,
};
use super::{Answer, Backend, EventRange, Notice, OperationContext, Session, Started, registry_access::RegistryAccess};
use crate::engine::domain::{
    AttachOptions, Container, ContainerId, ContainerName, ContainerSpec, Done, EngineEvent, Error, ErrorKind, ExecSpec,
    Force, HistoryEntry, HostInfo, HostSpec, Image, ImageImport, ImageReference, LogItem, LogOptions, ProcessExit,
    ProcessTable, PullOptions, RemoveOptions, Result, Signal, StopOptions,
};

/// Docker or Podman, behind one address.
struct DockerBackend {
    api: Arc<Api>,
    remembered: Remembered,
    images: KnownImages,
    sessions: Sessions,
    last_heard: LastHeard,
}

/// Returns at once; the daemon is dialled by the first call.
///
/// # Errors
/// `InvalidInput` or `Unsupported` when the address in `DOCKER_HOST` or the like cannot be used.
pub fn open(host: &HostSpec, registries: RegistryAccess) -> Result<Arc<dyn Backend>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let candidates = address::candidates(host, &variable)?;
    let api = Arc::new(Api::new(Connections::new(host.clone(), candidates), registries)?);
    Ok(Arc::new(DockerBackend {
        api,
        remembered: Remembered::default(),
        images: KnownImages::default(),
        sessions: Sessions::default(),
        last_heard: LastHeard::default(),
    }))
}

impl DockerBackend {
    fn target<'a>(&'a self, id: &'a ContainerId) -> Target<'a> {
        Target { api: &self.api, remembered: &self.remembered, id }
    }

    /// The target of a verb that must not wait for a client of ours that does not read.
    fn relieved<'a>(&'a self, id: &'a ContainerId) -> Target<'a> {
        self.sessions.relieve(id);
        self.target(id)
    }
}

impl Backend for DockerBackend {
    fn info(&self) -> Answer<'_, HostInfo> {
        host_info::read(&self.api).boxed()
    }

    fn containers(&self) -> Answer<'_, Vec<Container>> {
        containers::list(&self.api, &self.remembered).boxed()
    }

    fn rough_containers(&self) -> Option<Answer<'_, Vec<Container>>> {
        Some(containers::table(&self.api, &self.remembered).boxed())
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
        images::list(&self.api, &self.images).boxed()
    }

    fn inspect_image(&self, query: String) -> Answer<'_, Value> {
        async move { images::inspect(&self.api, &query).await }.boxed()
    }

    fn history(&self, query: String) -> Answer<'_, Vec<HistoryEntry>> {
        async move { images::history(&self.api, &query).await }.boxed()
    }

    fn watch(&self, notices: mpsc::Sender<Notice>) -> Answer<'_, ()> {
        events::watch(&self.api, &self.remembered, &self.last_heard, notices).boxed()
    }

    fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()> {
        events::follow(&self.api, range, events).boxed()
    }

    fn logs(&self, id: ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()> {
        async move { log_lines::read(&self.api, &id, options, items).await }.boxed()
    }

    fn create(&self, spec: ContainerSpec, context: OperationContext) -> Answer<'_, Done> {
        async move { create::create(&self.api, &self.remembered, spec, &context).await }.boxed()
    }

    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, context: OperationContext) -> Answer<'_, Started> {
        async move {
            match attach {
                Some(options) => attach::start(self.target(&id), &self.api, &self.sessions, options, &context).await,
                None => Ok(Started { done: lifecycle::start(self.target(&id), &context).await?, session: None }),
            }
        }
        .boxed()
    }

    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::stop(self.relieved(&id), options, &context).await }.boxed()
    }

    fn restart(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::restart(self.relieved(&id), options, &context).await }.boxed()
    }

    fn kill(&self, id: ContainerId, signal: Signal, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::kill(self.relieved(&id), signal, &context).await }.boxed()
    }

    fn pause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::pause(self.target(&id), &context).await }.boxed()
    }

    fn unpause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::unpause(self.target(&id), &context).await }.boxed()
    }

    fn rename(&self, id: ContainerId, name: ContainerName, _context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::rename(self.target(&id), &name).await }.boxed()
    }

    fn remove(&self, id: ContainerId, options: RemoveOptions, context: OperationContext) -> Answer<'_, Done> {
        async move { lifecycle::remove(self.relieved(&id), &options, &context).await }.boxed()
    }

    fn wait_exit(&self, id: ContainerId) -> Answer<'_, ProcessExit> {
        async move { lifecycle::wait_exit(self.target(&id)).await }.boxed()
    }

    fn attach(&self, id: ContainerId, options: AttachOptions) -> Answer<'_, Session> {
        async move { attach::attach(self.target(&id), &self.api, &self.sessions, options).await }.boxed()
    }

    fn exec(&self, id: ContainerId, spec: ExecSpec) -> Answer<'_, Session> {
        async move { exec::exec(self.target(&id), &self.api, &self.sessions, spec).await }.boxed()
    }

    fn pull(&self, reference: ImageReference, options: PullOptions, context: OperationContext) -> Answer<'_, Done> {
        async move { transfer::pull(&self.api, &reference, &options, &context).await }.boxed()
    }

    fn push(&self, reference: ImageReference, context: OperationContext) -> Answer<'_, Done> {
        async move { transfer::push(&self.api, &reference, &context).await }.boxed()
    }

    fn tag(&self, source: String, target: ImageReference, _context: OperationContext) -> Answer<'_, Done> {
        async move { images::tag(&self.api, &source, &target).await }.boxed()
    }

    fn import_image(&self, import: ImageImport, context: OperationContext) -> Answer<'_, Done> {
        async move { import::import(&self.api, import, &context).await }.boxed()
    }

    fn remove_image(&self, image: String, force: Force, _context: OperationContext) -> Answer<'_, Done> {
        async move { images::remove(&self.api, &image, force).await }.boxed()
    }

    fn create_index(
        &self,
        targets: Vec<ImageReference>,
        sources: Vec<ImageReference>,
        context: OperationContext,
    ) -> Answer<'_, Done> {
        // The Engine API has no word for it: registries are asked from here, as buildx does.
        let registries = Arc::clone(self.api.registries());
        async move {
            let work = move || (registries.create_index)(&targets, &sources, &context);
            let made = tokio::task::spawn_blocking(work).await;
            made.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?
        }
        .boxed()
    }

    fn prune_images(&self, unused: bool, _context: OperationContext) -> Answer<'_, Done> {
        async move { images::prune(&self.api, unused).await }.boxed()
    }
}
