//! Does the whole of supervisor, actors and lanes keep one writer per container and answer every command once?
//!
//! The production tasks over the fake host, with time passing as it likes: deadlines may be over at once. Deliberately
//! elsewhere: the same with real time (`tests/supervision`), switching hosts (`switching`).

use std::sync::Arc;

use shuttle::future::block_on;
use wharf::engine::{
    Engine, Ticket,
    backend::fake::FakeHost,
    domain::{Command, ContainerSpec, ErrorKind, Force, HostSpec, RemoveOptions, Signal},
};

use super::{
    schedules::explore,
    twin::{Variant, holds_and_catches_its_twin},
};

#[test]
fn every_command_is_answered_once_and_no_two_change_one_container_at_a_time() {
    let test = "supervision::every_command_is_answered_once_and_no_two_change_one_container_at_a_time";
    holds_and_catches_its_twin(test, &["was admitted from", "let two writers in"], |variant| {
        explore("supervisor and actors", 1_000, move || block_on(one_container(variant)));
    });
}

async fn one_container(variant: Variant) {
    let fake = FakeHost::new();
    let engine = open(&fake);
    // The fault: a second writer, which knows nothing of the first.
    let other = if variant == Variant::Twin { open(&fake) } else { engine.clone() };
    engine.observe();
    let started = engine.submit(sleeper("web")).unwrap();
    let mut tickets = Vec::new();
    if variant == Variant::Twin {
        // What it does first has to be there for both.
        drop(started.outcome().await);
    } else {
        tickets.push(started);
    }
    tickets.extend(commands().into_iter().enumerate().map(|(number, command)| {
        if number % 2 == 0 { engine.submit(command).unwrap() } else { other.submit(command).unwrap() }
    }));
    let cancelled = tickets.get(2).map(|ticket| ticket.operation).unwrap();
    engine.cancel(cancelled).await;
    for ticket in tickets {
        answered(ticket).await;
    }
    engine.resync();
    engine.close().await;
}

fn commands() -> Vec<Command> {
    vec![
        Command::Pause { container: "web".into() },
        Command::Kill { container: "web".into(), signal: Signal::KILL },
        Command::Rename { container: "web".into(), name: "db".parse().unwrap() },
        Command::Start { container: "web".into() },
        rm("web"),
        rm("web"),
    ]
}

/// Which of them succeed depends on their order; that each is answered by its own actor is the point.
async fn answered(ticket: Ticket) {
    if let Err(error) = ticket.outcome().await {
        assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
    }
}

#[test]
fn closing_answers_whoever_waits_even_when_the_host_is_silent() {
    explore("closing beside a silent host", 1_000, || {
        block_on(async {
            let fake = FakeHost::new();
            let engine = open(&fake);
            let first = engine.submit(sleeper("web")).unwrap();
            fake.set_silent(true);
            let second = engine.submit(rm("web")).unwrap();
            let closing = engine.clone();
            let closed = shuttle::future::spawn(async move { closing.close().await });
            // Answered, in whatever way.
            drop((first.outcome().await, second.outcome().await));
            closed.await.unwrap();
        });
    });
}

pub fn open(fake: &FakeHost) -> Engine {
    Engine::with_backend(HostSpec::Embedded, Arc::new(fake.clone()))
}

pub fn sleeper(name: &str) -> Command {
    Command::Run(Box::new(ContainerSpec {
        image: "bb:1".into(),
        name: Some(name.parse().unwrap()),
        command: vec!["sleep".into(), "1000".into()],
        ..ContainerSpec::default()
    }))
}

pub fn rm(name: &str) -> Command {
    let options = RemoveOptions { force: Force::Yes, volumes: false };
    Command::Remove { container: name.into(), options }
}
