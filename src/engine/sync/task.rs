//! Who runs our tasks? Tokio; under the cargo feature `model`, where shuttle is the checker, shuttle.
//!
//! Deliberately elsewhere: threads (`primitives`), the clock (`time`).

#[cfg(feature = "model")]
mod checked;

#[cfg(feature = "model")]
pub use self::checked::{AbortHandle, Id, JoinError, JoinSet, spawn};
#[cfg(not(feature = "model"))]
pub use tokio::{
    spawn,
    task::{AbortHandle, Id, JoinError, JoinSet},
};
