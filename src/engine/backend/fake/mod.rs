//! An engine in memory, for tests of everything above the seam: stricter than the real ones.
//!
//! It refuses what `core::admit` refuses, answers only after yielding, checks that mutations of one
//! container never overlap, and can fall silent. Deliberately elsewhere: what its processes do
//! (`process`), the seam's methods
//! (`answers`), what it keeps (`records`, `images`).

mod answers;
mod images;
mod process;
mod records;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{broadcast, watch};

use self::process::Process;
use super::Notice;
use crate::engine::{domain::*, sync::time};

/// A host without a machine. Clones share it.
#[derive(Clone)]
pub struct FakeHost {
    world: Arc<Mutex<World>>,
    notices: broadcast::Sender<Notice>,
    silent: Arc<watch::Sender<bool>>,
    latency: Duration,
}

#[derive(Default)]
struct World {
    containers: BTreeMap<ContainerId, Entry>,
    /// References to image ids that are here.
    images: BTreeMap<String, Image>,
    /// Labels of images that were imported.
    image_labels: HashMap<Digest, BTreeMap<String, String>>,
    /// References that a pull can fetch.
    registry: BTreeMap<String, Image>,
    events: Vec<EngineEvent>,
    clock: i128,
    created: u64,
    /// Mutations under way, to prove that an actor runs one at a time.
    mutating: HashMap<ContainerId, Verb>,
}

struct Entry {
    container: Container,
    spec: ContainerSpec,
    logs: Vec<LogEntry>,
    process: Option<Process>,
    /// `None` while it runs.
    exit: watch::Sender<Option<ProcessExit>>,
    log_grown: watch::Sender<u64>,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHost {
    /// A host with one image, `bb:1`, and `remote:1` in its registry.
    #[must_use]
    pub fn new() -> Self {
        let host = Self {
            world: Arc::default(),
            notices: broadcast::channel(1024).0,
            silent: Arc::new(watch::Sender::new(false)),
            latency: Duration::ZERO,
        };
        host.add_image("bb:1");
        host.offer_image("remote:1");
        host
    }

    /// Every answer takes this long.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Puts an image into the local store.
    pub fn add_image(&self, reference: &str) {
        let image = made_up_image(reference);
        self.world().images.insert(canonical(reference), image);
    }

    /// Puts an image into the registry only.
    pub fn offer_image(&self, reference: &str) {
        let image = made_up_image(reference);
        self.world().registry.insert(canonical(reference), image);
    }

    /// While silent, no answer ever comes.
    pub fn set_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// Appends a line to a container's log, as if its process had printed it.
    pub fn print(&self, id: &ContainerId, source: LogSource, line: &[u8]) {
        let mut world = self.world();
        let at = world.now();
        if let Some(entry) = world.containers.get_mut(id) {
            entry.logs.push(LogEntry { at, source, bytes: line.to_vec(), partial: false });
            entry.log_grown.send_modify(|lines| *lines += 1);
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A poisoned world means a test's assertion inside it failed; its data is still whole.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Yields, waits out the latency, and waits as long as the host is silent.
    async fn travel(&self) {
        tokio::task::yield_now().await;
        if !self.latency.is_zero() {
            time::sleep(self.latency).await;
        }
        let mut silent = self.silent.subscribe();
        // The sender lives in `self`.
        let _ = silent.wait_for(|silent| !silent).await;
    }

    fn notify(&self, notice: Notice) {
        // Nobody may be watching.
        let _ = self.notices.send(notice);
    }

    /// Records a fact and tells watchers to look.
    fn happened(&self, id: &ContainerId, action: EventAction, attributes: &[(&str, String)]) {
        let event = {
            let mut world = self.world();
            let at = world.now();
            let name = world.containers.get(id).and_then(|entry| entry.container.name.clone());
            let event = EngineEvent {
                at,
                subject: EventSubject::Container,
                action,
                id: id.to_string(),
                name: name.map(|name| name.to_string()),
                attributes: attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
            };
            world.events.push(event.clone());
            event
        };
        self.notify(Notice::Container(id.clone()));
        self.notify(Notice::Event(event));
    }

    /// Changes the state of a container that exists and counts its generation up.
    fn change(&self, id: &ContainerId, change: impl FnOnce(&mut Container, Timestamp)) {
        let mut world = self.world();
        let now = world.now();
        if let Some(entry) = world.containers.get_mut(id) {
            change(&mut entry.container, now);
            entry.container.generation.0 += 1;
        }
    }

    /// Claims the right to mutate one container until the guard is dropped.
    fn claim(&self, id: &ContainerId, verb: Verb) -> Result<Claim> {
        let mut world = self.world();
        if !world.containers.contains_key(id) {
            return Err(Error::no_such_container(id));
        }
        if let Some(other) = world.mutating.insert(id.clone(), verb) {
            let both_stop = other == Verb::Stop && verb == Verb::Stop;
            assert!(both_stop, "{verb} began while {other} was changing {id}: the actor let two writers in");
        }
        Ok(Claim { host: self.clone(), id: id.clone() })
    }
}

struct Claim {
    host: FakeHost,
    id: ContainerId,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.host.world().mutating.remove(&self.id);
    }
}

impl World {
    /// A clock that only moves forward.
    fn now(&mut self) -> Timestamp {
        self.clock += 1;
        Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + self.clock)
    }
}

fn canonical(reference: &str) -> String {
    reference
        .parse::<ImageReference>()
        .map_or_else(|_| reference.to_owned(), |parsed| parsed.with_default_tag().to_string())
}

fn made_up_image(reference: &str) -> Image {
    // By id it has no reference.
    let parsed: Option<ImageReference> = reference.parse().ok();
    Image {
        id: Digest::sha256_of(reference.as_bytes()),
        references: parsed.map(|parsed| parsed.with_default_tag()).into_iter().collect(),
        digests: Vec::new(),
        created: Some(Timestamp::from_unix_nanos(1_700_000_000_000_000_000)),
        size: Size(1 << 20),
        platform: Some(Platform::host()),
        layers: 1,
        containers: None,
    }
}
