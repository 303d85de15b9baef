//! What do tests share? Skipping with a reason, a store of one's own that must end empty, waiting with a
//! deadline, and a terminal that a test can type into and read.
//! Deliberately elsewhere: engines and images (`tests/lab`, shell scripts), and the in-process registry (its own area).

pub mod command;
pub mod deadline;
pub mod keys;
pub mod need;
pub mod residue;
pub mod screen;
pub mod store;

mod tests;
