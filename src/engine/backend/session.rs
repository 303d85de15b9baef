//! What is a conversation with a process? Output one way; input and control, each in a lane of its own, the other.
//!
//! A process that does not read its input must not keep a signal or a new size waiting, so these never stand
//! behind input. Deliberately elsewhere: what flows (`domain`), who carries it (each backend).

use std::time::Duration;

use tokio::sync::mpsc::{
    self,
    error::{SendError, SendTimeoutError},
};

use crate::engine::{
    core::limits,
    domain::{SessionInput, SessionOutput},
    sync::{Piece, RingReader},
};

/// Two bounded ways to a process. Dropping it detaches; the process goes on (an exec without
/// `detach` loses its input and output).
#[derive(Debug)]
pub struct Session {
    pub input: InputSender,
    /// Ends with `SessionOutput::Exit`; an end without it means the connection was lost.
    pub output: RingReader<SessionOutput>,
}

impl Piece for SessionOutput {
    fn weight(&self) -> u64 {
        match self {
            Self::Stdout(bytes) | Self::Stderr(bytes) => bytes.len() as u64,
            Self::Missed { bytes } => *bytes,
            Self::Exit(_) => 0,
        }
    }

    fn missed(bytes: u64) -> Self {
        Self::Missed { bytes }
    }
}

/// The client's end of the way to the process. Input keeps its order, and so do signals and sizes; these
/// overtake input.
#[derive(Clone, Debug)]
pub struct InputSender {
    bytes: mpsc::Sender<SessionInput>,
    control: mpsc::Sender<SessionInput>,
}

/// The backend's end.
#[derive(Debug)]
pub struct InputReceiver {
    /// `Stdin` and `Eof` alone.
    pub bytes: mpsc::Receiver<SessionInput>,
    /// `Resize` and `Signal` alone.
    pub control: mpsc::Receiver<SessionInput>,
}

/// Both ends.
#[must_use]
pub fn input() -> (InputSender, InputReceiver) {
    let (bytes, bytes_received) = mpsc::channel(limits::SESSION_ITEMS);
    let (control, control_received) = mpsc::channel(limits::SESSION_CONTROLS);
    (InputSender { bytes, control }, InputReceiver { bytes: bytes_received, control: control_received })
}

impl InputSender {
    /// Waits while its lane is full; cancelling sends nothing.
    ///
    /// # Errors
    /// When the process or the connection is gone.
    pub async fn send(&self, item: SessionInput) -> Result<(), SendError<SessionInput>> {
        self.lane(&item).send(item).await
    }

    /// As [`Self::send`], at most for `within`.
    ///
    /// # Errors
    /// As [`Self::send`], or when the time is up.
    pub async fn send_timeout(
        &self,
        item: SessionInput,
        within: Duration,
    ) -> Result<(), SendTimeoutError<SessionInput>> {
        self.lane(&item).send_timeout(item, within).await
    }

    /// As [`Self::send`], from a thread outside the runtime.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn blocking_send(&self, item: SessionInput) -> Result<(), SendError<SessionInput>> {
        self.lane(&item).blocking_send(item)
    }

    fn lane(&self, item: &SessionInput) -> &mpsc::Sender<SessionInput> {
        match item {
            SessionInput::Stdin(_) | SessionInput::Eof => &self.bytes,
            SessionInput::Resize(_) | SessionInput::Signal(_) => &self.control,
        }
    }
}

impl InputReceiver {
    /// What comes first of both lanes, control before input; `None` when the client has left. Cancel safe.
    pub async fn recv(&mut self) -> Option<SessionInput> {
        tokio::select! {
            biased;
            Some(item) = self.control.recv() => Some(item),
            Some(item) = self.bytes.recv() => Some(item),
            else => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::Signal;

    #[tokio::test]
    async fn a_signal_overtakes_input_that_nobody_takes() {
        let (sender, mut receiver) = input();
        while sender.bytes.try_send(SessionInput::Stdin(vec![0])).is_ok() {}
        sender.send(SessionInput::Signal(Signal::INT)).await.unwrap();
        assert_eq!(receiver.recv().await, Some(SessionInput::Signal(Signal::INT)));
        assert_eq!(receiver.recv().await, Some(SessionInput::Stdin(vec![0])));
        drop(sender);
        for _ in 1..limits::SESSION_ITEMS {
            assert!(receiver.recv().await.is_some());
        }
        assert_eq!(receiver.recv().await, None);
    }
}
