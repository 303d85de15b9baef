//! What does one process of the machine do with images, and with containers of them? Production's stores and registry
//! client, put together as production does it.
//!
//! Deliberately elsewhere: what goes wrong meanwhile, and what must hold in the end (`super`, `invariants`).

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            containers::base_image::BaseImages,
            image_verbs::{Images, users_among},
            images::{ImageStore, ImageUser, PruneScope, Removed, registry_source::RegistrySource},
            machine::Machine,
            registry::{Registry, RegistrySettings, create_index, outcome},
        },
    },
    domain::{
        ContainerId, ContainerName, Digest, EngineSettings, Error, ErrorKind, Force, ImageReference, RepairMode, Result,
    },
};

use super::super::{
    disk::SimulatedDisk,
    kernel::SimulatedKernel,
    scheduler::{InjectedPanic, ProcessId},
    surroundings::{SimulatedClock, machine},
    workload::{Party as Hands, layout},
    world::World,
};
use super::{
    ledger::{Fate, Ledger},
    pace::SimulatedPace,
    registry::{HOST, Remote, SimulatedTransport},
    twins::{ImageTwin, disk},
    unpacker::{CONTEXTUAL, DATA, SimulatedUnpacker},
};

pub const ROOT: &str = "/data/images";
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
    images: Arc<Images>,
    /// What it does with containers.
    pub hands: Hands,
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
        let (boot, data) = (world.state().boot_id(), layout().data().to_owned());
        // As `embedded::open` puts them together.
        let images = Arc::new(Images::new(data, machine.clone(), unpacker, boot, EngineSettings::default()));
        images.store()?;
        let kernel = SimulatedKernel::new(world, me);
        let hands = Hands::with(world, me, machine.clone(), kernel, Arc::clone(&images) as Arc<dyn BaseImages>);
        Ok(Self { site: site.clone(), me, machine, images, hands })
    }

    pub fn store(&self) -> &ImageStore {
        self.images.store().expect("it was opened with the party")
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
        self.check_running(what);
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
            self.store().pull(&reference, None, &source, context)
        };
        self.ask(&format!("pull {name}"), &writes, act, |_, _| Fate::Acknowledged).map(drop)
    }

    pub fn push(&self, name: &str) -> Result<()> {
        let act = |context: &OperationContext| self.store().push(&reference(name), &self.registry(context), context);
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
        let act = |_: &OperationContext| self.store().tag(source.hex(), &reference(target));
        self.ask(&format!("tag {} {target}", source.short()), &writes, act, |_, _| Fate::Acknowledged).map(drop)
    }

    pub fn rmi(&self, query: &str, force: Force) -> Result<Removed> {
        let act = |_: &OperationContext| self.store().remove_image(query, force, &|| self.users());
        self.removing(&format!("rmi {query} {force:?}"), act)
    }

    pub fn prune(&self, scope: PruneScope) -> Result<Removed> {
        let act = |_: &OperationContext| self.store().prune(scope, &|| self.users());
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
            |_| self.store().sweep().and_then(|()| self.store().release(&|| self.users())),
            |(), _| Fate::Not,
        )
    }

    pub fn repair(&self) -> Result<()> {
        let act = |_: &OperationContext| self.store().repair(RepairMode::Mend, &|| self.users());
        self.ask("repair", &[], act, |_, _| Fate::Not).map(drop)
    }

    pub fn settle(&self) -> Result<()> {
        self.ask("settle", &[], |_| self.store().settle(), |_, _| Fate::Not).map(drop)
    }

    // -- containers ----------------------------------------------------------------------------------------

    pub fn create(&self, container: &str, image: &str) -> Result<()> {
        let (auto_remove, volume) = {
            let dice = &mut self.site.world.state().dice;
            (dice.once_in(8), dice.once_in(4))
        };
        let name: ContainerName = container.parse().unwrap();
        let made = self.hands.create_of(image, &name, auto_remove, volume)?.container;
        made.iter().for_each(|id| self.check_container(id, "was made"));
        Ok(())
    }

    pub fn start(&self, container: &str) -> Result<()> {
        let id = self.find(container)?;
        self.hands.start(&id)?;
        self.check_container(&id, "was started");
        Ok(())
    }

    pub fn stop(&self, container: &str) -> Result<()> {
        self.hands.stop(&self.find(container)?).map(drop)
    }

    /// As the backend does it: what its image leaves is freed, or found again.
    pub fn rm(&self, container: &str) -> Result<()> {
        self.hands.remove(&self.find(container)?)?;
        let _ = self.store().release(&|| self.users());
        self.check_running("after a removal");
        Ok(())
    }

    fn find(&self, container: &str) -> Result<ContainerId> {
        let name: ContainerName = container.parse().unwrap();
        let found = self.hands.look_up(&name);
        found.map(|found| found.id).ok_or_else(|| Error::new(ErrorKind::NoSuchContainer, container.to_owned()))
    }

    /// As the backend tells it; asked by the store under its lock.
    pub fn users(&self) -> Result<Vec<ImageUser>> {
        users_among(&self.hands.containers)
    }

    /// What runs has its layers, whatever was deleted just now.
    pub fn check_running(&self, when: &str) {
        let running: BTreeSet<ContainerId> = {
            let state = self.site.world.state();
            let alive = state.kernel.inits.iter().filter(|init| init.started && init.death > state.now);
            let names = alive.filter_map(|init| init.run_dir.file_name()?.to_str()?.parse().ok());
            names.collect()
        };
        running.iter().for_each(|id| self.check_container(id, when));
    }

    /// The layers of a container, if there is one, hold what its image promises. Reads past every fault.
    pub fn check_container(&self, id: &ContainerId, when: &str) {
        let record: Value = {
            let state = self.site.world.state();
            let Ok(inode) = state.files.find(&layout().container(id).join("config.json")) else { return };
            serde_json::from_slice(state.files.read(inode).unwrap_or_default()).unwrap_or_default()
        };
        let image = record["image"]["id"].as_str().unwrap_or_default();
        let layers: Vec<&str> =
            record["image"]["layers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // The topmost comes first in a container's record, last in an image's, and each is there once.
        let mut promised: Vec<Digest> = Vec::new();
        for diff_id in self.site.remote.diff_ids(image).into_iter().rev() {
            if !promised.contains(&diff_id) {
                promised.push(diff_id);
            }
        }
        for (layer, diff_id) in layers.iter().zip(&promised) {
            if let Err(why) = is_whole(&self.site.world, &layout().data().join(layer), diff_id) {
                self.site.world.violate(format!("{}, {when}: its layer {layer} is {why}", id.short()));
            }
        }
        if !layers.is_empty() && layers.len() != promised.len() {
            let why = format!("{} layers, {} were promised", layers.len(), promised.len());
            self.site.world.violate(format!("{}, {when}: {why}", id.short()));
        }
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

/// Whether a layer's directory holds what was packed.
pub fn is_whole(world: &World, path: &Path, diff_id: &Digest) -> std::result::Result<(), &'static str> {
    let state = world.state();
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
