//! Is a process told by its number alone? A container's process ends while nobody looks, another container's gets its
//! number, and then somebody stops, kills or removes the first.
//!
//! Lots do not find this: a monitor must be killed, its container end, and the number come again before anybody asks. So
//! it is set up here, with the twin beside it (`ToldBy::Number`). Production's
//! own look at `/proc` is `linux::process`; `chaos::catalogue::row_19` has real processes.

use std::{cell::Cell, rc::Rc, time::Duration};

use wharf::engine::domain::{ContainerId, Outcome, Signal};

use super::{
    faults::Faults, invariants, kernel::ToldBy, kernel_state::Init, scheduler::Scheduler, workload::Party, world::World,
};

/// Numbers come again sooner than this.
const TRIES: usize = 80;

/// What somebody asks of the container whose process has ended.
struct Question {
    name: &'static str,
    ask: fn(&Party, &ContainerId) -> Outcome,
}

const QUESTIONS: [Question; 3] = [
    Question { name: "stop", ask: |party, id| party.stop(id) },
    Question { name: "kill", ask: |party, id| party.kill(id) },
    Question { name: "rm -f", ask: |party, id| party.remove(id) },
];

/// The living process of a container, which from now on lives until it is killed.
fn lasting(party: &Party, id: &ContainerId) -> Init {
    let mut state = party.world.state();
    let start_time = *state.running(id).first().expect("it was started just now");
    let init = state.kernel.init(start_time).expect("it runs");
    init.death = u64::MAX / 2;
    init.clone()
}

fn started(party: &Party, name: &str) -> (ContainerId, Init) {
    party.create_with(name, false).unwrap();
    let id = party.containers.find(name).unwrap().id;
    party.start(&id).unwrap();
    let init = lasting(party, &id);
    (id, init)
}

/// Leaves a container whose process and monitor are gone without a word, and another one whose process has that number.
fn a_number_used_again(party: &Party) -> (ContainerId, Init) {
    let (first, gone) = started(party, "web");
    {
        let mut state = party.world.state();
        let monitors = state.named("monitor");
        monitors.into_iter().for_each(|monitor| state.kill(monitor));
        let now = state.now;
        state.kernel.signal(gone.start_time, Signal::KILL, now);
    }
    party.world.sleep(party.me, Duration::from_secs(1));
    for _ in 0..TRIES {
        let (second, init) = started(party, "db");
        if init.pid == gone.pid {
            return (first, init);
        }
        party.remove(&second).unwrap();
    }
    panic!("the number {} does not come again", gone.pid);
}

/// Whether the other container's process outlived the question, and what the simulation says to it.
fn outcome(question: &'static Question, told_by: ToldBy) -> (bool, Option<String>) {
    let world = World::new(0, Faults::none(), false);
    let mut scheduler = Scheduler::default();
    let lives = Rc::new(Cell::new(false));
    let (inner, told) = (world.clone(), Rc::clone(&lives));
    let process = world.spawn("client", move |me| {
        let party = Party::new(&inner, me, None);
        let (first, other) = a_number_used_again(&party);
        let party = Party::told_by(&inner, me, told_by);
        // Whether it is answered or refused, it is not about the other container.
        let _ = (question.ask)(&party, &first);
        let state = inner.state();
        told.set(state.kernel.is_init_alive(other.start_time, state.now));
    });
    scheduler.run(&world, |world| !world.is_alive(process));
    if world.state().violation.is_none() {
        let inner = world.clone();
        let last = world.spawn("repair", move |me| invariants::come_to_rest(&Party::new(&inner, me, None)));
        scheduler.run(&world, |world| !world.is_alive(last));
    }
    scheduler.end(&world);
    let violation = world.state().violation.clone();
    (lives.get(), violation)
}

#[test]
fn nobody_strikes_the_process_that_got_another_ones_number() {
    for question in &QUESTIONS {
        assert_eq!(outcome(question, ToldBy::NumberAndStart), (true, None), "{}", question.name);
        let (_, violation) = outcome(question, ToldBy::Number);
        let why =
            violation.unwrap_or_else(|| panic!("{}: a process told by its number alone is not noticed", question.name));
        println!("simulation: told by its number alone, {}: {why}", question.name);
    }
}
