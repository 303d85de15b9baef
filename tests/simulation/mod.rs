//! Does the engine keep its promises whatever happens, in any order? The production store and sagas on a simulated
//! machine, where one seed decides who runs, what fails, and when the power goes.
//!
//! Real: every verb, the store, intents, names, locks' use, reconciliation, what monitors report; in `front` also the
//! engine's door, the supervisor, its actors and the embedded backend. Modelled: the kernel
//! (`kernel`, `monitor`), the file system (`file_system`, `disk`), time and chance (`surroundings`). Deliberately
//! elsewhere: threads inside one process (loom and shuttle models), real kernels (`tests/engine`, `tests/storm`).
//!
//! A failing seed prints the command that repeats it. `WHARF_SIM_SEEDS=N` runs N seeds; `run.sh` beside this file runs
//! many, fast: there this folder is a binary of its own. `log.md` says which were run.

mod crash_points;
mod disk;
mod faults;
mod file_system;
mod front;
mod history;
mod images;
mod invariants;
mod kernel;
mod kernel_state;
mod linear;
mod monitor;
mod random;
mod reused_numbers;
mod rules;
mod runs;
mod scheduler;
mod surroundings;
mod twins;
mod workload;
mod world;

use std::sync::Arc;

use self::{
    faults::Faults,
    random::Dice,
    runs::{Life, Outcome, Setting, Simulation},
    twins::Twin,
    workload::Party,
    world::World,
};

/// Containers of one image that is always here.
struct OfContainers;

impl Simulation for OfContainers {
    type Twin = Twin;
    const TESTS: &'static str = "simulation";
    const FOUND: &'static str = include_str!("seeds.txt");

    fn run(setting: Setting<Twin>) -> Outcome {
        let Setting { seed, twin, rules, after_power, traced } = setting;
        let mut dice = Dice::new(seed);
        let faults = Faults::swarm(&mut dice);
        let clients = 1 + dice.index(4);
        let world = World::new(seed, faults.clone(), traced);
        world.tell(|| format!("{clients} clients, {rules:?}, {faults:?}"));
        world.state().files.rules = rules;
        world.state().errands = 4 + dice.below(24);
        let start = |name: &str, body: fn(&Party)| {
            let inner = Arc::clone(&world);
            world.spawn(name, move |me| body(&Party::new(&inner, me, twin)))
        };
        let life = Life {
            world: &world,
            faults: &faults,
            after_power,
            lots_every: 1,
            clients,
            start_client: &|| {
                start("client", workload::client);
            },
            start_last: &|| start("repair", invariants::come_to_rest),
        };
        life.live(&mut dice)
    }
}

#[test]
fn one_seed() {
    runs::one_seed::<OfContainers>();
}

#[test]
fn seeds_that_once_failed_hold() {
    runs::found_seeds::<OfContainers>();
}

#[test]
fn no_seed_breaks_a_promise() {
    runs::many_seeds::<OfContainers>();
}

#[test]
fn every_twin_is_found() {
    runs::every_twin_is_found::<OfContainers>(3_000);
}

#[test]
fn a_seed_gives_the_same_run_whatever_ran_before() {
    runs::a_seed_gives_the_same_run::<OfContainers>();
}
