//! Does the engine keep its promises in a hundred thousand simulated histories? The module `simulation` of `all`, alone, so
//! that it can be built for speed: `run.sh`. Deliberately elsewhere: everything.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop loudly, where it stands"
)]

#[path = "mod.rs"]
mod simulation;
#[path = "../support"]
mod support {
    pub mod split_mix;
}
