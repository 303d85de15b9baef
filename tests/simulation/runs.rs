//! What do all simulations share? A life that begins in chaos and ends in peace, seeds on threads, found seeds, twins.
//!
//! Deliberately elsewhere: what lives in it (`workload`, `images`), what a failure at one chosen call comes to
//! (`crash_points`).

use std::{
    cell::Cell,
    fmt::Debug,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use super::{
    faults::Faults,
    file_system::PowerLoss,
    random::Dice,
    rules::Rules,
    scheduler::{ProcessId, Scheduler},
    world::World,
};

/// A kind of simulated machine.
pub trait Simulation {
    type Twin: Bug;
    /// The module its tests are in.
    const TESTS: &'static str;
    /// Seeds that once failed; they run first, for ever.
    const FOUND: &'static str;

    fn run(setting: Setting<Self::Twin>) -> Outcome;

    /// A seed as it runs when nobody says more.
    fn setting(seed: u64) -> Setting<Self::Twin> {
        Setting::of(seed)
    }
}

/// A bug that a simulation can run with, and must then notice.
pub trait Bug: Copy + Debug + 'static {
    /// Those that histories drawn by lot find.
    const FOUND_BY_LOT: &'static [Self];

    /// Where it is one.
    fn rules(self) -> Rules;
}

/// Which run.
#[derive(Clone, Copy)]
pub struct Setting<T> {
    pub seed: u64,
    pub twin: Option<T>,
    pub rules: Rules,
    pub after_power: AfterPower,
    pub traced: bool,
}

impl<T> Setting<T> {
    pub fn of(seed: u64) -> Self {
        Self { seed, twin: None, rules: Rules::of_seed(seed), after_power: AfterPower::Errands, traced: false }
    }
}

/// What comes first when the power is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPower {
    /// People and scripts go on; a repair comes when it comes.
    Errands,
    /// Nobody asks for anything before the repair: so ran the first found seeds.
    Repair,
}

/// What a run came to.
pub struct Outcome {
    pub violation: Option<String>,
    pub trace: String,
    pub steps: u64,
    pub operations: u64,
    pub crashes: u64,
    pub cancels: u64,
    pub fingerprint: u64,
}

/// A life as it is to be lived.
pub struct Life<'a> {
    pub world: &'a Arc<World>,
    pub faults: &'a Faults,
    pub after_power: AfterPower,
    /// Lots for kills and power cuts are drawn at every so many steps.
    pub lots_every: u64,
    /// So many at a time, while there is anything to ask for.
    pub clients: usize,
    pub start_client: &'a dyn Fn(),
    /// Starts the process that lets everything come to rest, and looks.
    pub start_last: &'a dyn Fn() -> ProcessId,
}

impl Life<'_> {
    /// Chaos; then nothing goes wrong any more, one restart, and a minute.
    pub fn live(&self, dice: &mut Dice) -> Outcome {
        let world = self.world;
        let mut scheduler = Scheduler::default();
        let crashes = Cell::new(0);
        scheduler.run(world, |world| {
            if world.state().steps.is_multiple_of(self.lots_every) {
                crashes.set(crashes.get() + strike(world, self.faults, self.after_power));
            }
            let alive = world.state().clients().len();
            if alive == 0 && world.state().errands == 0 {
                return true;
            }
            if alive < self.clients && world.state().errands > 0 {
                (self.start_client)();
            }
            false
        });
        world.state().faults = Faults::none();
        if world.state().violation.is_none() {
            if dice.once_in(3) {
                world.lose_power(PowerLoss::Keep);
            }
            let last = (self.start_last)();
            scheduler.run(world, |world| !world.is_alive(last));
        }
        Outcome::of(world, scheduler, crashes.get())
    }
}

impl Outcome {
    /// Ends the run.
    pub fn of(world: &Arc<World>, mut scheduler: Scheduler, crashes: u64) -> Self {
        scheduler.end(world);
        let trace = world.trace();
        let state = world.state();
        Self {
            violation: state.violation.clone(),
            trace,
            steps: state.steps,
            operations: state.history.calls.len() as u64,
            crashes,
            cancels: state.cancels,
            fingerprint: state.fingerprint,
        }
    }
}

