//! Does the supervisor keep order, bounds and the picture, whatever the host does? On the fake engine.
//!
//! Deliberately elsewhere: what every engine must do (`conformance`), panics (`defects`), the pure order of work (`core::lane`).

mod defective;
mod defects;

use std::{sync::Arc, time::Duration};

use wharf::engine::{Engine, backend::fake::FakeHost, domain::*};

fn host() -> (FakeHost, Engine) {
    let fake = FakeHost::new();
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(fake.clone()));
    (fake, engine)
}

fn sleeper(name: &str) -> Command {
    Command::Run(Box::new(ContainerSpec {
        image: "bb:1".into(),
        name: Some(name.parse().unwrap()),
        command: vec!["sleep".into(), "1000".into()],
        ..ContainerSpec::default()
    }))
}

fn rm(name: &str) -> Command {
    let options = RemoveOptions { force: Force::Yes, volumes: false };
    Command::Remove { container: name.into(), options }
}

async fn inventory_where(engine: &Engine, what: &str, holds: impl Fn(&Inventory) -> bool) -> Arc<Inventory> {
    let mut picture = engine.inventory();
    let waiting = picture.wait_for(|inventory| holds(inventory));
    let found = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    found.unwrap_or_else(|_| panic!("never: {what}")).unwrap()
}

#[tokio::test]
async fn commands_on_a_name_wait_for_its_creation_and_keep_their_order() {
    let (_, engine) = host();
    let run = engine.submit(sleeper("web")).unwrap();
    let rename = engine.submit(Command::Rename { container: "web".into(), name: "db".parse().unwrap() }).unwrap();
    let stale = engine.submit(Command::Pause { container: "web".into() }).unwrap();
    run.outcome().await.unwrap();
    rename.outcome().await.unwrap();
    stale.outcome().await.unwrap();
    assert_eq!(engine.find_container(&"db".into()).await.unwrap().status(), Status::Paused);
}

#[tokio::test]
async fn a_command_is_never_answered_by_a_look_that_began_before_it() {
    let host = defective::DefectiveHost::new();
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(host.clone()));
    let (looked, release) = host.hold_next_lookup();
    let early = engine.submit(Command::Pause { container: "web".into() }).unwrap();
    looked.await.unwrap();
    let other = Engine::with_backend(HostSpec::Embedded, Arc::new(host.inner.clone()));
    other.submit(sleeper("web")).unwrap().outcome().await.unwrap();
    let late = engine.submit(Command::Pause { container: "web".into() }).unwrap();
    release.send(()).unwrap();
    assert_eq!(early.outcome().await.unwrap_err().kind(), ErrorKind::NoSuchContainer);
    late.outcome().await.unwrap();
}

#[tokio::test]
async fn the_picture_follows_what_others_do_on_the_host() {
    let (fake, engine) = host();
    engine.observe();
    inventory_where(&engine, "live", |inventory| inventory.link == HostLink::Live).await;
    let other = Engine::with_backend(HostSpec::Embedded, Arc::new(fake));
    other.submit(sleeper("web")).unwrap().outcome().await.unwrap();
    let seen = |inventory: &Inventory| inventory.containers.iter().any(|found| found.status() == Status::Running);
    inventory_where(&engine, "the container runs", seen).await;
    other.submit(rm("web")).unwrap().outcome().await.unwrap();
    inventory_where(&engine, "the container is gone", |inventory| inventory.containers.is_empty()).await;
}

#[tokio::test]
async fn a_cancelled_operation_ends_as_cancelled_and_stays_in_the_history() {
    let (fake, engine) = host();
    fake.set_silent(true);
    let reference: ImageReference = "remote:1".parse().unwrap();
    let ticket = engine.submit(Command::Pull { reference, options: PullOptions::default() }).unwrap();
    let operation = ticket.operation;
    engine.cancel(operation).await;
    assert_eq!(ticket.outcome().await.unwrap_err().kind(), ErrorKind::Cancelled);
    let finished = |inventory: &Inventory| inventory.operation(operation).is_some_and(|found| !found.is_running());
    let history = inventory_where(&engine, "the operation is finished", finished).await;
    assert_eq!(history.operation(operation).unwrap().cli, "wharf pull remote:1");
}

