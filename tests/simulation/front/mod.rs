//! Does the whole engine keep its promises, from the door to the disk? Production's door, supervisor, actors and embedded
//! backend in the processes of the simulated machine, beside clients that go straight to the store.
//!
//! New here against the plain clients: several verbs of one process interleave at every call of their machine, commands
//! are resolved, queued, joined, cancelled and given up, and screens show what they see. Deliberately elsewhere: the
//! machine and what must hold in the end (`super`), threads and memory order (`tests/founding`).

mod commands;
mod host;
mod process;
mod record;
mod workers;

use std::{cell::Cell, collections::BTreeMap, sync::Arc, time::Duration};

use wharf::engine::domain::{ContainerId, ContainerName, OperationId, Status};

use self::commands::Use;
use super::{
    faults::Faults,
    file_system::PowerLoss,
    invariants,
    random::Dice,
    rules::Rules,
    runs::{self, Bug, Outcome, Setting, Simulation, strike},
    scheduler::{ProcessId, Scheduler},
    workload::{self, Party},
    world::World,
};

/// A screen must be right so soon after everything is at rest: what a full disk has lost waits for a listing.
const PATIENCE: Duration = Duration::from_secs(700);
/// As soon as that where nothing gets lost.
const ATTENTION: Duration = Duration::from_secs(20);

/// What the world knows of a front.
#[derive(Default)]
pub struct FrontState {
    /// There is something for its runtime.
    pub woken: bool,
    /// Commands without an answer.
    pub open: usize,
    /// Threads that work for an operation.
    pub works: Vec<(ProcessId, OperationId)>,
    /// What it shows, if it looks and knows.
    pub shown: Option<Rows>,
}

type Rows = BTreeMap<ContainerId, (Option<ContainerName>, Status)>;

/// Bugs that a front could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontTwin {
    /// Commands by name and commands by id reach different actors: an actor that was retired with a job in its mailbox
    /// would come to the same.
    TwoActors,
    /// A cancel is answered at once, and what was begun goes on.
    HastyCancel,
    /// Changes that others make are not passed on.
    DeafWatch,
}

impl Bug for FrontTwin {
    const FOUND_BY_LOT: &'static [Self] = &[Self::TwoActors, Self::HastyCancel, Self::DeafWatch];

    fn rules(self) -> Rules {
        Rules::Linux
    }
}

/// Everything from the door to the disk.
struct OfFronts;

impl Simulation for OfFronts {
    type Twin = FrontTwin;
    const TESTS: &'static str = "simulation::front";
    const FOUND: &'static str = include_str!("seeds.txt");

    fn run(setting: Setting<FrontTwin>) -> Outcome {
        run(setting)
    }

    /// The store's rules are tried without fronts; what they find here is looked into by hand so far.
    fn setting(seed: u64) -> Setting<FrontTwin> {
        Setting { rules: Rules::Linux, ..Setting::of(seed) }
    }
}

