//! What must a host be able to do to be driven by Wharf? The seam between deciding and doing.
//!
//! Three live implementations: `embedded` (our own engine), `docker` (Docker and Podman over their
//! API) and `fake` (in memory, stricter than the real ones). One conformance suite runs against all.
//! Deliberately elsewhere: who may call what when (`core::admit`, `actor`).

pub mod clock;
pub mod docker;
pub mod embedded;
pub mod fake;
mod operation_context;
pub mod registry_access;
mod session;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;

use self::clock::{Clock, SystemClock};
pub use self::{
    operation_context::{CancelToken, OperationContext},
    session::{InputReceiver, InputSender, Session, input as session_input},
};
use super::domain::{
    AttachOptions, Container, ContainerId, ContainerName, ContainerSpec, Done, EngineEvent, Error, ErrorKind, ExecSpec,
    Finding, Force, HistoryEntry, HostInfo, Image, ImageImport, ImageReference, LogItem, LogOptions, NetworkMode,
    PastOperation, ProcessTable, PullOptions, RemoveOptions, RepairMode, Result, Signal, StopOptions,
};

/// An answer that may take a while. Dropping it must leave the host consistent; use
/// [`OperationContext::cancel`] to end work early with an outcome.
pub type Answer<'a, T> = BoxFuture<'a, Result<T>>;

