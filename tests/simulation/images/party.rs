//! What does one process of the machine do with images? Production's store and registry client, and a container that is
//! a file: what it was made of, and that it needs its layers whole while it runs.
//!
//! Deliberately elsewhere: what goes wrong meanwhile, and what must hold in the end (`super`, `invariants`).

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            images::{ImageStore, ImageUser, PruneScope, Removed, registry_source::RegistrySource},
            lock::{self, Holder, Mode},
            machine::Machine,
            registry::{Registry, RegistrySettings, create_index, outcome},
        },
    },
    domain::{Digest, Error, ErrorKind, Force, ImageReference, RepairMode, Result, Verb},
};

use super::super::{
    disk::SimulatedDisk,
    scheduler::{InjectedPanic, ProcessId},
    surroundings::{SimulatedClock, machine},
    world::World,
};
use super::{
    ledger::{Fate, Ledger},
    registry::{HOST, Remote, SimulatedPace, SimulatedTransport},
    twins::{ImageTwin, disk},
    unpacker::{CONTEXTUAL, DATA, SimulatedUnpacker},
};

pub const ROOT: &str = "/data/images";
const CONTAINERS: &str = "/data/containers";
const LOCKS: &str = "/data/locks";
/// What every operation may take.
const LIMIT: Duration = Duration::from_secs(120);
/// What it may take besides: one silent read, and two patient locks.
const SLACK: Duration = Duration::from_secs(100);

/// Everything the processes of one run share.
#[derive(Clone)]
pub struct Site {
    pub world: Arc<World>,
    pub remote: Arc<Remote>,
    pub ledger: Arc<Ledger>,
}

pub struct Party {
    pub site: Site,
    pub me: ProcessId,
    pub machine: Machine,
    pub store: ImageStore,
}

/// A container's file.
#[derive(Serialize, Deserialize)]
struct Made {
    image: Digest,
    /// Keys and `diff_id`s of its layers.
    layers: Vec<(Digest, Digest)>,
}

pub fn name(repository: &str, tag: u64) -> String {
    format!("{HOST}/{repository}:{tag}")
}

pub fn reference(name: &str) -> ImageReference {
    name.parse().unwrap()
}

impl Party {
    pub fn open(site: &Site, me: ProcessId, twin: Option<ImageTwin>) -> Result<Self> {
        let world = &site.world;
        let machine = machine(world, me, disk(twin, world, me));
        let unpacker = Arc::new(SimulatedUnpacker { disk: SimulatedDisk::new(Arc::clone(world), me) });
        let boot = format!("boot-{}", world.state().boot);
        for directory in [CONTAINERS, LOCKS] {
            machine.disk.create_dir_all(Path::new(directory)).map_err(|error| Error::io("making a place", error))?;
        }
        let store = ImageStore::open(Path::new(ROOT), machine.clone(), unpacker, &boot)?;
        Ok(Self { site: site.clone(), me, machine, store })
    }

    pub fn registry(&self, context: &OperationContext) -> Registry {
        let world = &self.site.world;
        let remote = Arc::clone(&self.site.remote);
        let transport = SimulatedTransport { context: context.clone(), world: Arc::clone(world), me: self.me, remote };
        let pace = SimulatedPace(SimulatedClock { world: Arc::clone(world), me: self.me });
        let settings = Arc::new(RegistrySettings::default());
        Registry::with_parts(settings, Box::new(transport), Arc::new(pace), context.clone())
            .with_threads(Arc::clone(&self.machine.threads))
    }

