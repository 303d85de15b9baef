//! Does every reader of the published picture see the newest one, and wake for it, in every order of events?
//!
//! Deliberately elsewhere: what is published while a container is removed (`removal`).

use std::sync::Arc;

use loom::{future::block_on, thread};
use wharf::engine::sync::{
    primitives::{Mutex, lock},
    published,
};

use super::{
    exhaustive::{Bound, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

#[test]
fn readers_see_only_newer_values_and_the_last_one_before_the_end() {
    let test = "published::readers_see_only_newer_values_and_the_last_one_before_the_end";
    holds_and_catches_its_twin(test, &["torn", "deadlock"], |variant| match variant {
        Variant::Ours => {
            exhaust("published value and two readers", Bound::Preemptions(2), || ours(2));
            exhaust("published value and its reader", Bound::None, || ours(1));
        }
        Variant::Twin => exhaust("published value twin", Bound::None, field_by_field),
    });
}

/// Two fields that must always agree: the value is replaced as a whole or not at all.
fn ours(readers: usize) {
    let (publisher, reader) = published((0, 0));
    let readers: Vec<_> = (1..readers).map(|_| reader.clone()).chain([reader.clone()]).collect();
    drop(reader);
    let reading = readers.into_iter().map(|mut reader| {
        thread::spawn(move || {
            let mut last = 0;
            while let Ok(value) = block_on(reader.next()) {
                assert_eq!(value.0, value.1, "torn");
                assert!(value.0 > last, "an older value after a newer one");
                last = value.0;
            }
            assert_eq!(last, 2, "the end came before the newest value");
        })
    });
    let reading: Vec<_> = reading.collect();
    publisher.publish((1, 1));
    publisher.publish((2, 2));
    drop(publisher);
    reading.into_iter().for_each(|reader| reader.join().unwrap());
}

/// The fault: one object shared by writer and readers, changed field by field.
fn field_by_field() {
    let shared: Arc<[Mutex<u8>; 2]> = Arc::new([Mutex::new(0), Mutex::new(0)]);
    let written = Arc::clone(&shared);
    let writing = thread::spawn(move || written.iter().for_each(|field| *lock(field) = 1));
    let [first, second] = shared.each_ref().map(|field| *lock(field));
    writing.join().unwrap();
    assert_eq!(first, second, "torn");
}
