//! How is a monitor started from a program full of threads? By exec of our own binary, never by fork.
//!
//! Deliberately elsewhere: what the monitor does (`monitor`), which view of the binary runs (`sealed`).

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use serde::Serialize;

use super::{
    monitor::Orders,
    namespaces::{id_ranges, map_ranges},
    null_device::open_null,
    protocol::Status,
    status_line::StatusLine,
};
use crate::engine::{
    backend::embedded::{launch::StateFile, stop_at},
    domain::{Error, ErrorKind, Result},
};

/// The role of a monitor.
pub(super) const MONITOR: &str = "__monitor";

/// A started role, its status line and, when it was to serve a client, that client's socket.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) status: StatusLine,
    pub(super) client: Option<UnixStream>,
}

/// What a role reported.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) state: Option<StateFile>,
    pub(super) warnings: Vec<String>,
}

/// Why a role did not start what it was to start.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// It said so itself, and has undone everything.
    Told(Error),
    /// It was not heard of in time, or any more: what it has done so far may still be there.
    Unheard(Error),
}

impl NotStarted {
    pub(super) fn error(self) -> Error {
        match self {
            Self::Told(error) | Self::Unheard(error) => error,
        }
    }
}

/// Starts the monitor role of `binary` with `orders`.
pub(super) fn spawn_monitor(binary: &Path, orders: &Orders) -> Result<Spawned> {
    spawn_role(binary, MONITOR, orders, orders.attach.is_some())
}

/// Starts a role of `binary` with its orders.
pub(super) fn spawn_role(binary: &Path, role: &str, orders: &impl Serialize, with_client: bool) -> Result<Spawned> {
    let orders =
        sealed_orders(orders).map_err(|error| Error::io(format_args!("writing the orders of {role}"), error))?;
    spawn(binary, &[role], orders.into(), with_client)
}

/// Starts a role of `binary`, named by the first of `words`: orders on descriptor 0, the status line on 1, a client's socket on 2.
/// The environment is empty but for PATH: what a container sees comes from its plan alone.
pub(super) fn spawn(binary: &Path, words: &[&str], orders: OwnedFd, with_client: bool) -> Result<Spawned> {
    let failed = |error: std::io::Error| Error::io(format_args!("starting {}", words.join(" ")), error);
    // Whoever is started needs it, too, and could tell nobody that there is none.
    let null = open_null()?;
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let mut command = Command::new(binary);
    command.arg0("wharf").args(words).env_clear().stdin(orders).stdout(OwnedFd::from(theirs));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path))).envs(stop_at::environment());
    let client = if with_client {
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        command.stderr(OwnedFd::from(theirs));
        Some(ours)
    } else {
        command.stderr(null);
        None
    };
    let child = command.spawn().map_err(failed)?;
    drop(command); // Holds the role's ends of the sockets, whose closing must be noticed.
    Ok(Spawned { child, status: StatusLine::new(ours.into()), client })
}

/// Leads a spawned role to its started process.
pub(super) fn await_start(spawned: &mut Spawned, within: Duration) -> std::result::Result<Ready, NotStarted> {
    let until = Instant::now() + within;
    let mut warnings = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match spawned.status.receive(left).map_err(NotStarted::Unheard)? {
            Some(Status::MapIds) => map_ids(spawned).map_err(NotStarted::Unheard)?,
            Some(Status::Created { warnings: found }) => {
                warnings = found;
                stop_at::step("say go", std::path::Path::new("monitor"));
                spawned.status.send(&Status::Go).map_err(NotStarted::Unheard)?;
            }
            Some(Status::Started { state }) => return Ok(Ready { state, warnings }),
            Some(Status::Failed(failure)) => return Err(NotStarted::Told(failure.into())),
            Some(Status::Mapped | Status::Go) => {
                let error = Error::new(ErrorKind::Internal, "the helper process answered out of turn");
                return Err(NotStarted::Unheard(error));
            }
            None => {
                let error = Error::new(ErrorKind::Internal, "the helper process died while starting the container");
                return Err(NotStarted::Unheard(error));
            }
        }
    }
}

fn map_ids(spawned: &mut Spawned) -> Result<()> {
    let ranges = id_ranges().ok_or_else(|| Error::new(ErrorKind::Internal, "the id ranges have vanished"))?;
    map_ranges(spawned.child.id(), &ranges)?;
    spawned.status.send(&Status::Mapped)
}

/// The orders as a file that nobody can change any more.
fn sealed_orders(orders: &impl Serialize) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("orders", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(&serde_json::to_vec(orders)?)?;
    file.seek(SeekFrom::Start(0))?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file)
}
