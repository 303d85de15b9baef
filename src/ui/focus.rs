//! Do the keys go to this part of the screen?
//!
//! Deliberately elsewhere: which part has them (`state`).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Here,
    Elsewhere,
}
