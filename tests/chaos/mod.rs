//! Can anything that happens to the machine leave a container stuck? Kills at every step and at random moments,
//! storms, full disks, too few descriptors, too little memory: afterwards everything has an owner and can go.
//!
//! `WHARF_CHAOS_KILLS` is how many processes are killed at random (default 60; `.ci/run` says more), `WHARF_CHAOS_PAIRS`
//! how often two verbs are raced (default 40). Deliberately elsewhere: what residue is (`support::ownership`), every cut
//! on a modelled machine (unit tests of the engine).

#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "its figures: kills, points, pairs, and the number that repeats them")]

mod attached;
mod catalogue;
mod expected;
mod full_disk;
mod many;
mod moments;
mod namespaces;
mod out_of_memory;
mod repairing;
mod scarcity;
mod scene;
mod steps;
mod storms;
mod zombies;
