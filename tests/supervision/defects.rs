//! What does a panic cost in each task of the engine? One operation, told as a defect, or nothing at all; what it was
//! about is looked at again, and the next command works.
//! Deliberately elsewhere: tasks of the screen (`terminal::panics`), the actors' own loop (there too, with the real
//! program), the panicking call (`defective`).

use std::{sync::Arc, time::Duration};

use wharf::engine::{Engine, domain::*};

use super::{
    defective::{Call, DefectiveHost},
    inventory_where, rm, sleeper,
};

/// A host with a running `web`, followed by the engine that is returned.
async fn followed() -> (DefectiveHost, Engine, ContainerId) {
    let host = DefectiveHost::new();
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(host.clone()));
    engine.observe();
    let id = ends(&engine, sleeper("web")).await.unwrap().container.unwrap();
    inventory_where(&engine, "it runs", |inventory| shows(inventory, Status::Running)).await;
    (host, engine, id)
}

fn shows(inventory: &Inventory, status: Status) -> bool {
    inventory.containers.iter().any(|found| found.status() == status)
}

/// Whether the whole picture is up to date again.
fn live(inventory: &Inventory) -> bool {
    inventory.link == HostLink::Live
}

/// Every command ends, in little time.
async fn ends(engine: &Engine, command: Command) -> Outcome {
    let outcome = engine.submit(command).unwrap().outcome();
    tokio::time::timeout(Duration::from_secs(10), outcome).await.expect("it never ends")
}

/// It failed as a defect of ours, named by its verb, with advice.
#[track_caller]
fn assert_told(outcome: Outcome, verb: Verb) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    assert!(error.to_string().contains("defect"), "{error}");
    assert_eq!(error.verb(), Some(verb), "{error}");
}

#[tokio::test]
async fn one_in_the_work_on_a_container_ends_that_operation_and_its_actor_goes_on() {
    let (host, engine, id) = followed().await;
    for container in [ContainerSelector::Id(id.clone()), ContainerSelector::from("web")] {
        host.fail_next(Call::Pause);
        assert_told(ends(&engine, Command::Pause { container: container.clone() }).await, Verb::Pause);
        ends(&engine, Command::Pause { container: container.clone() }).await.unwrap();
        inventory_where(&engine, "paused", |inventory| shows(inventory, Status::Paused)).await;
        ends(&engine, Command::Unpause { container }).await.unwrap();
    }
    host.fail_next(Call::Remove);
    assert_told(ends(&engine, rm("web")).await, Verb::Remove);
    assert!(engine.find_container(&"web".into()).await.is_ok());
    ends(&engine, rm("web")).await.unwrap();
}

#[tokio::test]
async fn one_in_a_creation_leaves_its_name_to_the_next() {
    let (host, engine, _) = followed().await;
    for call in [Call::Create, Call::Start] {
        host.fail_next(call);
        let run = engine.submit(sleeper("db")).unwrap();
        // Waits for the name, and is then told what became of it.
        let behind = engine.submit(Command::Pause { container: "db".into() }).unwrap();
        assert_told(run.outcome().await, Verb::Run);
        let outcome = tokio::time::timeout(Duration::from_secs(10), behind.outcome()).await.expect("it never ends");
        let kinds = [ErrorKind::NoSuchContainer, ErrorKind::Refused];
        assert!(kinds.contains(&outcome.unwrap_err().kind()), "{call:?}");
        ends(&engine, rm("db")).await.unwrap();
    }
    ends(&engine, sleeper("db")).await.unwrap();
}

#[tokio::test]
async fn one_in_a_transfer_ends_it_and_the_next_one_of_that_reference_works() {
    let (host, engine, _) = followed().await;
    let reference: ImageReference = "remote:1".parse().unwrap();
    let pull = || Command::Pull { reference: reference.clone(), options: PullOptions::default() };
    host.fail_next(Call::Pull);
    assert_told(ends(&engine, pull()).await, Verb::Pull);
    ends(&engine, pull()).await.unwrap();
    assert_eq!(engine.images().await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_while_a_name_is_looked_up_answers_everybody_who_waits_for_it() {
    let (host, engine, _) = followed().await;
    host.fail_next(Call::FindContainer);
    let both = [Command::Pause { container: "web".into() }, rm("web")].map(|command| engine.submit(command).unwrap());
    for (ticket, verb) in both.into_iter().zip([Verb::Pause, Verb::Remove]) {
        let outcome = tokio::time::timeout(Duration::from_secs(10), ticket.outcome()).await.expect("it never ends");
        assert_told(outcome, verb);
    }
    ends(&engine, rm("web")).await.unwrap();
}

#[tokio::test]
async fn one_in_an_operation_made_of_others_ends_it() {
    let (host, engine, _) = followed().await;
    host.fail_next(Call::Containers);
    assert_told(ends(&engine, Command::PruneContainers).await, Verb::PruneContainers);
    assert!(host.has_failed());
    ends(&engine, Command::PruneContainers).await.unwrap();
}

#[tokio::test]
async fn one_while_an_end_is_written_down_does_not_keep_the_end_from_its_asker() {
    let (host, engine, _) = followed().await;
    host.fail_next(Call::Remember);
    ends(&engine, rm("web")).await.unwrap();
    assert!(host.has_failed());
}

#[tokio::test(start_paused = true)]
async fn one_in_a_look_makes_the_picture_stale_until_the_next_look() {
    let (host, engine, _) = followed().await;
    for call in [Call::Container, Call::Containers, Call::Images] {
        host.fail_next(call);
        // An operation of somebody else: only a notice and a look bring it here.
        let other = Engine::with_backend(HostSpec::Embedded, Arc::new(host.inner.clone()));
        ends(&other, Command::Pause { container: "web".into() }).await.unwrap();
        if call != Call::Container {
            engine.resync();
        }
        inventory_where(&engine, "stale", |inventory| !live(inventory)).await;
        assert!(host.has_failed(), "{call:?}");
        inventory_where(&engine, "live again", |inventory| live(inventory) && shows(inventory, Status::Paused)).await;
        ends(&other, Command::Unpause { container: "web".into() }).await.unwrap();
        inventory_where(&engine, "running again", |inventory| shows(inventory, Status::Running)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_in_the_subscription_is_followed_by_another_subscription() {
    let host = DefectiveHost::new();
    host.fail_next(Call::Watch);
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(host.clone()));
    engine.observe();
    inventory_where(&engine, "live", live).await;
    assert!(host.has_failed());
    let other = Engine::with_backend(HostSpec::Embedded, Arc::new(host.inner.clone()));
    ends(&other, sleeper("web")).await.unwrap();
    inventory_where(&engine, "it runs", |inventory| shows(inventory, Status::Running)).await;
    ends(&other, rm("web")).await.unwrap();
    inventory_where(&engine, "it is gone", |inventory| inventory.containers.is_empty()).await;
}
