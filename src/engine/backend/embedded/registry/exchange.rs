//! How patient is one operation with its registries? Sends requests, waits and tries again where that makes sense.
//!
//! Deliberately elsewhere: how long a wait is (`pace`), redirects and credentials (`client`), resuming (`blob_reader`,
//! `upload`).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    failure,
    pace::{Pace, WAIT_BUDGET, asked_wait, wait_before},
    transport::{Fault, Request, Response, Transport},
    url::Url,
};
use crate::engine::{
    backend::OperationContext,
    domain::{Result, Timestamp},
};

/// Waits are cut into pieces of this, to notice a cancel.
const PIECE: Duration = Duration::from_millis(100);

/// Whether a request may be sent again when it is unknown what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    Allowed,
    /// The caller looks first how far the last try came.
    ByCaller,
}

/// The transport of one operation with its patience. Shared by the operation's threads.
pub struct Exchange {
    transport: Box<dyn Transport>,
    pace: Arc<dyn Pace>,
    pub context: OperationContext,
    /// All waits so far: the budget is the operation's, not a request's.
    waited: Mutex<Duration>,
    /// Some server has answered: from now on silence is a passing trouble, before it a wrong name.
    answered: AtomicBool,
}

impl Exchange {
    pub fn new(transport: Box<dyn Transport>, pace: Arc<dyn Pace>, context: OperationContext) -> Self {
        Self { transport, pace, context, waited: Mutex::default(), answered: AtomicBool::new(false) }
    }

    /// The wall clock.
    pub fn now(&self) -> std::time::SystemTime {
        self.pace.now()
    }

    /// Sends what `request` builds, again and again while the failure is a passing one and patience lasts. Any other
    /// answer is returned, whatever its status.
    ///
    /// # Errors
    /// As [`failure::of_transport`] maps the last fault; `Cancelled` and `TimedOut` as the context says.
    pub fn send<'a>(&self, url: &Url, repeat: Repeat, mut request: impl FnMut() -> Request<'a>) -> Result<Response> {
        let mut tries = 1;
        loop {
            self.context.check()?;
            match self.transport.send(request()) {
                Ok(response) => {
                    self.answered.store(true, Ordering::Relaxed);
                    let repeatable = repeat == Repeat::Allowed && is_passing(response.status);
                    tries += 1;
                    if !repeatable || !self.wait(tries, self.asked(&response), url, Trouble::Status(response.status))? {
                        return Ok(response);
                    }
                }
                Err(error) => {
                    let repeatable = repeat == Repeat::Allowed && self.may_pass(error.fault);
                    tries += 1;
                    if !repeatable || !self.wait(tries, None, url, Trouble::Connection)? {
                        return Err(failure::of_transport(error, url));
                    }
                }
            }
        }
    }

    /// Waits before try number `next` at somebody who does the repeating himself. False: patience is at its end.
    ///
    /// # Errors
    /// `Cancelled` and `TimedOut` as the context says.
    pub fn wait(&self, next: u32, asked: Option<Duration>, url: &Url, trouble: Trouble) -> Result<bool> {
        let Some(wait) = wait_before(next, asked, self.pace.chance()) else { return Ok(false) };
        {
            // A thread that panicked while holding the lock left a whole number behind.
            let mut waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
            if *waited + wait > WAIT_BUDGET {
                return Ok(false);
            }
            *waited += wait;
        }
        self.tell(url, trouble, wait);
        let mut left = wait;
        while !left.is_zero() {
            self.context.check()?;
            let piece = left.min(PIECE);
            self.pace.pause(piece);
            left -= piece;
        }
        self.context.report(|progress| progress.until = None);
        self.context.check()?;
        Ok(true)
    }

    /// Whether the same request might fare better in a moment.
    pub fn may_pass(&self, fault: Fault) -> bool {
        match fault {
            Fault::Broken => true,
            Fault::TimedOut | Fault::Refused | Fault::UnknownHost => self.answered.load(Ordering::Relaxed),
            Fault::Tls | Fault::Malformed | Fault::OutOfReach | Fault::Source | Fault::Cancelled => false,
        }
    }

    /// How long the server asks to stay away.
    pub fn asked(&self, response: &Response) -> Option<Duration> {
        asked_wait(response.headers.get("retry-after")?, self.pace.now())
    }

    /// Short waits are not worth a word.
    fn tell(&self, url: &Url, trouble: Trouble, wait: Duration) {
        if wait < Duration::from_secs(1) {
            return;
        }
        let Ok(now) = self.pace.now().duration_since(std::time::UNIX_EPOCH) else { return };
        let until = i128::try_from((now + wait).as_nanos()).map(Timestamp::from_unix_nanos);
        let why = match trouble {
            Trouble::Status(429) => format!("{} asks to slow down", url.authority()),
            Trouble::Status(status) => format!("{} fails with status {status}", url.authority()),
            Trouble::Connection => format!("the connection to {} broke", url.authority()),
        };
        self.context.report(|progress| {
            progress.step = why;
            progress.until = until.ok().map(|until| (until, "try again".to_owned()));
        });
    }
}

/// What is being waited out.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    Status(u16),
    Connection,
}

/// Statuses that servers and the proxies before them give while they are busy, restarting or overloaded.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 520..=524 | 529)
}
