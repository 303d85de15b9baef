//! Which integration tests are there? One binary; every folder beside this file is a module of it.
//! Deliberately elsewhere: unit tests, which sit beside the code they test in `src`; `fuzz` (a binary of its own) and
//! `lab` (scripts). On Windows only the tests of what differs there are built.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop loudly, where it stands"
)]

#[cfg(not(windows))]
mod architecture;
#[cfg(not(windows))]
mod chaos;
#[cfg(not(windows))]
mod cli;
#[cfg(not(windows))]
mod conformance;
#[cfg(not(windows))]
mod demo;
#[cfg(not(windows))]
mod engine;
#[cfg(not(windows))]
mod founding;
mod locks;
#[cfg(target_os = "linux")]
mod power;
#[cfg(not(windows))]
mod registry;
#[cfg(not(windows))]
mod simulation;
#[cfg(not(windows))]
mod storm;
#[cfg(not(windows))]
mod streams;
#[cfg(not(windows))]
mod supervision;
mod support;
#[cfg(not(windows))]
mod terminal;
#[cfg(not(windows))]
mod ui;
