//! Founding case 5: does a debug build name a circle of waiting instead of sitting in it?
//!
//! Deliberately elsewhere: orders of locks under every schedule (`lock_order`, under shuttle).

use std::{
    path::Path,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use wharf::engine::{
    backend::embedded::{
        lock::{Holder, Mode, lock},
        machine::{Machine, OsThreads, Panicked, Threads as _},
    },
    domain::Verb,
};

const PATIENCE: Duration = Duration::from_secs(30);

fn holder() -> Holder {
    Holder::this_process(&Machine::this(), Verb::Rename, PATIENCE)
}

/// Two threads take two locks; who panicked.
fn take_both(first: [&Path; 2], second: [&Path; 2]) -> Vec<String> {
    let both_have_one = Barrier::new(2);
    let take = |order: [&Path; 2], meet: bool| {
        let one = lock(&Machine::this(), order[0], Mode::Exclusive, &holder(), PATIENCE).unwrap();
        if meet {
            both_have_one.wait();
        }
        let two = lock(&Machine::this(), order[1], Mode::Exclusive, &holder(), PATIENCE).unwrap();
        drop((one, two));
    };
    let opposite = first[0] != second[0];
    thread::scope(|scope| {
        let threads = [first, second].map(|order| scope.spawn(move || take(order, opposite)));
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.filter_map(|ended| Some(ended.err()?.downcast_ref::<String>().unwrap().clone())).collect()
    })
}

#[test]
fn locks_in_one_order_never_form_a_circle_and_the_opposite_order_is_named_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    assert!(take_both([&a, &b], [&a, &b]).is_empty());
    let begun = Instant::now();
    let panics = take_both([&a, &b], [&b, &a]);
    assert_eq!(panics.len(), 1, "one of the two is told: {panics:?}");
    assert!(panics[0].contains("a circle of waiting"), "{}", panics[0]);
    assert!(panics[0].contains("/a") || panics[0].contains("\\a"), "{}", panics[0]);
    assert!(begun.elapsed() < PATIENCE, "and nobody waited for the bound of the locks");
}

#[test]
fn waiting_for_a_thread_that_waits_for_our_lock_is_a_circle_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let held = lock(&Machine::this(), &path, Mode::Exclusive, &holder(), PATIENCE).unwrap();
    // The last one runs on our own thread.
    let other = || drop(lock(&Machine::this(), &path, Mode::Exclusive, &holder(), PATIENCE));
    let ended = OsThreads.together(vec![Box::new(other), Box::new(|| {})]);
    assert_eq!(ended, Err(Panicked), "the thread we wait for waits for us");
    drop(held);
}

#[test]
fn who_still_works_itself_does_not_wait_for_the_others_yet() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    let both_hold_one = Barrier::new(2);
    // Two operations of two threads each, as pulls of one image: each holds on its own thread what the other's second
    // thread wants, for a while.
    let operation = |mine: &Path, wanted: &Path| {
        let held = Barrier::new(2);
        let other = || {
            held.wait();
            drop(lock(&Machine::this(), wanted, Mode::Exclusive, &holder(), PATIENCE).unwrap());
        };
        let own = || {
            let _mine = lock(&Machine::this(), mine, Mode::Exclusive, &holder(), PATIENCE).unwrap();
            both_hold_one.wait();
            held.wait();
            // Long enough for both to be waiting.
            let until = Instant::now() + Duration::from_millis(50);
            while Instant::now() < until {
                thread::yield_now();
            }
        };
        OsThreads.together(vec![Box::new(other), Box::new(own)])
    };
    let ended = thread::scope(|scope| {
        let second = scope.spawn(|| operation(&b, &a));
        [operation(&a, &b), second.join().unwrap()]
    });
    assert_eq!(ended, [Ok(()), Ok(())]);
}
