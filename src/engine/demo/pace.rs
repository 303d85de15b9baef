//! How does a program of the demo wait, and how does it learn that it should end?
//!
//! As the first process of a container it gets only the signals it asks for (pid_namespaces(7)). They are kept blocked
//! and taken while waiting (sigtimedwait(2)), so no code ever runs at a surprising moment.
//! Deliberately elsewhere: what the programs do (`workload`).

use std::time::Duration;

/// A reason to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    pub signal: i32,
}

/// Waits, and numbers that look random.
pub struct Pace {
    #[cfg(target_os = "linux")]
    signals: libc::sigset_t,
    random: u64,
}

impl Pace {
    /// Takes over TERM, INT and QUIT. To be called once, while the process has one thread.
    #[must_use]
    pub fn new() -> Self {
        let clock = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let random = u64::from(clock.subsec_nanos()) | 1;
        #[cfg(target_os = "linux")]
        {
            Self { signals: blocked_signals(), random }
        }
        #[cfg(not(target_os = "linux"))]
        {
            Self { random }
        }
    }

    /// # Errors
    /// The signal, when one came before the time was over.
    #[cfg(target_os = "linux")]
    pub fn wait(&self, time: Duration) -> Result<(), Stop> {
        let end = std::time::Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let left = libc::timespec {
                tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            // SAFETY: both pointers are to live values of the right types; a null place for the details is allowed.
            let signal = unsafe { libc::sigtimedwait(&raw const self.signals, std::ptr::null_mut(), &raw const left) };
            if signal > 0 {
                return Err(Stop { signal });
            }
            // Being stopped and continued ends the call early.
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                return Ok(());
            }
        }
    }

    /// # Errors
    /// None here: signals end the process by themselves.
    #[cfg(not(target_os = "linux"))]
    pub fn wait(&self, time: Duration) -> Result<(), Stop> {
        std::thread::sleep(time);
        Ok(())
    }

    /// A number below `bound`; good enough to look lively (Marsaglia, Xorshift RNGs).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound.max(1)
    }
}

#[cfg(target_os = "linux")]
fn blocked_signals() -> libc::sigset_t {
    // SAFETY: the set is made by sigemptyset before anything reads it, and only this thread's mask changes.
    unsafe {
        let mut signals = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(signals.as_mut_ptr());
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT] {
            libc::sigaddset(signals.as_mut_ptr(), signal);
        }
        let signals = signals.assume_init();
        libc::sigprocmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
        signals
    }
}
