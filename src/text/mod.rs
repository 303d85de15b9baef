//! How words, numbers and foreign text are made fit for a person at a terminal.
//! Colours, layout and the printer are elsewhere (`ui`, `cli`); domain values only call in here.

pub mod safe_text;
pub mod styling;
pub mod units;
pub mod wrapping;

pub use safe_text::{SafeText, escape_for_terminal};
pub use styling::without_styling;
pub use wrapping::wrap;
