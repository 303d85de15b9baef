//! How was an image made, step by step?
//!
//! Deliberately elsewhere: the image itself (`image`).

use serde::{Deserialize, Serialize};

use super::{Digest, Size, Timestamp};

/// One row of `history`, newest first. OCI image-spec config.md, `history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The layer's digest where the step made one and the host knows it.
    pub layer: Option<Digest>,
    pub created: Option<Timestamp>,
    pub created_by: String,
    pub size: Size,
    pub comment: String,
    /// The step changed metadata only.
    pub empty: bool,
}
