//! What is decided, as opposed to done? Pure functions and machines: no clock, no I/O, no await.
//!
//! Deliberately elsewhere: the loops that feed them (`actor`, `supervisor`).

pub mod admit;
pub mod cli_line;
pub mod fold;
pub mod lane;
pub mod limits;
pub mod subject;
pub mod time_limit;
