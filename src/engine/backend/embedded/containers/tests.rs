//! Do the verbs keep their promises, whole and cut at every step?
//!
//! Deliberately elsewhere: real processes and images (`tests/engine`, `tests/conformance`).

mod looking;
mod model;
mod residue;

use std::time::Duration;

use self::model::{Life, World};
use super::{
    record::{Change, Durability, RecordedIntent},
    remove::{Announced, Volumes},
    *,
};
use crate::engine::{
    backend::{OperationContext, embedded::disk::LockMode},
    domain::*,
};

fn context() -> OperationContext {
    OperationContext::unwatched(Duration::from_secs(30))
}

fn spec(name: Option<&str>) -> ContainerSpec {
    ContainerSpec {
        image: "bb:1".into(),
        name: name.map(|name| name.parse().unwrap()),
        mounts: vec![Mount::from_volume_flag("/data").unwrap()],
        ..ContainerSpec::default()
    }
}

fn create(containers: &Containers, name: &str) -> ContainerId {
    containers.create(&spec(Some(name)), &context()).unwrap().container.unwrap()
}

fn force() -> RemoveOptions {
    RemoveOptions { force: Force::Yes, volumes: true }
}

/// After a repair every name has one owner, every owner its name, and nothing lies about.
fn assert_sound(world: &World, why: &str) {
    let containers = world.process(&Life::endless());
    let findings = containers.repair_older(RepairMode::Mend, Duration::ZERO).unwrap();
    assert!(findings.iter().all(|finding| finding.mended), "{why}: {findings:?}");
    let again = containers.repair_older(RepairMode::LookOnly, Duration::ZERO).unwrap();
    assert!(again.is_empty(), "{why}: still wrong after a repair: {again:?}");
    let layout = world.layout();
    let count = |dir: &Path, hidden: bool| match containers.store.disk().list(dir) {
        Ok(entries) => entries.iter().filter(|entry| hidden || !entry.name.starts_with('.')).count(),
        Err(_) => 0,
    };
    let listed = containers.list().unwrap();
    assert_eq!(count(&layout.containers(), true), listed.len(), "{why}: directories");
    assert_eq!(count(&layout.names(), false), listed.len(), "{why}: names");
    assert_eq!(count(&layout.trash(), true), 0, "{why}: trash");
    assert_eq!(count(&layout.volumes(), true), listed.len(), "{why}: volumes");
    for container in &listed {
        let name = container.name.as_ref().unwrap();
        assert_eq!(containers.find(name.as_str()).unwrap().id, container.id, "{why}: {name} leads elsewhere");
        assert!(
            matches!(container.status(), Status::Created | Status::Exited | Status::Running),
            "{why}: {container:?}"
        );
        assert!(container.intent.is_none(), "{why}: {container:?}");
    }
    let running = listed.iter().filter(|container| container.status() == Status::Running).count();
    assert_eq!(running, world.machine.running(), "{why}: processes without a container");
    // Whatever is there can go, and then its name is free.
    for container in &listed {
        containers.remove(&container.id, &force(), &context()).unwrap();
    }
    create(&containers, "web");
    create(&containers, "db");
}

/// Kills a process after 0, 1, 2 ... steps of `act` until it comes to its end.
fn cut_everywhere(
    prepare: impl Fn(&Containers) -> Option<ContainerId>,
    act: impl Fn(&Containers, Option<&ContainerId>),
) {
    for steps in 0.. {
        let world = World::new();
        let id = prepare(&world.process(&Life::endless()));
        let life = Life::of(steps);
        act(&world.process(&life), id.as_ref());
        let finished = !life.is_over();
        assert_sound(&world, &format!("cut after {steps} steps"));
        if finished {
            assert!(steps > 3, "nothing was cut");
            return;
        }
    }
}

