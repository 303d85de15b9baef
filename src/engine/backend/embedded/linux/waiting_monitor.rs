//! What can be done for a container that is not there yet? Its monitor started, which waits for its orders.
//!
//! Deliberately elsewhere: what it does without orders (`monitor`), starting roles (`launcher`).

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    process::Child,
    sync::{Condvar, Mutex},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
    io::Errno,
    pipe::{PipeFlags, pipe_with},
};

use super::{
    launcher::{MONITOR, Spawned, spawn},
    monitor::{Ahead, Orders},
};
use crate::engine::domain::{Error, NetworkMode, Result};

/// A monitor that is being started is there by then, or never.
const STARTING: Duration = Duration::from_secs(5);

/// The launch that somebody has announced, if any. Its lock is never held for longer than a look.
#[derive(Debug, Default)]
pub(super) struct ExpectedLaunch {
    expected: Mutex<Expected>,
    settled: Condvar,
}

#[derive(Debug, Default)]
enum Expected {
    #[default]
    Nothing,
    Soon(NetworkMode),
    BeingPrepared,
    Prepared(WaitingMonitor),
}

impl ExpectedLaunch {
    /// Announces it. What was made ready for another serves whichever comes first; returns what is of no use to this
    /// one, to be let go.
    pub(super) fn begin(&self, network: NetworkMode) -> Option<WaitingMonitor> {
        let mut expected = self.expected.lock().ok()?; // Only a look is taken under it: it cannot have panicked.
        match &*expected {
            Expected::BeingPrepared => None,
            Expected::Prepared(waiting) if waiting.network == network => None,
            Expected::Nothing | Expected::Soon(_) | Expected::Prepared(_) => {
                std::mem::replace(&mut *expected, Expected::Soon(network)).prepared()
            }
        }
    }

    /// Starts its monitor, unless it has begun or been called off meanwhile.
    pub(super) fn prepare<'a>(&self, binary: impl FnOnce() -> Result<&'a Path>) {
        let Some(network) = self.begin_preparing() else { return };
        // What goes wrong here goes wrong in the launch, too, where somebody is told.
        let waiting = binary().and_then(|binary| WaitingMonitor::start(binary, network));
        if let Ok(mut expected) = self.expected.lock() {
            *expected = waiting.map_or(Expected::Nothing, Expected::Prepared);
        }
        self.settled.notify_all();
    }

    fn begin_preparing(&self) -> Option<NetworkMode> {
        let mut expected = self.expected.lock().ok()?; // As above.
        let Expected::Soon(network) = *expected else { return None };
        *expected = Expected::BeingPrepared;
        Some(network)
    }

    /// It begins, or is called off. A monitor that is just being started is waited for: that takes as long as
    /// starting another.
    pub(super) fn end(&self) -> Option<WaitingMonitor> {
        let expected = self.expected.lock().ok()?; // As above.
        let busy = |expected: &mut Expected| matches!(expected, Expected::BeingPrepared);
        let (mut expected, waited) = self.settled.wait_timeout_while(expected, STARTING, busy).ok()?; // As above.
        if waited.timed_out() { None } else { std::mem::take(&mut *expected).prepared() }
    }
}

impl Expected {
    fn prepared(self) -> Option<WaitingMonitor> {
        match self {
            Self::Prepared(waiting) => Some(waiting),
            Self::Nothing | Self::Soon(_) | Self::BeingPrepared => None,
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
        let failed = |error: Errno| Error::io("making a pipe for a monitor", error.into());
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
        fcntl_setfl(&write, OFlags::NONBLOCK).map_err(failed)?;
        let words = [MONITOR, Ahead::of(network).word()];
        Ok(Self { spawned: spawn(binary, &words, read, true)?, network, orders: File::from(write) })
    }

    /// Has it carry `orders` out.
    ///
    /// # Errors
    /// The child, which is to be collected, when it is gone, does not take them in time or was made for another network.
    pub(super) fn give(mut self, orders: &Orders, within: Duration) -> std::result::Result<Spawned, Child> {
        let text = serde_json::to_vec(orders).unwrap_or_default();
        if self.network != orders.plan.network || self.write(&text, Instant::now() + within).is_err() {
            return Err(self.spawned.child);
        }
        if orders.attach.is_none() {
            self.spawned.client = None;
        }
        Ok(self.spawned)
    }

    /// A pipe takes 64 KiB at once; the rest must wait for its reader.
    fn write(&mut self, mut text: &[u8], until: Instant) -> io::Result<()> {
        while !text.is_empty() {
            match self.orders.write(text) {
                Ok(written) => text = text.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_room(until)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait_for_room(&self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(&self.orders, PollFlags::OUT)], Some(&left)) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets it end.
    pub(super) fn dismiss(self) -> Child {
        self.spawned.child
    }
}
