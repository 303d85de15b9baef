//! Which larger pieces hold under many schedules of their threads and tasks? Shuttle chooses who runs next.
//!
//! Each model runs the production supervisor, actors, planner or pusher; its twin, the original fault in place of ours,
//! must be caught by the same model. Deliberately elsewhere: what is small enough for every interleaving (`loom.rs`),
//! real processes and daemons (`mod.rs`).

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop loudly, where it stands")]

mod index_push;
mod lock_order;
mod model_registry;
mod schedules;
mod supervision;
mod switching;
mod twin;
