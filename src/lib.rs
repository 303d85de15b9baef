//! Wharf: containers from the terminal. This page maps the crate; ARCHITECTURE.md walks through it.
//!
//! - [`engine`] is everything that happens to containers and images: one door, one writer per
//!   container, three backends (embedded, Docker/Podman, fake). It knows no terminal.
//! - [`ui`] is the full-screen interface, [`cli`] the headless verbs. Both see only the engine's door.
//! - [`text`] turns outside text into something safe to show and numbers into something short.
//!
//! Deliberately elsewhere: the choice between these roles, which `main.rs` makes before any thread exists.

pub mod cli;
pub mod engine;
pub mod text;
pub mod ui;
