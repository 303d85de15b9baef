//! How does the picture stay true? Subscribe, list, replay; then look again at whatever is reported.
//!
//! A notice is a hint, never a fact. Deliberately elsewhere: merging what was seen (`core::fold`).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::{broadcast, mpsc};

use super::{
    Internal,
    errands::{Errand, Errands},
};
use crate::engine::{
    backend::{Backend, Notice},
    core::{
        fold::{ContainerFold, foreign_operations, sort_images},
        limits,
    },
    domain::*,
    sync::{Publisher, Reader, published, task::AbortHandle, time},
};

/// More changes than this at once are read as one listing.
const SINGLE_LOOKS: usize = 16;

/// What the observer's tasks bring back.
pub enum Seen {
    Info(HostInfo),
    Listing {
        containers: Vec<Container>,
        images: Vec<Image>,
        took: Duration,
    },
    /// The containers before they have been looked at closely.
    Table(Vec<Container>),
    Images(Vec<Image>),
    Looked(Vec<(ContainerId, Option<Container>)>),
    Notice(Notice),
    /// What the store knows of earlier operations; read once.
    Remembered(Vec<PastOperation>),
    /// The subscription broke; it is being renewed.
    Lost {
        error: Error,
    },
    /// A look failed: everything is uncertain. `LookEnded` follows after a pause.
    LookFailed {
        error: Error,
    },
    /// A look that was under way has ended, whatever it found.
    LookEnded,
    /// What may have become otherwise unheard is to be looked at again.
    Doubtful,
    /// Everything has not been looked at for long.
    LongAgo,
}

/// A model checker lets time pass as fast as it likes: what looks again after every pause would never come to rest there,
/// and hide a deadlock of everybody else.
const NEVER_AGAIN: bool = cfg!(feature = "model");

pub struct Observer {
    backend: Arc<dyn Backend>,
    internal: mpsc::Sender<Internal>,
    events: broadcast::Sender<EngineEvent>,
    picture: Publisher<Inventory>,
    containers: ContainerFold,
    images: Arc<[Arc<Image>]>,
    info: Option<Arc<HostInfo>>,
    link: HostLink,
    heard: Timestamp,
    watching: Option<AbortHandle>,
    dirty: BTreeSet<ContainerId>,
    images_dirty: bool,
    all_dirty: bool,
    looking: bool,
    /// A look at these is on its way, after this pause.
    doubted: BTreeSet<ContainerId>,
    doubting: bool,
    doubt_pause: Duration,
    /// A listing is on its way.
    listing_again: bool,
}

impl Observer {
    pub fn new(
        host: HostSpec,
        backend: Arc<dyn Backend>,
        internal: mpsc::Sender<Internal>,
        events: broadcast::Sender<EngineEvent>,
    ) -> (Self, Reader<Inventory>) {
        let (picture, reader) = published(Inventory::unknown(host));
        let observer = Self {
            backend,
            internal,
            events,
            picture,
            containers: ContainerFold::default(),
            images: Arc::from([]),
            info: None,
            link: HostLink::Connecting,
            heard: Timestamp::ZERO,
            watching: None,
            dirty: BTreeSet::new(),
            images_dirty: false,
            all_dirty: false,
            looking: false,
            doubted: BTreeSet::new(),
            doubting: false,
            doubt_pause: limits::DOUBT_FIRST,
            listing_again: false,
        };
        (observer, reader)
    }

    pub fn is_observing(&self) -> bool {
        self.watching.is_some()
    }

    pub fn container(&self, id: &ContainerId) -> Option<Arc<Container>> {
        self.containers.get(id).cloned()
    }

    /// Begins to follow the host; a second call changes nothing.
    pub fn start(&mut self, errands: &mut Errands) {
        if self.watching.is_none() {
            let following = follow(Arc::clone(&self.backend), self.internal.clone(), Duration::ZERO);
            self.watching = Some(errands.spawn(Errand::Follow, following));
        }
    }

    /// The task that followed the host is gone without a word: another one takes its place, after a pause.
    pub fn follow_again(&mut self, errands: &mut Errands) {
        if self.watching.take().is_some() {
            let following = follow(Arc::clone(&self.backend), self.internal.clone(), limits::RECONNECT_FIRST);
            self.watching = Some(errands.spawn(Errand::Follow, following));
        }
    }

    /// The look under way is gone without a word: everything is looked at again, after a pause.
    pub fn look_later(&mut self, errands: &mut Errands) {
        self.all_dirty = true;
        self.tell_later(limits::RELIST_PAUSE, Seen::LookEnded, errands);
    }

