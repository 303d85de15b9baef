//! One container in detail: logs, inspect, processes, environment.
//!
//! Deliberately elsewhere: choosing the container (`screens::containers`).

pub mod logs;
pub mod overview;
pub mod processes;
pub mod secrets;
pub mod state;
pub mod tree;
pub mod update;
pub mod view;
