//! How does a process with the production engine's door, supervisor and actors live in the simulation? Its runtime takes
//! turns like every other process, on virtual time.
//!
//! A turn runs every task that can go on and never waits: waiting is the world's business, so the coroutine is put aside
//! between turns only, never inside the runtime. Deliberately elsewhere: the work that tasks ask for (`workers`), what
//! is asked of the engine (`commands`).

use std::{io, path::Path, path::PathBuf, sync::Arc, time::Duration};

use tokio::runtime::{Builder, Runtime};
use wharf::engine::{
    Engine,
    backend::{
        Backend,
        embedded::{
            backend::EmbeddedBackend,
            image_verbs::Images,
            images::unpacker::{UnpackLimits, UnpackReport, Unpacker},
        },
    },
    domain::{EngineSettings, HostSpec},
};

use super::{
    super::{
        kernel::SimulatedKernel,
        scheduler::ProcessId,
        workload::Party,
        world::{When, World},
    },
    FrontTwin,
    host::Gate,
    workers::{SimulatedWorkers, watches},
};

/// Tasks that wake each other need no more than one round, those that a timer wakes one more.
const ROUNDS: usize = 3;

/// A process: its runtime and its open host.
pub struct Front {
    pub world: Arc<World>,
    pub me: ProcessId,
    /// One; two of one host with the twin that has two actors for one container.
    pub doors: Vec<Engine>,
    pub runtime: Runtime,
    /// The time that the runtime knows of.
    told: u64,
}

impl Front {
    pub fn open(world: &Arc<World>, me: ProcessId, twin: Option<FrontTwin>) -> Self {
        let Party { machine, containers, .. } = Party::new(world, me, None);
        let boot = world.state().boot_id();
        let images = Images::new(PathBuf::from("/data"), machine, Arc::new(NoLayers), boot, EngineSettings::default());
        let kernel = Arc::new(SimulatedKernel::new(world, me));
        let workers = Arc::new(SimulatedWorkers { world: Arc::clone(world), me });
        let inner = EmbeddedBackend::new(containers, Arc::new(images), kernel, workers, watches(world, me));
        let gate = Gate { world: Arc::clone(world), inner, twin, writers: Default::default() };
        let backend: Arc<dyn Backend> = Arc::new(gate);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let doors = if twin == Some(FrontTwin::TwoActors) { 2 } else { 1 };
        let doors = {
            let _inside = runtime.enter();
            let open = |_| Engine::with_backend(HostSpec::Embedded, Arc::clone(&backend));
            (0..doors).map(open).collect()
        };
        let told = world.state().now;
        world.state().fronts.insert(me, super::FrontState::default());
        Self { world: Arc::clone(world), me, doors, runtime, told }
    }

    pub fn now(&self) -> u64 {
        self.world.state().now
    }

    /// Tells the runtime what time it is and runs its tasks until all of them wait.
    pub fn turn(&mut self) {
        let now = {
            let mut state = self.world.state();
            state.front(self.me).woken = false;
            state.now
        };
        let passed = Duration::from_nanos(now - std::mem::replace(&mut self.told, now));
        self.runtime.block_on(async {
            if !passed.is_zero() {
                tokio::time::advance(passed).await;
            }
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Lets others run until `at`, or until there is something for the runtime.
    pub fn rest(&self, at: u64) {
        let me = self.me;
        let woken = move |state: &super::super::world::State| state.fronts.get(&me).is_some_and(|front| front.woken);
        self.world.wait(me, When::Until(at, Box::new(woken)));
    }
}

/// Images are elsewhere; no store of them is ever made here.
struct NoLayers;

fn none<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Unpacker for NoLayers {
    fn unpack(
        &self,
        _stream: &mut dyn io::BufRead,
        _target: &Path,
        _limits: &UnpackLimits,
        _files: &(dyn Fn(u64) + Sync),
    ) -> io::Result<UnpackReport> {
        none()
    }

    fn complete(&self, _layer: &Path, _lowers: &[PathBuf], _report: &UnpackReport) -> io::Result<()> {
        none()
    }

    fn scatter(&self, _parent: &Path) {}

    fn settle(&self, _path: &Path) -> io::Result<()> {
        none()
    }

    fn remove(&self, _tree: &Path) -> io::Result<()> {
        none()
    }
}
