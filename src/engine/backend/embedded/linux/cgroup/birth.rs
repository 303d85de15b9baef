//! How does a process come to life inside a control group, without the wait that moving one there costs?
//!
//! The kernel moves a process (a write to `cgroup.procs`) under a lock whose writers wait for every processor
//! to pass a quiet point: 8 to 14 ms after another engine has run, next to nothing while we are alone. Two ways
//! in need no such wait: a child may be created inside a version 2 group (`CLONE_INTO_CGROUP`, clone3(2)), and a
//! single-threaded process may move itself in version 1 (a `0` to `tasks`). So a child of ours goes in first
//! and starts the container from there. The runtime, which would move it again, is shown an empty version 2
//! hierarchy and a group that is no group. Deliberately elsewhere: making the groups (`make`), the runtime's
//! own work (`monitor::launch`, `exec`).

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::symlink,
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Mode, OFlags, open, statfs},
    io::Errno,
    mount::{MountFlags, mount},
    pipe::{PipeFlags, pipe_with},
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process, pidfd_open,
        set_parent_process_death_signal, waitid,
    },
    thread::UnshareFlags,
};
use serde::{Deserialize, Serialize};

use super::{Cgroup, Version, make::write_existing};
use crate::engine::{
    backend::embedded::linux::{
        namespaces::{leave_mounts, unshare},
        protocol::Failure,
    },
    domain::{Error, ErrorKind, Result},
};

/// Where version 2 is, or is made to be for the runtime.
const ROOT: &str = "/sys/fs/cgroup";
/// statfs(2) of a version 2 hierarchy.
const CGROUP2_MAGIC: u64 = 0x6367_7270;
/// clone3(2): `CLONE_INTO_CGROUP`.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Where a process is to come to life.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Birthplace<'a> {
    /// In this group, which must exist. On version 1 what the container sees of it is laid out at `view`, if given.
    Group { cgroup: &'a Cgroup, view: Option<&'a Path> },
    /// Where this process is; the runtime does what can be done.
    Here,
}

/// What the child sends back.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Started(u32),
    Failed(Failure),
}

/// The arguments of clone3(2), as of Linux 5.7.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

impl Birthplace<'_> {
    /// The control group path to give to the runtime. Its own join must then come to nothing: the path leads to
    /// `decoy`, where [`put_decoy`] put what it writes to.
    pub(in super::super) fn path_for_runtime(&self, decoy: &Path, path: &str) -> PathBuf {
        match self {
            // The runtime joins this to the root of the hierarchy, three levels deep.
            Self::Group { .. } => PathBuf::from(format!("/../../..{}", decoy.display())),
            Self::Here => PathBuf::from(path),
        }
    }
}

/// Puts into `dir` what the runtime takes for a group's list of processes.
pub(in super::super) fn put_decoy(dir: &Path) -> io::Result<()> {
    symlink("/dev/null", dir.join("cgroup.procs"))
}

/// A process that `born` has brought about. Its helpers end by themselves, at about the time it is there.
#[derive(Debug)]
#[must_use]
pub(in super::super) struct Born {
    pub(in super::super) pid: u32,
    helper: Pid,
}

impl Born {
    /// Collects what its birth took: call once it has executed its program, when all of that has ended.
    pub(in super::super) fn settle(self) {
        // Nobody else reaps it; should somebody have, it has ended all the same.
        let _ = waitid(WaitId::Pid(self.helper), WaitIdOptions::EXITED);
        reap_intermediate(self.pid);
    }
}

/// Runs `work` in a child born at `place` and returns what it returned. `work` starts a process as its own
/// sibling, thus as a child of this process, and returns its number. When `failed` becomes readable the work
/// has failed, and is ended. `meanwhile` is what this process does before it waits. Call while it has one thread.
pub(in super::super) fn born(
    place: Birthplace<'_>,
    failed: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<u32>,
    meanwhile: impl FnOnce(),
) -> Result<Born> {
    let refused = |error: io::Error| Error::io("starting a process for the runtime", error);
    // Not closed at its end: what the runtime started holds a copy until it executes its program.
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|error| refused(error.into()))?;
    let parent = getpid();
    let Some(child) = fork_at(place).map_err(refused)? else {
        drop(read);
        // Nothing may return into the parent's work from here, not even a panic.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let outcome = match settle(place, parent).and_then(|()| work()) {
                Ok(pid) => Outcome::Started(pid),
                Err(error) => Outcome::Failed((&error).into()),
            };
            // The parent notices silence, too.
            let _ = File::from(write).write_all(&serde_json::to_vec(&outcome).unwrap_or_default());
        }));
        // SAFETY: ends this process at once; nothing of the parent's is flushed or dropped twice.
        unsafe { libc::_exit(0) }
    };
    drop(write);
    drop(work); // Descriptors that only the child needs.
    meanwhile();
    let said = pidfd_open(child, PidfdFlags::empty()).map(|pidfd| wait_for_word(&pidfd, failed, &read));
    if said != Ok(true) {
        // It has failed, or cannot be waited for; it may have ended by itself.
        let _ = kill_process(child, Signal::KILL);
    }
    let mut text = Vec::new();
    // It ends with "would block" while a copy is open; what was written, in one go, is there by then.
    let _ = File::from(read).read_to_end(&mut text);
    match serde_json::from_slice(&text) {
        Ok(Outcome::Started(pid)) => return Ok(Born { pid, helper: child }),
        Ok(Outcome::Failed(failure)) => Err(failure.into()),
        Err(_) => Err(Error::new(ErrorKind::Io, "the runtime ended before it had started the process")),
    }
    .inspect_err(|_| {
        // As in `settle`.
        let _ = waitid(WaitId::Pid(child), WaitIdOptions::EXITED);
    })
}

