//! Does the demo come about, stay what it is when asked for again, and go without a trace? On the fake engine.
//!
//! Deliberately elsewhere: its image and its plan (unit tests beside them), a real host (`real`).

mod real;

use std::{sync::Arc, time::Duration};

use wharf::engine::{
    Engine,
    backend::fake::FakeHost,
    demo::{CONTAINER_LABEL, members},
    domain::*,
};

fn host() -> (FakeHost, Engine) {
    let fake = FakeHost::new();
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(fake.clone()));
    (fake, engine)
}

async fn perform(engine: &Engine, command: Command) -> Outcome {
    let ending = engine.submit(command).unwrap().outcome();
    tokio::time::timeout(Duration::from_secs(30), ending).await.expect("the demo hung")
}

/// Names and statuses, sorted.
async fn pictures(engine: &Engine) -> Vec<(String, ContainerId, Status)> {
    let listed = engine.containers().await.unwrap();
    let mut seen: Vec<_> = listed.iter().map(|own| (own.display_name(), own.id.clone(), own.status())).collect();
    seen.sort_by(|left, right| left.0.cmp(&right.0));
    seen
}

async fn settled(engine: &Engine) {
    for container in engine.containers().await.unwrap() {
        if container.command.iter().any(|word| ["finisher", "failer", "burst"].contains(&word.as_str())) {
            engine.wait_exit(&container.id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_demo_runs_its_members_and_shows_success_and_failure() {
    let (_, engine) = host();
    let done = perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    let expected: Vec<String> = members().iter().map(|member| member.name.to_string()).collect();
    assert_eq!((done.output, done.already), (expected, false));
    settled(&engine).await;
    let containers = engine.containers().await.unwrap();
    let code_of = |name: &str| {
        let found = containers.iter().find(|container| container.display_name() == name).unwrap();
        (found.status(), found.state.exit_code)
    };
    assert_eq!(code_of("demo-finisher"), (Status::Exited, Some(0)));
    assert_eq!(code_of("demo-failer"), (Status::Exited, Some(1)));
    assert_eq!(code_of("demo-web").0, Status::Running);
    assert!(containers.iter().all(|container| container.labels.contains_key(CONTAINER_LABEL.0)));
}

#[tokio::test]
async fn asking_for_the_demo_again_changes_nothing_that_is_there() {
    let (_, engine) = host();
    perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    settled(&engine).await;
    let before = pictures(&engine).await;
    let again = perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    assert!(again.already && again.output.is_empty(), "{again:?}");
    assert_eq!(pictures(&engine).await, before);
}

#[tokio::test]
async fn asking_for_the_demo_again_brings_back_what_is_gone_or_stopped() {
    let (_, engine) = host();
    perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    settled(&engine).await;
    let options = RemoveOptions { force: Force::Yes, volumes: false };
    perform(&engine, Command::Remove { container: "demo-failer".into(), options }).await.unwrap();
    perform(&engine, Command::Kill { container: "demo-web".into(), signal: Signal::KILL }).await.unwrap();
    let again = perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    assert_eq!(again.output, ["demo-web", "demo-failer"]);
    assert_eq!(engine.containers().await.unwrap().len(), members().len());
}

#[tokio::test]
async fn cleaning_removes_the_demo_and_nothing_else() {
    let (_, engine) = host();
    let own = |name: &str, image: &str| {
        Command::Run(Box::new(ContainerSpec {
            image: image.into(),
            name: Some(name.parse().unwrap()),
            command: vec!["sleep".into(), "1000".into()],
            ..ContainerSpec::default()
        }))
    };
    perform(&engine, own("mine", "bb:1")).await.unwrap();
    let images = engine.images().await.unwrap();
    perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    perform(&engine, Command::Rename { container: "demo-web".into(), name: "renamed".parse().unwrap() }).await.unwrap();
    let cleaned = perform(&engine, Command::Demo(Demo::Clean)).await.unwrap();
    assert_eq!(cleaned.output.len(), members().len() + 1, "{cleaned:?}");
    assert_eq!(pictures(&engine).await.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["mine"]);
    assert_eq!(engine.images().await.unwrap(), images);
    assert!(perform(&engine, Command::Demo(Demo::Clean)).await.unwrap().already);
}

#[tokio::test]
async fn cleaning_keeps_the_image_that_a_persons_own_container_uses() {
    let (_, engine) = host();
    perform(&engine, Command::Demo(Demo::Start)).await.unwrap();
    let own = ContainerSpec {
        image: "wharf/demo".into(),
        name: Some("mine".parse().unwrap()),
        command: vec!["sleep".into(), "1000".into()],
        ..ContainerSpec::default()
    };
    perform(&engine, Command::Run(Box::new(own))).await.unwrap();
    let cleaned = perform(&engine, Command::Demo(Demo::Clean)).await.unwrap();
    assert_eq!(cleaned.warnings.len(), 1, "{cleaned:?}");
    assert_eq!(pictures(&engine).await.len(), 1);
    assert!(engine.inspect_image("wharf/demo").await.is_ok());
}

#[tokio::test]
async fn an_image_of_another_origin_with_the_demos_name_is_neither_replaced_nor_removed() {
    let (fake, engine) = host();
    fake.add_image("wharf/demo:latest");
    let refused = perform(&engine, Command::Demo(Demo::Start)).await.unwrap_err();
    assert_eq!((refused.kind(), refused.verb()), (ErrorKind::NameInUse, Some(Verb::Demo)));
    assert!(perform(&engine, Command::Demo(Demo::Clean)).await.unwrap().already);
    assert!(engine.inspect_image("wharf/demo").await.is_ok());
}

#[tokio::test]
async fn the_demo_is_an_operation_that_can_be_cancelled() {
    let (fake, engine) = host();
    fake.set_silent(true);
    let ticket = engine.submit(Command::Demo(Demo::Start)).unwrap();
    engine.cancel(ticket.operation).await;
    let outcome =
        tokio::time::timeout(Duration::from_secs(5), ticket.outcome()).await.expect("the cancel was not heard");
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
}