    pub fn stop(&mut self) {
        if let Some(watching) = self.watching.take() {
            watching.abort();
        }
    }

    pub fn resync(&mut self, errands: &mut Errands) {
        self.all_dirty = true;
        self.look(errands);
    }

    /// A container that one of our own operations touched.
    pub fn look_at(&mut self, id: ContainerId, errands: &mut Errands) {
        if self.is_observing() {
            self.dirty.insert(id);
            self.look(errands);
        }
    }

    /// Our operations are over: images may have changed without a notice on hosts that send none.
    pub fn settle(&mut self, errands: &mut Errands) {
        if self.is_observing() {
            self.look(errands);
        }
    }

    /// Takes in what a task brought; whether the picture changed.
    pub fn take(&mut self, seen: Seen, errands: &mut Errands) -> bool {
        match seen {
            // The supervisor keeps these in its own table.
            Seen::Remembered(_) => false,
            Seen::Info(info) => {
                self.info = Some(Arc::new(info));
                true
            }
            Seen::Listing { containers, images, took } => {
                let images = sort_images(images);
                let changed = self.containers.replace(containers) | (images != self.images);
                self.images = images;
                self.doubt(errands);
                self.list_again(took, errands);
                self.live() || changed
            }
            // Not live yet: of the images nothing has been heard.
            Seen::Table(containers) => self.containers.replace(containers),
            Seen::Images(images) => {
                let images = sort_images(images);
                let changed = images != self.images;
                self.images = images;
                self.live() || changed
            }
            Seen::Looked(looks) => {
                let mut changed = self.live();
                for (id, container) in looks {
                    changed |= self.containers.observe(&id, container);
                }
                self.doubt(errands);
                changed
            }
            Seen::Notice(notice) => {
                self.notice(notice);
                self.look(errands);
                false
            }
            Seen::Lost { error } => {
                self.link = HostLink::Stale { since: self.heard, error };
                true
            }
            Seen::LookFailed { error } => {
                self.all_dirty = true;
                self.link = HostLink::Stale { since: self.heard, error };
                true
            }
            Seen::LookEnded => {
                self.looking = false;
                self.look(errands);
                false
            }
            Seen::LongAgo => {
                self.listing_again = false;
                self.resync(errands);
                false
            }
            Seen::Doubtful => {
                self.doubting = false;
                self.dirty.extend(self.containers.doubtful());
                self.look(errands);
                false
            }
        }
    }

    /// What cannot be read may be so for a moment only (no descriptor left, a disk that stumbled), and whoever is at
    /// something may be killed: nobody tells when that is over, so it is looked at again, ever more rarely.
    fn doubt(&mut self, errands: &mut Errands) {
        if NEVER_AGAIN {
            return;
        }
        let doubtful = self.containers.doubtful();
        if doubtful != self.doubted {
            self.doubt_pause = limits::DOUBT_FIRST;
        }
        self.doubted = doubtful;
        if !self.doubted.is_empty() && !std::mem::replace(&mut self.doubting, true) {
            let pause = self.doubt_pause;
            self.doubt_pause = (pause * 2).min(limits::DOUBT_MAX);
            self.tell_later(pause, Seen::Doubtful, errands);
        }
    }

    /// Hints get lost: on a full disk, with whoever was killed before giving one. So everything is looked at now and then,
    /// for a thousandth of the time at most.
    fn list_again(&mut self, took: Duration, errands: &mut Errands) {
        if !NEVER_AGAIN && self.is_observing() && !std::mem::replace(&mut self.listing_again, true) {
            let pause = took.saturating_mul(1000).clamp(limits::RELIST_EVERY, limits::RELIST_EVERY_MAX);
            self.tell_later(pause, Seen::LongAgo, errands);
        }
    }