#[tokio::test]
async fn a_thousand_commands_end_each_once_and_leave_no_container() {
    let (_, engine) = host();
    let mut tickets = Vec::new();
    for round in 0..100 {
        for step in 0..8 {
            let name = format!("c{}", round % 7);
            let command = match step {
                0 => sleeper(&name),
                1 => Command::Pause { container: name.as_str().into() },
                2 => Command::Unpause { container: name.as_str().into() },
                3 | 7 => rm(&name),
                4 => Command::Kill { container: name.as_str().into(), signal: Signal::KILL },
                5 => Command::Start { container: name.as_str().into() },
                _ => Command::Rename { container: name.as_str().into(), name: format!("r{round}").parse().unwrap() },
            };
            tickets.push(engine.submit(command).unwrap());
        }
    }
    for ticket in tickets {
        // Which of them succeed depends on their order; that each ends is the point.
        let _ = tokio::time::timeout(Duration::from_secs(20), ticket.outcome()).await.expect("an operation hung");
    }
    for left in engine.containers().await.unwrap() {
        let options = RemoveOptions { force: Force::Yes, volumes: false };
        engine.submit(Command::Remove { container: left.id.into(), options }).unwrap().outcome().await.unwrap();
    }
    assert!(engine.containers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_removal_queued_behind_a_start_is_judged_by_what_the_start_did() {
    let fake = FakeHost::new().with_latency(Duration::from_millis(20));
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(fake));
    engine.observe();
    let Command::Run(spec) = sleeper("web") else { unreachable!("sleeper runs") };
    let id = engine.submit(Command::Create(spec)).unwrap().outcome().await.unwrap().container.unwrap();
    inventory_where(&engine, "listed", |inventory| !inventory.containers.is_empty()).await;
    let start = engine.submit(Command::Start { container: id.clone().into() }).unwrap();
    let rm = Command::Remove { container: id.clone().into(), options: RemoveOptions::default() };
    let removal = engine.submit(rm).unwrap();
    start.outcome().await.unwrap();
    assert_eq!(removal.outcome().await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(engine.find_container(&id.into()).await.unwrap().status(), Status::Running);
}

#[tokio::test]
async fn pruning_removes_what_is_stopped_and_keeps_what_runs() {
    let (_, engine) = host();
    engine.submit(sleeper("kept")).unwrap().outcome().await.unwrap();
    let spec = ContainerSpec { image: "bb:1".into(), command: vec!["true".into()], ..ContainerSpec::default() };
    let stopped = engine.submit(Command::Create(Box::new(spec))).unwrap().outcome().await.unwrap().container.unwrap();
    let done = engine.submit(Command::PruneContainers).unwrap().outcome().await.unwrap();
    assert_eq!(done.output, [stopped.to_string()]);
    assert_eq!(engine.containers().await.unwrap().len(), 1);
}

#[tokio::test]
async fn closing_cancels_what_runs_and_answers_everybody() {
    let (fake, engine) = host();
    engine.submit(sleeper("web")).unwrap().outcome().await.unwrap();
    fake.set_silent(true);
    let stuck = engine.submit(rm("web")).unwrap();
    let begun = std::time::Instant::now();
    let ((), outcome) = tokio::join!(engine.close(), stuck.outcome());
    assert!(outcome.is_err());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_falls_silent_makes_rows_stale_and_ends_operations_in_time() {
    let (fake, engine) = host();
    engine.submit(sleeper("web")).unwrap().outcome().await.unwrap();
    engine.observe();
    inventory_where(&engine, "listed", |inventory| !inventory.containers.is_empty()).await;
    fake.set_silent(true);
    let begun = tokio::time::Instant::now();
    let error = engine.submit(rm("web")).unwrap().outcome().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
    engine.resync();
    let stale = |inventory: &Inventory| matches!(inventory.link, HostLink::Stale { .. });
    let picture = tokio::time::timeout(Duration::from_secs(60), async {
        let mut picture = engine.inventory();
        picture.wait_for(stale).await.unwrap()
    });
    assert_eq!(picture.await.unwrap().containers.len(), 1, "stale rows stay on the screen");
    fake.set_silent(false);
    engine.resync();
    inventory_where(&engine, "live again", |inventory| inventory.link == HostLink::Live).await;
    engine.submit(rm("web")).unwrap().outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_a_silent_host_for_a_container_is_told_so() {
    let (fake, engine) = host();
    let id = engine.submit(sleeper("web")).unwrap().outcome().await.unwrap().container.unwrap();
    fake.set_silent(true);
    for selector in [ContainerSelector::from("web"), ContainerSelector::Id(id)] {
        let asked = tokio::time::timeout(Duration::from_secs(60), engine.find_container(&selector));
        assert_eq!(asked.await.expect("no deadline").unwrap_err().kind(), ErrorKind::TimedOut, "{selector}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_behind_one_that_hangs_ends_too_and_the_watchdog_says_what_it_waits_for() {
    let (fake, other) = host();
    other.submit(sleeper("web")).unwrap().outcome().await.unwrap();
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(fake.clone()));
    engine.observe();
    let listed = inventory_where(&engine, "listed", |inventory| !inventory.containers.is_empty()).await;
    let container = ContainerSelector::Id(listed.containers[0].id.clone());
    fake.set_silent(true);
    let hanging = engine.submit(Command::Pause { container: container.clone() }).unwrap();
    let behind = engine.submit(Command::Unpause { container }).unwrap();
    let (first, second) = (hanging.operation, behind.operation);
    let mut picture = engine.inventory();
    let waits_for = |inventory: &Inventory, operation| {
        inventory.operation(operation).and_then(|found| found.progress.overdue.clone()).unwrap_or_default()
    };
    let named = picture.wait_for(|inventory| waits_for(inventory, second) == format!("pause (operation {first})"));
    let named = tokio::time::timeout(Duration::from_secs(120), named).await.expect("never overdue").unwrap();
    assert_eq!(waits_for(&named, first), "its host");
    for ticket in [hanging, behind] {
        let outcome = tokio::time::timeout(Duration::from_secs(60), ticket.outcome()).await.expect("it never ends");
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