    /// Does one thing that may write names, and notes it. `done` tells what became of each of `writes`.
    fn ask<T>(
        &self,
        what: &str,
        writes: &[(String, Option<Digest>)],
        act: impl FnOnce(&OperationContext) -> Result<T>,
        done: impl Fn(&T, &str) -> Fate,
    ) -> Result<T> {
        let world = &self.site.world;
        let begun = world.state().now;
        world.tell(|| format!("{}: BEGIN {what}", self.me));
        let open = {
            let mut book = self.site.ledger.book();
            book.operations += 1;
            Open { party: self, writes: writes.iter().map(|(name, to)| book.begin(name, to.as_ref(), begun)).collect() }
        };
        let context = OperationContext::unwatched_by(Arc::clone(&self.machine.clock), LIMIT);
        let outcome = match catch_unwind(AssertUnwindSafe(|| act(&context))) {
            Ok(outcome) => outcome,
            // As the backend does with a defect of ours: the operation ends, the process goes on.
            Err(panic) if panic.is::<InjectedPanic>() => Err(Error::new(ErrorKind::Internal, "a defect")),
            Err(panic) => resume_unwind(panic),
        };
        let (now, delay) = {
            let state = world.state();
            (state.now, state.faults.delay)
        };
        if let Ok(value) = &outcome {
            let mut book = self.site.ledger.book();
            book.succeeded += 1;
            for write in &open.writes {
                let fate = done(value, book.name_of(*write));
                book.end(*write, fate, now);
            }
        }
        drop(open);
        let told = outcome.as_ref().err().map(ToString::to_string);
        world.tell(|| format!("{}: END {what} {}", self.me, told.as_deref().unwrap_or("ok")));
        let took = Duration::from_nanos(now - begun);
        if delay == 0 && took > LIMIT + SLACK {
            world.violate(format!("{what} took {took:?}, {LIMIT:?} were allowed"));
        }
        if let Some(outrage) = self.site.remote.content().outrage.take() {
            world.violate(outrage);
        }
        outcome
    }

    /// Notes writes that were made past every verb.
    pub fn note(&self, writes: &[(String, Option<Digest>)]) {
        // It cannot fail: nothing is done.
        let _ = self.ask("note", writes, |_| Ok(()), |(), _| Fate::Acknowledged);
    }

    pub fn pull(&self, name: &str) -> Result<()> {
        let value = self.site.remote.image_id(name);
        let writes = [(name.to_owned(), value)];
        let act = |context: &OperationContext| {
            let reference = reference(name);
            let source = RegistrySource::new(self.registry(context), &reference);
            self.store.pull(&reference, None, &source, context)
        };
        self.ask(&format!("pull {name}"), &writes, act, |_, _| Fate::Acknowledged).map(drop)
    }

    pub fn push(&self, name: &str) -> Result<()> {
        let act = |context: &OperationContext| self.store.push(&reference(name), &self.registry(context), context);
        let digest = self.ask(&format!("push {name}"), &[], act, |_, _| Fate::Not)?;
        if !self.site.remote.is_whole(name, &digest) {
            self.site.world.violate(format!("{name} was pushed and is not whole at the registry"));
        }
        Ok(())
    }

    pub fn create_index(&self, target: &str, sources: &[String]) -> Result<()> {
        let sources: Vec<ImageReference> = sources.iter().map(|source| reference(source)).collect();
        let act = |context: &OperationContext| {
            outcome(&create_index(&self.registry(context), &[reference(target)], &sources)?.results)
        };
        self.ask(&format!("index create {target}"), &[], act, |_, _| Fate::Not).map(drop)
    }

    /// `source` by its id, so that it is known where the name leads, whatever becomes of this process.
    pub fn tag(&self, source: &Digest, target: &str) -> Result<()> {
        let writes = [(target.to_owned(), Some(source.clone()))];
        let act = |_: &OperationContext| self.store.tag(source.hex(), &reference(target));
        self.ask(&format!("tag {} {target}", source.short()), &writes, act, |_, _| Fate::Acknowledged).map(drop)
    }

    pub fn rmi(&self, query: &str, force: Force) -> Result<Removed> {
        let act = |_: &OperationContext| self.store.remove_image(query, force, &|| self.users());
        self.removing(&format!("rmi {query} {force:?}"), act)
    }

