//! What do the people and scripts of a simulated machine do? Everybody wants the same few names, and nobody asks first.
//! Deliberately elsewhere: what goes wrong meanwhile (`faults`), whether it fits together (`history`).

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use wharf::engine::{
    backend::{
        OperationContext,
        embedded::{
            containers::{
                Containers,
                base_image::{BaseImage, BaseImages, Defaults},
                layout::Layout,
            },
            images::unpacker::RootAttributes,
            machine::Machine,
        },
    },
    domain::{
        Container, ContainerId, ContainerName, ContainerSpec, Digest, Error, ErrorKind, Force, Mount, Outcome,
        Platform, RemoveOptions, RepairMode, Result, Signal, Span, Status, StopOptions,
    },
};

use super::{
    history::{Answer, Asked},
    kernel::{SimulatedKernel, ToldBy},
    scheduler::{InjectedPanic, ProcessId},
    surroundings::machine,
    twins::Twin,
    world::World,
};

pub const NAMES: [&str; 3] = ["web", "db", "app"];
/// Always here, see [`OneImage`].
const IMAGE: &str = "bb:1";
/// What every operation may take, besides a grace.
const LIMIT: Duration = Duration::from_secs(30);

pub fn layout() -> Layout {
    Layout::new(PathBuf::from("/data"), PathBuf::from("/run"))
}

/// One process with the production engine in it.
pub struct Party {
    pub world: Arc<World>,
    pub me: ProcessId,
    pub machine: Machine,
    pub containers: Containers,
}

impl Party {
    pub fn new(world: &Arc<World>, me: ProcessId, twin: Option<Twin>) -> Self {
        let disk = Twin::disk(twin, world, me);
        Self::with(world, me, machine(world, me, disk), SimulatedKernel::new(world, me), Arc::new(OneImage))
    }

    /// One that tells processes in its own way.
    pub fn told_by(world: &Arc<World>, me: ProcessId, told_by: ToldBy) -> Self {
        let disk = Twin::disk(None, world, me);
        let kernel = SimulatedKernel { told_by, ..SimulatedKernel::new(world, me) };
        Self::with(world, me, machine(world, me, disk), kernel, Arc::new(OneImage))
    }

    /// One on that machine, with images of its own.
    pub fn with(
        world: &Arc<World>,
        me: ProcessId,
        machine: Machine,
        kernel: SimulatedKernel,
        images: Arc<dyn BaseImages>,
    ) -> Self {
        let kernel = Arc::new(kernel);
        let boot = world.state().boot_id();
        let containers = Containers::new(layout(), machine.clone(), kernel, images).with_boot(boot);
        Self { world: Arc::clone(world), me, machine, containers }
    }

    pub fn context(&self, limit: Duration) -> OperationContext {
        OperationContext::unwatched_by(Arc::clone(&self.machine.clock), limit)
    }

    /// Does one thing, and notes question and answer.
    pub fn ask(
        &self,
        asked: Asked,
        container: Option<&ContainerId>,
        act: impl FnOnce(&Containers, &OperationContext) -> Outcome,
    ) -> Outcome {
        let (call, begun, alive) = {
            let mut state = self.world.state();
            let (me, now) = (self.me, state.now);
            state.tell(|| format!("{me}: BEGIN {asked:?} {}", container.map_or("", ContainerId::short)));
            (
                state.history.begin(asked.clone(), container),
                now,
                container.map(|id| state.running(id)).unwrap_or_default(),
            )
        };
        let outcome = match catch_unwind(AssertUnwindSafe(|| act(&self.containers, &self.context(LIMIT)))) {
            Ok(outcome) => outcome,
            // As the backend does with a defect of ours: the operation ends, the process goes on.
            Err(panic) if panic.is::<InjectedPanic>() => Err(Error::new(ErrorKind::Internal, "a defect")),
            Err(panic) => resume_unwind(panic),
        };
        let answer = match &outcome {
            Ok(done) if done.already => Answer::Already,
            Ok(_) => Answer::Done,
            Err(error) => Answer::Failed(error.kind()),
        };
        let made = outcome.as_ref().ok().and_then(|done| done.container.clone());
        let mut state = self.world.state();
        let me = self.me;
        state.tell(|| format!("{me}: END {asked:?} {outcome:?}"));
        if let Err(why) = state.history.end(call, made.as_ref(), answer) {
            state.violate(why);
        }
        let took = Duration::from_nanos(state.now - begun);
        if state.faults.delay == 0 && took > LIMIT + Duration::from_secs(25) {
            state.violate(format!("{asked:?} took {took:?}, {LIMIT:?} were allowed"));
        }
        if matches!(asked, Asked::Stop | Asked::Kill) && answer == Answer::Done {
            let now = state.now;
            if alive.into_iter().any(|init| state.kernel.is_init_alive(init, now)) {
                state.violate(format!("{asked:?} is done and the process lives"));
            }
        }
        outcome
    }

