//! The containers, as a table.
//!
//! Deliberately elsewhere: one container in detail (`screens::detail`), acting on containers (`ui::update`).

pub mod state;
pub mod update;
pub mod view;
pub mod view_model;
