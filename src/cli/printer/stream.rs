//! How does an attached process's output reach ours without ever stopping the rest of the program?
//!
//! Deliberately elsewhere: where the bytes come from (`cli::attached`).

use std::io::{self, Write as _};

use tokio::sync::{mpsc, oneshot};

use super::Channel;

/// Pieces under way to a slow reader; then the sender waits, and with it the process (`Flow::Lossless`).
const PIECES: usize = 16;

/// A thread that writes what it is given: a reader that stalls stalls only it.
#[derive(Debug)]
pub struct OutputThread {
    pieces: mpsc::Sender<(Channel, Vec<u8>)>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl OutputThread {
    /// # Errors
    /// When the system has no thread left.
    pub fn start() -> io::Result<Self> {
        let (pieces, queue) = mpsc::channel(PIECES);
        let (end, ended) = oneshot::channel();
        // Not joined: it ends with its channel, and a reader that stalls must not hold the program.
        std::thread::Builder::new().name("wharf-output".to_owned()).spawn(move || {
            // Nobody waits any more when the program was told to end at once.
            let _ = end.send(write_all(queue));
        })?;
        Ok(Self { pieces, ended })
    }

    /// Hands over a piece, waiting while the reader is slow; `false` when the reader has gone.
    pub async fn write(&self, channel: Channel, bytes: Vec<u8>) -> bool {
        self.pieces.send((channel, bytes)).await.is_ok()
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// What the last write failed with: a broken pipe when the reader has gone.
    pub async fn finish(self) -> io::Result<()> {
        drop(self.pieces);
        self.ended.await.unwrap_or_else(|_| Err(io::Error::other("the output thread panicked")))
    }
}

fn write_all(mut queue: mpsc::Receiver<(Channel, Vec<u8>)>) -> io::Result<()> {
    while let Some((channel, bytes)) = queue.blocking_recv() {
        match channel {
            Channel::Out => {
                let mut out = io::stdout().lock();
                out.write_all(&bytes)?;
                out.flush()?;
            }
            Channel::Err => io::stderr().lock().write_all(&bytes)?,
        }
    }
    Ok(())
}