    pub fn prune(&self, scope: PruneScope) -> Result<Removed> {
        let act = |_: &OperationContext| self.store.prune(scope, &|| self.users());
        self.removing(&format!("prune {scope:?}"), act)
    }

    fn removing(&self, what: &str, act: impl FnOnce(&OperationContext) -> Result<Removed>) -> Result<Removed> {
        let writes: Vec<(String, Option<Digest>)> = all_names().map(|name| (name, None)).collect();
        self.ask(what, &writes, act, |removed, name| {
            let line = format!("Untagged: {}", reference(name).familiar());
            if removed.lines.contains(&line) { Fate::Acknowledged } else { Fate::Not }
        })
    }

    pub fn sweep(&self) -> Result<()> {
        self.ask(
            "sweep",
            &[],
            |_| self.store.sweep().and_then(|()| self.store.release(&|| self.users())),
            |(), _| Fate::Not,
        )
    }

    pub fn repair(&self) -> Result<()> {
        let act = |_: &OperationContext| self.store.repair(RepairMode::Mend, &|| self.users());
        self.ask("repair", &[], act, |_, _| Fate::Not).map(drop)
    }

    pub fn settle(&self) -> Result<()> {
        self.ask("settle", &[], |_| self.store.settle(), |_, _| Fate::Not).map(drop)
    }

    // -- containers, as far as images need them ----------------------------------------------------------

    /// Makes a container as `Containers::create` does: the image is pinned until the record names it.
    pub fn create(&self, container: &str, image: &str) -> Result<()> {
        self.site.ledger.book().containers.entry(container.to_owned()).or_default();
        let act = |context: &OperationContext| {
            let pinned = self.store.pin(image, None, context)?;
            let layers = pinned.record.layers.iter().map(|layer| (layer.key.clone(), layer.diff_id.clone())).collect();
            let made = Made { image: pinned.record.id.clone(), layers };
            self.check_layers(&made, &format!("{image} was pinned"));
            let bytes = serde_json::to_vec(&made).unwrap();
            self.machine.disk.write_durable(&file(container), &bytes).map_err(|error| Error::io("a record", error))
        };
        self.ask(&format!("create {container} of {image}"), &[], act, |(), _| Fate::Not)?;
        self.site.ledger.book().containers.entry(container.to_owned()).or_default().acknowledged = true;
        Ok(())
    }

    pub fn start(&self, container: &str) -> Result<()> {
        let act = |context: &OperationContext| {
            let _lock = self.lock(container, context)?;
            let made = self.made(container)?;
            self.store.ready(&made.image, context)?;
            self.check_layers(&made, &format!("{container} started"));
            let boot = self.site.world.state().boot;
            self.site.ledger.book().running.insert((container.to_owned(), boot));
            Ok(())
        };
        self.ask(&format!("start {container}"), &[], act, |(), _| Fate::Not)
    }

    pub fn stop(&self, container: &str) -> Result<()> {
        let act = |context: &OperationContext| {
            let _lock = self.lock(container, context)?;
            let made = self.made(container)?;
            if self.runs(container) {
                self.check_layers(&made, &format!("{container} runs"));
            }
            self.site.ledger.book().running.retain(|(running, _)| running != container);
            Ok(())
        };
        self.ask(&format!("stop {container}"), &[], act, |(), _| Fate::Not)
    }

    pub fn rm(&self, container: &str) -> Result<()> {
        let act = |context: &OperationContext| {
            {
                let _lock = self.lock(container, context)?;
                self.made(container)?;
                if self.runs(container) {
                    return Err(Error::new(ErrorKind::Refused, "it runs"));
                }
                self.site.ledger.book().containers.entry(container.to_owned()).or_default().removing = true;
                let removed = self.machine.disk.remove_file(&file(container));
                removed
                    .and_then(|()| self.machine.disk.sync_dir(Path::new(CONTAINERS)))
                    .map_err(|error| Error::io("a record", error))?;
            }
            // As the backend does it: what is left is found again.
            let _ = self.store.release(&|| self.users());
            Ok(())
        };
        self.ask(&format!("rm {container}"), &[], act, |(), _| Fate::Not)
    }

