//! Which integration tests are there? One binary; every folder beside this file is a module of it.
//! Deliberately elsewhere: unit tests, which sit beside the code they test in `src`; `fuzz` (a binary of its own) and
//! `lab` (scripts).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop loudly, where it stands"
)]

mod architecture;
mod chaos;
mod cli;
mod conformance;
mod demo;
mod engine;
mod founding;
mod locks;
mod registry;
mod storm;
mod streams;
mod supervision;
mod support;
mod ui;
