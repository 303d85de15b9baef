//! The door: everything the screens and the headless verbs may see of the engine.
//!
//! Commands go in as values and become operations; facts come out as an [`Inventory`] (newest wins)
//! and as [`EngineEvent`]s. Deliberately elsewhere: who carries a command out (`supervisor`,
//! `actor`), whether it is allowed (`core`), how a host does it (`backend`).

mod actor;
pub mod backend;
mod core;
pub mod demo;
pub mod domain;
mod location;
mod supervisor;
pub mod sync;

/// What model checkers may run behind the door.
#[cfg(feature = "model")]
pub mod model {
    pub use super::actor::{Act, Desk, Job, Message, Report, Seen};
}

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::{
    backend::{Backend, docker, embedded},
    domain::*,
    supervisor::{Request, Supervisor},
    sync::{Reader, time},
};
pub use self::{
    backend::{EventRange, InputSender, Session},
    core::{cli_line::cli_line, limits, subject::subject},
    location::Locations,
};

/// One open host. Clones share it; the last [`Engine::close`] ends its tasks.
#[derive(Clone)]
pub struct Engine {
    host: HostSpec,
    backend: Arc<dyn Backend>,
    requests: mpsc::Sender<Request>,
    inventory: Reader<Inventory>,
    events: broadcast::Sender<EngineEvent>,
}

/// An accepted command: its operation, how far it is, and in the end its outcome.
#[derive(Debug)]
pub struct Ticket {
    pub operation: OperationId,
    pub progress: watch::Receiver<Arc<Progress>>,
    outcome: oneshot::Receiver<Outcome>,
}

impl Ticket {
    /// Waits for the end. Dropping it lets the operation go on.
    pub async fn outcome(self) -> Outcome {
        self.outcome.await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "the engine ended before the operation did")
                .remedy("look at the object again and repeat the command"))
        })
    }
}

