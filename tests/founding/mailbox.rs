//! Is a message in the actor's mailbox ever lost, doubled, reordered, or left unread by a sleeping reader?
//!
//! Deliberately elsewhere: what an actor does with messages (`removal`, `retirement`).

use std::sync::Arc;

use loom::{future::block_on, thread};
use wharf::engine::sync::{
    mailbox,
    primitives::{Mutex, lock},
};

use super::{
    exhaustive::{Bound, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

#[test]
fn every_message_is_read_once_and_in_order_and_the_reader_sees_the_end() {
    let test = "mailbox::every_message_is_read_once_and_in_order_and_the_reader_sees_the_end";
    holds_and_catches_its_twin(test, &["deadlock"], |variant| match variant {
        Variant::Ours => {
            exhaust("mailbox of two senders", Bound::Preemptions(2), two_senders);
            exhaust("mailbox of one sender", Bound::None, one_sender);
        }
        Variant::Twin => exhaust("mailbox twin", Bound::None, check_then_sleep),
    });
}

fn one_sender() {
    let (sender, mut inbox) = mailbox(1);
    let sending = thread::spawn(move || {
        sender.try_send(1).unwrap();
        sender.try_send_urgent(9).unwrap();
    });
    let mut read = Vec::new();
    while let Some(message) = block_on(inbox.recv()) {
        read.push(message);
    }
    sending.join().unwrap();
    assert!(read == [1, 9] || read == [9, 1], "{read:?}");
}

fn two_senders() {
    let (sender, mut inbox) = mailbox(2);
    let urgent = sender.clone();
    let orderly = thread::spawn(move || {
        sender.try_send(1).unwrap();
        sender.try_send(2).unwrap();
    });
    let killer = thread::spawn(move || urgent.try_send_urgent(9).unwrap());
    let mut read = Vec::new();
    while let Some(message) = block_on(inbox.recv()) {
        read.push(message);
    }
    orderly.join().unwrap();
    killer.join().unwrap();
    assert!([[9, 1, 2], [1, 9, 2], [1, 2, 9]].contains(&read.as_slice().try_into().unwrap()), "{read:?}");
}

/// The fault: the reader looks, and lies down to sleep in a second step.
fn check_then_sleep() {
    let queue: Arc<Mutex<(Vec<u8>, Option<thread::Thread>)>> = Arc::default();
    let sender = Arc::clone(&queue);
    let sending = thread::spawn(move || {
        let mut queue = lock(&sender);
        queue.0.push(1);
        let waiting = queue.1.take();
        drop(queue);
        waiting.inspect(thread::Thread::unpark);
    });
    loop {
        if lock(&queue).0.pop().is_some() {
            break;
        }
        lock(&queue).1 = Some(thread::current());
        thread::park();
    }
    sending.join().unwrap();
}

#[test]
fn a_message_refused_comes_back_and_one_accepted_is_read_or_dropped_with_its_inbox() {
    let test = "mailbox::a_message_refused_comes_back_and_one_accepted_is_read_or_dropped_with_its_inbox";
    holds_and_catches_its_twin(test, &["a message nobody"], |variant| {
        exhaust("mailbox of a reader that leaves", Bound::None, move || leaving(variant));
    });
}

fn leaving(variant: Variant) {
    let message = Arc::new(());
    let (sender, inbox) = mailbox(1);
    let sent = Arc::clone(&message);
    let sending = thread::spawn(move || {
        // The fault: what a closed mailbox gives back is forgotten as if it had been taken.
        let answer = sender.try_send(sent);
        let refused = answer.is_err();
        if variant == Variant::Twin {
            std::mem::forget(answer);
        }
        refused
    });
    drop(inbox);
    sending.join().unwrap();
    assert_eq!(Arc::strong_count(&message), 1, "a message nobody will read is still held");
}
