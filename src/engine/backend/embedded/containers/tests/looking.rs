//! What does a look at a container say?

use std::time::Duration;

use super::{World, context, create, model::Life};
use crate::engine::{
    backend::embedded::containers::{
        layout,
        record::{Change, Durability, RecordedIntent},
    },
    domain::*,
};

#[test]
fn a_start_that_fails_keeps_its_reason_and_docker_s_exit_code() {
    let world = World::new();
    let containers = world.process_where_starts_fail(&Life::endless(), Some(ErrorKind::CommandNotFound));
    let id = create(&containers, "web");
    assert_eq!(containers.start(&id, None, &context()).unwrap_err().kind(), ErrorKind::CommandNotFound);
    let seen = containers.get(&id).unwrap();
    assert_eq!((seen.status(), seen.state.exit_code), (Status::Created, Some(127)));
    assert_eq!(seen.state.reason.as_deref(), Some("it does not start"));
    // Another process, where it works: the failure is forgotten.
    world.process(&Life::endless()).start(&id, None, &context()).unwrap();
    assert_eq!(containers.get(&id).unwrap().status(), Status::Running);
}

#[test]
fn a_start_that_was_cut_is_not_taken_up_by_whoever_holds_the_container_next() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    let shown = |pid, since: Option<Timestamp>| {
        let mut locked = containers.locked(&id, Verb::Start, Duration::ZERO).unwrap();
        let since = since.unwrap_or_else(|| containers.store.machine.clock.now());
        let record = locked.record();
        record.run = Generation(1);
        record.intent = Some(RecordedIntent { pid, since, deadline: since, change: Change::Start });
        containers.store.write(&locked.held, &mut locked.observed.record, Durability::Synced).unwrap();
        let container = containers.get(&id).unwrap();
        (container.intent.is_some(), container.status())
    };
    let own = containers.store.machine.pid;
    assert_eq!(shown(own, None), (true, Status::Created), "its holder is at it");
    assert_eq!(shown(own + 1, None), (false, Status::Exited), "somebody else holds it");
    assert_eq!(shown(own, Some(Timestamp::ZERO)), (false, Status::Exited), "it is held anew");
}

#[test]
fn a_damaged_record_is_shown_as_broken_and_can_be_removed() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    std::fs::write(world.layout().container(&id).join(layout::RECORD), b"{\"format\":").unwrap();
    let seen = containers.find("web").unwrap();
    assert_eq!((seen.status(), &seen.id), (Status::Broken, &id));
    assert_eq!(containers.start(&id, None, &context()).unwrap_err().kind(), ErrorKind::Corrupt);
    containers.remove(&id, &RemoveOptions::default(), &context()).unwrap();
    assert!(containers.list().unwrap().is_empty());
    create(&containers, "web");
}

#[test]
fn inspect_has_dockers_keys() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    containers.start(&id, None, &context()).unwrap();
    let value = containers.inspect(&id).unwrap();
    let at = |pointer: &str| value.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/Id"), serde_json::json!(id));
    assert_eq!(at("/Name"), serde_json::json!("/web"));
    assert_eq!(at("/State/Running"), serde_json::json!(true));
    assert_eq!(at("/State/Pid"), serde_json::json!(42));
    assert_eq!(at("/Config/Cmd"), serde_json::json!(["sh"]));
    assert_eq!(at("/HostConfig/NetworkMode"), serde_json::json!("none"));
    assert_eq!(at("/Mounts/0/Destination"), serde_json::json!("/data"));
}
