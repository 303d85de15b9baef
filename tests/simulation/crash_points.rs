//! What if exactly the n-th call of an operation goes wrong? Every n, every effect; then repair, and everything must hold.
//!
//! The calls of the process that was asked and those of the monitor that works for it count alike. Deliberately
//! elsewhere: faults drawn by lot (`faults`).

use std::{io, sync::Arc, thread, time::Duration};

use wharf::engine::{backend::embedded::containers::Containers, domain::ContainerId};

use super::{
    faults::Faults,
    file_system::PowerLoss,
    history::Asked,
    invariants,
    rules::Rules,
    scheduler::{ProcessId, Scheduler, die},
    workload::Party,
    world::{State, World},
};

/// What a call can suffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// EIO.
    Error,
    /// ENOSPC.
    NoSpace,
    Delay(Duration),
    /// A defect of ours panics here; the process goes on.
    Panic,
    /// SIGKILL just before the call has an effect.
    Kill,
    PowerLoss(PowerLoss),
}

/// Which call of an operation is struck, and how many there were so far.
#[derive(Clone, Debug, Default)]
pub struct Strike {
    /// Calls count only while somebody tries points.
    pub armed: bool,
    pub at: Option<(u64, Effect)>,
    pub counted: u64,
}

impl State {
    /// Counts a call of the operation, by whoever works for it; the effect if this is the one.
    pub fn strike_now(&mut self) -> Option<Effect> {
        if !self.strike.armed || thread::panicking() {
            return None;
        }
        self.strike.counted += 1;
        let (at, effect) = self.strike.at?;
        (at == self.strike.counted).then_some(effect)
    }
}

impl World {
    /// What `effect` does to `me` at this call.
    pub fn suffer(&self, me: ProcessId, effect: Effect) -> io::Result<()> {
        self.tell(|| format!("{me}: suffers {effect:?}"));
        match effect {
            Effect::Error => Err(io::Error::other("input/output error")),
            Effect::NoSpace => Err(io::ErrorKind::StorageFull.into()),
            Effect::Delay(time) => {
                self.sleep(me, time);
                Ok(())
            }
            Effect::Panic => Self::panic_here(),
            Effect::Kill => {
                self.kill(me);
                die()
            }
            Effect::PowerLoss(how) => {
                self.lose_power(how);
                die()
            }
        }
    }
}

/// Everything a call can suffer, once each.
pub const EFFECTS: [Effect; 8] = [
    Effect::Error,
    Effect::NoSpace,
    Effect::Delay(Duration::from_secs(20)),
    Effect::Panic,
    Effect::Kill,
    Effect::PowerLoss(PowerLoss::Keep),
    Effect::PowerLoss(PowerLoss::Drop),
    Effect::PowerLoss(PowerLoss::Torn),
];

/// An operation, and what must be there before it.
struct Operation {
    name: &'static str,
    prepare: fn(&Party),
    act: fn(&Party),
}

const OPERATIONS: [Operation; 9] = [
    Operation { name: "create", prepare: other_container, act: |party| drop(party.create_with("web", false)) },
    Operation { name: "create --rm", prepare: other_container, act: |party| drop(party.create_with("web", true)) },
    Operation { name: "start", prepare: created, act: |party| drop(party.start(&web(party))) },
    Operation { name: "exec", prepare: running, act: |party| exec(party) },
    Operation { name: "stop", prepare: running, act: |party| drop(party.stop(&web(party))) },
    Operation { name: "kill", prepare: running, act: |party| drop(party.kill(&web(party))) },
    Operation { name: "rename", prepare: created, act: |party| drop(party.rename(&web(party), "db")) },
    Operation { name: "rm", prepare: created, act: |party| drop(party.remove(&web(party))) },
    Operation { name: "rm -f", prepare: running, act: |party| drop(party.remove(&web(party))) },
];

