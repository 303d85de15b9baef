//! Which part of the engine meets a defect? A host whose answer to one chosen call panics, inside whichever task asked.
//! Deliberately elsewhere: what must come of it (`defects`).

use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};
use wharf::engine::{
    EventRange,
    backend::{Answer, Backend, Notice, OperationContext, Session, Started, fake::FakeHost},
    domain::*,
};

/// What the panic says.
pub const WORDS: &str = "a defect on purpose";

/// The calls that may panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Containers,
    Container,
    FindContainer,
    Images,
    Watch,
    Remember,
    Create,
    Start,
    Pause,
    Remove,
    Pull,
}

/// The fake engine; the next of the chosen calls panics, once for each time it was chosen.
#[derive(Clone)]
pub struct DefectiveHost {
    pub inner: FakeHost,
    chosen: Arc<Mutex<Vec<Call>>>,
    held: Arc<Mutex<Option<Held>>>,
}

/// A lookup that has its answer and does not tell it yet: who is told that it has it, and when it may go on.
type Held = (oneshot::Sender<()>, oneshot::Receiver<()>);

impl DefectiveHost {
    pub fn new() -> Self {
        Self { inner: FakeHost::new(), chosen: Arc::default(), held: Arc::default() }
    }

    pub fn fail_next(&self, call: Call) {
        self.chosen.lock().unwrap().push(call);
    }

    /// The next lookup keeps its answer until it is let go.
    pub fn hold_next_lookup(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((tell, told), (release, released)) = (oneshot::channel(), oneshot::channel());
        *self.held.lock().unwrap() = Some((tell, released));
        (told, release)
    }

    /// Whether every chosen call has come.
    pub fn has_failed(&self) -> bool {
        self.chosen.lock().unwrap().is_empty()
    }

    /// The answer, or a panic when it is waited for.
    fn or_panic<'a, T: Send + 'a>(&'a self, call: Call, answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            let fails = {
                let mut chosen = self.chosen.lock().unwrap();
                chosen.iter().position(|wanted| *wanted == call).map(|place| chosen.swap_remove(place)).is_some()
            };
            if fails {
                std::panic::panic_any(WORDS);
            }
            answer.await
        })
    }
}

impl Backend for DefectiveHost {
    fn info(&self) -> Answer<'_, HostInfo> {
        self.inner.info()
    }
    fn containers(&self) -> Answer<'_, Vec<Container>> {
        self.or_panic(Call::Containers, self.inner.containers())
    }
    fn find_container(&self, query: String) -> Answer<'_, Container> {
        let looking = self.or_panic(Call::FindContainer, self.inner.find_container(query));
        Box::pin(async move {
            let found = looking.await;
            let held = self.held.lock().unwrap().take();
            if let Some((tell, released)) = held {
                tell.send(()).unwrap();
                released.await.unwrap();
            }
            found
        })
    }
    fn container(&self, id: ContainerId) -> Answer<'_, Option<Container>> {
        self.or_panic(Call::Container, self.inner.container(id))
    }
    fn inspect_container(&self, id: ContainerId) -> Answer<'_, serde_json::Value> {
        self.inner.inspect_container(id)
    }
    fn processes(&self, id: ContainerId) -> Answer<'_, ProcessTable> {
        self.inner.processes(id)
    }
    fn images(&self) -> Answer<'_, Vec<Image>> {
        self.or_panic(Call::Images, self.inner.images())
    }
    fn inspect_image(&self, query: String) -> Answer<'_, serde_json::Value> {
        self.inner.inspect_image(query)
    }
    fn history(&self, query: String) -> Answer<'_, Vec<HistoryEntry>> {
        self.inner.history(query)
    }
    fn watch(&self, notices: mpsc::Sender<Notice>) -> Answer<'_, ()> {
        self.or_panic(Call::Watch, self.inner.watch(notices))
    }
    fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()> {
        self.inner.events(range, events)
    }
    fn logs(&self, id: ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()> {
        self.inner.logs(id, options, items)
    }
    fn remember(&self, operation: PastOperation) -> Answer<'_, ()> {
        self.or_panic(Call::Remember, self.inner.remember(operation))
    }
    fn create(&self, spec: ContainerSpec, context: OperationContext) -> Answer<'_, Done> {
        self.or_panic(Call::Create, self.inner.create(spec, context))
    }
    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, context: OperationContext) -> Answer<'_, Started> {
        self.or_panic(Call::Start, self.inner.start(id, attach, context))
    }
    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        self.inner.stop(id, options, context)
    }
    fn restart(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        self.inner.restart(id, options, context)
    }
    fn kill(&self, id: ContainerId, signal: Signal, context: OperationContext) -> Answer<'_, Done> {
        self.inner.kill(id, signal, context)
    }
    fn pause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        self.or_panic(Call::Pause, self.inner.pause(id, context))
    }
    fn unpause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        self.inner.unpause(id, context)
    }
    fn rename(&self, id: ContainerId, name: ContainerName, context: OperationContext) -> Answer<'_, Done> {
        self.inner.rename(id, name, context)
    }
    fn remove(&self, id: ContainerId, options: RemoveOptions, context: OperationContext) -> Answer<'_, Done> {
        self.or_panic(Call::Remove, self.inner.remove(id, options, context))
    }
    fn wait_exit(&self, id: ContainerId) -> Answer<'_, ProcessExit> {
        self.inner.wait_exit(id)
    }
    fn attach(&self, id: ContainerId, options: AttachOptions) -> Answer<'_, Session> {
        self.inner.attach(id, options)
    }
    fn exec(&self, id: ContainerId, spec: ExecSpec) -> Answer<'_, Session> {
        self.inner.exec(id, spec)
    }
    fn pull(&self, reference: ImageReference, options: PullOptions, context: OperationContext) -> Answer<'_, Done> {
        self.or_panic(Call::Pull, self.inner.pull(reference, options, context))
    }
    fn push(&self, reference: ImageReference, context: OperationContext) -> Answer<'_, Done> {
        self.inner.push(reference, context)
    }
    fn tag(&self, source: String, target: ImageReference, context: OperationContext) -> Answer<'_, Done> {
        self.inner.tag(source, target, context)
    }
    fn remove_image(&self, image: String, force: Force, context: OperationContext) -> Answer<'_, Done> {
        self.inner.remove_image(image, force, context)
    }
    fn create_index(
        &self,
        targets: Vec<ImageReference>,
        sources: Vec<ImageReference>,
        context: OperationContext,
    ) -> Answer<'_, Done> {
        self.inner.create_index(targets, sources, context)
    }
    fn prune_images(&self, unused: bool, context: OperationContext) -> Answer<'_, Done> {
        self.inner.prune_images(unused, context)
    }
}
