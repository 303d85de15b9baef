//! Does an actor that goes away when it is idle, or when the engine closes, ever take a command with it unanswered?
//!
//! Deliberately elsewhere: the whole supervisor (`supervision`, under shuttle).

use loom::{future::block_on, thread};
use wharf::engine::sync::{Inbox, Sender, mailbox};

use super::{
    exhaustive::{Bound, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

/// What an actor tells its supervisor.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Ended(u8),
    Idle,
}

#[test]
fn a_command_that_an_idle_actor_accepts_is_answered() {
    let test = "retirement::a_command_that_an_idle_actor_accepts_is_answered";
    holds_and_catches_its_twin(test, &["accepted and never answered"], |variant| {
        exhaust("retirement", Bound::Preemptions(2), move || retire(variant));
    });
}

fn retire(variant: Variant) {
    let (commands, inbox) = mailbox(2);
    let (reports, mut told) = mailbox(8);
    let actor = thread::spawn(move || serve(variant, inbox, &reports));
    let mut handle = Some(commands);
    let mut unanswered = Vec::new();
    send(handle.as_ref(), 1, &mut unanswered);
    while let Some(report) = block_on(told.recv()) {
        match report {
            Told::Ended(command) => {
                unanswered.retain(|open| *open != command);
                if command == 1 {
                    // Crosses the actor's own word that it has nothing to do.
                    send(handle.as_ref(), 2, &mut unanswered);
                }
            }
            // As the supervisor does it: it goes only when nothing of it is open.
            Told::Idle if unanswered.is_empty() => handle = None,
            Told::Idle => {}
        }
    }
    actor.join().unwrap();
    assert!(unanswered.is_empty(), "{unanswered:?} accepted and never answered");
}

fn send(handle: Option<&Sender<u8>>, command: u8, unanswered: &mut Vec<u8>) {
    // A refusal is no loss: the supervisor has the command still, and starts a new actor.
    if handle.is_some_and(|handle| handle.try_send(command).is_ok()) {
        unanswered.push(command);
    }
}

fn serve(variant: Variant, mut inbox: Inbox<u8>, reports: &Sender<Told>) {
    while let Some(command) = block_on(inbox.recv()) {
        reports.try_send(Told::Ended(command)).unwrap();
        reports.try_send(Told::Idle).unwrap();
        // The fault: it goes because it knows of nothing to do.
        if variant == Variant::Twin {
            return;
        }
    }
}

#[test]
fn closing_drains_what_was_accepted_before_the_actor_ends() {
    exhaust("closing", Bound::None, || {
        let (commands, mut inbox) = mailbox(2);
        let closing = thread::spawn(move || {
            let accepted = commands.try_send(1).is_ok();
            let urgent = commands.try_send_urgent(2).is_ok();
            drop(commands);
            usize::from(accepted) + usize::from(urgent)
        });
        let mut answered = 0;
        while block_on(inbox.recv()).is_some() {
            answered += 1;
        }
        assert_eq!(answered, closing.join().unwrap());
    });
}
