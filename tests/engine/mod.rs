//! Does the engine do on a real kernel what its parts promise? Root, namespaces and control groups are needed.
//! Deliberately elsewhere: decisions without a kernel (unit tests), whole verbs (`cli`, `conformance`).

#![cfg(target_os = "linux")]

mod attach;
mod bench_container;
mod docker_real;
mod docker_wire;
mod exec;
pub mod fake_daemon;
#[cfg(target_os = "linux")]
mod images;
mod rootless;
mod runtime;
mod runtime_kills;
mod surroundings;
mod verb_kills;
