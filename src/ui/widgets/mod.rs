//! What is everything on the screen drawn with? The canvas and the few parts that screens share.
//!
//! Deliberately elsewhere: what is shown (view models), how meanings look (`theme`).

pub mod bar;
pub mod canvas;
pub mod dialog_box;
pub mod hints;
pub mod table;
pub mod text_field;

pub use self::{canvas::Canvas, text_field::TextField};
