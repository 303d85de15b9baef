//! What does a role of ours take over from its starter, and what does it cut? Three descriptors, nothing else.
//!
//! Deliberately elsewhere: the giving side (`launcher`).

use std::{
    fs::File,
    io::Read,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::{
    fs::Mode,
    process::{setsid, umask},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};
use serde::de::DeserializeOwned;

use super::{null_device::open_null, signals, status_line::StatusLine};
use crate::engine::domain::{Error, ErrorKind, Result};

/// What a starter passed.
#[derive(Debug)]
pub(super) struct Inherited {
    orders: File,
    pub(super) starter: StatusLine,
    /// The first client's socket, if the orders say that there is one.
    pub(super) client: OwnedFd,
    /// Becomes readable when somebody asks this process to end.
    pub(super) diverted: OwnedFd,
}

/// Takes what the starter passed and cuts every other tie to it: descriptors (a store's lock may be
/// among them), session, terminal, working directory, signals. The first thing a role does.
pub(super) fn take() -> Result<Inherited> {
    let failed = |error: std::io::Error| Error::io("taking over from the starter", error);
    let refused = |error: rustix::io::Errno| failed(error.into());
    signals::close_from(3).map_err(failed)?;
    let keep = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(refused);
    let orders = keep(rustix::stdio::stdin())?;
    let status = keep(rustix::stdio::stdout())?;
    let client = keep(rustix::stdio::stderr())?;
    let null = open_null()?;
    dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).and_then(|()| dup2_stderr(&null)).map_err(refused)?;
    // A session leader already (started by hand, in a test): as good.
    let _ = setsid();
    rustix::process::chdir("/").map_err(refused)?;
    // Only what ps shows; the kernel would call it by its descriptor.
    let _ = rustix::thread::set_name(c"wharf");
    umask(Mode::from_raw_mode(0o022));
    let diverted = signals::divert_termination().map_err(failed)?;
    Ok(Inherited { orders: File::from(orders), starter: StatusLine::new(status), client, diverted })
}

impl Inherited {
    /// What is to be done. Waits for it where the starter does not know yet.
    pub(super) fn orders<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut text = Vec::new();
        self.orders.read_to_end(&mut text).map_err(|error| Error::io("reading the orders", error))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::new(ErrorKind::Internal, "the orders do not parse").caused_by(error))
    }
}
