//! The images, and how the selected one was made.
//!
//! Deliberately elsewhere: pulling and pushing (`dialogs`, `ui::update`).

pub mod state;
pub mod update;
pub mod view;
