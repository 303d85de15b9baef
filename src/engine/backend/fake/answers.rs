//! How does the fake engine answer the seam?
//!
//! Deliberately elsewhere: its world and its strictness (`mod`), its processes (`process`).

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Entry, FakeHost, process::Program};
use crate::engine::{
    backend::{Answer, Backend, EventRange, Notice, OperationContext, Session, Started, session_input},
    domain::*,
    sync::{ring, task},
};

impl Backend for FakeHost {
    fn info(&self) -> Answer<'_, HostInfo> {
        async move {
            self.travel().await;
            Ok(HostInfo {
                kind: HostKind::Fake,
                title: "fake".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                location: "memory".into(),
                rootless: true,
                root_equivalent: false,
                memory_bytes: None,
                cpus: None,
                support: Support::default(),
                facts: Vec::new(),
            })
        }
        .boxed()
    }

    fn containers(&self) -> Answer<'_, Vec<Container>> {
        async move {
            self.travel().await;
            Ok(self.world().containers.values().map(|entry| entry.container.clone()).collect())
        }
        .boxed()
    }

    fn find_container(&self, query: String) -> Answer<'_, Container> {
        async move {
            self.travel().await;
            let world = self.world();
            let named = |entry: &&Entry| entry.container.name.as_ref().is_some_and(|name| name.as_str() == query);
            if let Some(entry) = world.containers.values().find(named) {
                return Ok(entry.container.clone());
            }
            let candidates = world.containers.iter().map(|(id, entry)| (id, &entry.container));
            match match_prefix(&query, candidates) {
                PrefixMatch::One(container) => Ok(container.clone()),
                PrefixMatch::None => Err(Error::no_such_container(&query)),
                PrefixMatch::Many(ids) => {
                    let list: Vec<_> = ids.iter().map(ContainerId::short).collect();
                    Err(Error::new(ErrorKind::Ambiguous, format!("{query} fits {}", list.join(", ")))
                        .remedy("type more of the id"))
                }
            }
        }
        .boxed()
    }

    fn container(&self, id: ContainerId) -> Answer<'_, Option<Container>> {
        async move {
            self.travel().await;
            Ok(self.world().containers.get(&id).map(|entry| entry.container.clone()))
        }
        .boxed()
    }

    fn inspect_container(&self, id: ContainerId) -> Answer<'_, Value> {
        async move {
            self.travel().await;
            let world = self.world();
            let entry = world.containers.get(&id).ok_or_else(|| Error::no_such_container(&id))?;
            let container = &entry.container;
            let running = container.status() == Status::Running || container.status() == Status::Paused;
            Ok(json!({
                "Id": id.to_string(),
                "Name": format!("/{}", container.display_name()),
                "State": {
                    "Status": container.status().docker_word(),
                    "Running": running,
                    "Paused": container.status() == Status::Paused,
                    "Pid": container.state.pid.unwrap_or(0),
                    "ExitCode": container.state.exit_code.unwrap_or(0),
                },
                "Config": { "Image": container.image, "Labels": container.labels, "Cmd": entry.spec.command },
            }))
        }
        .boxed()
    }

    fn processes(&self, id: ContainerId) -> Answer<'_, ProcessTable> {
        async move {
            self.travel().await;
            let world = self.world();
            let entry = world.containers.get(&id).ok_or_else(|| Error::no_such_container(&id))?;
            let pid = entry.container.state.pid.ok_or_else(|| Error::new(ErrorKind::Refused, "it is not running"))?;
            Ok(ProcessTable {
                titles: vec!["PID".into(), "COMMAND".into()],
                rows: vec![vec![pid.to_string(), entry.spec.command.join(" ")]],
            })
        }
        .boxed()
    }

    fn images(&self) -> Answer<'_, Vec<Image>> {
        self.list_images().boxed()
    }

    fn inspect_image(&self, query: String) -> Answer<'_, Value> {
        self.image_json(query).boxed()
    }

    fn history(&self, query: String) -> Answer<'_, Vec<HistoryEntry>> {
        self.image_history(query).boxed()
    }

    fn watch(&self, notices: mpsc::Sender<Notice>) -> Answer<'_, ()> {
        async move {
            let mut facts = self.notices.subscribe();
            self.travel().await;
            let mut next = Notice::Subscribed;
            loop {
                if notices.send(next).await.is_err() {
                    return Ok(());
                }
                next = facts.recv().await.unwrap_or(Notice::Gap);
            }
        }
        .boxed()
    }

    fn events(&self, range: EventRange, events: mpsc::Sender<EngineEvent>) -> Answer<'_, ()> {
        async move {
            let mut facts = self.notices.subscribe();
            let past = self.world().events.clone();
            let wanted = |event: &EngineEvent| range.since.is_none_or(|since| event.at >= since);
            let replay = range.since.is_some() || range.until.is_some();
            for event in past.into_iter().filter(|event| replay && wanted(event)) {
                if events.send(event).await.is_err() {
                    return Ok(());
                }
            }
            while range.until.is_none() {
                if let Ok(Notice::Event(event)) = facts.recv().await
                    && events.send(event).await.is_err()
                {
                    break;
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn logs(&self, id: ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Answer<'_, ()> {
        async move {
            let (mut grown, mut from) = {
                let world = self.world();
                let entry = world.containers.get(&id).ok_or_else(|| Error::no_such_container(&id))?;
                let from = options.tail.map_or(0, |tail| entry.logs.len().saturating_sub(tail));
                (entry.log_grown.subscribe(), from)
            };
            loop {
                let (batch, running) = {
                    let world = self.world();
                    let Some(entry) = world.containers.get(&id) else { return Ok(()) };
                    let lines: Vec<_> = entry.logs.iter().skip(from).cloned().map(LogItem::Entry).collect();
                    (lines, entry.process.is_some())
                };
                from += batch.len();
                if !batch.is_empty() && items.send(batch).await.is_err() {
                    return Ok(());
                }
                if !options.follow || !running || grown.changed().await.is_err() {
                    return Ok(());
                }
            }
        }
        .boxed()
    }

    fn create(&self, spec: ContainerSpec, context: OperationContext) -> Answer<'_, Done> {
        async move {
            self.travel().await;
            context.check()?;
            self.create_now(spec)
        }
        .boxed()
    }

    fn start(&self, id: ContainerId, attach: Option<AttachOptions>, _: OperationContext) -> Answer<'_, Started> {
        async move {
            let claim = self.claim(&id, Verb::Start)?;
            self.travel().await;
            let session = self.start_now(&id, attach.is_some())?;
            drop(claim);
            Ok(Started { done: Done { container: Some(id), ..Done::default() }, session })
        }
        .boxed()
    }

    fn stop(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        async move {
            let _claim = self.claim(&id, Verb::Stop)?;
            self.travel().await;
            Ok(self.stop_now(&id, &options, &context).await)
        }
        .boxed()
    }

    fn restart(&self, id: ContainerId, options: StopOptions, context: OperationContext) -> Answer<'_, Done> {
        async move {
            let _claim = self.claim(&id, Verb::Restart)?;
            self.travel().await;
            self.stop_now(&id, &options, &context).await;
            self.start_now(&id, false)?;
            Ok(Done::default())
        }
        .boxed()
    }

    fn kill(&self, id: ContainerId, signal: Signal, _: OperationContext) -> Answer<'_, Done> {
        async move {
            self.travel().await;
            let Some(mut exit) = self.signal(&id, signal) else {
                return Err(Error::new(ErrorKind::Refused, "it is not running"));
            };
            self.happened(&id, EventAction::Kill, &[("signal", signal.number().to_string())]);
            if signal == Signal::KILL {
                // As in stop.
                let _ = exit.wait_for(Option::is_some).await;
            }
            Ok(Done::default())
        }
        .boxed()
    }

    fn pause(&self, id: ContainerId, _: OperationContext) -> Answer<'_, Done> {
        self.switch(id, Verb::Pause, Status::Paused, EventAction::Pause)
    }

    fn unpause(&self, id: ContainerId, _: OperationContext) -> Answer<'_, Done> {
        self.switch(id, Verb::Unpause, Status::Running, EventAction::Unpause)
    }

    fn rename(&self, id: ContainerId, name: ContainerName, _: OperationContext) -> Answer<'_, Done> {
        async move {
            let _claim = self.claim(&id, Verb::Rename)?;
            self.travel().await;
            self.name_is_free(&name)?;
            self.change(&id, |container, _| container.name = Some(name));
            self.happened(&id, EventAction::Rename, &[]);
            Ok(Done::default())
        }
        .boxed()
    }

    fn remove(&self, id: ContainerId, options: RemoveOptions, _: OperationContext) -> Answer<'_, Done> {
        async move {
            let _claim = self.claim(&id, Verb::Remove)?;
            self.travel().await;
            if let Some(mut exit) = self.signal(&id, Signal::KILL) {
                assert_eq!(options.force, Force::Yes, "a running container was removed without force");
                // As in stop.
                let _ = exit.wait_for(Option::is_some).await;
            }
            self.happened(&id, EventAction::Destroy, &[]);
            self.world().containers.remove(&id);
            self.notify(Notice::Container(id));
            Ok(Done::default())
        }
        .boxed()
    }

    fn wait_exit(&self, id: ContainerId) -> Answer<'_, ProcessExit> {
        async move {
            self.travel().await;
            let mut exit = {
                let world = self.world();
                let entry = world.containers.get(&id).ok_or_else(|| Error::no_such_container(&id))?;
                entry.exit.subscribe()
            };
            Ok(exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit).unwrap_or(ProcessExit::Unknown))
        }
        .boxed()
    }

    fn attach(&self, id: ContainerId, _: AttachOptions) -> Answer<'_, Session> {
        async move {
            self.travel().await;
            let (items, mut batches) = mpsc::channel(16);
            let (output, session) = self.session(&id, true);
            let (Some(output), Some(session)) = (output, session) else { return Err(Error::no_such_container(&id)) };
            let host = self.clone();
            task::spawn(async move {
                let options = LogOptions { follow: true, tail: Some(0), ..LogOptions::default() };
                let copying = async {
                    while let Some(batch) = batches.recv().await {
                        for item in batch {
                            let LogItem::Entry(mut entry) = item else { continue };
                            entry.bytes.push(b'\n');
                            // The client may have left.
                            let _ = output.send(SessionOutput::Stdout(entry.bytes)).await;
                        }
                    }
                };
                let (_, ()) = tokio::join!(host.logs(id.clone(), options, items), copying);
                let exit = host.wait_exit(id).await.unwrap_or(ProcessExit::Unknown);
                // As above.
                let _ = output.send(SessionOutput::Exit(exit)).await;
            });
            Ok(session)
        }
        .boxed()
    }

    fn exec(&self, id: ContainerId, spec: ExecSpec) -> Answer<'_, Session> {
        async move {
            self.travel().await;
            let status = self.world().containers.get(&id).map(|entry| entry.container.status());
            if status != Some(Status::Running) {
                return Err(Error::new(ErrorKind::Refused, "it is not running").remedy("start it first"));
            }
            let program = Program::of(&spec.command)?;
            let (to_process, mut input) = session_input();
            let (output, from_process) = ring(64);
            task::spawn(async move {
                let (_signals, incoming) = mpsc::channel(16);
                let (stdin, bytes) = mpsc::channel(16);
                let feeding = async move {
                    while let Some(SessionInput::Stdin(bytes)) = input.bytes.recv().await {
                        // The process may have ended.
                        let _ = stdin.send(bytes).await;
                    }
                };
                let printed = output.clone();
                let emit = |line: &[u8]| {
                    let mut bytes = line.to_vec();
                    bytes.push(b'\n');
                    // A client that does not read loses output, never the engine.
                    let _ = printed.offer(SessionOutput::Stdout(bytes));
                };
                let feeder = tokio::spawn(feeding);
                let exit = super::process::run(program, incoming, bytes, emit).await;
                feeder.abort();
                // The client may have left.
                let _ = output.send(SessionOutput::Exit(exit)).await;
            });
            Ok(Session { input: to_process, output: from_process })
        }
        .boxed()
    }

    fn pull(&self, reference: ImageReference, _: PullOptions, context: OperationContext) -> Answer<'_, Done> {
        self.pull_image(reference, context).boxed()
    }

    fn push(&self, reference: ImageReference, _: OperationContext) -> Answer<'_, Done> {
        self.push_image(reference).boxed()
    }

    fn tag(&self, source: String, target: ImageReference, _: OperationContext) -> Answer<'_, Done> {
        self.tag_image(source, target).boxed()
    }

    fn import_image(&self, import: ImageImport, context: OperationContext) -> Answer<'_, Done> {
        self.keep_import(import, context).boxed()
    }

    fn remove_image(&self, image: String, force: Force, _: OperationContext) -> Answer<'_, Done> {
        self.untag_image(image, force).boxed()
    }

    fn create_index(&self, _: Vec<ImageReference>, _: Vec<ImageReference>, _: OperationContext) -> Answer<'_, Done> {
        async move { Err(Error::new(ErrorKind::Unsupported, "the fake engine has no indexes")) }.boxed()
    }

    fn prune_images(&self, unused: bool, _: OperationContext) -> Answer<'_, Done> {
        self.drop_images(unused).boxed()
    }
}
