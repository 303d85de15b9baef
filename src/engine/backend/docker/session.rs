//! How does a client talk to a process over one hijacked connection? Output, input, size, signals, and the exit.
//!
//! A container's output waits in the daemon while nobody reads it, and with it every other call about that container
//! (moby#41827). So each session is read on its own task into a bounded channel: a viewer loses what it does not
//! take; a foreground run may make the workload wait, but never a stop, kill or removal of ours ([`Sessions`]).
//! Deliberately elsewhere: opening the connection (`attach`, `exec`).

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    io,
    sync::{Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::multiplexed::{Demultiplexer, Frame};
use crate::engine::{
    backend::{InputReceiver, Session, session_input},
    core::limits,
    domain::{ContainerId, Flow, LogSource, ProcessExit, Result, SessionInput, SessionOutput, Signal, TerminalSize},
    sync::{RingWriter, ring},
};

/// Read from the socket at once.
const CHUNK: usize = 64 << 10;
/// The first words of the output, kept for a daemon that says there why nothing ran.
const HEAD: usize = 1 << 10;
/// Pieces of input that wait for a process which does not read; then the client waits.
const INPUT_QUEUED: usize = 64;

/// How the bytes are to be read and delivered.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub tty: bool,
    pub stdin: bool,
    pub flow: Flow,
}

/// What a session can ask of the daemon beside its stream.
pub trait Remote: Send + Sync + 'static {
    fn resize(&self, size: TerminalSize) -> BoxFuture<'_, ()>;
    /// Bytes to type instead, where the daemon cannot signal the process.
    fn signal(&self, signal: Signal) -> BoxFuture<'_, Option<Vec<u8>>>;
}

/// The open sessions whose workload may be waiting for a client of ours.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<HashMap<ContainerId, Vec<CancellationToken>>>,
}

impl Sessions {
    /// From here on no session of this container makes its workload wait: somebody wants to change it.
    pub fn relieve(&self, id: &ContainerId) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        open.into_iter().flatten().for_each(|relief| relief.cancel());
    }

    fn register(&self, id: &ContainerId) -> CancellationToken {
        let relief = CancellationToken::new();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A token of a session that has ended is cancelled by its guard.
        open.retain(|_, tokens| {
            tokens.retain(|token| !token.is_cancelled());
            !tokens.is_empty()
        });
        open.entry(id.clone()).or_default().push(relief.clone());
        relief
    }
}

/// Starts the session's task. It ends with the process, or when both channels of the client are dropped. `exit` is
/// asked when the stream has ended, and is told the first words of the output.
pub fn begin<E>(
    sessions: &Sessions,
    id: &ContainerId,
    connection: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    shape: Shape,
    remote: impl Remote,
    exit: impl FnOnce(Vec<u8>) -> E + Send + 'static,
) -> Session
where
    E: Future<Output = Result<ProcessExit>> + Send + 'static,
{
    let (input, inputs) = session_input();
    let (outputs, output) = ring(limits::SESSION_ITEMS);
    let relief = sessions.register(id);
    tokio::spawn(async move {
        let _ended = relief.clone().drop_guard();
        run(connection, shape, remote, exit, inputs, outputs, relief).await;
    });
    Session { input, output }
}

async fn run<E: Future<Output = Result<ProcessExit>>>(
    connection: impl AsyncRead + AsyncWrite + Unpin,
    shape: Shape,
    remote: impl Remote,
    exit: impl FnOnce(Vec<u8>) -> E,
    inputs: InputReceiver,
    outputs: RingWriter<SessionOutput>,
    relief: CancellationToken,
) {
    // The whole connection lives here: dropping it detaches.
    let (reader, writer) = tokio::io::split(connection);
    let delivery = Delivery { outputs: outputs.clone(), flow: shape.flow, relief };
    let ended = tokio::select! {
        ended = deliver(reader, shape.tty, delivery) => ended,
        () = outputs.left() => End::Left,
        never = type_in(writer, shape.stdin, inputs, remote) => match never {},
    };
    match ended {
        End::Left | End::Broken => {}
        End::Of { head } => {
            let known = tokio::select! {
                exit = exit(head) => exit,
                () = outputs.left() => return,
            };
            // Where it cannot be learned, the session ends without an exit and the client says that it was lost.
            if let Ok(exit) = known {
                // The client may leave at the last moment.
                let _ = outputs.send(SessionOutput::Exit(exit)).await;
            }
        }
    }
}

enum End {
    /// The stream ended: everything it printed has been read.
    Of {
        head: Vec<u8>,
    },
    Broken,
    /// Nobody listens any more.
    Left,
}

