//! What does a look at a container say?

use std::time::Duration;

use super::{World, context, create, force, model::Life, spec};
use crate::engine::{
    backend::embedded::{
        containers::{
            layout,
            record::{Change, Durability, RecordedIntent},
        },
        image_verbs::users_among,
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
fn a_start_that_fails_says_why_also_when_that_cannot_be_written_down() {
    for auto_remove in [true, false] {
        // Where it works last is the launch: what comes after it fails.
        let failures = (0..).map(|steps| {
            let world = World::new();
            let spec = ContainerSpec { auto_remove, ..spec(None) };
            let id = world.process(&Life::endless()).create(&spec, &context()).unwrap().container.unwrap();
            let starter = world.process_where_starts_fail(&Life::of(steps), Some(ErrorKind::CommandNotFound));
            starter.start(&id, None, &context()).unwrap_err()
        });
        let failure = failures.take(30).find(|failure| failure.reason().starts_with("it does not start")).unwrap();
        assert_eq!(failure.kind(), ErrorKind::CommandNotFound);
        assert!(failure.reason().contains("killed"), "{failure}");
    }
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
fn the_next_start_of_a_container_that_goes_when_it_ends_is_no_removal() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let spec = ContainerSpec { auto_remove: true, ..spec(Some("web")) };
    let id = containers.create(&spec, &context()).unwrap().container.unwrap();
    containers.start(&id, None, &context()).unwrap();
    let run_dir = containers.run_dir(&id);
    let held = containers.store.lock(&id, Verb::Restart, Duration::ZERO).unwrap();
    let mut record = containers.whole(&id).unwrap().record;
    world.machine.end(&run_dir, Some(0));
    // As a restart is before its launch: the last exit is of the run before.
    record.run = Generation(2);
    let (pid, since) = (containers.store.machine.pid, containers.store.machine.clock.now());
    record.intent = Some(RecordedIntent { pid, since, deadline: since, change: Change::Start });
    containers.store.write(&held, &mut record, Durability::Unsynced).unwrap();
    let looked = || {
        let observed = containers.whole(&id).unwrap();
        (observed.container.status(), observed.is_overdue())
    };
    assert_eq!(looked(), (Status::Exited, false), "its starter is at it");
    world.machine.begin_launch(&run_dir);
    assert_eq!(looked(), (Status::Exited, false), "its next monitor is there");
    world.machine.give_up_launch(&run_dir);
    drop(held);
    assert_eq!(looked(), (Status::Exited, true), "its start was cut");
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

/// Takes the record of a running container away from us in every way, each with whether nobody will ever read it again.
fn without_record(mut check: impl FnMut(&World, &ContainerId, &str, bool)) {
    for (how, lost) in
        [("torn", true), ("missing", true), ("later", false), ("later and else", false), ("refused", false)]
    {
        let world = World::new();
        let containers = world.process(&Life::endless());
        let id = create(&containers, "web");
        containers.start(&id, None, &context()).unwrap();
        let path = world.layout().container(&id).join(layout::RECORD);
        let record = std::fs::read_to_string(&path).unwrap();
        let later = record.replacen("\"format\":1", "\"format\":2", 1);
        assert_ne!(later, record);
        std::fs::remove_file(&path).unwrap();
        match how {
            "torn" => std::fs::write(&path, "{").unwrap(),
            "missing" => {}
            "later" => std::fs::write(&path, later).unwrap(),
            "later and else" => std::fs::write(&path, "{\"format\":2}").unwrap(),
            // Nobody reads a directory, root neither.
            _ => std::fs::create_dir(&path).unwrap(),
        }
        check(&world, &id, how, lost);
    }
}

#[test]
fn what_runs_without_a_readable_record_goes_with_force_only() {
    without_record(|world, id, how, _| {
        let containers = world.process(&Life::endless());
        let error = containers.remove(id, &RemoveOptions::default(), &context()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{how}: {error}");
        assert!(error.remedy_text().unwrap().contains("rm --force"), "{how}: {error:?}");
        assert_eq!((world.machine.running(), containers.list().unwrap().len()), (1, 1), "{how}");
        containers.remove(id, &force(), &context()).unwrap();
        assert_eq!((world.machine.running(), containers.list().unwrap().len()), (0, 0), "{how}");
    });
}

#[test]
fn a_record_that_somebody_can_read_is_not_lost_with_its_container() {
    without_record(|world, id, how, lost| {
        let containers = world.process(&Life::endless());
        world.machine.end(&containers.run_dir(id), Some(0));
        std::fs::write(world.layout().container(id).join(layout::AUTO_REMOVE), "").unwrap();
        if lost {
            containers.remove(id, &RemoveOptions::default(), &context()).unwrap();
            return;
        }
        let error = containers.remove(id, &RemoveOptions::default(), &context()).unwrap_err();
        assert!(error.remedy_text().unwrap().contains("rm --force"), "{how}: {error:?}");
        assert!(!matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Refused), "{how}: {error:?}");
        containers.repair(RepairMode::Mend).unwrap();
        assert_eq!(containers.list().unwrap().len(), 1, "{how}: a repair took it");
        containers.remove(id, &force(), &context()).unwrap();
    });
}

#[test]
fn what_runs_without_a_readable_record_keeps_every_image() {
    without_record(|world, id, how, lost| {
        let containers = world.process(&Life::endless());
        for running in [true, false] {
            if !running {
                world.machine.end(&containers.run_dir(id), Some(0));
            }
            match (users_among(&containers), how) {
                (Ok(users), "later") => assert_eq!(users.first().map(|user| user.running), Some(running), "{users:?}"),
                (Ok(users), _) => assert!(lost && !running && users.is_empty(), "{how}: {users:?}"),
                (Err(error), _) => {
                    assert!(running || !lost, "{how}: {error}");
                    assert!(error.to_string().contains(id.short()), "{how}: {error}");
                    assert!(error.remedy_text().unwrap().contains("rm --force"), "{how}: {error:?}");
                }
            }
        }
    });
}

#[test]
fn what_runs_without_a_readable_record_is_not_said_to_have_ended() {
    without_record(|world, id, how, _| {
        let containers = world.process(&Life::endless());
        assert_eq!(containers.wait(id, Duration::ZERO).unwrap(), None, "{how}");
        let errors = [
            containers.restart(id, &StopOptions::default(), &context()).unwrap_err(),
            containers.pause(id, &context()).unwrap_err(),
            containers.start(id, None, &context()).unwrap_err(),
            containers.live(id, Verb::Exec).unwrap_err(),
        ];
        for error in errors {
            assert!(error.reason().starts_with("it is running, and its record"), "{how}: {error}");
            assert!(error.remedy_text().unwrap().contains("wharf stop"), "{how}: {error:?}");
        }
        assert_eq!(world.machine.running(), 1, "{how}");
        world.machine.end(&containers.run_dir(id), Some(0));
        assert_eq!(containers.wait(id, Duration::ZERO).unwrap(), Some(ProcessExit::Unknown), "{how}");
        let over = containers.pause(id, &context()).unwrap_err();
        assert!(over.reason().starts_with("its record"), "{how}: {over}");
    });
}

#[test]
fn what_runs_without_a_readable_record_can_be_ended() {
    without_record(|world, id, how, _| {
        let containers = world.process(&Life::endless());
        containers.kill(id, Signal::TERM, &context()).unwrap();
        assert_eq!(world.machine.running(), 1, "{how}");
        assert!(!containers.kill(id, Signal::KILL, &context()).unwrap().already, "{how}");
        assert_eq!(world.machine.running(), 0, "{how}");
    });
    without_record(|world, id, how, _| {
        let containers = world.process(&Life::endless());
        let done = containers.stop(id, &StopOptions::default(), &context()).unwrap();
        let warned = done.warnings.first().is_some_and(|warning| warning.contains("its own stop signal is not known"));
        assert!(!done.already && warned, "{how}: {done:?}");
        assert_eq!(world.machine.running(), 0, "{how}");
        // Nothing runs, and why nothing more is known.
        let error = containers.stop(id, &StopOptions::default(), &context()).unwrap_err();
        assert!(error.reason().starts_with("its record"), "{how}: {error}");
    });
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
