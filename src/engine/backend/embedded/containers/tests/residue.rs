//! What is left behind by verbs that end early?

use std::{path::Path, time::Duration};

use super::{World, context, create, model::Life, spec};
use crate::engine::{
    backend::embedded::containers::record::{Change, Durability, RecordedIntent},
    domain::*,
};

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // The lock of the names themselves stays.
    entries.filter(|name| name != ".lock").collect()
}

#[test]
fn a_creation_that_is_cancelled_leaves_nothing() {
    let world = World::new();
    let cancelled = context();
    cancelled.cancel.cancel();
    let error = world.process(&Life::endless()).create(&spec(Some("web")), &cancelled).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(entries(&world.layout().containers()), [""; 0]);
}

#[test]
fn a_creation_without_its_lock_leaves_nothing() {
    let world = World::new();
    let disk = world.process(&Life::endless());
    // Where locks lie differs between systems.
    let refused = if disk.store.disk().open_files_keep_names() { "locks" } else { ".new-" };
    let error = world.process_where_locks_fail(refused).create(&spec(Some("web")), &context()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert_eq!(entries(&world.layout().containers()), [""; 0]);
}

#[test]
fn a_removal_after_a_rename_that_was_cut_frees_both_names() {
    let world = World::new();
    let containers = world.process(&Life::endless());
    let id = create(&containers, "web");
    let held = containers.store.lock(&id, Verb::Rename, Duration::ZERO).unwrap();
    let mut record = containers.whole(&id).unwrap().record;
    let (since, new) = (Timestamp::now(), "db".parse().unwrap());
    let change = Change::Rename { from: std::mem::replace(&mut record.name, new) };
    record.intent = Some(RecordedIntent { pid: 1, since, deadline: since, change });
    std::fs::write(world.layout().name(&record.name), id.as_str()).unwrap();
    containers.store.write(&held, &mut record, Durability::Synced).unwrap();
    drop(held);
    containers.remove(&id, &RemoveOptions::default(), &context()).unwrap();
    assert_eq!(entries(&world.layout().names()), [""; 0]);
}
