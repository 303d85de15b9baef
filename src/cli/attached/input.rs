//! How does our standard input reach a session? A thread reads it, since a read cannot be waited for together with
//! everything else on every system, and files and terminals cannot be polled alike.
//!
//! Deliberately elsewhere: the detach keys (`detach`).

use std::{
    io::{self, Read as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::oneshot;

use super::detach::{DetachKeys, Leave};
use crate::engine::{InputSender, domain::SessionInput};

const PIECE: usize = 16 * 1024;

/// Reads until the end of input, the detach keys or its own drop.
#[derive(Debug)]
pub struct InputThread {
    left: oneshot::Receiver<()>,
    over: bool,
    stopped: Arc<AtomicBool>,
    #[cfg(unix)]
    _waker: std::os::fd::OwnedFd,
}

impl InputThread {
    /// # Errors
    /// When the system has no thread or pipe left.
    pub fn start(session: InputSender, leave_by: Leave) -> io::Result<Self> {
        let (leave, left) = oneshot::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        let (wake, waker) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let told = Arc::clone(&stopped);
        // Not joined: where reads cannot be interrupted it ends with the process.
        std::thread::Builder::new().name("wharf-input".to_owned()).spawn(move || {
            let mut reader = Reader {
                stopped: told,
                #[cfg(unix)]
                wake,
            };
            if copy(&mut reader, &session, leave_by) {
                // The one who waits for this may have left already.
                let _ = leave.send(());
            }
        })?;
        Ok(Self {
            left,
            over: false,
            stopped,
            #[cfg(unix)]
            _waker: waker,
        })
    }

    /// Ends when the detach keys were pressed; never, when input ended otherwise.
    pub async fn detached(&mut self) {
        if !self.over {
            let pressed = (&mut self.left).await.is_ok();
            self.over = true;
            if pressed {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

impl Drop for InputThread {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Copies until the end; `true` when the person leaves.
fn copy(reader: &mut Reader, session: &InputSender, leave_by: Leave) -> bool {
    let mut keys = DetachKeys::new(leave_by);
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(Some(0)) | Err(_) => {
                // The session may be over already; the process then needs no end of file.
                let _ = session.blocking_send(SessionInput::Eof);
                return false;
            }
            Ok(None) => return false,
            Ok(Some(count)) => count,
        };
        let typed = buffer.get(..count).unwrap_or_default();
        let (bytes, leaves) = keys.filter(typed);
        if !bytes.is_empty() && session.blocking_send(SessionInput::Stdin(bytes)).is_err() {
            return false;
        }
        if leaves {
            return true;
        }
    }
}

struct Reader {
    stopped: Arc<AtomicBool>,
    #[cfg(unix)]
    wake: std::os::fd::OwnedFd,
}

impl Reader {
    /// The next bytes; `None` when told to stop.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            if self.stopped.load(Ordering::Relaxed) || self.woken()? {
                return Ok(None);
            }
            match io::stdin().lock().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map(Some),
            }
        }
    }

    /// Waits until there is input or the other end of the waker is closed; says whether it was the latter.
    #[cfg(unix)]
    fn woken(&self) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, poll};
        let stdin = io::stdin();
        let mut watched = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
        match poll(&mut watched, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let [_, wake] = watched;
        Ok(!wake.revents().is_empty())
    }

    #[cfg(not(unix))]
    fn woken(&self) -> io::Result<bool> {
        Ok(false)
    }
}
