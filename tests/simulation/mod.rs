//! Does the engine keep its promises whatever happens, in any order? The production store and sagas on a simulated
//! machine, where one seed decides who runs, what fails, and when the power goes.
//!
//! Real: every verb, the store, intents, names, locks' use, reconciliation, what monitors report. Modelled: the kernel
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
mod scheduler;
mod surroundings;
mod twins;
mod workload;
mod world;

use std::{
    cell::Cell,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use self::{
    faults::Faults, file_system::PowerLoss, random::Dice, rules::Rules, scheduler::Scheduler, twins::Twin,
    workload::Party, world::World,
};

/// Seeds that once failed; they run first, for ever.
const FOUND: &str = include_str!("seeds.txt");

/// What a run came to.
struct Run {
    violation: Option<String>,
    trace: String,
    steps: u64,
    calls: usize,
    crashes: u64,
    cancels: u64,
    fingerprint: u64,
}

/// Which run.
#[derive(Clone, Copy)]
struct Setting {
    seed: u64,
    twin: Option<Twin>,
    rules: Rules,
    after_power: AfterPower,
    traced: bool,
}

/// What comes first when the power is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterPower {
    /// People and scripts go on; a repair comes when it comes.
    Errands,
    /// Nobody asks for anything before the repair: so ran the first found seeds.
    Repair,
}

impl Setting {
    fn of(seed: u64) -> Self {
        Self { seed, twin: None, rules: Rules::of_seed(seed), after_power: AfterPower::Errands, traced: false }
    }
}

fn run(setting: Setting) -> Run {
    let Setting { seed, twin, rules, after_power, traced } = setting;
    let mut dice = Dice::new(seed);
    let faults = Faults::swarm(&mut dice);
    let clients = 1 + dice.index(4);
    let world = World::new(seed, faults.clone(), traced);
    world.tell(|| format!("{clients} clients, {rules:?}, {faults:?}"));
    world.state().files.rules = rules;
    world.state().errands = 4 + dice.below(24);
    let mut scheduler = Scheduler::default();
    let crashes = Cell::new(0);
    // Chaos.
    let start_client = |world: &Arc<World>| {
        let inner = Arc::clone(world);
        world.spawn("client", move |me| workload::client(&Party::new(&inner, me, twin)));
    };
    scheduler.run(&world, |world| {
        crashes.set(crashes.get() + strike(world, &faults, after_power));
        let alive = world.state().clients();
        if alive.is_empty() && world.state().errands == 0 {
            return true;
        }
        if alive.len() < clients && world.state().errands > 0 {
            start_client(world);
        }
        false
    });
    // Liveness: nothing goes wrong any more, one restart, and a minute.
    world.state().faults = Faults::none();
    if world.state().violation.is_none() {
        if dice.once_in(3) {
            world.lose_power(PowerLoss::Keep);
        }
        let inner = Arc::clone(&world);
        let last = world.spawn("repair", move |me| invariants::come_to_rest(&Party::new(&inner, me, twin)));
        scheduler.run(&world, |world| !world.is_alive(last));
    }
    scheduler.end(&world);
    let trace = world.trace();
    let state = world.state();
    Run {
        violation: state.violation.clone(),
        trace,
        steps: state.steps,
        calls: state.history.calls.len(),
        crashes: crashes.get(),
        cancels: 0,
        fingerprint: state.fingerprint,
    }
}

/// Kills, power cuts and clock jumps, by lot. How many of them.
fn strike(world: &World, faults: &Faults, after_power: AfterPower) -> u64 {
    let mut state = world.state();
    let dice = &mut state.dice;
    let client = dice.below(10_000) < u64::from(faults.kill);
    let monitor = dice.below(10_000) < u64::from(faults.kill_monitor);
    let power = dice.below(100_000) < u64::from(faults.power);
    if dice.below(10_000) < u64::from(faults.clock) {
        let hours = state.dice.below(200_000) as i64 - 100_000;
        state.wall_jump = hours * 3_600_000_000_000;
    }
    for (kill, name) in [(client, "client"), (monitor, "monitor")] {
        let there = state.named(name);
        if kill && !there.is_empty() {
            let at = state.dice.index(there.len());
            state.kill(there[at]);
        }
    }
    if power {
        let how = state.dice.pick(&[PowerLoss::Keep, PowerLoss::Drop, PowerLoss::Torn, PowerLoss::Torn]);
        if after_power == AfterPower::Repair {
            state.errands = 0;
        }
        drop(state);
        world.lose_power(how);
    }
    u64::from(client) + u64::from(monitor) + u64::from(power)
}

