//! What does a monitor do before it knows its container? It enters the namespaces that any would need.
//!
//! Deliberately elsewhere: the rest of them, and telling what goes wrong (`launch`).

use rustix::process::geteuid;

use crate::engine::{
    backend::embedded::linux::namespaces::{leave_mounts, leave_network},
    domain::NetworkMode,
};

/// What a starter wants made ready, and what is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Ahead {
    pub(super) mounts: bool,
    pub(super) network: bool,
}

const NAMESPACES: [(&str, Ahead); 2] =
    [("mounts", Ahead { mounts: true, network: false }), ("mounts,network", Ahead { mounts: true, network: true })];

impl Ahead {
    /// For a container on `network`.
    pub(in super::super) fn of(network: NetworkMode) -> Self {
        Self { mounts: true, network: network != NetworkMode::Host }
    }

    /// As a command line says it.
    pub(in super::super) fn word(self) -> &'static str {
        NAMESPACES.iter().find(|(_, ahead)| *ahead == self).map_or("", |(word, _)| word)
    }

    /// What the command line asks for; nothing where the orders are there already.
    pub(super) fn of_this_process() -> Self {
        let word = std::env::args().nth(2).unwrap_or_default();
        NAMESPACES.iter().find(|(other, _)| *other == word).map_or_else(Self::default, |(_, ahead)| *ahead)
    }

    /// Goes as far as can be gone without orders, and says how far that is. Who is not root needs its starter first;
    /// what fails is tried again, and told, once there are orders.
    pub(super) fn go(self) -> Self {
        if !geteuid().is_root() || !self.mounts || leave_mounts().is_err() {
            return Self::default();
        }
        Self { mounts: true, network: self.network && leave_network().is_ok() }
    }
}