fn run(setting: Setting<FrontTwin>) -> Outcome {
    let Setting { seed, twin, rules, after_power, traced } = setting;
    let mut dice = Dice::new(seed);
    let faults = Faults::swarm(&mut dice);
    let (fronts, clients) = (1 + dice.index(2), dice.index(3));
    let prunes = dice.once_in(4);
    let world = World::new(seed, faults.clone(), traced);
    world.tell(|| format!("{fronts} fronts, {clients} clients, prunes: {prunes}, {rules:?}, {faults:?}"));
    world.state().files.rules = rules;
    {
        let mut state = world.state();
        state.errands = 6 + dice.below(30);
        state.pruned = prunes;
    }
    let mut scheduler = Scheduler::default();
    let crashes = Cell::new(0);
    let start_front = |world: &Arc<World>, usage| {
        let inner = Arc::clone(world);
        world.spawn("front", move |me| commands::live(&inner, me, usage, prunes, twin))
    };
    // Chaos.
    scheduler.run(&world, |world| {
        crashes.set(crashes.get() + strike(world, &faults, after_power) + kill_a_front(world, &faults));
        let (alive, others, errands) = {
            let state = world.state();
            (state.named("front"), state.clients().len(), state.errands)
        };
        if errands == 0 {
            let mut state = world.state();
            return others == 0 && alive.into_iter().all(|front| state.front(front).is_quiet());
        }
        if alive.len() < fronts {
            let usage = world.state().dice.pick(&[Use::Script, Use::Screen]);
            start_front(world, usage);
        }
        if others < clients {
            let inner = Arc::clone(world);
            world.spawn("client", move |me| workload::client(&Party::new(&inner, me, None)));
        }
        false
    });
    // Liveness: nothing goes wrong any more, one restart, and a minute; screens look on.
    world.state().faults = Faults::none();
    if world.state().violation.is_none() {
        if dice.once_in(3) {
            world.lose_power(PowerLoss::Keep);
        }
        start_front(&world, Use::Screen);
        let inner = Arc::clone(&world);
        let last = world.spawn("repair", move |me| come_to_rest(&Party::new(&inner, me, None)));
        scheduler.run(&world, |world| !world.is_alive(last));
    }
    Outcome::of(&world, scheduler, crashes.get())
}

impl FrontState {
    fn is_quiet(&self) -> bool {
        self.open == 0
    }

    /// Whether anything was done for the operation.
    fn worked(&self, operation: OperationId) -> bool {
        self.works.iter().any(|(_, whose)| *whose == operation)
    }
}

fn kill_a_front(world: &World, faults: &Faults) -> u64 {
    let mut state = world.state();
    let fronts = state.named("front");
    if fronts.is_empty() || state.dice.below(10_000) >= u64::from(faults.kill) {
        return 0;
    }
    let at = state.dice.index(fronts.len());
    state.kill(fronts[at]);
    1
}

fn come_to_rest(party: &Party) {
    let rested = invariants::settle(party)
        .and_then(|()| invariants::check_at_rest(party))
        .and_then(|()| screens_agree(party, PATIENCE))
        .and_then(|()| invariants::use_it(party))
        .and_then(|()| invariants::remove_everything(party))
        .and_then(|()| screens_agree(party, ATTENTION));
    if let Err(why) = rested {
        party.world.violate(why);
    }
}

/// Every living screen shows what the store has.
fn screens_agree(party: &Party, patience: Duration) -> Result<(), String> {
    let begun = party.world.state().now;
    let mut pause = Duration::from_millis(500);
    loop {
        let listed = invariants::list(party)?;
        let stored: Rows = listed.into_iter().map(|row| (row.id.clone(), (row.name.clone(), row.status()))).collect();
        let wrong = {
            let state = party.world.state();
            let fronts = state.named("front").into_iter().filter_map(|front| Some((front, state.fronts.get(&front)?)));
            let wrong = fronts.filter(|(_, front)| front.shown.as_ref() != Some(&stored));
            wrong.map(|(front, state)| (front, state.shown.clone())).next()
        };
        let Some((front, shown)) = wrong else { return Ok(()) };
        if Duration::from_nanos(party.world.state().now - begun) > patience {
            return Err(format!("front {front} shows {shown:?}, the store has {stored:?}"));
        }
        party.world.sleep(party.me, pause);
        pause *= 2;
    }
}

#[test]
fn one_seed() {
    runs::one_seed::<OfFronts>();
}

#[test]
fn seeds_that_once_failed_hold() {
    runs::found_seeds::<OfFronts>();
}

#[test]
fn no_seed_breaks_a_promise() {
    runs::many_seeds::<OfFronts>();
}

#[test]
fn every_twin_is_found() {
    runs::every_twin_is_found::<OfFronts>(500);
}

#[test]
fn a_seed_gives_the_same_run_whatever_ran_before() {
    runs::a_seed_gives_the_same_run::<OfFronts>();
}