struct Delivery {
    outputs: RingWriter<SessionOutput>,
    flow: Flow,
    relief: CancellationToken,
}

impl Delivery {
    /// Hands one piece to the client; `false` when it has left.
    async fn pass(&self, piece: SessionOutput) -> bool {
        match self.flow {
            Flow::Viewer => {}
            Flow::Lossless => tokio::select! {
                // Whether there is room or nobody is there, the offer below tells.
                _ = self.outputs.room() => {}
                () = self.relief.cancelled() => {}
            },
        }
        self.outputs.offer(piece).is_ok()
    }
}

async fn deliver(mut reader: impl AsyncRead + Unpin, tty: bool, delivery: Delivery) -> End {
    let mut cutter = Demultiplexer::default();
    let mut chunk = vec![0; CHUNK];
    let mut head = Vec::new();
    loop {
        let read = match reader.read(&mut chunk).await {
            Ok(0) => return End::Of { head },
            Ok(read) => chunk.get(..read).unwrap_or_default(),
            // The process ended and left input unread: Podman closes with that. Whether the daemon is still there
            // shows when it is asked for the exit.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                return End::Of { head };
            }
            Err(_) => return End::Broken,
        };
        let frames = if tty {
            vec![Frame { source: LogSource::Stdout, bytes: read.to_vec() }]
        } else {
            match cutter.feed(read) {
                Ok(frames) => frames,
                Err(_) => return End::Broken,
            }
        };
        for Frame { source, bytes } in frames {
            head.extend(bytes.iter().take(HEAD - head.len().min(HEAD)));
            let piece = match source {
                LogSource::Stdout => SessionOutput::Stdout(bytes),
                LogSource::Stderr => SessionOutput::Stderr(bytes),
            };
            if !delivery.pass(piece).await {
                return End::Left;
            }
        }
    }
}

enum Typed {
    Bytes(Vec<u8>),
    Eof,
}

/// Carries input for as long as the session lives; a process that does not read its input does not keep signals and
/// sizes waiting.
async fn type_in(
    mut writer: impl AsyncWrite + Unpin,
    stdin: bool,
    mut inputs: InputReceiver,
    remote: impl Remote,
) -> std::convert::Infallible {
    let mut queue: VecDeque<Typed> = VecDeque::new();
    let (mut open, mut feeding) = (true, true);
    loop {
        let has_input = !queue.is_empty();
        tokio::select! {
            // A size or a signal goes before what was typed after it.
            biased;
            control = inputs.control.recv(), if open => match control {
                Some(SessionInput::Resize(size)) => remote.resize(size).await,
                Some(SessionInput::Signal(signal)) => {
                    if let Some(keys) = remote.signal(signal).await {
                        queue.push_back(Typed::Bytes(keys));
                    }
                }
                // They come by the other lane.
                Some(SessionInput::Stdin(_) | SessionInput::Eof) => {}
                None => open = false,
            },
            input = inputs.bytes.recv(), if feeding && queue.len() < INPUT_QUEUED => match input {
                Some(SessionInput::Stdin(bytes)) if stdin => queue.push_back(Typed::Bytes(bytes)),
                Some(SessionInput::Eof) if stdin => queue.push_back(Typed::Eof),
                // The client did not ask for standard input, or it is for the other lane.
                Some(
                    SessionInput::Stdin(_) | SessionInput::Eof | SessionInput::Resize(_) | SessionInput::Signal(_),
                ) => {}
                None => feeding = false,
            },
            () = write_front(&mut writer, &mut queue), if has_input => {}
            () = std::future::pending(), if !open && !feeding && !has_input => {}
        }
    }
}

/// Writes the first piece of the queue, as much as goes; safe to drop at any await, for what was written is taken
/// off the queue in the same step.
async fn write_front(writer: &mut (impl AsyncWrite + Unpin), queue: &mut VecDeque<Typed>) {
    match queue.front_mut() {
        Some(Typed::Bytes(bytes)) if bytes.is_empty() => drop(queue.pop_front()),
        Some(Typed::Bytes(bytes)) => match writer.write(bytes).await {
            Ok(0) | Err(_) => queue.clear(),
            Ok(written) => drop(bytes.drain(..written.min(bytes.len()))),
        },
        Some(Typed::Eof) => {
            // A process that has ended needs no end of its input.
            let _ = writer.shutdown().await;
            queue.clear();
        }
        None => {}
    }
}

#[cfg(test)]
mod tests;
