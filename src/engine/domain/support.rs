//! What can this host do, and if not, why and how to change that?
//!
//! Deliberately elsewhere: finding out (each backend). (Kernel capabilities are something else.)

use serde::{Deserialize, Serialize};

/// An ability that not every host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    Run,
    Pause,
    MemoryLimit,
    CpuLimit,
    PidsLimit,
    Overlay,
    NullDevice,
    UserNamespace,
    IdRanges,
    HostNetwork,
    BridgeNetwork,
    Seccomp,
    DeviceRules,
    AppArmor,
    IndexCreate,
    OutlivesLogout,
}

impl Feature {
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Run => "run containers",
            Self::Pause => "pause",
            Self::MemoryLimit => "memory limit",
            Self::CpuLimit => "cpu limit",
            Self::PidsLimit => "process limit",
            Self::Overlay => "overlay file system",
            Self::NullDevice => "null device",
            Self::UserNamespace => "user namespaces",
            Self::IdRanges => "subordinate id ranges",
            Self::HostNetwork => "host network",
            Self::BridgeNetwork => "bridge network",
            Self::Seccomp => "seccomp profile",
            Self::DeviceRules => "device rules",
            Self::AppArmor => "AppArmor profile",
            Self::IndexCreate => "create multi-platform indexes",
            Self::OutlivesLogout => "containers outlive the login",
        }
    }
}

/// One line of `system info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportItem {
    pub feature: Feature,
    pub available: bool,
    /// Why not, or a remark.
    pub reason: Option<String>,
    /// The exact thing to do about it.
    pub fix: Option<String>,
}

/// All that is known; a feature that is not listed is available.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    pub items: Vec<SupportItem>,
}

impl Support {
    /// The item that says `feature` is missing, if it is.
    #[must_use]
    pub fn missing(&self, feature: Feature) -> Option<&SupportItem> {
        self.items.iter().find(|item| item.feature == feature && !item.available)
    }
}
