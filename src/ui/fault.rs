//! Which part of the interface should fail on purpose? In debug builds tests name one in `WHARF_TEST_PANIC`, to see that
//! the terminal comes back whole and that nobody is left with a screen that no longer answers.
//!
//! Release builds have none of this. Deliberately elsewhere: what happens after a panic (`defects`).

/// The kinds of tasks and threads that the interface has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The loop itself, on its first picture of the host.
    Loop,
    /// Drawing, on the same occasion.
    Draw,
    /// The thread that reads keys, on the first one.
    Input,
    /// The thread that writes what did not fit.
    Output,
    /// The task that hears signals, on the first one.
    Signals,
    /// A task that asks the engine something.
    Question,
}

/// Panics when this part was asked to.
pub fn point(part: Part) {
    if cfg!(debug_assertions) {
        let name = match part {
            Part::Loop => "loop",
            Part::Draw => "draw",
            Part::Input => "input",
            Part::Output => "output",
            Part::Signals => "signals",
            Part::Question => "question",
        };
        let asked = std::env::var_os("WHARF_TEST_PANIC").is_some_and(|wanted| wanted == name);
        assert!(!asked, "the {name} part failed on purpose");
    }
}