    fn tell_later(&self, pause: Duration, what: Seen, errands: &mut Errands) {
        let internal = self.internal.clone();
        errands.spawn(Errand::Pause, async move {
            time::sleep(pause).await;
            // The supervisor outlives its errands unless the engine is ending.
            let _ = internal.send(Internal::Seen(what)).await;
        });
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Subscribed | Notice::Gap => self.all_dirty = true,
            Notice::Container(id) => {
                self.dirty.insert(id);
            }
            Notice::Images => self.images_dirty = true,
            Notice::Event(event) => {
                // Nobody may be listening for facts.
                let _ = self.events.send(event);
            }
        }
    }

    /// Whether the link was not live before.
    fn live(&mut self) -> bool {
        self.heard = self.backend.clock().now();
        let changed = self.link != HostLink::Live;
        self.link = HostLink::Live;
        changed
    }

    /// Starts one reading task for everything that is dirty; further hints wait for its end.
    fn look(&mut self, errands: &mut Errands) {
        if self.looking || !(self.all_dirty || self.images_dirty || !self.dirty.is_empty()) {
            return;
        }
        self.looking = true;
        let what = Look {
            all: std::mem::take(&mut self.all_dirty) || self.dirty.len() > SINGLE_LOOKS,
            images: std::mem::take(&mut self.images_dirty),
            containers: std::mem::take(&mut self.dirty),
            info: self.info.is_none(),
        };
        errands.spawn(Errand::Look, look(Arc::clone(&self.backend), self.internal.clone(), what));
    }

    /// Shows the newest state to every reader.
    pub fn publish(&mut self, operations: impl Iterator<Item = Arc<Operation>>) {
        let containers = self.containers.sorted();
        let mut listed = foreign_operations(containers.iter(), std::process::id());
        listed.extend(operations);
        let (images, info, link) = (Arc::clone(&self.images), self.info.clone(), self.link.clone());
        let before = self.picture.newest();
        self.picture.publish(Inventory {
            revision: before.revision + 1,
            host: before.host.clone(),
            link,
            info,
            containers,
            images,
            operations: listed.into(),
        });
    }
}

/// Keeps a subscription; after a break tells so, waits, and subscribes anew (which lists again).
async fn follow(backend: Arc<dyn Backend>, internal: mpsc::Sender<Internal>, first: Duration) {
    if !first.is_zero() {
        time::sleep(first).await;
    }
    let mut pause = limits::RECONNECT_FIRST;
    loop {
        let (notices, mut heard) = mpsc::channel(limits::NOTICES);
        let passing = async {
            let mut any = false;
            while let Some(notice) = heard.recv().await {
                any = true;
                if internal.send(Internal::Seen(Seen::Notice(notice))).await.is_err() {
                    break;
                }
            }
            any
        };
        let (ended, any) = tokio::join!(backend.watch(notices), passing);
        if any {
            pause = limits::RECONNECT_FIRST;
        }
        let error =
            ended.err().unwrap_or_else(|| Error::new(ErrorKind::Unreachable, "the host ended the subscription"));
        if internal.send(Internal::Seen(Seen::Lost { error })).await.is_err() {
            return;
        }
        time::sleep(pause).await;
        pause = (pause * 2).min(limits::RECONNECT_MAX);
    }
}

struct Look {
    all: bool,
    images: bool,
    containers: BTreeSet<ContainerId>,
    info: bool,
}

async fn look(backend: Arc<dyn Backend>, internal: mpsc::Sender<Internal>, what: Look) {
    // The first picture need not wait for a look at each. A host that fails here says so below.
    if let Some(table) = backend.rough_containers().filter(|_| what.all && what.info)
        && let Ok(containers) = limited(table).await
        && internal.send(Internal::Seen(Seen::Table(containers))).await.is_err()
    {
        return;
    }
    let seen = if what.all { listing(&*backend).await } else { singles(&*backend, what.containers).await };
    let images = if what.images && !what.all { Some(limited(backend.images()).await.map(Seen::Images)) } else { None };
    let info = if what.info { Some(limited(backend.info()).await.map(Seen::Info)) } else { None };
    let past = if what.info { Some(limited(backend.remembered()).await.map(Seen::Remembered)) } else { None };
    for seen in [Some(seen), images, info, past].into_iter().flatten() {
        let failed = seen.is_err();
        let seen = seen.unwrap_or_else(|error| Seen::LookFailed { error });
        if internal.send(Internal::Seen(seen)).await.is_err() {
            return;
        }
        if failed {
            time::sleep(limits::RELIST_PAUSE).await;
        }
    }
    // The supervisor outlives its errands unless the engine is ending.
    let _ = internal.send(Internal::Seen(Seen::LookEnded)).await;
}

async fn listing(backend: &dyn Backend) -> Result<Seen> {
    let begun = time::now();
    let (containers, images) = tokio::join!(limited(backend.containers()), limited(backend.images()));
    Ok(Seen::Listing { containers: containers?, images: images?, took: time::now() - begun })
}

async fn singles(backend: &dyn Backend, ids: BTreeSet<ContainerId>) -> Result<Seen> {
    let mut looks = Vec::with_capacity(ids.len());
    for id in ids {
        let container = limited(backend.container(id.clone())).await?;
        looks.push((id, container));
    }
    Ok(Seen::Looked(looks))
}

async fn limited<T>(answer: crate::engine::backend::Answer<'_, T>) -> Result<T> {
    let limit: Duration = limits::READ_DEADLINE;
    time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "the host did not answer in time")))
}
