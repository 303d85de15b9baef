//! A JSON document as a tree that folds.
//!
//! Deliberately elsewhere: where the document comes from (`screens::detail`).

pub mod rows;
pub mod state;
pub mod view;
