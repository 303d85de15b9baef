//! Do images keep their promises whatever happens? The production store, registry client, pull, push and removal on the
//! simulated machine, with a registry that misbehaves.
//!
//! Real: every verb, leases, locks' use, retries, resumed downloads and uploads, collection, repair. Modelled: the disk
//! and time (as for containers), the registry behind `Transport` (`registry`), a layer's files (`unpacker`), a container
//! as far as it needs an image (`party`). Deliberately elsewhere: threads inside one pull (loom and shuttle models),
//! archives (`linux::unpack`), sockets and TLS (`tests/registry`).
//!
//! A failing seed prints the command that repeats it. `WHARF_SIM_SEEDS=N` runs N seeds.

mod crash_points;
mod invariants;
mod ledger;
mod party;
mod registry;
mod twins;
mod unpacker;

use std::{cell::Cell, sync::Arc, time::Duration, time::Instant};

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
    faults::Faults, file_system::PowerLoss, number, random::Dice, rules::Rules, scheduler::Scheduler, world::World,
};

/// Seeds that once failed; they run first, for ever.
const FOUND: &str = include_str!("seeds.txt");
const CONTAINERS: [&str; 3] = ["web", "db", "app"];

/// What a run came to.
struct Run {
    violation: Option<String>,
    trace: String,
    steps: u64,
    operations: u64,
    succeeded: u64,
    crashes: u64,
    fingerprint: u64,
}

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

fn run(seed: u64, twin: Option<ImageTwin>, rules: Rules, traced: bool) -> Run {
    let mut dice = Dice::new(seed);
    let faults = Faults::swarm(&mut dice);
    let clients = 1 + dice.index(4);
    let site = Site::new(seed, faults.clone(), traced);
    let world = &site.world;
    world.tell(|| format!("{clients} clients, {rules:?}, {faults:?}"));
    world.state().files.rules = rules;
    world.state().errands = 4 + dice.below(20);
    let mut scheduler = Scheduler::default();
    let crashes = Cell::new(0);
    // Chaos.
    scheduler.run(world, |world| {
        crashes.set(crashes.get() + strike(&site, &faults));
        let alive = world.state().clients();
        if alive.is_empty() && world.state().errands == 0 {
            return true;
        }
        if alive.len() < clients && world.state().errands > 0 {
            site.spawn("client", twin, client);
        }
        false
    });
    // Liveness: nothing goes wrong any more, one restart, and a minute.
    world.state().faults = Faults::none();
    if world.state().violation.is_none() {
        if dice.once_in(3) {
            world.lose_power(PowerLoss::Keep);
        }
        let last = site.spawn("repair", twin, invariants::come_to_rest);
        scheduler.run(world, |world| !world.is_alive(last));
    }
    scheduler.end(world);
    let trace = world.trace();
    let (operations, succeeded) = {
        let book = site.ledger.book();
        (book.operations, book.succeeded)
    };
    let state = world.state();
    Run {
        violation: state.violation.clone(),
        trace,
        steps: state.steps,
        operations,
        succeeded,
        crashes: crashes.get(),
        fingerprint: state.fingerprint,
    }
}

/// Kills, power cuts and clock jumps, by lot. How many of them.
fn strike(site: &Site, faults: &Faults) -> u64 {
    let world = &site.world;
    let mut state = world.state();
    if !state.steps.is_multiple_of(2) {
        return 0; // An operation on images is many more calls than one on a container.
    }
    let client = state.dice.below(10_000) < u64::from(faults.kill);
    let power = state.dice.below(100_000) < u64::from(faults.power);
    if state.dice.below(10_000) < u64::from(faults.clock) {
        let hours = state.dice.below(200_000) as i64 - 100_000;
        state.wall_jump = hours * 3_600_000_000_000;
    }
    let there = state.clients();
    if client && !there.is_empty() {
        let at = state.dice.index(there.len());
        state.kill(there[at]);
    }
    if power {
        let how = state.dice.pick(&[PowerLoss::Keep, PowerLoss::Drop, PowerLoss::Torn, PowerLoss::Torn]);
        drop(state);
        world.lose_power(how);
    }
    u64::from(client) + u64::from(power)
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
    let id = || party.store.find(&image).ok().map(|record| record.id);
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

/// Runs one seed and fails with everything somebody needs to look into it. `WHARF_SIM_TWIN` names a bug to run with.
fn must_hold(seed: u64, rules: Rules) -> Run {
    let named = std::env::var("WHARF_SIM_TWIN").unwrap_or_default();
    let twin = ImageTwin::ALL.into_iter().find(|twin| format!("{twin:?}") == named);
    let outcome = run(seed, twin, rules, false);
    if let Some(why) = &outcome.violation {
        let (again, rules) = (run(seed, twin, rules, true), rules.name());
        panic!(
            "{}\nseed {seed}: {why}\nRepeat it: WHARF_SIM_RULES={rules} WHARF_SEED={seed} cargo test --test all simulation::images::one_seed",
            again.trace
        );
    }
    outcome
}

#[test]
fn one_seed() {
    let seed = number("WHARF_SEED").unwrap_or(1);
    must_hold(seed, Rules::asked_for().unwrap_or(Rules::of_seed(seed)));
}

#[test]
fn seeds_that_once_failed_hold() {
    for line in FOUND.lines().filter(|line| !line.starts_with('#')) {
        let seed = line.split_whitespace().next().and_then(|seed| seed.parse().ok());
        seed.map(|seed| must_hold(seed, Rules::Linux));
    }
}

#[test]
fn every_seed_keeps_its_promises() {
    let count = number("WHARF_SIM_SEEDS").unwrap_or(200);
    let first = number("WHARF_SIM_FIRST").unwrap_or(1_000);
    let begun = Instant::now();
    let (mut steps, mut operations, mut succeeded, mut crashes) = (0, 0, 0, 0);
    for seed in first..first + count {
        let run = must_hold(seed, Rules::of_seed(seed));
        (steps, operations) = (steps + run.steps, operations + run.operations);
        (succeeded, crashes) = (succeeded + run.succeeded, crashes + run.crashes);
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    println!(
        "simulation of images: {count} seeds, {steps} steps, {operations} operations, {succeeded} of them done, \
         {crashes} crashes, {rate:.0} seeds/s"
    );
}

/// A twin that nobody notices means that the simulation looks away.
#[test]
fn every_twin_is_found() {
    const WITHIN: u64 = 2_000;
    let breaks = |seed, twin| run(seed, twin, Rules::Linux, false).violation.is_some();
    for twin in ImageTwin::ALL {
        let found = (0..WITHIN).find(|seed| breaks(*seed, Some(twin)) && !breaks(*seed, None));
        let seed = found.unwrap_or_else(|| panic!("{twin:?} was not found within {WITHIN} seeds"));
        println!(
            "simulation of images: {twin:?} found by seed {seed}: {}",
            run(seed, Some(twin), Rules::Linux, false).violation.unwrap()
        );
    }
}

#[test]
fn a_seed_gives_the_same_run_whatever_ran_before() {
    let first = run(7, None, Rules::Linux, false).fingerprint;
    run(8, None, Rules::Linux, false);
    assert_eq!(run(7, None, Rules::Linux, true).fingerprint, first);
}
