//! Which of our concurrent types hold in every interleaving of their threads? Loom tries them all.
//!
//! Each model runs production types of `engine::sync` and `engine::actor`; its twin, the original fault in place of
//! ours, must be caught by the same model. Deliberately elsewhere: models too large for that (`shuttle.rs`), real
//! processes and daemons (`mod.rs`).

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop loudly, where it stands")]

mod exhaustive;
mod flights;
mod mailbox;
mod published;
mod removal;
mod retirement;
mod ring;
mod tide;
mod twin;