/// `None` in the child.
fn fork_at(place: Birthplace<'_>) -> io::Result<Option<Pid>> {
    if let Birthplace::Group { cgroup, .. } = place
        && cgroup.version == Version::V2
        && let Some(home) = cgroup.homes.first()
    {
        let dir = open(&home.dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let arguments = CloneArguments {
            flags: INTO_CGROUP,
            exit_signal: libc::SIGCHLD as u64,
            cgroup: dir.as_raw_fd() as u64,
            ..CloneArguments::default()
        };
        // SAFETY: as fork(2): no stack and no shared memory is asked for, the arguments live on this stack, and
        // this process has one thread, so that no lock is held by one that the child has not.
        let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<CloneArguments>()) };
        if result >= 0 {
            return Ok(Pid::from_raw(i32::try_from(result).unwrap_or_default()));
        }
        // Before Linux 5.7 there is no such call: the child goes there by itself (`settle`).
    }
    // SAFETY: this process has one thread, so that no lock is held by one that the child has not.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// The child's first steps: into the group, and with a view of control groups in which the runtime does nothing.
fn settle(place: Birthplace<'_>, parent: Pid) -> Result<()> {
    let failed = |error: io::Error| Error::io("entering the container's control group", error);
    // What this process starts must not outlive the monitor, and neither must it.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| failed(error.into()))?;
    if getppid() != Some(parent) {
        return Err(Error::new(ErrorKind::Cancelled, "the monitor went away"));
    }
    match place {
        Birthplace::Here => Ok(()),
        Birthplace::Group { cgroup, view } => {
            cgroup.enter().map_err(failed)?;
            hide(cgroup, view).map_err(|error| Error::io("showing control groups to the runtime", error))
        }
    }
}

impl Cgroup {
    /// Puts this process, which must have one thread, into the group.
    fn enter(&self) -> io::Result<()> {
        for home in &self.homes {
            match self.version {
                Version::V1 => write_existing(&home.dir.join("tasks"), "0")?,
                Version::V2 | Version::Absent => {
                    let own = std::fs::read_to_string("/proc/self/cgroup")?;
                    let name = home.dir.file_name().unwrap_or_default();
                    let there = own.lines().any(|line| line.starts_with("0::") && Path::new(line).ends_with(name));
                    if !there {
                        write_existing(&home.dir.join("cgroup.procs"), "0")?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn hide(cgroup: &Cgroup, view: Option<&Path>) -> io::Result<()> {
    let unified = statfs(ROOT).is_ok_and(|found| u64::try_from(found.f_type) == Ok(CGROUP2_MAGIC));
    if unified {
        return Ok(());
    }
    leave_mounts()?;
    if let Some(view) = view {
        cgroup.lay_out(view)?;
    }
    // In the first control group namespace, mounting waits for the same lock.
    unshare(UnshareFlags::NEWCGROUP)?;
    Ok(mount("cgroup2", ROOT, "cgroup2", MountFlags::empty(), None)?)
}

/// Waits until `child` has spoken or ended (`true`) or `failed` becomes readable. It need not have ended: clearing its
/// memory away takes time.
fn wait_for_word(child: &OwnedFd, failed: BorrowedFd<'_>, word: &OwnedFd) -> bool {
    let mut heeded = true;
    loop {
        let mut fds = [
            PollFd::new(child, PollFlags::IN),
            PollFd::new(word, PollFlags::IN),
            PollFd::from_borrowed_fd(failed, PollFlags::IN),
        ];
        let fds = fds.get_mut(..if heeded { 3 } else { 2 }).unwrap_or_default();
        match poll(fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return false, // Out of kernel memory.
        }
        let mut events = fds.iter().map(PollFd::revents);
        if events.by_ref().take(2).any(|events| !events.is_empty()) {
            return true;
        }
        match events.next() {
            Some(events) if events.contains(PollFlags::IN) => return false,
            // Everybody who could have said a word is past that.
            Some(events) if !events.is_empty() => heeded = false,
            Some(_) | None => {}
        }
    }
}

/// The runtime's intermediate process is a child of ours by now, ends once the container's exists, and would stay
/// a zombie. `kept` is left alone.
fn reap_intermediate(kept: u32) {
    let mut found = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the record is ours to fill, and all zeroes is a valid one; WNOWAIT leaves the child as it is.
    let ended = unsafe {
        libc::waitid(libc::P_ALL, 0, found.as_mut_ptr(), libc::WEXITED | libc::WNOWAIT);
        found.assume_init().si_pid()
    };
    if let Some(pid) = Pid::from_raw(ended).filter(|_| u32::try_from(ended) != Ok(kept)) {
        // It has ended, so this does not wait.
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
    }
}
