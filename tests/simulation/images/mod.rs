//! Do images keep their promises whatever happens, and containers of them? The production stores, registry client, pull,
//! push and removal on the simulated machine, with a registry that misbehaves.
//!
//! Real: every verb of images and containers, leases, locks' use, retries, resumed downloads and uploads, collection,
//! repair. Modelled: kernel, disk and time (as for containers alone), the registry behind `Transport` (`registry`), a
//! layer's files (`unpacker`). Deliberately elsewhere: threads inside one pull (loom and shuttle models), archives
//! (`linux::unpack`), sockets and TLS (`tests/registry`).
//!
//! A failing seed prints the command that repeats it. `WHARF_SIM_SEEDS=N` runs N seeds; `run.sh` runs many, fast.

mod crash_points;
mod invariants;
mod ledger;
mod pace;
mod party;
mod registry;
mod twins;
mod unpacker;

use std::{sync::Arc, time::Duration};

use wharf::engine::{
    backend::{OperationContext, embedded::images::PruneScope},
    domain::Force,
};

use self::{
    ledger::Ledger,
    party::{Party, Site, all_names, name},
    registry::Remote,
    twins::ImageTwin,
};
use super::{
    faults::Faults,
    random::Dice,
    runs::{self, Life, Outcome, Setting, Simulation},
    world::World,
};

const CONTAINERS: [&str; 3] = ["web", "db", "app"];

/// Images, and containers of them.
struct OfImages;

impl Site {
    fn new(seed: u64, faults: Faults, traced: bool) -> Self {
        Self {
            world: World::new(seed, faults, traced),
            remote: Remote::with_images(),
            ledger: Arc::new(Ledger::default()),
        }
    }

    /// Starts a process with a store open; one that cannot open it ends.
    fn spawn(&self, name: &str, twin: Option<ImageTwin>, body: impl FnOnce(&Party) + 'static) -> usize {
        let site = self.clone();
        self.world.spawn(name, move |me| match Party::open(&site, me, twin) {
            Ok(party) => body(&party),
            Err(error) => site.world.tell(|| format!("{me}: cannot open the store: {error}")),
        })
    }
}

fn context(party: &Party) -> OperationContext {
    OperationContext::unwatched_by(Arc::clone(&party.machine.clock), Duration::from_secs(120))
}

impl Simulation for OfImages {
    type Twin = ImageTwin;
    const TESTS: &'static str = "simulation::images";
    const FOUND: &'static str = include_str!("seeds.txt");

    fn run(setting: Setting<ImageTwin>) -> Outcome {
        let Setting { seed, twin, rules, after_power, traced } = setting;
        let mut dice = Dice::new(seed);
        let faults = Faults::swarm(&mut dice);
        let clients = 1 + dice.index(4);
        let site = Site::new(seed, faults.clone(), traced);
        let world = &site.world;
        world.tell(|| format!("{clients} clients, {rules:?}, {faults:?}"));
        world.state().files.rules = rules;
        world.state().errands = 4 + dice.below(20);
        let life = Life {
            world,
            faults: &faults,
            after_power,
            // An operation on images is many more calls than one on a container.
            lots_every: 2,
            clients,
            start_client: &|| {
                site.spawn("client", twin, client);
            },
            start_last: &|| site.spawn("repair", twin, invariants::come_to_rest),
        };
        let outcome = life.live(&mut dice);
        let operations = site.ledger.book().operations;
        Outcome { operations: outcome.operations + operations, ..outcome }
    }
}

/// Some errands with pauses, then the process ends. Failures are the point; what must hold is checked from outside.
fn client(party: &Party) {
    let world = &party.site.world;
    loop {
        let (pause, last) = {
            let mut state = world.state();
            if state.errands == 0 {
                return;
            }
            state.errands -= 1;
            (state.dice.below(400), state.dice.once_in(6))
        };
        world.sleep(party.me, Duration::from_millis(pause));
        errand(party);
        if last {
            return; // Most commands do one thing.
        }
    }
}

fn errand(party: &Party) {
    let (verb, tag, other, container, force) = {
        let dice = &mut party.site.world.state().dice;
        let force = if dice.once_in(2) { Force::Yes } else { Force::No };
        (dice.below(24), 1 + dice.below(3), 1 + dice.below(3), dice.pick(&CONTAINERS), force)
    };
    let image = name("app", tag);
    let mirror = name("mirror", other);
    let id = || party.store().find(&image).ok().map(|record| record.id);
    let any = all_names().nth((tag * 2 + other) as usize % 6).unwrap_or_else(|| image.clone());
    let _ = match verb {
        0..=5 => party.pull(&image),
        6 | 7 => id().map_or(Ok(()), |id| party.tag(&id, &mirror)),
        8 | 9 => party.push(&mirror),
        10 | 11 => party.rmi(&any, force).map(drop),
        12 => id().map_or(Ok(()), |id| party.rmi(id.hex(), force).map(drop)),
        13 => party.prune(if force == Force::Yes { PruneScope::Unused } else { PruneScope::Dangling }).map(drop),
        14..=16 => party.create(container, &image),
        17 | 18 => party.start(container),
        19 => party.stop(container),
        20 => party.rm(container),
        21 => party.repair(),
        22 => party.sweep().and_then(|()| party.settle()),
        _ => party.create_index(&name("mirror", 9), &[image.clone(), name("app", other)]),
    };
}

#[test]
fn one_seed() {
    runs::one_seed::<OfImages>();
}

#[test]
fn seeds_that_once_failed_hold() {
    runs::found_seeds::<OfImages>();
}

#[test]
fn no_seed_breaks_a_promise() {
    runs::many_seeds::<OfImages>();
}

#[test]
fn every_twin_is_found() {
    runs::every_twin_is_found::<OfImages>(2_000);
}

#[test]
fn a_seed_gives_the_same_run_whatever_ran_before() {
    runs::a_seed_gives_the_same_run::<OfImages>();
}
