//! How do bytes travel between a client and a process over a connection? The two halves of a session.
//!
//! Deliberately elsewhere: opening it (`link`, `launcher`), the other side (`pump`).

use std::{io::Write, net::Shutdown, os::unix::net::UnixStream, sync::Arc};

use super::{
    link::next_frame,
    protocol::{CHUNK, Decoder, ExitNote, Kind, parse, put, put_json},
};
use crate::engine::{
    backend::embedded::kernel::{HangUp, ProcessSession, SessionReader, SessionWriter},
    domain::{Error, Result, SessionInput, SessionOutput},
};

/// A session over a connection that is attached already.
pub(super) fn session(stream: UnixStream, decoder: Decoder) -> Result<ProcessSession> {
    let failed = |error| Error::io("opening a session", error);
    stream.set_write_timeout(None).map_err(failed)?;
    let writer = Arc::new(stream.try_clone().map_err(failed)?);
    Ok(ProcessSession { input: Box::new(Writer(writer)), output: Box::new(Reader { stream, decoder, ended: false }) })
}

/// A session with a process that nobody listens to.
pub(super) fn detached() -> Result<ProcessSession> {
    let (ours, _) = UnixStream::pair().map_err(|error| Error::io("opening a session", error))?;
    session(ours, Decoder::default())
}

struct Writer(Arc<UnixStream>);

struct Reader {
    stream: UnixStream,
    decoder: Decoder,
    ended: bool,
}

struct Closer(Arc<UnixStream>);

impl SessionWriter for Writer {
    fn send(&mut self, input: SessionInput) -> Result<()> {
        let mut frames = Vec::new();
        match input {
            SessionInput::Stdin(bytes) => bytes.chunks(CHUNK).for_each(|piece| put(&mut frames, Kind::Stdin, piece)),
            SessionInput::Eof => put(&mut frames, Kind::Eof, &[]),
            SessionInput::Resize(size) => put_json(&mut frames, Kind::Resize, &size),
            SessionInput::Signal(signal) => put_json(&mut frames, Kind::Signal, &signal),
        }
        (&*self.0).write_all(&frames).map_err(|error| Error::io("sending to the process", error))
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
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
