//! How are signals sent, blocked and reset? The few calls that neither std nor rustix offers.
//!
//! Deliberately elsewhere: when to send which signal (`monitor::stopping`, `link`).

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use crate::engine::domain::Signal;

const HIGHEST_SIGNAL: i32 = 64;

/// Sends a signal to exactly the process behind `pidfd`. A process that is gone already is an error
/// of kind `NotFound`-like `ESRCH`; see [`is_gone`].
pub(super) fn send(pidfd: BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    // SAFETY: plain integers and a null siginfo, which the kernel fills in as for kill(2).
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal.number(),
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether an error of [`send`] says that the process has ended.
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}

/// Takes the signals that ask this process to end out of their usual way: they become readable on
/// the returned descriptor. Call before any thread exists.
pub(super) fn divert_termination() -> io::Result<OwnedFd> {
    let diverted = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];
    // SAFETY: the set is initialised by sigemptyset before anything reads it.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in diverted {
            libc::sigaddset(&raw mut set, signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// Reads one diverted signal, if one is waiting.
pub(super) fn take_diverted(fd: &OwnedFd) -> Option<Signal> {
    let mut record = [0_u8; size_of::<libc::signalfd_siginfo>()];
    let read = rustix::io::read(fd, &mut record).ok()?; // Nothing waiting.
    let number = record.get(..4).filter(|_| read == record.len())?;
    let number = u32::from_ne_bytes(number.try_into().ok()?); // Four bytes always fit.
    Signal::from_number(i32::try_from(number).ok()?) // A signal number always fits.
}

/// Gives every signal its default action and unblocks all: what a container's process starts with,
/// whatever our own starter had ignored.
pub(super) fn reset_all() {
    for number in 1..=HIGHEST_SIGNAL {
        // SAFETY: SIG_DFL has no handler code; signals that cannot be changed (KILL, STOP, the two that the
        // C library keeps) answer with an error, which is as good.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    // SAFETY: the set is initialised by sigemptyset before sigprocmask reads it.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Closes every descriptor from `first` on.
pub(super) fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: called by a role at its very start, before anything here owns a descriptor that high.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
