//! Who gives the terminal back when this program is killed outright? A tiny process that waits for our end.
//!
//! It is forked while there is little memory worth mentioning, is in a session of its own so that neither
//! Ctrl-C nor job control reach it, and holds nothing but the terminal and a pipe. The screen has one for its whole
//! life, an attached verb while the terminal is raw. Deliberately elsewhere: every other way to end (`ui::terminal`,
//! `ui::defects`, `attached::terminal`).

#[cfg(target_os = "linux")]
pub use self::linux::Guard;

#[cfg(not(target_os = "linux"))]
pub use self::other::Guard;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

    use rustix::{
        process::{Pid, WaitOptions, waitpid},
        termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
    };

    /// The guarding process as its charge sees it. Dropping it sends the process away: the terminal has been given
    /// back by then.
    #[derive(Debug)]
    pub struct Guard {
        child: Pid,
        pipe: OwnedFd,
    }

    impl Guard {
        /// Starts it over `terminal`; none when that fails, for it is a precaution. The terminal's modes are kept as
        /// they are now, so this comes before they are changed. `last_words` undo what its charge, or a program that
        /// it shows, asked the terminal for.
        #[must_use]
        pub fn start(terminal: BorrowedFd<'_>, last_words: &[u8]) -> Option<Self> {
            let modes = tcgetattr(terminal).ok()?;
            let (theirs, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok()?;
            // SAFETY: the child calls nothing but system calls through functions that neither allocate nor lock, and
            // ends with _exit; whatever other threads held at this moment does not matter to it.
            match unsafe { libc::fork() } {
                ..0 => None,
                0 => {
                    watch(terminal, theirs.as_fd(), ours.as_fd(), &modes, last_words);
                    // SAFETY: ends the child without running what the parent registered for its own end.
                    unsafe { libc::_exit(0) }
                }
                child => Some(Self { child: Pid::from_raw(child)?, pipe: ours }),
            }
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            // It may have been killed; then it is away already.
            let _ = rustix::io::write(&self.pipe, b"q");
            let _ = waitpid(Some(self.child), WaitOptions::empty());
        }
    }

    /// The guard's whole life.
    fn watch(
        terminal: BorrowedFd<'_>,
        pipe: BorrowedFd<'_>,
        parents_end: BorrowedFd<'_>,
        modes: &Termios,
        last_words: &[u8],
    ) {
        const TERMINAL: i32 = 1;
        // Cannot fail in a child that has just been forked; if it did, Ctrl-C would end the guard early.
        let _ = rustix::process::setsid();
        // SAFETY: these numbers are this process's own copies. Nothing owned is used afterwards but the pipe, which
        // becomes standard input, and the terminal, which becomes standard output: a file or a pipe there would be held
        // open. The child never returns to drop the others.
        unsafe {
            libc::close(parents_end.as_raw_fd());
            libc::dup2(terminal.as_raw_fd(), TERMINAL);
            libc::dup2(pipe.as_raw_fd(), 0);
            // An old kernel without the call leaves descriptors open that nobody waits for but the parent's pipe.
            libc::syscall(libc::SYS_close_range, TERMINAL + 1, u32::MAX, 0);
            libc::prctl(libc::PR_SET_NAME, c"wharf-guard".as_ptr());
        }
        let (pipe, terminal) = (rustix::stdio::stdin(), rustix::stdio::stdout());
        loop {
            match rustix::io::read(pipe, &mut [0_u8; 1]) {
                Ok(1..) => return,
                Ok(0) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => break,
            }
        }
        // The terminal may be gone as well.
        let _ = tcsetattr(terminal, OptionalActions::Now, modes);
        let mut rest = last_words;
        while let Ok(count @ 1..) = rustix::io::write(terminal, rest) {
            rest = rest.get(count..).unwrap_or_default();
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    /// Nobody stands guard there; `reset` gives the terminal back.
    #[derive(Debug)]
    pub struct Guard;

    impl Guard {
        #[must_use]
        pub fn start<T>(_terminal: T, _last_words: &[u8]) -> Option<Self> {
            None
        }
    }
}
