//! What a container prints: a bounded buffer, laid out in rows, searched.
//!
//! Deliberately elsewhere: reading the log (`effect_runner`), the tabs around it (`screens::detail`).

pub mod buffer;
pub mod layout;
pub mod state;
pub mod update;
pub mod view;
