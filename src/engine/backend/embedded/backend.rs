//! How do the asynchronous calls of the seam reach the synchronous engine? By workers that may block.
//!
//! Deliberately elsewhere: who works (`workers`), all decisions and all work (`containers`, `images`, `linux`).

use std::{path::Path, sync::Arc};

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    containers::Containers,
    image_verbs::{Images, users_among},
    images::{ImageUser, PruneScope, Removed},
    kernel::{Kernel, Watch},
    operation_history::OperationHistory,
    sessions,
    streams::{self, Attendance, Chores, Wanted},
    workers::{Term, Workers, done_by},
};
use crate::engine::{
    backend::{Answer, Backend, EventRange, Notice, OperationContext, Session, Started, clock::Clock},
    core::limits,
    domain::*,
};

/// Makes a watch on a file that is only ever appended to.
pub type MakeWatch = Box<dyn Fn(&Path) -> Result<Box<dyn Watch>> + Send + Sync>;

/// The embedded engine behind the seam.
pub struct EmbeddedBackend {
    inner: Arc<Inner>,
    workers: Arc<dyn Workers>,
}

struct Inner {
    containers: Containers,
    images: Arc<Images>,
    kernel: Arc<dyn Kernel>,
    history: OperationHistory,
    make_watch: MakeWatch,
}

impl EmbeddedBackend {
    #[must_use]
    pub fn new(
        containers: Containers,
        images: Arc<Images>,
        kernel: Arc<dyn Kernel>,
        workers: Arc<dyn Workers>,
        make_watch: MakeWatch,
    ) -> Self {
        let history = OperationHistory::new(containers.store().layout.data());
        Self { inner: Arc::new(Inner { containers, images, kernel, history, make_watch }), workers }
    }

    /// Has bounded work done. It goes on when the answer is dropped, to its own end or undo.
    fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Answer<'_, T> {
        let inner = Arc::clone(&self.inner);
        done_by(&*self.workers, Term::Short, move || work(&inner)).boxed()
    }

    /// Has work done that lasts as long as a process or a listener.
    fn lasting<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let inner = Arc::clone(&self.inner);
        done_by(&*self.workers, Term::Lasting(name), move || work(&inner)).boxed()
    }
}

impl Inner {
    fn watch_changes(&self) -> Result<Box<dyn Watch>> {
        let store = self.containers.store();
        store.prepare()?;
        (self.make_watch)(&store.layout.changes())
    }

    fn watch_log(&self, id: &ContainerId) -> Result<Box<dyn Watch>> {
        let run_dir = self.containers.store().layout.run_of(id);
        self.kernel.watch_log(&self.containers.log_dir(id), &run_dir)
    }

    /// What a process that stays does for those that were killed, and for the next boot.
    fn tidy(&self) {
        // Findings and failures are for `system repair`; here nobody asked.
        let _ = self.containers.repair(RepairMode::Mend);
        let _ = self.images.sweep();
        let _ = self.images.release(&|| self.image_users());
        let _ = self.images.settle();
    }

    fn info(&self) -> HostInfo {
        let facts = self.kernel.support();
        let mode = if facts.rootless { "embedded rootless" } else { "embedded" };
        let layout = &self.containers.store().layout;
        let places = [("data", layout.data()), ("run", layout.run())];
        let places = places.into_iter().map(|(name, path)| (name.to_owned(), path.display().to_string()));
        HostInfo {
            kind: HostKind::Embedded,
            title: mode.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            location: "this machine".to_owned(),
            rootless: facts.rootless,
            root_equivalent: !facts.rootless,
            memory_bytes: facts.memory_bytes,
            cpus: facts.cpus,
            support: facts.support,
            facts: places.chain(facts.facts).collect(),
        }
    }

    /// Creates, fetching the image first as the policy says.
    fn create(&self, spec: &ContainerSpec, context: &OperationContext) -> Result<Done> {
        if spec.pull == PullPolicy::Always {
            self.fetch(spec, context)?;
        }
        match self.containers.create(spec, context) {
            Err(error) if spec.pull == PullPolicy::Missing && is_missing(&error, spec) => {
                self.fetch(spec, context)?;
                self.containers.create(spec, context)
            }
            outcome => outcome,
        }
    }

    fn fetch(&self, spec: &ContainerSpec, context: &OperationContext) -> Result<()> {
        let reference: ImageReference = spec.image.parse()?;
        let options = PullOptions { platform: spec.platform.clone() };
        self.images.pull(&reference, &options, context)?;
        self.containers.store().note_image(EventAction::Pull, &reference.familiar());
        Ok(())
    }

    /// Who needs which image; asked under the image store's own lock.
    fn image_users(&self) -> Result<Vec<ImageUser>> {
        users_among(&self.containers)
    }

