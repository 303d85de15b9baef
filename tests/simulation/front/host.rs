//! Does a front keep what it promises to its host? The production backend behind a gate that looks: one writer for each
//! container, and nothing answered whose work goes on.
//!
//! The twins of the front stand here too: bugs at its two doors. Deliberately elsewhere: the backend itself
//! (`engine::backend::embedded`), what commands come to (`commands`).

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::sync::mpsc;
use wharf::engine::{
    EventRange, Session,
    backend::{Answer, Backend, Notice, OperationContext, Started, clock::Clock, embedded::backend::EmbeddedBackend},
    domain::*,
};

use super::{super::world::World, FrontTwin, workers::on_behalf_of};

pub struct Gate {
    pub world: Arc<World>,
    pub inner: EmbeddedBackend,
    pub twin: Option<FrontTwin>,
    pub writers: Mutex<Vec<Writer>>,
}

/// A change of one container that an actor has begun and not given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    container: ContainerId,
    verb: Verb,
    operation: OperationId,
}

/// The change is over for its actor when this goes.
struct Writing<'a> {
    gate: &'a Gate,
    writer: Writer,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.gate.writers.lock().unwrap().retain(|writer| *writer != self.writer);
    }
}

impl Gate {
    fn write(&self, container: ContainerId, verb: Verb, operation: OperationId) -> Writing<'_> {
        let writer = Writer { container, verb, operation };
        let mut writers = self.writers.lock().unwrap();
        let beside = |other: &&Writer| {
            // A second stop may shorten the grace of the first; a kill waits for nobody.
            let both_stop = verb == Verb::Stop && other.verb == Verb::Stop;
            other.container == writer.container && verb != Verb::Kill && other.verb != Verb::Kill && !both_stop
        };
        if let Some(other) = writers.iter().find(beside) {
            self.world.violate(format!("two writers of one container: {writer:?} beside {other:?}"));
        }
        writers.push(writer.clone());
        drop(writers);
        Writing { gate: self, writer }
    }

    /// Passes a change on. Whatever work it begins is noted as its operation's.
    fn change<'a, T: Send + 'a>(
        &'a self,
        about: Option<ContainerId>,
        verb: Verb,
        context: &OperationContext,
        mut answer: Answer<'a, T>,
    ) -> Answer<'a, T> {
        let (operation, cancel) = (context.id, context.cancel.clone());
        Box::pin(async move {
            let _writing = about.map(|container| self.write(container, verb, operation));
            let answered = poll_fn(move |context| on_behalf_of(operation, || answer.as_mut().poll(context)));
            if self.twin != Some(FrontTwin::HastyCancel) {
                return answered.await;
            }
            // The bug itself.
            tokio::select! {
                biased;
                answer = answered => answer,
                () = cancel.cancelled() => Err(Error::cancelled()),
            }
        })
    }
}

impl Backend for Gate {
    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }
    fn info(&self) -> Answer<'_, HostInfo> {
        self.inner.info()
    }
    fn containers(&self) -> Answer<'_, Vec<Container>> {
        self.inner.containers()
    }
    fn find_container(&self, query: String) -> Answer<'_, Container> {
        self.inner.find_container(query)
    }
    fn container(&self, id: ContainerId) -> Answer<'_, Option<Container>> {
        self.inner.container(id)
    }
    fn inspect_container(&self, id: ContainerId) -> Answer<'_, Value> {
        self.inner.inspect_container(id)
    }
    fn processes(&self, id: ContainerId) -> Answer<'_, ProcessTable> {
        self.inner.processes(id)
    }
    fn images(&self) -> Answer<'_, Vec<Image>> {
        self.inner.images()
    }
    fn inspect_image(&self, query: String) -> Answer<'_, Value> {
        self.inner.inspect_image(query)
    }
    fn history(&self, query: String) -> Answer<'_, Vec<HistoryEntry>> {
        self.inner.history(query)
    }
    fn watch(&self, notices: mpsc::Sender<Notice>) -> Answer<'_, ()> {
        if self.twin != Some(FrontTwin::DeafWatch) {
            return self.inner.watch(notices);
        }
        Box::pin(async move {
            let (sender, mut heard) = mpsc::channel(1024);
            let passing = async {
                while let Some(notice) = heard.recv().await {
                    // The bug itself: what changed is not passed on.
                    if notice == Notice::Subscribed && notices.send(notice).await.is_err() {
                        break;
                    }
                }
            };
            tokio::join!(self.inner.watch(sender), passing).0
        })
    }
    fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()> {
        self.inner.events(range, events)
    }
    fn logs(&self, id: ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()> {
        self.inner.logs(id, options, items)
    }
    fn remember(&self, operation: PastOperation) -> Answer<'_, ()> {
        self.inner.remember(operation)
    }
    fn remembered(&self) -> Answer<'_, Vec<PastOperation>> {
        self.inner.remembered()
    }
    fn repair(&self, mode: RepairMode) -> Answer<'_, Vec<Finding>> {
        self.inner.repair(mode)
    }
    fn create(&self, spec: ContainerSpec, context: OperationContext) -> Answer<'_, Done> {
        self.change(None, Verb::Create, &context.clone(), self.inner.create(spec, context))
    }
    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, context: OperationContext) -> Answer<'_, Started> {
        self.change(Some(id.clone()), Verb::Start, &context.clone(), self.inner.start(id, attach, context))
    }
    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Stop, &context.clone(), self.inner.stop(id, options, context))
    }
    fn restart(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Restart, &context.clone(), self.inner.restart(id, options, context))
    }
    fn kill(&self, id: ContainerId, signal: Signal, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Kill, &context.clone(), self.inner.kill(id, signal, context))
    }
    fn pause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Pause, &context.clone(), self.inner.pause(id, context))
    }
    fn unpause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Unpause, &context.clone(), self.inner.unpause(id, context))
    }
    fn rename(&self, id: ContainerId, name: ContainerName, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Rename, &context.clone(), self.inner.rename(id, name, context))
    }
    fn remove(&self, id: ContainerId, options: RemoveOptions, context: OperationContext) -> Answer<'_, Done> {
        self.change(Some(id.clone()), Verb::Remove, &context.clone(), self.inner.remove(id, options, context))
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
        self.inner.pull(reference, options, context)
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