impl Engine {
    /// Opens a host. Returns at once: nothing is read or connected before somebody asks.
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Unsupported` when this build has no such engine (embedded outside Linux).
    pub fn open(host: HostSpec, locations: &Locations) -> Result<Self> {
        Self::open_with(host, locations, &EngineSettings::default())
    }

    /// As [`Engine::open`], with what the person settled for the embedded engine.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_with(host: HostSpec, locations: &Locations, settings: &EngineSettings) -> Result<Self> {
        let backend: Arc<dyn Backend> = match &host {
            HostSpec::Embedded => embedded::open(locations, settings)?,
            HostSpec::Docker | HostSpec::Podman | HostSpec::Url(_) => {
                docker::open(&host, embedded::registry_access(settings))?
            }
        };
        Ok(Self::with_backend(host, backend))
    }

    /// Opens a host over any backend; the conformance suite and the fake come in here.
    #[must_use]
    pub fn with_backend(host: HostSpec, backend: Arc<dyn Backend>) -> Self {
        let (events, _) = broadcast::channel(limits::ENGINE_EVENTS);
        let (requests, inventory) = Supervisor::spawn(host.clone(), Arc::clone(&backend), events.clone());
        Self { host, backend, requests, inventory, events }
    }

    #[must_use]
    pub fn host(&self) -> &HostSpec {
        &self.host
    }

    // -- changing --------------------------------------------------------------------------------

    /// Hands a command to the engine. Never blocks; the returned ticket tells the rest.
    ///
    /// # Errors
    /// `Busy` when too many commands wait already.
    pub fn submit(&self, command: Command) -> Result<Ticket> {
        self.hand_over(command, None)
    }

    /// Starts a created or exited container with a session that sees its first byte. The receiver
    /// gets the session once the process runs; it closes without one when the start fails.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub fn start_attached(
        &self,
        container: ContainerSelector,
        options: AttachOptions,
    ) -> Result<(Ticket, oneshot::Receiver<Session>)> {
        let (slot, session) = oneshot::channel();
        let ticket = self.hand_over(Command::Start { container }, Some((options, slot)))?;
        Ok((ticket, session))
    }

    /// A container on this network will be created next and started at once: a host may use the time. A hint.
    pub fn expect_start(&self, network: NetworkMode) {
        self.backend.expect_start(network);
    }

    /// Asks an operation of this engine to end early; its outcome tells what was left. Waits for a place among the
    /// commands that wait to be accepted: a busy engine must not lose it.
    pub async fn cancel(&self, operation: OperationId) {
        // A closed queue means the engine is ending, which cancels everything anyway.
        let _ = self.requests.send(Request::Cancel(operation)).await;
    }

    fn hand_over(&self, command: Command, attach: Option<AttachSlot>) -> Result<Ticket> {
        let verb = command.verb();
        let (reply, outcome) = oneshot::channel();
        let operation = OperationId(NEXT_OPERATION.fetch_add(1, Ordering::Relaxed));
        let (progress, reports) = watch::channel(Arc::new(Progress::default()));
        self.requests.try_send(Request::Submit { operation, command, attach, progress, reply }).map_err(|refused| {
            match refused {
                mpsc::error::TrySendError::Full(_) => Error::new(ErrorKind::Busy, "too many commands are waiting")
                    .remedy("wait for some of the running operations to end"),
                mpsc::error::TrySendError::Closed(_) => Error::new(ErrorKind::Internal, "the engine has ended")
                    .remedy("open the host again: its containers are as they were"),
            }
            .during(verb)
        })?;
        Ok(Ticket { operation, progress: reports, outcome })
    }

    // -- watching --------------------------------------------------------------------------------

    /// Starts following the host (subscribe, list, replay) and keeps the inventory live.
    pub fn observe(&self) {
        // A full or closed queue means the engine is busy or ending; the next call asks again.
        let _ = self.requests.try_send(Request::Observe);
    }

    /// Lists everything again now, as after a gap.
    pub fn resync(&self) {
        // As above.
        let _ = self.requests.try_send(Request::Resync);
    }

    /// The newest picture; wakes on every new one. Filled once somebody called [`Engine::observe`].
    #[must_use]
    pub fn inventory(&self) -> Reader<Inventory> {
        self.inventory.clone()
    }

    /// Facts as they happen while observing; a reader that lags re-reads the inventory.
    #[must_use]
    pub fn engine_events(&self) -> broadcast::Receiver<EngineEvent> {
        self.events.subscribe()
    }

    // -- reading (each asks the host; each ends within `limits::READ_DEADLINE`) ------------------

    pub async fn info(&self) -> Result<HostInfo> {
        self.read(Verb::Connect, self.backend.info()).await
    }

    pub async fn containers(&self) -> Result<Vec<Container>> {
        self.read(Verb::List, self.backend.containers()).await
    }

    /// What a table of containers shows: quick on every host, times rounded as `ps` rounds them.
    pub async fn container_table(&self) -> Result<Vec<Container>> {
        self.read(Verb::List, self.backend.container_table()).await
    }

    pub async fn find_container(&self, selector: &ContainerSelector) -> Result<Container> {
        match selector {
            ContainerSelector::Query(query) => self.in_time(self.backend.find_container(query.clone())).await,
            ContainerSelector::Id(id) => {
                let found = self.in_time(self.backend.container(id.clone())).await?;
                found.ok_or_else(|| Error::no_such_container(id))
            }
        }
    }

    pub async fn inspect_container(&self, selector: &ContainerSelector) -> Result<Value> {
        let found = self.find_container(selector).await?;
        self.read(Verb::Inspect, self.backend.inspect_container(found.id)).await
    }

    pub async fn inspect_image(&self, query: &str) -> Result<Value> {
        self.read(Verb::Inspect, self.backend.inspect_image(query.to_owned())).await
    }

    pub async fn images(&self) -> Result<Vec<Image>> {
        self.read(Verb::Images, self.backend.images()).await
    }

    pub async fn history(&self, query: &str) -> Result<Vec<HistoryEntry>> {
        self.read(Verb::History, self.backend.history(query.to_owned())).await
    }

    pub async fn processes(&self, id: &ContainerId) -> Result<ProcessTable> {
        self.read(Verb::Processes, self.backend.processes(id.clone())).await
    }

    // -- streams (no deadline; end by dropping the receiver) -------------------------------------

    /// Sends the log into `items` until its end or until the receiver is dropped.
    pub async fn logs(&self, id: &ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Result<()> {
        self.backend.logs(id.clone(), options, items).await
    }

    /// Past and live events for the `events` verb.
    pub async fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Result<()> {
        self.backend.events(range, events).await
    }

    pub async fn wait_exit(&self, id: &ContainerId) -> Result<ProcessExit> {
        self.backend.wait_exit(id.clone()).await
    }

    pub async fn attach(&self, id: &ContainerId, options: AttachOptions) -> Result<Session> {
        self.read(Verb::Attach, self.backend.attach(id.clone(), options)).await
    }

    pub async fn exec(&self, id: &ContainerId, spec: ExecSpec) -> Result<Session> {
        self.read(Verb::Exec, self.backend.exec(id.clone(), spec)).await
    }

    /// Mends the store, or says what it would mend.
    pub async fn repair(&self, mode: RepairMode) -> Result<Vec<Finding>> {
        self.backend.repair(mode).await.map_err(|error| error.during(Verb::Repair).on(&self.host))
    }

    // -- ending ----------------------------------------------------------------------------------

    /// Cancels what runs here and waits for its end, at most `limits::CLOSE_DEADLINE`. What a
    /// monitor or a daemon does goes on.
    pub async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.requests.send(Request::Close(done)).await.is_ok() {
            // Late or lost: the process ends anyway, and reconciliation finishes what is left.
            let _ = time::timeout(limits::CLOSE_DEADLINE, ended).await;
        }
    }

    async fn read<T>(&self, verb: Verb, answer: backend::Answer<'_, T>) -> Result<T> {
        self.in_time(answer).await.map_err(|error| error.during(verb))
    }

    async fn in_time<T>(&self, answer: backend::Answer<'_, T>) -> Result<T> {
        let limit = limits::READ_DEADLINE;
        time::timeout(limit, answer).await.unwrap_or_else(|_| {
            let reason = format!("{} did not answer within {limit:?}", self.host);
            Err(Error::new(ErrorKind::TimedOut, reason)
                .remedy("check that the engine is up, or choose another with --host"))
        })
    }
}

/// Operations are numbered per process, from 1, in the order of their acceptance.
static NEXT_OPERATION: AtomicU64 = AtomicU64::new(1);

type AttachSlot = (AttachOptions, oneshot::Sender<Session>);
