//! placeholder of the docker backend until it lands.

use std::sync::Arc;

use super::Backend;
use crate::engine::domain::{Error, ErrorKind, HostSpec, Result};

/// # Errors
/// `Unsupported` for now.
pub fn open(host: &HostSpec) -> Result<Arc<dyn Backend>> {
    Err(Error::new(ErrorKind::Unsupported, format!("{host} cannot be reached by this build")))
}
