//! Which process is that, and is it still the same one? Identity that survives reuse of numbers.
//!
//! Deliberately elsewhere: what follows from it for a container (`probe`).

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    sync::OnceLock,
};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::engine::backend::embedded::launch::ProcessIdentity;

/// The id of this boot; numbers and start times of another boot mean nothing. Read once: no process outlives it.
pub(super) fn boot_id() -> io::Result<String> {
    static READ: OnceLock<String> = OnceLock::new();
    if let Some(read) = READ.get() {
        return Ok(read.clone());
    }
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    Ok(READ.get_or_init(|| id).clone())
}

/// The PID namespace of this process, which it keeps for life; `None` where there is no telling.
pub(super) fn own_namespace() -> Option<u64> {
    static OWN: OnceLock<Option<u64>> = OnceLock::new();
    *OWN.get_or_init(|| fs::metadata("/proc/self/ns/pid").ok().map(|found| found.ino()))
}

/// Who `pid` is now.
pub(super) fn identify(pid: u32) -> io::Result<ProcessIdentity> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, start_time) = state_and_start(&stat).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat is not as proc(5) says"))
    })?;
    Ok(ProcessIdentity { pid, start_time })
}

/// Whether this very process lives. A zombie does not.
///
/// # Errors
/// When that cannot be found out now, as without a free descriptor.
pub(super) fn is_alive(identity: &ProcessIdentity) -> io::Result<bool> {
    match fs::read_to_string(format!("/proc/{}/stat", identity.pid)) {
        Ok(stat) => Ok(state_and_start(&stat)
            .is_some_and(|(state, start)| start == identity.start_time && !matches!(state, 'Z' | 'X'))),
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOENT | Errno::SRCH)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A descriptor of this very process, or `None` when it is gone.
///
/// # Errors
/// As [`is_alive`].
pub(super) fn open(identity: &ProcessIdentity) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = i32::try_from(identity.pid).ok().and_then(Pid::from_raw) else { return Ok(None) }; // A pid always fits.
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        // Gone, or the number is a thread's by now. pidfd_open(2).
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Checked after opening: had the number been reused before, the start time would differ.
    Ok(is_alive(identity)?.then_some(pidfd))
}

/// A descriptor of a child of ours, which may have ended and waits to be reaped.
pub(super) fn open_child(identity: &ProcessIdentity) -> io::Result<OwnedFd> {
    let pid = i32::try_from(identity.pid).ok().and_then(Pid::from_raw); // A pid always fits.
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Fields 3 and 22 of `/proc/PID/stat`; the name in field 2 may contain anything, so count from its end.
fn state_and_start(stat: &str) -> Option<(char, u64)> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.trim().parse().ok()?; // Not a number: not as proc(5) says.
    Some((state, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_one_with_another_start_time_is_not() {
        let me = identify(std::process::id()).unwrap();
        assert!(is_alive(&me).unwrap());
        assert!(open(&me).unwrap().is_some());
        let other = ProcessIdentity { start_time: me.start_time + 1, ..me };
        assert!(!is_alive(&other).unwrap());
        assert!(open(&other).unwrap().is_none());
        let nobody = ProcessIdentity { pid: i32::MAX.unsigned_abs(), ..me };
        assert!(!is_alive(&nobody).unwrap());
        assert!(open(&nobody).unwrap().is_none());
    }

    #[test]
    fn without_a_free_descriptor_nobody_is_taken_for_gone() {
        let me = identify(std::process::id()).unwrap();
        // In a table of descriptors of this thread's own, so that nobody else runs out.
        let told = std::thread::spawn(move || {
            // SAFETY: only this thread's table is emptied, and from here on it uses only what it opens itself.
            let own = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_UNSHARE) };
            assert_eq!(own, 0);
            let one = std::fs::File::open("/dev/null").unwrap();
            let all: Vec<OwnedFd> = std::iter::from_fn(|| rustix::io::dup(&one).ok()).collect();
            let told = (is_alive(&me), open(&me).map(drop));
            drop(all);
            told
        });
        let (alive, opened) = told.join().unwrap();
        assert!(alive.is_err(), "{alive:?}");
        assert!(opened.is_err());
    }

    #[test]
    fn a_name_full_of_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert_eq!(state_and_start(stat), Some(('S', 4242)));
    }
}
