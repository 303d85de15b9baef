//! Founding case 1: may anybody look at a container, start it and remove it at once, and panic while looking?
//!
//! moby#49227: `rm` cleared the layer after it had let go of the lock, `inspect` had just seen it and panicked with the
//! lock in its hand, and the container stayed in "Removal In Progress". Here the actor's own mailbox and desk decide,
//! and readers see whole records. Deliberately elsewhere: a crash between the steps of a removal (`tests/simulation`,
//! `containers/tests`), the daemon's answers (`daemon`).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use loom::{future::block_on, thread};
use wharf::engine::{
    backend::OperationContext,
    domain::{
        Command, ContainerId, ContainerSelector, Done, Error, ErrorKind, Force, OperationId, Outcome, RemoveOptions,
        Status,
    },
    model::{Act, Desk, Job, Message, Report, Seen},
    sync::{
        Inbox, Publisher, Reader, mailbox,
        primitives::{Mutex, lock},
        published,
    },
};

use super::{
    exhaustive::{Bound, INJECTED, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

const REMOVE: OperationId = OperationId(1);
const START: OperationId = OperationId(2);

/// What readers see of the container; `None` once it is gone.
type Record = Option<Facts>;

#[derive(Clone, Debug)]
struct Facts {
    status: Status,
    layer: Layer,
}

#[derive(Clone, Debug)]
enum Layer {
    /// Part of the record.
    Named(&'static str),
    /// The fault: a field that the record's readers and its remover share.
    Shared(Arc<Mutex<Option<&'static str>>>),
}

#[test]
fn a_removal_beside_inspect_and_start_always_ends_and_nobody_sees_half_a_container() {
    let test = "removal::a_removal_beside_inspect_and_start_always_ends_and_nobody_sees_half_a_container";
    holds_and_catches_its_twin(test, &["the layer was there a moment ago"], |variant| {
        for panics_at in [None, Some(0), Some(1), Some(2)] {
            let name = format!("remove, start, inspect (inspect panics at {panics_at:?})");
            exhaust(&name, Bound::Preemptions(2), move || everybody(variant, panics_at));
        }
    });
}

fn everybody(variant: Variant, panics_at: Option<usize>) {
    let layer = match variant {
        Variant::Ours => Layer::Named("layer"),
        Variant::Twin => Layer::Shared(Arc::new(Mutex::new(Some("layer")))),
    };
    let (publisher, reader) = published(Some(Facts { status: Status::Exited, layer }));
    let (to_remove, inbox) = mailbox(4);
    let to_start = to_remove.clone();
    let removing = thread::spawn(move || {
        let options = RemoveOptions { force: Force::Yes, volumes: false };
        assert!(to_remove.try_send(job(REMOVE, Command::Remove { container: selector(), options })).is_ok());
    });
    let starting = thread::spawn(move || {
        assert!(to_start.try_send(job(START, Command::Start { container: selector() })).is_ok());
    });
    let looking = thread::spawn(move || {
        let mut reader = reader;
        let looked = catch_unwind(AssertUnwindSafe(|| inspect(&mut reader, panics_at)));
        assert_eq!(looked.is_err(), panics_at.is_some());
    });
    let told = act(inbox, &publisher);
    [removing, starting, looking].into_iter().for_each(|thread| thread.join().unwrap());
    assert!(publisher.newest().is_none(), "the removal did not end");
    let ends = |operation| told.iter().filter(|(ended, _)| *ended == operation).count();
    assert_eq!((ends(REMOVE), ends(START)), (1, 1), "each operation ends once");
    assert!(told.iter().any(|(operation, outcome)| *operation == REMOVE && outcome.is_ok()));
}

/// An inspect that panics at the given step, with whatever it holds there in its hands.
fn inspect(reader: &mut Reader<Record>, panics_at: Option<usize>) {
    let step = |step| {
        if panics_at == Some(step) {
            std::panic::panic_any(INJECTED);
        }
    };
    step(0);
    let record = reader.newest();
    step(1);
    if let Some(facts) = &*record {
        match &facts.layer {
            Layer::Named(layer) => assert_eq!(*layer, "layer"),
            Layer::Shared(layer) => {
                if lock(layer).is_some() {
                    lock(layer).expect("the layer was there a moment ago");
                }
            }
        }
        assert_ne!(facts.status, Status::Paused, "nobody paused it");
    }
    step(2);
}

/// The actor's loop over the production mailbox and desk, on one thread; who was told what, in the end.
fn act(mut inbox: Inbox<Message>, publisher: &Publisher<Record>) -> Vec<(OperationId, Outcome)> {
    let mut desk = Desk::default();
    let mut told = Vec::new();
    while let Some(message) = block_on(inbox.recv()) {
        let mut acts = desk.take(message);
        while !acts.is_empty() {
            let mut next = Vec::new();
            for act in acts {
                match act {
                    Act::Tell(Report::Ended(operation, outcome)) => told.push((operation, outcome)),
                    Act::Tell(Report::Began(_) | Report::Idle(_)) | Act::Hurry => {}
                    Act::Begin(job) => {
                        let outcome = carry_out(&job.command, publisher);
                        next.extend(desk.ended(job.operation, outcome));
                    }
                }
            }
            acts = next;
        }
    }
    assert!(desk.is_idle());
    told
}

fn carry_out(command: &Command, publisher: &Publisher<Record>) -> Outcome {
    let Some(facts) = (*publisher.newest()).clone() else {
        return Err(Error::new(ErrorKind::NoSuchContainer, "it is gone"));
    };
    if let Command::Start { .. } = command {
        publisher.publish(Some(Facts { status: Status::Running, ..facts }));
        return Ok(Done::default());
    }
    publisher.publish(Some(Facts { status: Status::Removing, ..facts.clone() }));
    if let Layer::Shared(layer) = &facts.layer {
        *lock(layer) = None;
    }
    publisher.publish(None);
    Ok(Done::default())
}

fn job(operation: OperationId, command: Command) -> Message {
    let context = OperationContext::new(operation, deadline(), tokio::sync::watch::Sender::default());
    with_context(command, context)
}

fn with_context(command: Command, context: OperationContext) -> Message {
    let job = Job { operation: context.id, command, hint: None, seen: Seen::JustNow, attach: None, context };
    Message::Do(Box::new(job))
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn selector() -> ContainerSelector {
    ContainerSelector::Id("a".repeat(64).parse::<ContainerId>().unwrap())
}

#[test]
fn a_cancel_that_overtakes_its_own_operation_still_cancels_it() {
    let test = "removal::a_cancel_that_overtakes_its_own_operation_still_cancels_it";
    holds_and_catches_its_twin(test, &["it did its work"], |variant| {
        exhaust("start and cancel", Bound::None, move || cancelled(variant));
    });
}

fn cancelled(variant: Variant) {
    let facts = Facts { status: Status::Exited, layer: Layer::Named("layer") };
    let (publisher, reader) = published(Some(facts));
    let (sender, inbox) = mailbox(4);
    let asking = thread::spawn(move || {
        let context = OperationContext::new(START, deadline(), tokio::sync::watch::Sender::default());
        let token = context.cancel.clone();
        // As the supervisor does it: the token first, then word to the actor. The fault: word alone.
        if variant == Variant::Ours {
            token.cancel();
        }
        assert!(sender.try_send(with_context(Command::Start { container: selector() }, context)).is_ok());
        assert!(sender.try_send_urgent(Message::Cancel(START)).is_ok());
    });
    let told = act(inbox, &publisher);
    asking.join().unwrap();
    drop(reader);
    assert_eq!(told.len(), 1);
    let running = publisher.newest().as_ref().as_ref().is_some_and(|facts| facts.status == Status::Running);
    let kind = told.first().and_then(|(_, outcome)| outcome.as_ref().err()).map(Error::kind);
    assert!(!running && kind == Some(ErrorKind::Cancelled), "cancelled, and it did its work");
}
