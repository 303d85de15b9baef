//! What did a repair find, and what did it do about it?
//!
//! Deliberately elsewhere: finding and mending (`backend::embedded`).

use serde::{Deserialize, Serialize};

/// Whether a repair may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairMode {
    Mend,
    /// `--dry-run`: only say what would be done.
    LookOnly,
}

/// One thing without an owner, or an owner without a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The container, name, blob or file it is about.
    pub subject: String,
    /// What is wrong, as a clause.
    pub problem: String,
    /// What was done, or would be.
    pub action: String,
    pub mended: bool,
}
