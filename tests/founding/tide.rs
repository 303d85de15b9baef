//! Does whoever unpacks a layer while it arrives get every byte, and the end only after them?
//!
//! Deliberately elsewhere: the bytes themselves (`images/tests`).

use std::sync::Arc;

use loom::thread;
use wharf::engine::sync::{
    Flood, Tide, TideEnd,
    primitives::{Mutex, lock},
};

use super::{
    exhaustive::{Bound, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

#[test]
fn a_follower_reads_everything_before_the_end_and_always_reaches_it() {
    let test = "tide::a_follower_reads_everything_before_the_end_and_always_reaches_it";
    holds_and_catches_its_twin(test, &["the end came before"], |variant| match variant {
        Variant::Ours => {
            exhaust("growing file", Bound::Preemptions(3), || follow(TideEnd::Complete));
            exhaust("growing file that fails", Bound::Preemptions(3), || follow(TideEnd::Failed));
        }
        Variant::Twin => exhaust("growing file twin", Bound::None, end_looked_at_last),
    });
}

fn follow(end: TideEnd) {
    let tide = Tide::default();
    let writer = tide.clone();
    let writing = thread::spawn(move || {
        writer.rise(3);
        writer.rise(7);
        writer.end(end);
    });
    let mut position = 0;
    let found = loop {
        match tide.wait_beyond(position) {
            Flood::Bytes(more) => position += more,
            Flood::Ended(how) => break how,
        }
    };
    tide.abandon();
    writing.join().unwrap();
    assert_eq!((position, found), (7, end), "the end came before the last bytes");
}

/// The fault: level and end are looked at one after the other.
fn end_looked_at_last() {
    let shared: Arc<(Mutex<u64>, Mutex<bool>)> = Arc::default();
    let written = Arc::clone(&shared);
    let writing = thread::spawn(move || {
        *lock(&written.0) = 7;
        *lock(&written.1) = true;
    });
    let mut position = 0;
    loop {
        position = position.max(*lock(&shared.0));
        if *lock(&shared.1) {
            break;
        }
        thread::yield_now();
    }
    writing.join().unwrap();
    assert_eq!(position, 7, "the end came before the last bytes");
}
