//! placeholder of the embedded backend until it lands.

pub mod containers;
pub mod disk;
pub mod images;
pub mod kernel;
pub mod launch;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod lock;
pub mod log_segments;
pub mod manifest;
pub mod operation_history;
pub mod registry;
pub mod roles;

use std::sync::Arc;

use super::Backend;
use crate::engine::{
    domain::{Error, ErrorKind, Result},
    location::Locations,
};

/// # Errors
/// `Unsupported` for now.
pub fn open(_locations: &Locations) -> Result<Arc<dyn Backend>> {
    Err(Error::new(ErrorKind::Unsupported, "this build has no embedded engine"))
}
