//! Which of the engine's own loops should fail on purpose, once? In debug builds tests name one in `WHARF_TEST_PANIC`, to see
//! that nobody waits for ever and that the next command works.
//!
//! Release builds have none of this. Deliberately elsewhere: what happens after a panic (`supervisor`, the door), parts
//! of the screen (`ui::fault`).

/// The loops that carry everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// An actor, on its first message.
    Actor,
    /// The supervisor, on the first end of an operation.
    Supervisor,
}

/// Panics when this loop was asked to and has not done so yet.
#[cfg(debug_assertions)]
pub fn point(here: Loop) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    };
    static ASKED: OnceLock<Option<String>> = OnceLock::new();
    static FAILED: AtomicBool = AtomicBool::new(false);
    // Unset and not Unicode are the same here: nothing is asked for.
    let asked = ASKED.get_or_init(|| std::env::var("WHARF_TEST_PANIC").ok());
    let name = match here {
        Loop::Actor => "actor",
        Loop::Supervisor => "supervisor",
    };
    if asked.as_deref() == Some(name) && !FAILED.swap(true, Ordering::Relaxed) {
        panic!("the {name} failed on purpose");
    }
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_here: Loop) {}
