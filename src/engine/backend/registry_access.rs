//! What does a host that has no registry client of its own ask of ours? Indexes, and the logins of this user.
//!
//! Registries are reached from this process, whatever the host is: what `docker buildx imagetools` does. Deliberately
//! elsewhere: the client (`embedded::registry`), which backend needs it (`docker`).

use std::fmt;

use super::OperationContext;
use crate::engine::domain::{Done, ImageReference, Result};

type CreateIndex = dyn Fn(&[ImageReference], &[ImageReference], &OperationContext) -> Result<Done> + Send + Sync;
type FindLogin = dyn Fn(&ImageReference) -> Result<Option<Login>> + Send + Sync;

/// Our registry client as two questions. Both block: ask from a thread that may.
pub struct RegistryAccess {
    /// Targets, sources; see `Backend::create_index`.
    pub create_index: Box<CreateIndex>,
    /// The login for the registry, or the part of it, that has the image. `InvalidInput` when a credential file cannot
    /// be understood, `Unauthorized` when a helper fails.
    pub login: Box<FindLogin>,
}

/// How this user logs in. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    Password {
        user: String,
        password: String,
    },
    /// Exchanged for short-lived tokens.
    IdentityToken(String),
    /// Sent as it is.
    RegistryToken(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Debug for RegistryAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistryAccess")
    }
}