fn other_container(party: &Party) {
    party.create_with("app", false).unwrap();
}

fn created(party: &Party) {
    party.create_with("web", false).unwrap();
}

fn running(party: &Party) {
    created(party);
    party.start(&web(party)).unwrap();
}

/// Containers are found before points are counted: finding changes nothing.
fn web(party: &Party) -> ContainerId {
    let armed = std::mem::replace(&mut party.world.state().strike.armed, false);
    let id = party.containers.find("web").unwrap().id;
    party.world.state().strike.armed = armed;
    id
}

fn exec(party: &Party) {
    let id = web(party);
    // There are no programs in the simulation: what counts is that asking leaves nothing behind.
    let _ = party.ask(Asked::Other("exec"), Some(&id), |all: &Containers, _| {
        all.live(&id, wharf::engine::domain::Verb::Exec).map(|_| Default::default())
    });
}

/// What became of one point.
pub struct Struck {
    /// How many calls there were.
    pub counted: u64,
    pub violation: Option<String>,
    pub trace: String,
}

/// A machine on which one process after the other does something; what they started goes on meanwhile.
pub struct Stage {
    pub world: Arc<World>,
    scheduler: Scheduler,
}

impl Stage {
    pub fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), scheduler: Scheduler::default() }
    }

    /// Until that process has ended.
    pub fn play(&mut self, process: ProcessId) {
        self.scheduler.run(&self.world, |world| !world.is_alive(process));
    }

    /// From here on calls count, and the chosen one suffers.
    pub fn arm(&self, at: u64, effect: Effect) {
        self.world.state().strike = Strike { armed: true, at: Some((at, effect)), counted: 0 };
    }

    pub fn disarm(&self) {
        self.world.state().strike.armed = false;
    }

    pub fn end(mut self) -> Struck {
        self.scheduler.end(&self.world);
        let trace = self.world.trace();
        let state = self.world.state();
        Struck { counted: state.strike.counted, violation: state.violation.clone(), trace }
    }
}

/// Tries every call of an operation with every effect, as long as there are calls. How many points there were.
#[expect(clippy::print_stdout, reason = "what a test has found out is said on its output")]
pub fn every_point(name: &str, try_point: impl Fn(u64, Effect, bool) -> Struck) -> u64 {
    let mut points = 0;
    for effect in EFFECTS {
        for at in 1.. {
            let struck = try_point(at, effect, false);
            if let Some(why) = struck.violation {
                let again = try_point(at, effect, true);
                panic!("{name}, call {at} suffers {effect:?}: {why}\n{}", again.trace);
            }
            if struck.counted < at {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 0, "{name}: nothing was struck");
    println!("crash points of {name}: {points}");
    points
}

fn try_point(operation: &Operation, rules: Rules, at: u64, effect: Effect, traced: bool) -> Struck {
    // Torn power cuts draw lots: another point, another draw.
    let world = World::new(at, Faults::none(), traced);
    world.state().files.rules = rules;
    let mut stage = Stage::new(&world);
    let spawn = |name: &str, body: fn(&Party)| {
        let inner = Arc::clone(&world);
        world.spawn(name, move |me| body(&Party::new(&inner, me, None)))
    };
    stage.play(spawn("prepare", operation.prepare));
    stage.arm(at, effect);
    stage.play(spawn("act", operation.act));
    stage.disarm();
    stage.play(spawn("repair", invariants::come_to_rest));
    stage.end()
}

#[test]
fn an_operation_struck_at_any_call_by_anything_leaves_nothing_half_done() {
    let mut total = 0;
    for (operation, rules) in OPERATIONS.iter().flat_map(|operation| Rules::ALL.map(|rules| (operation, rules))) {
        let name = format!("{}, by the rules of {}", operation.name, rules.name());
        total += every_point(&name, |at, effect, traced| try_point(operation, rules, at, effect, traced));
    }
    println!("crash points: {total}, all held");
}
