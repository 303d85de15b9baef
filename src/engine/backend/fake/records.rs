//! How does the fake engine keep containers and their sessions?
//!
//! Deliberately elsewhere: images (`images`), processes (`process`), the seam (`answers`).

use futures_util::FutureExt;
use tokio::sync::watch;

use super::{Entry, FakeHost, canonical};
use crate::engine::{
    backend::{Answer, Notice, Session, session_input},
    domain::*,
    sync::{RingWriter, ring, task},
};

impl FakeHost {
    pub(super) fn create_now(&self, spec: ContainerSpec) -> Result<Done> {
        let pullable = spec.pull != PullPolicy::Never;
        let key = canonical(&spec.image);
        let fetched = self.world().registry.get(&key).cloned().filter(|_| pullable);
        if let (Err(_), Some(image)) = (self.image(&spec.image), fetched) {
            self.world().images.insert(key, image);
            self.notify(Notice::Images);
        }
        let image = self.image(&spec.image)?;
        let mut world = self.world();
        world.created += 1;
        let number = world.created;
        drop(world);
        let name = spec.name.clone().unwrap_or_else(|| ContainerName::random(number));
        self.name_is_free(&name)?;
        let mut world = self.world();
        let now = world.now();
        let id = ContainerId::from_random(scatter(number));
        let container = Container {
            name: Some(name),
            image_id: Some(image.id),
            command: spec.command.clone(),
            labels: spec.labels.clone(),
            tty: spec.tty,
            auto_remove: spec.auto_remove,
            ..Container::new(id.clone(), spec.image.clone(), now)
        };
        let entry = Entry {
            container,
            spec,
            logs: Vec::new(),
            process: None,
            exit: watch::Sender::new(Some(ProcessExit::Code(0))),
            log_grown: watch::Sender::new(0),
        };
        world.containers.insert(id.clone(), entry);
        drop(world);
        self.happened(&id, EventAction::Create, &[]);
        Ok(Done { output: vec![id.to_string()], container: Some(id), ..Done::default() })
    }

    pub(super) fn name_is_free(&self, name: &ContainerName) -> Result<()> {
        let world = self.world();
        let taken = world.containers.values().find(|entry| entry.container.name.as_ref() == Some(name));
        match taken {
            None => Ok(()),
            Some(entry) => Err(Error::new(
                ErrorKind::NameInUse,
                format!("the name {name} belongs to container {}", entry.container.id.short()),
            )
            .remedy("remove or rename that container, or choose another name")),
        }
    }

    /// Signals the process; `None` when there is none. The receiver sees its exit.
    pub(super) fn signal(&self, id: &ContainerId, signal: Signal) -> Option<watch::Receiver<Option<ProcessExit>>> {
        let world = self.world();
        let entry = world.containers.get(id)?;
        entry.process.as_ref()?.signals.try_send(signal).ok()?;
        Some(entry.exit.subscribe())
    }

    pub(super) fn switch(&self, id: ContainerId, verb: Verb, to: Status, action: EventAction) -> Answer<'_, Done> {
        async move {
            let _claim = self.claim(&id, verb)?;
            self.travel().await;
            self.change(&id, |container, _| container.state.status = to);
            self.happened(&id, action, &[]);
            Ok(Done::default())
        }
        .boxed()
    }

    /// The engine's and the client's ends of a session whose input reaches the container's process.
    pub(super) fn session(
        &self,
        id: &ContainerId,
        wanted: bool,
    ) -> (Option<RingWriter<SessionOutput>>, Option<Session>) {
        if !wanted {
            return (None, None);
        }
        let (output, to_client) = ring(64);
        let (input, mut from_client) = session_input();
        let (host, fed) = (self.clone(), id.clone());
        task::spawn(async move {
            while let Some(item) = from_client.bytes.recv().await {
                let stdin = host.world().containers.get(&fed).and_then(|entry| entry.process.as_ref()?.stdin.clone());
                match (item, stdin) {
                    (SessionInput::Stdin(bytes), Some(stdin)) => {
                        // The process may have ended.
                        let _ = stdin.send(bytes).await;
                    }
                    (SessionInput::Eof, _) => {
                        if let Some(entry) = host.world().containers.get_mut(&fed) {
                            entry.process.as_mut().map(|process| process.stdin.take());
                        }
                    }
                    (SessionInput::Stdin(_), None) | (SessionInput::Resize(_) | SessionInput::Signal(_), _) => {}
                }
            }
        });
        let (host, id) = (self.clone(), id.clone());
        task::spawn(async move {
            while let Some(item) = from_client.control.recv().await {
                match item {
                    SessionInput::Signal(signal) => {
                        host.signal(&id, signal);
                    }
                    SessionInput::Stdin(_) | SessionInput::Eof | SessionInput::Resize(_) => {}
                }
            }
        });
        (Some(output), Some(Session { input, output: to_client }))
    }
}

/// Spreads a number over an id, so that short prefixes differ.
fn scatter(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut word = number;
    for chunk in bytes.chunks_mut(8) {
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        chunk.copy_from_slice(&(word ^ (word >> 29)).to_be_bytes());
    }
    bytes
}