/// Kills, power cuts and clock jumps, by lot. How many of them.
pub fn strike(world: &World, faults: &Faults, after_power: AfterPower) -> u64 {
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
        let there = if kill { state.named(name) } else { Vec::new() };
        if !there.is_empty() {
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

/// Runs one seed and fails with everything somebody needs to look into it.
pub fn must_hold<S: Simulation>(setting: Setting<S::Twin>) -> Outcome {
    let outcome = S::run(setting);
    if let Some(why) = &outcome.violation {
        let again = S::run(Setting { traced: true, ..setting });
        let after = if setting.after_power == AfterPower::Repair { "WHARF_SIM_REPAIR_FIRST=1 " } else { "" };
        panic!(
            "{}\nseed {seed}: {why}\nRepeat it: {after}WHARF_SIM_RULES={rules} WHARF_SEED={seed} cargo test --test all \
             {tests}::one_seed",
            again.trace,
            seed = setting.seed,
            rules = setting.rules.name(),
            tests = S::TESTS,
        );
    }
    outcome
}

/// `WHARF_SEED` says which. `WHARF_SIM_TWIN` names a bug to run with, `WHARF_SIM_RULES` whose rules names follow,
/// `WHARF_SIM_REPAIR_FIRST` repairs before anything else after a power cut.
pub fn one_seed<S: Simulation>() {
    let setting = S::setting(number("WHARF_SEED").unwrap_or(1));
    let named = std::env::var("WHARF_SIM_TWIN").unwrap_or_default();
    let twin = S::Twin::FOUND_BY_LOT.iter().copied().find(|twin| format!("{twin:?}") == named);
    let repair_first = std::env::var_os("WHARF_SIM_REPAIR_FIRST").is_some();
    let after_power = if repair_first { AfterPower::Repair } else { AfterPower::Errands };
    let rules = Rules::asked_for().unwrap_or(setting.rules);
    must_hold::<S>(Setting { twin, rules, after_power, ..setting });
}

/// A line is a seed, perhaps how it ran and a colon, and what was wrong.
pub fn found_seeds<S: Simulation>() {
    for line in S::FOUND.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let seed = words.next().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| panic!("no seed: {line}"));
        let how = words.next().and_then(|word| word.strip_suffix(':'));
        let after_power = if how == Some("repair-first") { AfterPower::Repair } else { AfterPower::Errands };
        let rules = how.and_then(Rules::named).unwrap_or_default();
        must_hold::<S>(Setting { rules, after_power, ..Setting::of(seed) });
    }
}

/// `WHARF_SIM_SEEDS` says how many, `WHARF_SIM_FIRST` from where, `WHARF_SIM_THREADS` how many at a time.
#[expect(clippy::print_stdout, reason = "what a test has found out is said on its output")]
pub fn many_seeds<S: Simulation>() {
    let count = number("WHARF_SIM_SEEDS").unwrap_or(200);
    let first = number("WHARF_SIM_FIRST").unwrap_or(1_000);
    let threads = number("WHARF_SIM_THREADS").unwrap_or(1).max(1);
    let begun = Instant::now();
    let next = AtomicU64::new(first);
    let work = || {
        let mut sum = [0; 4];
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return sum;
            }
            let run = must_hold::<S>(S::setting(seed));
            sum = added(sum, [run.steps, run.operations, run.crashes, run.cancels]);
        }
    };
    let [steps, operations, crashes, cancels] = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.fold([0; 4], added)
    });
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{}: {count} seeds, {steps} steps, {operations} operations, {crashes} crashes, {cancels} cancels, {rate:.0} \
         seeds/s on {threads} threads",
        S::TESTS
    );
}

/// A twin that nobody notices means that the simulation looks away.
#[expect(clippy::print_stdout, reason = "what a test has found out is said on its output")]
pub fn every_twin_is_found<S: Simulation>(within: u64) {
    for twin in S::Twin::FOUND_BY_LOT.iter().copied() {
        let outcome = |seed, with| S::run(Setting { twin: with, rules: twin.rules(), ..Setting::of(seed) }).violation;
        let breaks = |seed, with| outcome(seed, with).is_some();
        let found = (0..within).find(|seed| breaks(*seed, Some(twin)) && !breaks(*seed, None));
        let seed = found.unwrap_or_else(|| panic!("{twin:?} was not found within {within} seeds"));
        println!("{}: {twin:?} found by seed {seed}: {}", S::TESTS, outcome(seed, Some(twin)).unwrap());
    }
}

pub fn a_seed_gives_the_same_run<S: Simulation>() {
    for seed in 7..10 {
        let first = S::run(S::setting(seed)).fingerprint;
        S::run(S::setting(seed + 1));
        assert_eq!(S::run(Setting { traced: true, ..S::setting(seed) }).fingerprint, first);
    }
}

fn added(one: [u64; 4], other: [u64; 4]) -> [u64; 4] {
    let mut sum = one;
    sum.iter_mut().zip(other).for_each(|(sum, part)| *sum += part);
    sum
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