#[test]
fn a_container_goes_through_its_life() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    assert_eq!(containers.find("web").unwrap().status(), Status::Created);
    assert_eq!(containers.find(id.short()).unwrap().id, id);
    containers.start(&id, None, &context()).unwrap();
    let running = containers.get(&id).unwrap();
    assert_eq!((running.status(), running.state.pid), (Status::Running, Some(42)));
    assert!(containers.start(&id, None, &context()).unwrap().done.already);
    let refused = containers.remove(&id, &RemoveOptions::default(), &context()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    containers.stop(&id, &StopOptions::default(), &context()).unwrap();
    let exited = containers.get(&id).unwrap();
    assert_eq!((exited.status(), exited.state.exit_code), (Status::Exited, Some(137)));
    assert_eq!(containers.wait(&id, Duration::ZERO).unwrap(), Some(ProcessExit::Code(137)));
    assert!(containers.stop(&id, &StopOptions::default(), &context()).unwrap().already);
    containers.rename(&id, &"db".parse().unwrap(), &context()).unwrap();
    assert_eq!(containers.find("web").unwrap_err().kind(), ErrorKind::NoSuchContainer);
    containers.start(&id, None, &context()).unwrap();
    world.machine.end(&containers.run_dir(&id), Some(3));
    assert_eq!(containers.get(&id).unwrap().state.exit_code, Some(3));
    containers.remove(&id, &RemoveOptions { force: Force::No, volumes: true }, &context()).unwrap();
    assert!(containers.get(&id).is_none());
    assert_eq!(containers.store.disk().list(&world.layout().volumes()).unwrap().len(), 0);
    assert_sound(&world, "a whole life");
}

#[test]
fn a_name_in_use_is_refused_and_names_its_owner() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    let error = containers.create(&spec(Some("web")), &context()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NameInUse);
    assert!(error.to_string().contains(id.short()), "{error}");
    let other = create(&containers, "db");
    assert_eq!(
        containers.rename(&other, &"web".parse().unwrap(), &context()).unwrap_err().kind(),
        ErrorKind::NameInUse
    );
    assert_sound(&world, "names in use");
}

#[test]
fn a_container_cut_at_any_step_of_its_creation_is_whole_or_gone() {
    cut_everywhere(
        |containers| {
            create(containers, "db");
            None
        },
        |containers, _| drop(containers.create(&spec(Some("web")), &context())),
    );
}

#[test]
fn a_restart_cut_at_any_step_leaves_a_container_that_runs_or_is_gone() {
    let going = |name: &str| ContainerSpec { auto_remove: true, ..spec(Some(name)) };
    cut_everywhere(
        |containers| {
            let id = containers.create(&going("web"), &context()).unwrap().container.unwrap();
            containers.start(&id, None, &context()).unwrap();
            Some(id)
        },
        |containers, id| drop(containers.restart(id.unwrap(), &StopOptions::default(), &context())),
    );
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = containers.create(&going("web"), &context()).unwrap().container.unwrap();
    containers.start(&id, None, &context()).unwrap();
    containers.restart(&id, &StopOptions::default(), &context()).unwrap();
    assert_eq!(containers.get(&id).unwrap().status(), Status::Running);
    containers.stop(&id, &StopOptions::default(), &context()).unwrap();
    assert!(containers.get(&id).is_none());
}

#[test]
fn a_removal_cut_at_any_step_is_finished_or_never_began() {
    cut_everywhere(
        |containers| Some(create(containers, "web")),
        |containers, id| drop(containers.remove(id.unwrap(), &force(), &context())),
    );
}

#[test]
fn a_forced_removal_of_a_running_container_cut_at_any_step_leaves_no_process() {
    cut_everywhere(
        |containers| {
            let id = create(containers, "web");
            containers.start(&id, None, &context()).unwrap();
            Some(id)
        },
        |containers, id| drop(containers.remove(id.unwrap(), &force(), &context())),
    );
}

#[test]
fn a_removal_of_a_container_without_a_readable_record_takes_its_volumes_only_with_it() {
    // There is nothing to write an intent into: after a cut it must be there with its volumes, or gone with them.
    for steps in 0.. {
        let world = World::new();
        let containers = world.process(&Life::endless());
        let id = create(&containers, "web");
        let path = world.layout().container(&id).join(layout::RECORD);
        let record = std::fs::read(&path).unwrap();
        std::fs::write(&path, "{").unwrap();
        let life = Life::of(steps);
        let removed = world.process(&life).remove(&id, &force(), &context());
        let volumes = std::fs::read_dir(world.layout().volumes()).unwrap().count();
        if path.exists() {
            assert!(removed.is_err() && volumes == 1, "cut after {steps} steps: {volumes} volumes, {removed:?}");
            std::fs::write(&path, record).unwrap();
        }
        assert_sound(&world, &format!("cut after {steps} steps"));
        if !life.is_over() {
            return;
        }
    }
}

