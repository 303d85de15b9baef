//! What is going on and how it ended: running and past operations.
//!
//! Deliberately elsewhere: starting and cancelling them (`ui::update`).

pub mod state;
pub mod view;
pub mod view_model;
