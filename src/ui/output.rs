//! How are bytes written to a terminal that may be slow? As much as it takes at once; the rest on a thread.
//!
//! So a stuck terminal (a paused ssh, Ctrl-S) costs frames and nothing else. Deliberately elsewhere: which bytes
//! (`terminal`).

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

#[cfg(unix)]
use super::fault::{self, Part};

/// Standard output, never waited for.
#[derive(Debug)]
pub struct Output {
    target: Target,
    busy: Arc<Busy>,
}

#[derive(Debug, Default)]
struct Busy {
    writing: AtomicBool,
    done: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Whole,
    /// The rest follows; no new frame until then.
    Partly,
}

/// Bytes on their way. However that ends, also by a panic or for want of a thread, the next frame may come.
#[cfg(unix)]
struct Rest(Arc<Busy>);

#[cfg(unix)]
impl Drop for Rest {
    fn drop(&mut self) {
        self.0.writing.store(false, Ordering::Release);
        self.0.done.notify_waiters();
    }
}

#[cfg(unix)]
type Target = Arc<std::os::fd::OwnedFd>;
#[cfg(not(unix))]
type Target = ();

impl Output {
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.busy.writing.load(Ordering::Acquire)
    }

    /// Ends when nothing is left to write.
    pub async fn ready(&self) {
        let done = self.busy.done.notified();
        if !self.is_ready() {
            done.await;
        }
    }
}

#[cfg(unix)]
impl Output {
    /// The terminal behind standard output, opened anew: its own non-blocking flag must not reach the shell that
    /// shares the old description.
    #[must_use]
    pub fn of_this_process() -> Self {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let anew = rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new())
            .and_then(|path| rustix::fs::open(path, flags, Mode::empty()));
        let target = anew.or_else(|_| rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3));
        let target = target.expect("a process that got this far has a standard output");
        Self { target: Arc::new(target), busy: Arc::default() }
    }

    /// Writes what the terminal takes now. The rest goes out from a thread, in order.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn write(&mut self, bytes: Vec<u8>) -> io::Result<Written> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            if !self.is_ready() {
                break;
            }
            match rustix::io::write(&self.target, rest) {
                Ok(count) => done += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if done >= bytes.len() {
            return Ok(Written::Whole);
        }
        if !self.is_ready() {
            // Only a copy to the clipboard comes while a frame is on its way; it is not worth a queue.
            return Ok(Written::Whole);
        }
        self.busy.writing.store(true, Ordering::Release);
        let target = Arc::clone(&self.target);
        let rest = Rest(Arc::clone(&self.busy));
        let thread = std::thread::Builder::new().name("terminal output".to_owned());
        thread.spawn(move || {
            let _written_or_given_up = rest;
            fault::point(Part::Output);
            // A terminal that is gone is noticed by whoever reads from it.
            let _ = write_all(&target, bytes.get(done..).unwrap_or_default(), None);
        })?;
        Ok(Written::Partly)
    }

    /// Writes the last words, waiting for the terminal, but not for ever.
    ///
    /// # Errors
    /// When the terminal is gone or takes nothing.
    pub fn write_patiently(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.target, bytes, Some(LAST_WORDS))
    }
}

/// How long a terminal may take for the sequences that restore it.
#[cfg(unix)]
const LAST_WORDS: std::time::Duration = std::time::Duration::from_millis(500);

#[cfg(unix)]
fn write_all(target: &std::os::fd::OwnedFd, bytes: &[u8], patience: Option<std::time::Duration>) -> io::Result<()> {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::Errno,
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(target, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let timeout = patience.map(|patience| Timespec {
                    tv_sec: patience.as_secs().try_into().unwrap_or(1),
                    tv_nsec: patience.subsec_nanos().into(),
                });
                match poll(&mut [PollFd::new(target, PollFlags::OUT)], timeout.as_ref()) {
                    Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
impl Output {
    #[must_use]
    pub fn of_this_process() -> Self {
        Self { target: (), busy: Arc::default() }
    }

    /// Consoles take everything at once.
    ///
    /// # Errors
    /// When the console is gone.
    pub fn write(&mut self, bytes: Vec<u8>) -> io::Result<Written> {
        self.write_patiently(&bytes).map(|()| Written::Whole)
    }

    /// # Errors
    /// When the console is gone.
    pub fn write_patiently(&mut self, bytes: &[u8]) -> io::Result<()> {
        use io::Write as _;
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }
}