    pub fn containers(&self) -> Vec<String> {
        let entries = self.machine.disk.list(Path::new(CONTAINERS)).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).filter(|name| !name.starts_with('.')).collect()
    }

    /// Asked by the store under its lock.
    pub fn users(&self) -> Result<Vec<ImageUser>> {
        let listed = self.machine.disk.list(Path::new(CONTAINERS)).map_err(|error| Error::io("listing", error))?;
        let mut users = Vec::new();
        for entry in listed.into_iter().filter(|entry| !entry.name.starts_with('.')) {
            match self.made(&entry.name) {
                Ok(made) => {
                    users.push(ImageUser { image: made.image, running: self.runs(&entry.name), container: entry.name })
                }
                Err(error) if error.kind() == ErrorKind::NoSuchContainer => {}
                Err(error) => return Err(error),
            }
        }
        Ok(users)
    }

    /// The container's layers hold what the image promises.
    pub fn check_container(&self, container: &str) {
        match self.made(container) {
            Ok(made) => self.check_layers(&made, &format!("{container} is here")),
            Err(error) => self.site.world.violate(format!("{container} cannot be read: {error}")),
        }
    }

    fn check_layers(&self, made: &Made, when: &str) {
        for (key, diff_id) in &made.layers {
            if let Err(why) = is_whole(&self.site.world, key, diff_id) {
                self.site.world.violate(format!("{when} and its layer {} is {why}", key.short()));
            }
        }
    }

    fn made(&self, container: &str) -> Result<Made> {
        match self.machine.disk.read(&file(container)) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Error::new(ErrorKind::Corrupt, "a container's file").caused_by(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::new(ErrorKind::NoSuchContainer, container.to_owned()))
            }
            Err(error) => Err(Error::io("reading a container", error)),
        }
    }

    fn runs(&self, container: &str) -> bool {
        let boot = self.site.world.state().boot;
        self.site.ledger.book().running.contains(&(container.to_owned(), boot))
    }

    fn lock(&self, container: &str, context: &OperationContext) -> Result<lock::Lock> {
        let holder = Holder::this_process(&self.machine, Verb::Start, context.remaining());
        let path = Path::new(LOCKS).join(container);
        lock::lock(&self.machine, &path, Mode::Exclusive, &holder, Duration::from_secs(10))
    }
}

/// An operation under way; what it may have written ends with it, whatever ended it.
struct Open<'a> {
    party: &'a Party,
    writes: Vec<usize>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let now = self.party.site.world.state().now;
        let mut book = self.party.site.ledger.book();
        for write in &self.writes {
            book.end_if_open(*write, now);
        }
    }
}

/// Every name that anybody uses.
pub fn all_names() -> impl Iterator<Item = String> {
    ["app", "mirror"].into_iter().flat_map(|repository| (1..4).map(move |tag| name(repository, tag)))
}

fn file(container: &str) -> PathBuf {
    Path::new(CONTAINERS).join(container)
}

/// Whether a layer's directory holds what was packed.
pub fn is_whole(world: &World, key: &Digest, diff_id: &Digest) -> std::result::Result<(), &'static str> {
    let state = world.state();
    let path = Path::new(ROOT).join("layers").join(key.hex()).join("fs");
    let Ok(inode) = state.files.find(&path.join(DATA)) else { return Err("gone") };
    let Ok(bytes) = state.files.read(inode) else { return Err("unreadable") };
    if !diff_id.is_of(bytes) {
        return Err("damaged");
    }
    if bytes.starts_with(CONTEXTUAL) && state.files.find(&path.join("completed")).is_err() {
        return Err("incomplete");
    }
    Ok(())
}
