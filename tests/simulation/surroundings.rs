//! What else does a process of the simulation take from its machine? Virtual time, seeded chance, threads in a row.
//! Deliberately elsewhere: files and locks (`disk`).

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use wharf::engine::{
    backend::{
        clock::Clock,
        embedded::{
            disk::Disk,
            machine::{Machine, Panicked, Random, Task, Threads},
        },
    },
    domain::Timestamp,
};

use super::{scheduler::ProcessId, world::World};

/// The wall clock when a world begins: some day in 2026.
pub const EPOCH: Duration = Duration::from_secs(1_790_000_000);

/// The machine as `me` sees it, with `disk`.
pub fn machine(world: &Arc<World>, me: ProcessId, disk: Arc<dyn Disk>) -> Machine {
    let pid = world.state().processes[me].pid;
    let clock = Arc::new(SimulatedClock { world: Arc::clone(world), me });
    Machine::new(disk, clock, Arc::new(SeededRandom(Arc::clone(world))), Arc::new(OneAfterAnother), pid)
}

/// Time passes when everybody waits.
pub struct SimulatedClock {
    pub world: Arc<World>,
    pub me: ProcessId,
}

impl fmt::Debug for SimulatedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedClock").finish_non_exhaustive()
    }
}

/// Deadlines are instants, which only the real clock makes: all simulated ones count from this one.
fn beginning() -> Instant {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    *BEGINNING.get_or_init(Instant::now)
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let state = self.world.state();
        let since = i128::from(state.now) + i128::from(state.wall_jump);
        Timestamp::from_unix_nanos(EPOCH.as_nanos() as i128 + since)
    }

    fn instant(&self) -> Instant {
        beginning() + Duration::from_nanos(self.world.state().now)
    }

    fn sleep(&self, time: Duration) {
        self.world.sleep(self.me, time);
    }
}

struct SeededRandom(Arc<World>);

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.state();
        for chunk in bytes.chunks_mut(8) {
            let drawn = state.dice.next().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

/// The threads of one operation, run in the order in which they may wait for each other. What interleaves in the
/// simulation are processes; threads inside one are checked by the models of the types they share.
struct OneAfterAnother;

impl Threads for OneAfterAnother {
    fn together(&self, tasks: Vec<Task<'_>>) -> Result<(), Panicked> {
        tasks.into_iter().for_each(|task| task());
        Ok(())
    }
}
