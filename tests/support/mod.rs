//! What do tests share? Skipping with a reason, a store of one's own that must end empty, waiting with a
//! deadline, a terminal that a test can type into and read, and a registry that fails as told.
//! Deliberately elsewhere: engines and images (`tests/lab`, shell scripts).

pub mod command;
pub mod deadline;
pub mod keys;
pub mod need;
pub mod ownership;
pub mod registry;
pub mod residue;
pub mod screen;
pub mod split_mix;
pub mod store;

mod tests;
