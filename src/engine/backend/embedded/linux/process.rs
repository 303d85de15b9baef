//! Which process is that, and is it still the same one? Identity that survives reuse of numbers.
//!
//! Deliberately elsewhere: what follows from it for a container (`probe`).

use std::{fs, io, os::fd::OwnedFd};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::engine::backend::embedded::launch::ProcessIdentity;

/// The id of this boot; numbers and start times of another boot mean nothing.
pub(super) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
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
pub(super) fn is_alive(identity: &ProcessIdentity) -> bool {
    match fs::read_to_string(format!("/proc/{}/stat", identity.pid)) {
        Ok(stat) => state_and_start(&stat)
            .is_some_and(|(state, start)| start == identity.start_time && !matches!(state, 'Z' | 'X')),
        Err(_) => false, // No such process, or no /proc to ask: nothing we could talk to either way.
    }
}

/// A descriptor of this very process, or `None` when it is gone.
pub(super) fn open(identity: &ProcessIdentity) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(identity.pid).ok()?)?; // A pid always fits.
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?; // Gone.
    // Checked after opening: had the number been reused before, the start time would differ.
    is_alive(identity).then_some(pidfd)
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
        assert!(is_alive(&me));
        assert!(open(&me).is_some());
        let other = ProcessIdentity { start_time: me.start_time + 1, ..me };
        assert!(!is_alive(&other));
        assert!(open(&other).is_none());
    }

    #[test]
    fn a_name_full_of_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert_eq!(state_and_start(stat), Some(('S', 4242)));
    }
}
