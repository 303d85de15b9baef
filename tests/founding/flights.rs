//! Founding case 4: is content of one digest written by one writer, and by the next one when that fails?
//!
//! go-containerregistry#1920: whoever found the file missing wrote it, several at once. Deliberately elsewhere: the
//! same between processes (`tests/locks`), the store around it (`images/tests`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use loom::thread;
use wharf::engine::sync::{
    Flights,
    primitives::{Mutex, lock},
};

use super::{
    exhaustive::{Bound, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

#[test]
fn one_writer_commits_and_a_waiter_takes_over_after_a_failure() {
    let test = "flights::one_writer_commits_and_a_waiter_takes_over_after_a_failure";
    holds_and_catches_its_twin(test, &["at the same time", "committed 2 times"], |variant| {
        for failing in 0..2 {
            exhaust("single flight of three", Bound::Preemptions(2), move || fetch(variant, 3, failing));
        }
        exhaust("single flight of two", Bound::None, move || fetch(variant, 2, 1));
    });
}

#[derive(Default)]
struct Store {
    flights: Flights<&'static str>,
    /// How many are writing, and how often it was committed.
    blob: Mutex<(usize, usize)>,
}

/// `threads` want one blob, the first `failing` writers fail.
fn fetch(variant: Variant, threads: usize, failing: usize) {
    let store = Arc::new(Store::default());
    let attempts = Arc::new(AtomicUsize::new(0));
    let fetchers: Vec<_> = (0..threads)
        .map(|_| {
            let (store, attempts) = (Arc::clone(&store), Arc::clone(&attempts));
            thread::spawn(move || {
                if lock(&store.blob).1 > 0 {
                    return;
                }
                // The fault: it was not there a moment ago, so it is written now.
                let lead = (variant == Variant::Ours)
                    .then(|| store.flights.lead::<()>(&"sha256:a", &|| Ok(()), &mut || {}).unwrap());
                if variant == Variant::Ours && lock(&store.blob).1 > 0 {
                    return;
                }
                let mut blob = lock(&store.blob);
                blob.0 += 1;
                assert_eq!(blob.0, 1, "two write the blob at the same time");
                drop(blob);
                let fails = attempts.fetch_add(1, Ordering::Relaxed) < failing;
                let mut blob = lock(&store.blob);
                blob.0 -= 1;
                blob.1 += usize::from(!fails);
                drop(blob);
                drop(lead);
            })
        })
        .collect();
    fetchers.into_iter().for_each(|fetcher| fetcher.join().unwrap());
    let commits = lock(&store.blob).1;
    assert_eq!(commits, 1, "committed {commits} times");
}
