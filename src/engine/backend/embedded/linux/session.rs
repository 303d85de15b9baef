//! How do bytes travel between a client and a process over a connection? The two halves of a session.
//!
//! Deliberately elsewhere: opening it (`link`, `launcher`), the other side (`pump`).

use std::{
    io::Write,
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    link::{Link, next_frame},
    protocol::{CHUNK, Decoder, ExitNote, Kind, Request, parse, put, put_json},
};
use crate::engine::{
    backend::embedded::kernel::{HangUp, ProcessSession, SessionReader, SessionWriter},
    domain::{Error, Result, SessionInput, SessionOutput},
};

/// A monitor that does not take a signal in this time stands still.
const ANSWER: Duration = Duration::from_secs(5);

/// How signals and sizes reach the process past input that it does not read.
#[derive(Debug)]
pub(super) enum Control {
    /// The exec helper's second socket.
    Line(UnixStream),
    /// A request of its own to the monitor of this run directory.
    Monitor(PathBuf),
    /// There is nobody to tell.
    Nobody,
}

/// A session over a connection that is attached already.
pub(super) fn session(stream: UnixStream, decoder: Decoder, control: Control) -> Result<ProcessSession> {
    let failed = |error| Error::io("opening a session", error);
    stream.set_write_timeout(None).map_err(failed)?;
    let sending = Mutex::new(stream.try_clone().map_err(failed)?);
    let hang_up = stream.try_clone().map_err(failed)?;
    let writer = Writer(Arc::new(Ways { sending, hang_up, control }));
    Ok(ProcessSession { input: Box::new(writer), output: Box::new(Reader { stream, decoder, ended: false }) })
}

/// A session with a process that nobody listens to.
pub(super) fn detached() -> Result<ProcessSession> {
    let (ours, _) = UnixStream::pair().map_err(|error| Error::io("opening a session", error))?;
    session(ours, Decoder::default(), Control::Nobody)
}

/// The ways to a process.
struct Ways {
    /// Whole frames, one sender at a time.
    sending: Mutex<UnixStream>,
    hang_up: UnixStream,
    control: Control,
}

impl Ways {
    fn send_in_line(&self, frames: &[u8]) -> Result<()> {
        let mut stream = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(frames).map_err(|error| Error::io("sending to the process", error))
    }

    /// Past whatever waits in line.
    fn send_control(&self, frame: &[u8], request: Request) -> Result<()> {
        match &self.control {
            Control::Line(line) => {
                let mut line = line;
                line.write_all(frame).map_err(|error| Error::io("sending to the process", error))
            }
            Control::Monitor(run_dir) => match Link::ask(run_dir, request, Instant::now() + ANSWER) {
                Ok(Some(_)) => Ok(()),
                // Not there any more, too busy or too old to understand: in line is better than not at all.
                Ok(None) | Err(_) => self.send_in_line(frame),
            },
            Control::Nobody => Ok(()),
        }
    }
}

struct Writer(Arc<Ways>);

struct Reader {
    stream: UnixStream,
    decoder: Decoder,
    ended: bool,
}

struct Closer(Arc<Ways>);

impl SessionWriter for Writer {
    fn send(&mut self, input: SessionInput) -> Result<()> {
        let mut frames = Vec::new();
        match input {
            SessionInput::Stdin(bytes) => bytes.chunks(CHUNK).for_each(|piece| put(&mut frames, Kind::Stdin, piece)),
            SessionInput::Eof => put(&mut frames, Kind::Eof, &[]),
            SessionInput::Resize(size) => {
                put_json(&mut frames, Kind::Resize, &size);
                return self.0.send_control(&frames, Request::Resize(size));
            }
            SessionInput::Signal(signal) => {
                put_json(&mut frames, Kind::Signal, &signal);
                return self.0.send_control(&frames, Request::Kill { signal });
            }
        }
        self.0.send_in_line(&frames)
    }

    fn second(&self) -> Box<dyn SessionWriter> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn hang_up_handle(&self) -> Box<dyn HangUp> {
        Box::new(Closer(Arc::clone(&self.0)))
    }
}

impl SessionReader for Reader {
    fn receive(&mut self) -> Result<Option<SessionOutput>> {
        while !self.ended {
            let Some((kind, payload)) = next_frame(&mut self.stream, &mut self.decoder, None)? else { break };
            match kind {
                Kind::Stdout => return Ok(Some(SessionOutput::Stdout(payload))),
                Kind::Stderr => return Ok(Some(SessionOutput::Stderr(payload))),
                Kind::Missed => {
                    let bytes = payload.try_into().map_or(0, u64::from_le_bytes);
                    return Ok(Some(SessionOutput::Missed { bytes }));
                }
                Kind::Exit => {
                    self.ended = true;
                    let note: ExitNote = parse(&payload)?;
                    return Ok(Some(SessionOutput::Exit(note.exit)));
                }
                Kind::Request | Kind::Reply | Kind::Stdin | Kind::Eof | Kind::Resize | Kind::Status | Kind::Signal => {}
            }
        }
        Ok(None)
    }
}

impl HangUp for Closer {
    fn hang_up(&self) {
        // Closed already is as good.
        let _ = self.0.hang_up.shutdown(Shutdown::Both);
    }
}
