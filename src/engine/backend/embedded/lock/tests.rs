//! Does the lock exclude, release, and name its holder?

use std::{sync::mpsc, time::Instant};

use super::*;
use crate::engine::backend::embedded::disk::RealDisk;

fn holder() -> Holder {
    Holder::this_process(&Machine::this(), Verb::Rename, Duration::from_secs(60))
}

/// A lock that another thread of this process took: our own waiting for it is then no circle.
fn held_by_another_thread(path: &Path, holder: &Holder) -> Lock {
    let taking = || try_lock(&RealDisk, path, Mode::Exclusive, holder).unwrap().unwrap();
    std::thread::scope(|scope| scope.spawn(taking).join().unwrap())
}

#[test]
fn an_exclusive_holder_keeps_everybody_out_even_in_its_own_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let held = try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().unwrap();
    assert!(try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().is_none());
    assert!(try_lock(&RealDisk, &path, Mode::Shared, &holder()).unwrap().is_none());
    assert!(!is_free(&RealDisk, &path));
    drop(held);
    assert!(is_free(&RealDisk, &path));
    assert!(try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().is_some());
}

#[test]
fn shared_holders_enter_together_and_keep_exclusive_ones_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let one = try_lock(&RealDisk, &path, Mode::Shared, &holder()).unwrap().unwrap();
    let two = try_lock(&RealDisk, &path, Mode::Shared, &holder()).unwrap().unwrap();
    assert!(try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().is_none());
    drop((one, two));
    assert!(try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().is_some());
}

#[test]
fn whoever_gives_up_waiting_names_the_holder_its_verb_and_since_when() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let _held = held_by_another_thread(&path, &holder());
    let error = lock(&Machine::this(), &path, Mode::Exclusive, &holder(), Duration::from_millis(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let text = error.to_string();
    assert!(text.contains(&std::process::id().to_string()) && text.contains("rename"), "{text}");
}

#[test]
fn a_holder_past_its_own_deadline_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let long_ago = Timestamp::now().minus(Duration::from_secs(60));
    let late = Holder { since: long_ago, deadline: long_ago, ..holder() };
    let _held = held_by_another_thread(&path, &late);
    let begun = Instant::now();
    let error = lock(&Machine::this(), &path, Mode::Exclusive, &holder(), Duration::from_secs(60)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_waiter_enters_as_soon_as_the_holder_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let held = try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().unwrap();
    let (sender, entered) = mpsc::channel();
    let waiter = std::thread::spawn({
        let path = path.clone();
        move || {
            let lock = lock(&Machine::this(), &path, Mode::Exclusive, &holder(), Duration::from_secs(30)).unwrap();
            sender.send(()).unwrap();
            drop(lock);
        }
    });
    assert!(entered.try_recv().is_err(), "it entered beside the holder");
    drop(held);
    entered.recv_timeout(Duration::from_secs(30)).unwrap();
    waiter.join().unwrap();
}

#[test]
fn the_lock_of_something_removed_meanwhile_is_not_given_out() {
    let dir = tempfile::tempdir().unwrap();
    let object = dir.path().join("object");
    std::fs::create_dir(&object).unwrap();
    let path = object.join("lock");
    let _held = try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().unwrap();
    std::fs::rename(&object, dir.path().join("trash")).unwrap();
    let error = lock(&Machine::this(), &path, Mode::Exclusive, &holder(), Duration::from_secs(1)).unwrap_err();
    assert!(is_gone(&error), "{error:?}");
}

#[test]
fn sharing_a_lock_forgets_the_name_of_a_holder_that_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let dead = Holder::this_process(&Machine::this(), Verb::Pull, Duration::ZERO);
    std::fs::write(&path, serde_json::to_vec(&dead).unwrap()).unwrap();
    let shared =
        try_lock(&RealDisk, &path, Mode::Shared, &Holder::this_process(&Machine::this(), Verb::List, Duration::ZERO))
            .unwrap()
            .unwrap();
    assert_eq!(holder_of(&RealDisk, &path), None);
    drop(shared);
}
