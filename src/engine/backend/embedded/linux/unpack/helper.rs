//! How does an ordinary user unpack files of many owners? In a helper process that is root of a user namespace.
//! The same process fills volumes, which needs a mount namespace of its own even as root.
//!
//! The helper is this binary in the role `__unpack`: the layer comes in on descriptor 0, orders and answers are lines
//! of JSON on the socket at descriptor 1. Deliberately elsewhere: what it does there (`apply`, `complete`, `remove`),
//! mapping ids (`namespaces`).

use std::{
    io::{self, BufRead, BufReader, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use serde::{Deserialize, Serialize};

use super::{LayerUnpacker, fill, privilege::Privilege};
use crate::engine::{
    backend::embedded::{
        images::unpacker::{UnpackLimits, UnpackReport, Unpacker},
        kernel::VolumeFill,
        linux::{
            ids::Ids,
            namespaces::{enter_user_namespace, id_ranges, map_ranges, own_ids},
            null_device::open_null,
        },
    },
    domain::{Error, ErrorKind},
};

/// The first word of the helper's command line.
pub const ROLE: &str = "__unpack";
/// As much as an ordinary user may have; fewer turns between the two processes.
const PIPE: usize = 1 << 20;
/// Longest answer believed; a report lists directories.
const LINE_MAX: u64 = 64 << 20;
/// How soon a cancel is noticed while a helper works.
const TURN: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Unpacks in a helper process with the user's range of ids.
#[derive(Clone, Debug)]
pub struct HelperUnpacker {
    binary: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
enum Orders {
    Unpack { target: PathBuf, limits: UnpackLimits },
    Complete { layer: PathBuf, lowers: Vec<PathBuf>, report: UnpackReport },
    Remove { tree: PathBuf },
    Fill { volume: PathBuf, lowers: Vec<PathBuf>, path: PathBuf },
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    /// The helper is in its namespace and waits for ids.
    Map,
    Files(u64),
    Done(Option<UnpackReport>),
    Failed {
        kind: Failure,
        why: String,
    },
}

/// The kinds of `io::Error` that make a difference to whoever asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Failure {
    InvalidData,
    UnexpectedEof,
    PermissionDenied,
    StorageFull,
    NotFound,
    Other,
}

impl HelperUnpacker {
    /// Runs `binary`, which must be this program, in the helper's role.
    #[must_use]
    pub fn new(binary: PathBuf) -> Self {
        Self { binary }
    }

    /// Runs one order to its end, feeding `stream` if there is one.
    fn run(
        &self,
        orders: &Orders,
        stream: Option<&mut dyn BufRead>,
        files: &(dyn Fn(u64) + Sync),
    ) -> io::Result<Option<UnpackReport>> {
        let input = if stream.is_some() { Some(Stdio::piped()) } else { None };
        let (mut child, ours) = self.spawn(orders, input)?;
        let input = child.0.stdin.take();
        let pid = child.0.id();
        thread::scope(|scope| {
            let answers = thread::Builder::new().spawn_scoped(scope, || listen(&ours, pid, files, || Ok(())))?;
            let fed = match (stream, input) {
                (Some(stream), Some(input)) => feed(stream, input),
                (Some(_), None) | (None, _) => Ok(()),
            };
            let answer = answers.join().map_err(|_| io::Error::other("listening to the helper panicked"))?;
            // A helper that failed stops reading; what it says is the cause.
            answer.and_then(|report| fed.map(|()| report))
        })
    }

    /// See `Kernel::fill_volume`.
    pub(in crate::engine::backend::embedded::linux) fn fill(
        &self,
        fill: &VolumeFill,
        check: &dyn Fn() -> Result<(), Error>,
    ) -> io::Result<()> {
        let VolumeFill { volume, lowers, path } = fill.clone();
        let (child, ours) = self.spawn(&Orders::Fill { volume, lowers, path }, None)?;
        // A helper that is not waited for any longer is killed: what it made is found by the next.
        listen(&ours, child.0.id(), &|_| {}, || {
            loop {
                let mut wanted = [PollFd::new(&ours, PollFlags::IN)];
                match poll(&mut wanted, Some(&TURN)) {
                    Ok(0) | Err(Errno::INTR) => check().map_err(io::Error::other)?,
                    Ok(_) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        })
        .map(drop)
    }

    /// A helper that has its orders, and our end of the socket to it.
    /// Without `input` it has none.
    fn spawn(&self, orders: &Orders, input: Option<Stdio>) -> io::Result<(Reaped, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.binary);
        let null = || open_null().map(Stdio::from).map_err(io::Error::other);
        let input = input.map_or_else(null, Ok)?;
        command.arg(ROLE).env_clear().stdin(input).stdout(OwnedFd::from(theirs)).stderr(null()?);
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let child = Reaped(command.spawn()?);
        drop(command); // Holds the helper's end of the socket, whose closing must be noticed.
        send(&ours, orders)?;
        Ok((child, ours))
    }
}

impl Unpacker for HelperUnpacker {
    fn unpack(
        &self,
        stream: &mut dyn BufRead,
        target: &Path,
        limits: &UnpackLimits,
        files: &(dyn Fn(u64) + Sync),
    ) -> io::Result<UnpackReport> {
        let orders = Orders::Unpack { target: target.to_owned(), limits: limits.clone() };
        self.run(&orders, Some(stream), files)?.ok_or_else(|| io::Error::other("the helper gave no report"))
    }

    fn complete(&self, layer: &Path, lowers: &[PathBuf], report: &UnpackReport) -> io::Result<()> {
        let (layer, lowers, report) = (layer.to_owned(), lowers.to_owned(), report.clone());
        self.run(&Orders::Complete { layer, lowers, report }, None, &|_| {}).map(drop)
    }

    fn scatter(&self, parent: &Path) {
        LayerUnpacker::new(Privilege::SingleUser).scatter(parent);
    }

    fn settle(&self, path: &Path) -> io::Result<()> {
        LayerUnpacker::new(Privilege::SingleUser).settle(path)
    }

    fn remove(&self, tree: &Path) -> io::Result<()> {
        // Most trees are gone already, or our own: no need for a process then.
        match LayerUnpacker::new(Privilege::SingleUser).remove(tree) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.run(&Orders::Remove { tree: tree.to_owned() }, None, &|_| {}).map(drop)
            }
            other => other,
        }
    }
}

/// The helper's side: to be called by `main` while the process has one thread.
#[must_use]
pub fn unpack_role() -> ExitCode {
    let Ok(socket) = io::stdout().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let socket = UnixStream::from(socket);
    let answer = match serve(&socket) {
        Ok(report) => Answer::Done(report),
        Err(error) => Answer::Failed { kind: Failure::of(&error), why: error.to_string() },
    };
    match send(&socket, &answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // Nobody is there to be told.
    }
}

fn serve(socket: &UnixStream) -> io::Result<Option<UnpackReport>> {
    let mut lines = BufReader::new(socket);
    let orders: Orders = receive(&mut lines)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let map = || {
        send(socket, &Answer::Map).map_err(|error| Error::io("asking for ids", error))?;
        let mapped: Option<bool> = receive(&mut lines).map_err(|error| Error::io("waiting for ids", error))?;
        mapped.map(drop).ok_or_else(|| Error::new(ErrorKind::Cancelled, "whoever started the helper is gone"))
    };
    let ids = match &orders {
        Orders::Fill { .. } => own_ids(),
        Orders::Unpack { .. } | Orders::Complete { .. } | Orders::Remove { .. } => Ids::Ranges,
    };
    if ids != Ids::All {
        enter_user_namespace(ids, map).map_err(io::Error::other)?;
    }
    let unpacker = LayerUnpacker::new(Privilege::MappedRoot);
    match orders {
        Orders::Unpack { target, limits } => {
            let stdin = io::stdin().as_fd().try_clone_to_owned()?;
            let mut stream = BufReader::with_capacity(PIPE, std::fs::File::from(stdin));
            let files = |count| {
                // Progress is for people; its loss changes nothing.
                let _ = send(socket, &Answer::Files(count));
            };
            unpacker.unpack(&mut stream, &target, &limits, &files).map(Some)
        }
        Orders::Complete { layer, lowers, report } => unpacker.complete(&layer, &lowers, &report).map(|()| None),
        Orders::Remove { tree } => unpacker.remove(&tree).map(|()| None),
        Orders::Fill { volume, lowers, path } => fill::fill(&volume, &lowers, &path, ids).map(|()| None),
    }
}

/// Answers the helper and waits for its result. `wait` blocks until the socket has something.
fn listen(
    socket: &UnixStream,
    pid: u32,
    files: &dyn Fn(u64),
    wait: impl Fn() -> io::Result<()>,
) -> io::Result<Option<UnpackReport>> {
    let mut lines = BufReader::new(socket);
    loop {
        if lines.buffer().is_empty() {
            wait()?;
        }
        let Some(answer) = receive(&mut lines)? else { break };
        match answer {
            Answer::Map => {
                let ranges = id_ranges().ok_or_else(|| io::Error::other("the id ranges have vanished"))?;
                map_ranges(pid, &ranges).map_err(io::Error::other)?;
                send(socket, &true)?;
            }
            Answer::Files(count) => files(count),
            Answer::Done(report) => return Ok(report),
            Answer::Failed { kind, why } => return Err(io::Error::new(kind.into(), why)),
        }
    }
    Err(io::Error::other("the unpacking helper died"))
}

fn feed(stream: &mut dyn BufRead, mut input: std::process::ChildStdin) -> io::Result<()> {
    // The default size only costs time.
    let _ = rustix::pipe::fcntl_setpipe_size(&input, PIPE);
    loop {
        let available = stream.fill_buf()?;
        if available.is_empty() {
            return Ok(());
        }
        let count = input.write(available)?;
        stream.consume(count);
    }
}

fn send(mut socket: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    socket.write_all(&line)
}

fn receive<T: for<'de> Deserialize<'de>>(lines: &mut BufReader<&UnixStream>) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    io::Read::take(lines, LINE_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

/// A child that is never left behind: killed, if it still runs, and collected.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // It has answered or is of no use any more; errors mean it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Failure {
    const KINDS: [(io::ErrorKind, Self); 6] = [
        (io::ErrorKind::InvalidData, Self::InvalidData),
        (io::ErrorKind::UnexpectedEof, Self::UnexpectedEof),
        (io::ErrorKind::PermissionDenied, Self::PermissionDenied),
        (io::ErrorKind::StorageFull, Self::StorageFull),
        (io::ErrorKind::QuotaExceeded, Self::StorageFull),
        (io::ErrorKind::NotFound, Self::NotFound),
    ];

    fn of(error: &io::Error) -> Self {
        let known = Self::KINDS.iter().find(|(kind, _)| *kind == error.kind());
        known.map_or(Self::Other, |(_, failure)| *failure)
    }
}

impl From<Failure> for io::ErrorKind {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidData => Self::InvalidData,
            Failure::UnexpectedEof => Self::UnexpectedEof,
            Failure::PermissionDenied => Self::PermissionDenied,
            Failure::StorageFull => Self::StorageFull,
            Failure::NotFound => Self::NotFound,
            Failure::Other => Self::Other,
        }
    }
}
