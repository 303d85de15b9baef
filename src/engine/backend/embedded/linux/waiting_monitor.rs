//! What can be done for a container that is not there yet? Its monitor started, which waits for its orders.
//!
//! Deliberately elsewhere: what it does without orders (`monitor`), starting roles (`launcher`).

use std::{fs::File, io::Write, path::Path, process::Child, sync::Mutex};

use rustix::pipe::{PipeFlags, pipe_with};

use super::{
    launcher::{MONITOR, Spawned, spawn},
    monitor::{Ahead, Orders},
};
use crate::engine::domain::{Error, NetworkMode, Result};

/// The launch that somebody has announced, if any.
#[derive(Debug, Default)]
pub(super) struct ExpectedLaunch(Mutex<Expected>);

#[derive(Debug, Default)]
enum Expected {
    #[default]
    Nothing,
    Soon(NetworkMode),
    Prepared(WaitingMonitor),
}

impl ExpectedLaunch {
    /// Announces it. What was made ready for another serves whichever comes first; returns what is of no use to this
    /// one, to be let go.
    pub(super) fn begin(&self, network: NetworkMode) -> Option<WaitingMonitor> {
        let mut expected = self.0.lock().ok()?; // Preparing one has panicked: it is done without.
        match &*expected {
            Expected::Prepared(waiting) if waiting.network == network => None,
            Expected::Nothing | Expected::Soon(_) | Expected::Prepared(_) => {
                std::mem::replace(&mut *expected, Expected::Soon(network)).prepared()
            }
        }
    }

    /// Starts its monitor, unless it has begun or been called off meanwhile.
    pub(super) fn prepare<'a>(&self, binary: impl FnOnce() -> Result<&'a Path>) {
        let Ok(mut expected) = self.0.lock() else { return };
        if let Expected::Soon(network) = *expected {
            // What goes wrong here goes wrong in the launch, too, where somebody is told.
            let waiting = binary().and_then(|binary| WaitingMonitor::start(binary, network));
            *expected = waiting.map_or(Expected::Nothing, Expected::Prepared);
        }
    }

    /// It begins, or is called off. A monitor that is just being started is waited for: that takes as long as
    /// starting another.
    pub(super) fn end(&self) -> Option<WaitingMonitor> {
        let mut expected = self.0.lock().ok()?; // As above.
        std::mem::take(&mut *expected).prepared()
    }
}

impl Expected {
    fn prepared(self) -> Option<WaitingMonitor> {
        match self {
            Self::Prepared(waiting) => Some(waiting),
            Self::Nothing | Self::Soon(_) => None,
        }
    }
}

/// A monitor without orders. It ends by itself when this is dropped; its process is still to be collected.
#[derive(Debug)]
pub(super) struct WaitingMonitor {
    spawned: Spawned,
    network: NetworkMode,
    orders: File,
}

impl WaitingMonitor {
    /// Starts one for a container on `network`.
    pub(super) fn start(binary: &Path, network: NetworkMode) -> Result<Self> {
        let (read, write) =
            pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::io("making a pipe for a monitor", error.into()))?;
        let words = [MONITOR, Ahead::of(network).word()];
        Ok(Self { spawned: spawn(binary, &words, read, true)?, network, orders: File::from(write) })
    }

    /// Has it carry `orders` out.
    ///
    /// # Errors
    /// The child, which is to be collected, when it is gone or was made for another network.
    pub(super) fn give(mut self, orders: &Orders) -> std::result::Result<Spawned, Child> {
        let text = serde_json::to_vec(orders).unwrap_or_default();
        if self.network != orders.plan.network || self.orders.write_all(&text).is_err() {
            return Err(self.spawned.child);
        }
        if orders.attach.is_none() {
            self.spawned.client = None;
        }
        Ok(self.spawned)
    }

    /// Lets it end.
    pub(super) fn dismiss(self) -> Child {
        self.spawned.child
    }
}