    /// One errand of somebody who does not know what others do.
    pub fn errand(&self) {
        let (verb, name, other) = {
            let dice = &mut self.world.state().dice;
            (dice.below(16), dice.pick(&NAMES), dice.pick(&NAMES))
        };
        let name: ContainerName = name.parse().unwrap();
        if verb < 4 {
            drop(self.create(&name));
            return;
        }
        if verb == 4 {
            drop(self.containers.repair(RepairMode::Mend));
            return;
        }
        let Some(found) = self.look_up(&name) else { return };
        let id = &found.id;
        // Failures are the point; what must hold is checked from outside.
        let _ = match verb {
            5..=7 => self.start(id),
            8 | 9 => self.stop(id),
            10 => self.kill(id),
            11 | 12 => self.rename(id, other),
            13 => self.ask(Asked::Other("pause"), Some(id), |all, context| all.pause(id, context)),
            _ => self.remove(id),
        };
    }

    /// Looks for a name, and notes what was found: whoever is being removed, or cannot be read, may be found or not.
    pub fn look_up(&self, name: &ContainerName) -> Option<Container> {
        let begun = self.world.state().history.tick();
        let found = self.containers.find(name.as_str());
        let history = &mut self.world.state().history;
        match &found {
            Ok(found) if matches!(found.status(), Status::Removing | Status::Broken) => {}
            Ok(found) if found.name.as_ref() == Some(name) => history.looked_up(name, begun, Some(&found.id)),
            // Its id begins with what is a name, too.
            Ok(_) => history.looked_up(name, begun, None),
            Err(error) if error.kind() == ErrorKind::NoSuchContainer => history.looked_up(name, begun, None),
            Err(_) => {}
        }
        found.ok()
    }

    pub fn create(&self, name: &ContainerName) -> Outcome {
        let (auto_remove, volume) = {
            let dice = &mut self.world.state().dice;
            (dice.once_in(4), dice.once_in(3))
        };
        self.create_as(name, auto_remove, volume)
    }

    pub fn create_with(&self, name: &str, auto_remove: bool) -> Outcome {
        self.create_as(&name.parse().unwrap(), auto_remove, true)
    }

    fn create_as(&self, name: &ContainerName, auto_remove: bool, volume: bool) -> Outcome {
        self.create_of(IMAGE, name, auto_remove, volume)
    }

    pub fn create_of(&self, image: &str, name: &ContainerName, auto_remove: bool, volume: bool) -> Outcome {
        let spec = ContainerSpec { image: image.to_owned(), ..spec(name, auto_remove, volume) };
        self.ask(Asked::Create { name: name.clone(), auto_remove }, None, |all, context| all.create(&spec, context))
    }

    pub fn rename(&self, id: &ContainerId, to: &str) -> Outcome {
        let to: ContainerName = to.parse().unwrap();
        self.ask(Asked::Rename { to: to.clone() }, Some(id), |all, context| all.rename(id, &to, context))
    }

    pub fn start(&self, id: &ContainerId) -> Outcome {
        self.ask(Asked::Start, Some(id), |all, context| Ok(all.start(id, None, context)?.done))
    }

    pub fn stop(&self, id: &ContainerId) -> Outcome {
        let grace = Some(Span(Duration::from_millis(self.world.state().dice.below(5_000))));
        let options = StopOptions { grace, ..StopOptions::default() };
        self.ask(Asked::Stop, Some(id), |all, context| all.stop(id, &options, context))
    }

    pub fn kill(&self, id: &ContainerId) -> Outcome {
        self.ask(Asked::Kill, Some(id), |all, context| all.kill(id, Signal::KILL, context))
    }

    pub fn remove(&self, id: &ContainerId) -> Outcome {
        let options = RemoveOptions { force: Force::Yes, volumes: true };
        self.ask(Asked::Remove, Some(id), |all, context| all.remove(id, &options, context))
    }
}

pub fn spec(name: &ContainerName, auto_remove: bool, volume: bool) -> ContainerSpec {
    ContainerSpec {
        image: IMAGE.to_owned(),
        name: Some(name.clone()),
        auto_remove,
        mounts: volume.then(|| Mount::from_volume_flag("/data").unwrap()).into_iter().collect(),
        ..ContainerSpec::default()
    }
}

/// An image that is always here.
struct OneImage;

impl BaseImages for OneImage {
    fn base(&self, _query: &str, _platform: Option<&Platform>, _context: &OperationContext) -> Result<BaseImage> {
        Ok(BaseImage {
            id: Digest::sha256_of(b"bb"),
            platform: None,
            layers: vec![PathBuf::from("/data/layers/bb")],
            defaults: Defaults { command: vec!["sh".into()], ..Defaults::default() },
            root: RootAttributes::default(),
            hold: Box::new(()),
        })
    }
}

/// A client: some errands with pauses, then it ends.
pub fn client(party: &Party) {
    loop {
        {
            let mut state = party.world.state();
            if state.errands == 0 {
                return;
            }
            state.errands -= 1;
        }
        let pause = party.world.state().dice.below(400);
        party.world.sleep(party.me, Duration::from_millis(pause));
        party.errand();
        if party.world.state().dice.once_in(6) {
            return; // Most commands do one thing.
        }
    }
}