/// Runs one seed and fails with everything somebody needs to look into it. `WHARF_SIM_TWIN` names a bug to run with,
/// `WHARF_SIM_RULES` whose rules names follow, `WHARF_SIM_REPAIR_FIRST` repairs before anything else after a power cut.
fn must_hold(setting: Setting) -> Run {
    let after = if setting.after_power == AfterPower::Repair { "WHARF_SIM_REPAIR_FIRST=1 " } else { "" };
    let settings = format!("{after}WHARF_SIM_RULES={} ", setting.rules.name());
    let again = || run(Setting { traced: true, ..setting });
    must_hold_as(setting.seed, &settings, "simulation::one_seed", run(setting), again)
}

/// Fails with everything somebody needs to look into it: `again` is the same run with a trace, `test` runs it
/// alone, with these settings.
fn must_hold_as(seed: u64, settings: &str, test: &str, outcome: Run, again: impl FnOnce() -> Run) -> Run {
    if let Some(why) = &outcome.violation {
        let trace = again().trace;
        panic!("{trace}\nseed {seed}: {why}\nRepeat it: {settings}WHARF_SEED={seed} cargo test --test all {test}");
    }
    outcome
}

/// What many runs came to.
#[derive(Default)]
struct Tally {
    steps: u64,
    calls: usize,
    crashes: u64,
    cancels: u64,
}

impl Tally {
    fn add(&mut self, steps: u64, calls: usize, crashes: u64, cancels: u64) {
        self.steps += steps;
        self.calls += calls;
        self.crashes += crashes;
        self.cancels += cancels;
    }

    /// Runs as many seeds as the environment says, on as many threads, and prints the sum.
    fn of(what: &str, run: impl Fn(u64) -> Run + Sync) {
        let count = number("WHARF_SIM_SEEDS").unwrap_or(200);
        let first = number("WHARF_SIM_FIRST").unwrap_or(1_000);
        let threads = number("WHARF_SIM_THREADS").unwrap_or(1).max(1);
        let begun = Instant::now();
        let next = AtomicU64::new(first);
        let work = || {
            let mut sum = Self::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + count {
                    return sum;
                }
                let run = run(seed);
                sum.add(run.steps, run.calls, run.crashes, run.cancels);
            }
        };
        let mut sum = Self::default();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                let part = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
                sum.add(part.steps, part.calls, part.crashes, part.cancels);
            }
        });
        let Self { steps, calls, crashes, cancels } = sum;
        let rate = count as f64 / begun.elapsed().as_secs_f64();
        println!(
            "{what}: {count} seeds, {steps} steps, {calls} operations, {crashes} crashes, {cancels} cancels, \
             {rate:.0} seeds/s on {threads} threads"
        );
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn one_seed() {
    let named = std::env::var("WHARF_SIM_TWIN").unwrap_or_default();
    let twin = Twin::ALL.into_iter().find(|twin| format!("{twin:?}") == named);
    let repair_first = std::env::var_os("WHARF_SIM_REPAIR_FIRST").is_some();
    let after_power = if repair_first { AfterPower::Repair } else { AfterPower::Errands };
    let setting = Setting::of(number("WHARF_SEED").unwrap_or(1));
    let rules = Rules::asked_for().unwrap_or(setting.rules);
    must_hold(Setting { twin, rules, after_power, ..setting });
}

#[test]
fn seeds_that_once_failed_hold() {
    for line in FOUND.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let seed = words.next().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| panic!("no seed: {line}"));
        let how = words.next().and_then(|word| word.strip_suffix(':'));
        let after_power = if how == Some("repair-first") { AfterPower::Repair } else { AfterPower::Errands };
        let rules = how.and_then(Rules::named).unwrap_or_default();
        must_hold(Setting { rules, after_power, ..Setting::of(seed) });
    }
}

/// `WHARF_SIM_SEEDS` says how many, `WHARF_SIM_FIRST` from where, `WHARF_SIM_THREADS` how many at a time.
#[test]
fn no_seed_breaks_a_promise() {
    Tally::of("simulation", |seed| must_hold(Setting::of(seed)));
}

/// A twin that nobody notices means that the simulation looks away.
#[test]
fn every_twin_is_found() {
    const WITHIN: u64 = 3_000;
    for twin in Twin::ALL {
        let outcome = |seed, twin, rules| run(Setting { twin, rules, ..Setting::of(seed) }).violation;
        let outcome = |seed, with| outcome(seed, with, twin.rules());
        let breaks = |seed, with| outcome(seed, with).is_some();
        let found = (0..WITHIN).find(|seed| breaks(*seed, Some(twin)) && !breaks(*seed, None));
        let seed = found.unwrap_or_else(|| panic!("{twin:?} was not found within {WITHIN} seeds"));
        println!("simulation: {twin:?} found by seed {seed}: {}", outcome(seed, Some(twin)).unwrap());
    }
}

#[test]
fn a_seed_gives_the_same_run_whatever_ran_before() {
    let first = run(Setting::of(7)).fingerprint;
    run(Setting::of(8));
    assert_eq!(run(Setting { traced: true, ..Setting::of(7) }).fingerprint, first);
}