#[test]
fn volumes_that_resist_a_removal_go_with_the_next_repair() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    let held = containers.store.lock(&id, Verb::Remove, Duration::ZERO).unwrap();
    let record = containers.whole(&id).unwrap().record;
    let resists = |_: &Path| Err(Error::new(ErrorKind::Busy, "device or resource busy"));
    let warnings =
        remove::dispose(&containers.store, held, Some(&record), Announced::Perhaps, Volumes::Remove, &resists).unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(containers.get(&id).is_none(), "it is gone whatever becomes of its files");
    let volumes = || std::fs::read_dir(world.layout().volumes()).unwrap().count();
    assert_eq!(volumes(), 1);
    assert_sound(&world, "volumes that resisted");
}

#[test]
fn a_repair_leaves_the_volumes_of_containers_in_the_making_and_of_unreadable_ones() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let (layout, disk) = (world.layout(), containers.store.disk());
    let id = create(&containers, "web");
    std::fs::write(layout.container(&id).join(layout::RECORD), "{").unwrap();
    let its_list = std::fs::read_to_string(layout.container(&id).join(layout::VOLUMES)).unwrap();
    let its = layout.volume(&its_list.trim().parse().unwrap());
    std::fs::remove_file(its.join("data/from-the-image")).unwrap();
    // Half an image's directory is copied: its creator is at it, and its volume is empty.
    let id = containers.store.machine.random_id();
    let nascent = layout.nascent(&id);
    let name = containers.store.machine.random_id().to_string();
    let made = layout.volume(&name.parse().unwrap());
    disk.create_dir_all(&nascent).unwrap();
    let _creator = disk.try_lock(&layout.nascent_lock(disk, &id), LockMode::Exclusive).unwrap().unwrap();
    std::fs::write(nascent.join(layout::VOLUMES), format!("{name}\n")).unwrap();
    disk.create_dir_all(&made.join("data")).unwrap();
    containers.repair_older(RepairMode::Mend, Duration::ZERO).unwrap();
    assert!(made.exists() && its.exists());
}

#[test]
fn volumes_that_are_to_be_kept_outlive_the_sweeping_of_the_trash() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    let held = containers.store.lock(&id, Verb::Remove, Duration::ZERO).unwrap();
    let resists = |_: &Path| Err(Error::new(ErrorKind::Busy, "device or resource busy"));
    remove::dispose(&containers.store, held, None, Announced::Perhaps, Volumes::Keep, &resists).unwrap();
    containers.repair_older(RepairMode::Mend, Duration::ZERO).unwrap();
    assert_eq!(std::fs::read_dir(world.layout().trash()).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(world.layout().volumes()).unwrap().count(), 1);
}

#[test]
fn a_rename_cut_at_any_step_leaves_one_name_with_one_owner() {
    cut_everywhere(
        |containers| Some(create(containers, "web")),
        |containers, id| drop(containers.rename(id.unwrap(), &"db".parse().unwrap(), &context())),
    );
}

#[test]
fn a_start_and_a_stop_cut_at_any_step_leave_a_usable_container() {
    cut_everywhere(
        |containers| Some(create(containers, "web")),
        |containers, id| {
            let id = id.unwrap();
            if containers.start(id, None, &context()).is_ok() {
                drop(containers.stop(id, &StopOptions::default(), &context()));
            }
        },
    );
}

#[test]
fn a_container_to_be_removed_that_fails_to_start_is_gone() {
    let world = World::new();
    let containers = world.process_where_starts_fail(&Life::endless(), Some(ErrorKind::Io));
    let spec = ContainerSpec { auto_remove: true, ..spec(None) };
    let id = containers.create(&spec, &context()).unwrap().container.unwrap();
    containers.start(&id, None, &context()).unwrap_err();
    assert!(containers.get(&id).is_none());
    assert_sound(&world, "a failed start");
}