    fn removed(&self, removed: Removed, action: EventAction, image: &str) -> Done {
        self.containers.store().note_image(action, image);
        Done { output: removed.lines, warnings: removed.warnings, ..Done::default() }
    }
}

/// Whether pulling could help: the image is not here, or not for the platform that was asked for.
fn is_missing(error: &Error, spec: &ContainerSpec) -> bool {
    error.kind() == ErrorKind::NoSuchImage || (error.kind() == ErrorKind::PlatformMismatch && spec.platform.is_some())
}

impl Backend for EmbeddedBackend {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.containers.store().machine.clock)
    }

    fn info(&self) -> Answer<'_, HostInfo> {
        self.blocking(|inner| Ok(inner.info()))
    }

    fn containers(&self) -> Answer<'_, Vec<Container>> {
        self.blocking(|inner| inner.containers.list())
    }

    fn find_container(&self, query: String) -> Answer<'_, Container> {
        self.blocking(move |inner| inner.containers.find(&query))
    }

    fn container(&self, id: ContainerId) -> Answer<'_, Option<Container>> {
        self.blocking(move |inner| Ok(inner.containers.get(&id)))
    }

    fn inspect_container(&self, id: ContainerId) -> Answer<'_, Value> {
        self.blocking(move |inner| inner.containers.inspect(&id))
    }

    fn processes(&self, id: ContainerId) -> Answer<'_, ProcessTable> {
        self.blocking(move |inner| inner.kernel.processes(&inner.containers.live(&id, Verb::Processes)?))
    }

    fn images(&self) -> Answer<'_, Vec<Image>> {
        self.blocking(|inner| inner.images.list())
    }

    fn inspect_image(&self, query: String) -> Answer<'_, Value> {
        self.blocking(move |inner| inner.images.inspect(&query))
    }

    fn history(&self, query: String) -> Answer<'_, Vec<HistoryEntry>> {
        self.blocking(move |inner| inner.images.history(&query))
    }

    fn watch(&self, notices: mpsc::Sender<Notice>) -> Answer<'_, ()> {
        async move {
            let mut watch = self.blocking(Inner::watch_changes).await?;
            let attendance = Attendance::new(&*watch, notices.clone())?;
            self.lasting("wharf-watch", move |inner| {
                let chores = Chores { tidy: &|| inner.tidy(), reap: &|| inner.kernel.reap() };
                let told = streams::tell_changes(&inner.containers, &mut *watch, &notices, &chores);
                drop(attendance);
                told
            })
            .await
        }
        .boxed()
    }

    fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()> {
        async move {
            let mut watch = self.blocking(Inner::watch_changes).await?;
            let attendance = Attendance::new(&*watch, events.clone())?;
            self.lasting("wharf-events", move |inner| {
                let told = streams::tell_events(&inner.containers, &mut *watch, &range, &events);
                drop(attendance);
                told
            })
            .await
        }
        .boxed()
    }

    fn logs(&self, id: ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()> {
        async move {
            if !options.follow {
                let read = move |inner: &Inner| streams::tell_log(&inner.containers, &id, &options, None, &items);
                return self.lasting("wharf-logs", read).await;
            }
            let followed = id.clone();
            let mut watch = self.blocking(move |inner| inner.watch_log(&followed)).await?;
            let attendance = Attendance::new(&*watch, items.clone())?;
            self.lasting("wharf-logs", move |inner| {
                let told = streams::tell_log(&inner.containers, &id, &options, Some(&mut *watch), &items);
                drop(attendance);
                told
            })
            .await
        }
        .boxed()
    }

    fn remember(&self, operation: PastOperation) -> Answer<'_, ()> {
        self.blocking(move |inner| inner.history.append(inner.containers.store().disk(), &operation))
    }

    fn remembered(&self) -> Answer<'_, Vec<PastOperation>> {
        self.blocking(|inner| inner.history.read(inner.containers.store().disk()))
    }

    fn repair(&self, mode: RepairMode) -> Answer<'_, Vec<Finding>> {
        self.blocking(move |inner| {
            let mut findings = inner.containers.repair(mode)?;
            findings.extend(inner.images.repair(mode, &|| inner.image_users())?);
            Ok(findings)
        })
    }

    fn expect_start(&self, network: NetworkMode) {
        self.inner.kernel.expect_launch(network);
        let inner = Arc::clone(&self.inner);
        let work = move || inner.kernel.prepare_launch(&inner.containers.store().layout.runs());
        // Without a worker there is no hint; whoever starts the container is told then.
        drop(self.workers.begin(Term::Lasting("wharf-expected"), Box::new(work)));
    }

    fn create(&self, spec: ContainerSpec, context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| inner.create(&spec, &context).inspect_err(|_| inner.kernel.expect_no_launch()))
    }

    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, context: OperationContext) -> Answer<'_, Started> {
        async move {
            let start = move |inner: &Inner| {
                let started = inner.containers.start(&id, attach.as_ref(), &context);
                started.inspect_err(|_| inner.kernel.expect_no_launch())
            };
            let run = self.blocking(start).await?;
            let session = run.session.map(sessions::bridge).transpose()?;
            Ok(Started { done: run.done, session })
        }
        .boxed()
    }

    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        self.lasting("wharf-stop", move |inner| inner.containers.stop(&id, &options, &context))
    }

    fn restart(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        self.lasting("wharf-restart", move |inner| inner.containers.restart(&id, &options, &context))
    }

    fn kill(&self, id: ContainerId, signal: Signal, context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| inner.containers.kill(&id, signal, &context))
    }

    fn pause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| inner.containers.pause(&id, &context))
    }

    fn unpause(&self, id: ContainerId, context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| inner.containers.unpause(&id, &context))
    }

    fn rename(&self, id: ContainerId, name: ContainerName, context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| inner.containers.rename(&id, &name, &context))
    }

    fn remove(&self, id: ContainerId, options: RemoveOptions, context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| {
            let removed = inner.containers.remove(&id, &options, &context)?;
            // The container is gone: what its image leaves is found again by the next removal and by repair.
            let _ = inner.images.release(&|| inner.image_users());
            Ok(removed)
        })
    }

    fn wait_exit(&self, id: ContainerId) -> Answer<'_, ProcessExit> {
        async move {
            let wanted = Wanted::default();
            let check = wanted.check();
            let exit = self.lasting("wharf-wait", move |inner| streams::tell_exit(&inner.containers, &id, check)).await;
            drop(wanted);
            exit
        }
        .boxed()
    }

    fn attach(&self, id: ContainerId, options: AttachOptions) -> Answer<'_, Session> {
        async move {
            let process = self
                .blocking(move |inner| {
                    let run_dir = inner.containers.live(&id, Verb::Attach)?;
                    inner.kernel.attach(&run_dir, &options, limits::READ_DEADLINE)
                })
                .await?;
            sessions::bridge(process)
        }
        .boxed()
    }

    fn exec(&self, id: ContainerId, spec: ExecSpec) -> Answer<'_, Session> {
        async move {
            let detach = spec.detach;
            let process = self
                .blocking(move |inner| {
                    let run_dir = inner.containers.live(&id, Verb::Exec)?;
                    inner.kernel.exec(&run_dir, &spec, limits::READ_DEADLINE)
                })
                .await?;
            if detach { Ok(sessions::ended()) } else { sessions::bridge(process) }
        }
        .boxed()
    }

    fn pull(&self, reference: ImageReference, options: PullOptions, context: OperationContext) -> Answer<'_, Done> {
        self.lasting("wharf-pull", move |inner| {
            let done = inner.images.pull(&reference, &options, &context)?;
            inner.containers.store().note_image(EventAction::Pull, &reference.familiar());
            Ok(done)
        })
    }

    fn push(&self, reference: ImageReference, context: OperationContext) -> Answer<'_, Done> {
        self.lasting("wharf-push", move |inner| {
            let done = inner.images.push(&reference, &context)?;
            inner.containers.store().note_image(EventAction::Push, &reference.familiar());
            Ok(done)
        })
    }

    fn tag(&self, source: String, target: ImageReference, _context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| {
            inner.images.store()?.tag(&source, &target)?;
            inner.containers.store().note_image(EventAction::Tag, &target.familiar());
            Ok(Done::default())
        })
    }

    fn import_image(&self, import: ImageImport, context: OperationContext) -> Answer<'_, Done> {
        self.lasting("wharf-import", move |inner| {
            let name = import.reference.familiar();
            let imported = inner.images.store()?.import(import, &context)?;
            inner.containers.store().note_image(EventAction::Other("import".to_owned()), &name);
            Ok(Done { already: imported.already, output: vec![imported.id.to_string()], ..Done::default() })
        })
    }

    fn remove_image(&self, image: String, force: Force, _context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| {
            let removed = inner.images.store()?.remove_image(&image, force, &|| inner.image_users())?;
            Ok(inner.removed(removed, EventAction::Delete, &image))
        })
    }

    fn create_index(
        &self,
        targets: Vec<ImageReference>,
        sources: Vec<ImageReference>,
        context: OperationContext,
    ) -> Answer<'_, Done> {
        self.lasting("wharf-index", move |inner| inner.images.create_index(&targets, &sources, &context))
    }

    fn prune_images(&self, unused: bool, _context: OperationContext) -> Answer<'_, Done> {
        self.blocking(move |inner| {
            let scope = if unused { PruneScope::Unused } else { PruneScope::Dangling };
            let removed = inner.images.store()?.prune(scope, &|| inner.image_users())?;
            Ok(inner.removed(removed, EventAction::Delete, "pruned"))
        })
    }
}