/// One connected host. Every method returns within its context's deadline (mutations) or a few
/// seconds (reads), or fails with `TimedOut`.
///
/// Mutations on one container are called one at a time by its actor, except `kill`, which may come
/// at any moment. Names of things are resolved by `find_container` before; methods take ids.
pub trait Backend: Send + Sync + 'static {
    /// What the deadlines of its operations are measured by.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// Connects if need be and says who is there.
    fn info(&self) -> Answer<'_, HostInfo>;

    // -- reading ---------------------------------------------------------------------------------
    fn containers(&self) -> Answer<'_, Vec<Container>>;
    /// As `containers`, for a table: status, exit code, health, name, image, labels and ports are exact; times only as
    /// exact as the words of Docker's `ps`, and pid, terminal, auto-remove and reason may be missing. Newest first where
    /// times are equal. One request where `containers` may take one per container.
    fn container_table(&self) -> Answer<'_, Vec<Container>> {
        self.rough_containers().unwrap_or_else(|| self.containers())
    }
    /// What `container_table` says, where that is there sooner than `containers`; `None` elsewhere.
    fn rough_containers(&self) -> Option<Answer<'_, Vec<Container>>> {
        None
    }
    /// By exact name, full id, or unambiguous id prefix; `NoSuchContainer` or `Ambiguous` otherwise.
    fn find_container(&self, query: String) -> Answer<'_, Container>;
    /// `None` when it is gone.
    fn container(&self, id: ContainerId) -> Answer<'_, Option<Container>>;
    /// Docker's `inspect` object.
    fn inspect_container(&self, id: ContainerId) -> Answer<'_, Value>;
    fn processes(&self, id: ContainerId) -> Answer<'_, ProcessTable>;
    fn images(&self) -> Answer<'_, Vec<Image>>;
    /// By reference (default tag added), digest, or unambiguous id prefix; `NoSuchImage` otherwise.
    fn inspect_image(&self, query: String) -> Answer<'_, Value>;
    fn history(&self, query: String) -> Answer<'_, Vec<HistoryEntry>>;
    /// Reports changes until the connection breaks (an error) or `notices` closes (`Ok`). The first
    /// notice is `Subscribed`: whatever is listed after it misses nothing.
    fn watch(&self, notices: mpsc::Sender<Notice>) -> Answer<'_, ()>;
    /// Past events of `since..until`, then live ones when `until` is absent; ends like `watch`.
    fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()>;
    /// Sends the log until its end (or for ever, when following) or until `items` closes. A slow
    /// receiver slows only this reader.
    fn logs(&self, id: ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()>;

    /// Keeps a finished operation for other processes on the same store. Hosts without a store of ours
    /// keep nothing.
    fn remember(&self, _operation: PastOperation) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// What was remembered, newest first, at most `limits::HISTORY`.
    fn remembered(&self) -> Answer<'_, Vec<PastOperation>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Looks at everything the store has and mends what nobody is working on (`system repair`).
    fn repair(&self, _mode: RepairMode) -> Answer<'_, Vec<Finding>> {
        let error = Error::new(ErrorKind::Unsupported, "this host keeps its own records")
            .remedy("only the embedded engine's store can be repaired");
        Box::pin(std::future::ready(Err(error)))
    }

    // -- containers ------------------------------------------------------------------------------
    /// Creates, pulling first as the spec's policy says. The container carries the operation's id
    /// as a label, so that a lost reply is resolved by looking. Failure or cancel leaves nothing.
    fn create(&self, spec: ContainerSpec, context: OperationContext) -> Answer<'_, Done>;
    /// The next creation is of a container that will be started at once, on this network. A hint for hosts that can use
    /// the time: it returns at once, and what it made ready goes when the creation fails or this is dropped.
    fn expect_start(&self, _network: NetworkMode) {}
    /// Starts; with `attach`, a session that sees the first byte is returned. A container with
    /// auto-remove that fails to start is removed.
    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, context: OperationContext) -> Answer<'_, Started>;
    /// Ends when the process is gone: signal, grace, KILL. `Ok(already)` when it was not running.
    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done>;
    /// Stops it as [`Backend::stop`] does, or finds it stopped, and starts it again. One with auto-remove stays.
    fn restart(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done>;
    /// Sends a signal; after KILL, ends when the process is gone.
    fn kill(&self, id: ContainerId, signal: Signal, context: OperationContext) -> Answer<'_, Done>;
    fn pause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done>;
    fn unpause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done>;
    fn rename(&self, id: ContainerId, name: ContainerName, context: OperationContext) -> Answer<'_, Done>;
    fn remove(&self, id: ContainerId, options: RemoveOptions, context: OperationContext) -> Answer<'_, Done>;
    /// Ends when the container is not running (any more).
    fn wait_exit(&self, id: ContainerId) -> Answer<'_, crate::engine::domain::ProcessExit>;
    fn attach(&self, id: ContainerId, options: AttachOptions) -> Answer<'_, Session>;
    /// Without `detach` the session ends with the process's exit.
    fn exec(&self, id: ContainerId, spec: ExecSpec) -> Answer<'_, Session>;

    // -- images ----------------------------------------------------------------------------------
    fn pull(&self, reference: ImageReference, options: PullOptions, context: OperationContext) -> Answer<'_, Done>;
    fn push(&self, reference: ImageReference, context: OperationContext) -> Answer<'_, Done>;
    fn tag(&self, source: String, target: ImageReference, context: OperationContext) -> Answer<'_, Done>;
    /// Makes a one-layer image out of an uncompressed layer and tags it. Nothing of it stays on failure.
    fn import_image(&self, import: ImageImport, context: OperationContext) -> Answer<'_, Done> {
        let error = Error::new(ErrorKind::Unsupported, "this engine cannot make images from a layer")
            .remedy("use the embedded engine: wharf --host embedded");
        drop((import, context));
        Box::pin(std::future::ready(Err(error)))
    }
    /// Untags, and deletes what nothing refers to any more; the output lists both, as Docker does.
    fn remove_image(&self, image: String, force: Force, context: OperationContext) -> Answer<'_, Done>;
    fn create_index(
        &self,
        targets: Vec<ImageReference>,
        sources: Vec<ImageReference>,
        context: OperationContext,
    ) -> Answer<'_, Done>;
    /// Removes dangling images, or all without a container.
    fn prune_images(&self, unused: bool, context: OperationContext) -> Answer<'_, Done>;
}

/// A hint that something changed: look again.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// From here on nothing is missed.
    Subscribed,
    Container(ContainerId),
    Images,
    /// Something was missed: list again.
    Gap,
    /// A fact worth passing on.
    Event(EngineEvent),
}

/// Which events to deliver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventRange {
    pub since: Option<super::domain::Timestamp>,
    pub until: Option<super::domain::Timestamp>,
}

/// The answer to a start.
#[derive(Debug)]
pub struct Started {
    pub done: Done,
    /// Present when an attach was asked for.
    pub session: Option<Session>,
}
