//! What may whoever unpacks do to files? Owners, devices, set-user-id bits and the overlay's own attributes.
//!
//! Deliberately elsewhere: finding out who we are (`super::super`).

use serde::{Deserialize, Serialize};

/// Who unpacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privilege {
    /// Root of the machine: everything as the archive says.
    Root,
    /// Root of a user namespace with a range of ids: everything but devices.
    MappedRoot,
    /// One ordinary user: every file is his, no devices, no set-user-id bits, for they would lend his own rights.
    SingleUser,
}

impl Privilege {
    /// The attribute that makes a directory opaque to the overlay mount this privilege can make.
    /// Kernel documentation, overlayfs.rst, "User xattr".
    pub(super) fn opaque_attribute(self) -> &'static str {
        match self {
            Self::Root => "trusted.overlay.opaque",
            Self::MappedRoot | Self::SingleUser => "user.overlay.opaque",
        }
    }

    pub(super) fn makes_devices(self) -> bool {
        match self {
            Self::Root => true,
            Self::MappedRoot | Self::SingleUser => false,
        }
    }

    pub(super) fn gives_owners(self) -> bool {
        match self {
            Self::Root | Self::MappedRoot => true,
            Self::SingleUser => false,
        }
    }

    /// The permission bits that may be set.
    pub(super) fn mode(self, mode: u32) -> u32 {
        match self {
            Self::Root | Self::MappedRoot => mode & 0o7777,
            Self::SingleUser => mode & 0o1777,
        }
    }
}