#[test]
fn a_power_cut_makes_running_containers_exited_with_an_unknown_code() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let (kept, gone) = (create(&containers, "web"), {
        let spec = ContainerSpec { auto_remove: true, ..spec(Some("db")) };
        containers.create(&spec, &context()).unwrap().container.unwrap()
    });
    for id in [&kept, &gone] {
        containers.start(id, None, &context()).unwrap();
    }
    world.machine.power_cut();
    let seen = containers.get(&kept).unwrap();
    assert_eq!((seen.status(), seen.state.exit_code), (Status::Exited, None));
    assert_eq!(containers.wait(&kept, Duration::ZERO).unwrap(), Some(ProcessExit::Unknown));
    containers.repair_older(RepairMode::Mend, Duration::ZERO).unwrap();
    assert!(containers.get(&gone).is_none(), "what was to go when it ended is still there");
    containers.start(&kept, None, &context()).unwrap();
    assert_eq!(containers.get(&kept).unwrap().status(), Status::Running);
}

#[test]
fn the_first_change_after_a_boot_puts_right_what_the_power_took() {
    let world = World::new();
    let before = world.process(&Life::endless());
    let fleeting = ContainerSpec { auto_remove: true, ..spec(Some("web")) };
    let survivor = before.create(&fleeting, &context()).unwrap().container.unwrap();
    let half_gone = create(&before, "db");
    let mut locked = before.locked(&half_gone, Verb::Remove, Duration::ZERO).unwrap();
    let change = Change::Remove { volumes: true };
    let (since, pid) = (Timestamp::now(), 1);
    locked.record().intent = Some(RecordedIntent { pid, since, deadline: since, change });
    before.store.write(&locked.held, &mut locked.observed.record, Durability::Synced).unwrap();
    drop(locked);
    // What was never synced goes: here the name of a container that does not outlive its end.
    std::fs::remove_file(world.layout().name(&"web".parse().unwrap())).unwrap();

    let after = world.process(&Life::endless()).with_boot("the next".to_owned());
    let taken = after.create(&spec(Some("web")), &context()).unwrap_err();
    assert_eq!((taken.kind(), after.find("web").unwrap().id), (ErrorKind::NameInUse, survivor));
    create(&after, "db");
    assert_eq!(std::fs::read(world.layout().boot()).unwrap(), b"the next");
    assert!(after.get(&half_gone).is_none());
    assert_sound(&world, "after a boot");
}

#[test]
fn twenty_creators_of_one_name_make_one_container() {
    let world = World::new();
    let winners: usize = std::thread::scope(|scope| {
        let racing: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| world.process(&Life::endless()).create(&spec(Some("web")), &context()).is_ok()))
            .collect();
        racing.into_iter().map(|racer| usize::from(racer.join().unwrap())).sum()
    });
    assert_eq!(winners, 1);
    assert_sound(&world, "a race for a name");
}

#[test]
fn removers_renamers_and_starters_of_one_container_agree_in_the_end() {
    for round in 0..10 {
        let world = World::new();
        let id = create(&world.process(&Life::endless()), "web");
        std::thread::scope(|scope| {
            for racer in 0..8 {
                let (world, id) = (&world, &id);
                scope.spawn(move || {
                    let containers = world.process(&Life::endless());
                    let _ = match racer % 4 {
                        0 => containers.remove(id, &force(), &context()),
                        1 => containers.rename(id, &format!("name{racer}").parse().unwrap(), &context()),
                        2 => containers.start(id, None, &context()).map(|run| run.done),
                        _ => containers.kill(id, Signal::KILL, &context()),
                    };
                });
            }
        });
        assert!(world.process(&Life::endless()).get(&id).is_none(), "round {round}");
        assert_sound(&world, &format!("round {round}"));
    }
}

#[test]
fn a_name_reserved_by_a_rename_in_progress_is_not_given_away() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    let name = "db".parse().unwrap();
    let store = containers.store();
    // A rename between its reservation and its record: the lock is held, the record has the old name.
    let held = store.lock(&id, Verb::Rename, Duration::from_secs(5)).unwrap();
    names::reserve(&store.machine, &store.layout, &name, &id, record::Durability::Synced).unwrap();
    assert_eq!(containers.create(&spec(Some("db")), &context()).unwrap_err().kind(), ErrorKind::NameInUse);
    // The renamer is killed: nobody claims the name any more.
    drop(held);
    create(&containers, "db");
    assert_sound(&world, "a reserved name");
}
