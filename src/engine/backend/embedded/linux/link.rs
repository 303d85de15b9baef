//! How does the engine talk to a monitor or exec helper that runs already? One request per connection, bounded.
//!
//! Deliberately elsewhere: what to do when there is no monitor (`unattended`), bytes of a session (`session`).

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    client_socket::connect,
    protocol::{Asked, Decoder, ExitNote, Kind, Reply, Request, VERSION, parse, put_json},
};
use crate::engine::domain::{Error, ErrorKind, Result};

/// A connection whose request was accepted.
#[derive(Debug)]
pub(super) struct Link {
    stream: UnixStream,
    decoder: Decoder,
}

/// How waiting for the end of a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Waited {
    Ended(ExitNote),
    /// The monitor went away without a word.
    Lost,
    TimeUp,
}

impl Link {
    /// Sends `request` to the monitor of `run_dir` and takes its reply; `None` when there is no monitor to ask.
    pub(super) fn ask(run_dir: &Path, request: Request, until: Instant) -> Result<Option<Self>> {
        let stream = match connect(run_dir, until) {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(no_answer()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io("connecting to the container's monitor", error)),
        };
        let mut link = Self { stream, decoder: Decoder::default() };
        let mut frame = Vec::new();
        put_json(&mut frame, Kind::Request, &Asked { v: VERSION, request });
        let limit = |error| Error::io("setting a time limit on a socket", error);
        link.stream.set_write_timeout(Some(time_left(until))).map_err(limit)?;
        match link.stream.write_all(&frame) {
            Ok(()) => {}
            Err(error) if is_gone(&error) => return Ok(None), // It ended between connecting and asking.
            Err(error) => return Err(Error::io("asking the container's monitor", error)),
        }
        match link.next_frame(Some(until))? {
            Some((Kind::Reply, payload)) => match parse::<Reply>(&payload)?.failure {
                Some(failure) => Err(failure.into()),
                None => Ok(Some(link)),
            },
            Some(_) => Err(Error::new(ErrorKind::Protocol, "the monitor did not begin with a reply")),
            None => Ok(None),
        }
    }

    /// Waits for the end of the run.
    pub(super) fn wait_for_exit(&mut self, until: Instant) -> Result<Waited> {
        loop {
            match self.next_frame(Some(until)) {
                Ok(Some((Kind::Exit, payload))) => return parse(&payload).map(Waited::Ended),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Waited::Lost),
                Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(Waited::TimeUp),
                Err(error) => return Err(error),
            }
        }
    }

    /// The connection and what of it was read ahead, for a session.
    pub(super) fn into_parts(self) -> (UnixStream, Decoder) {
        (self.stream, self.decoder)
    }

    fn next_frame(&mut self, until: Option<Instant>) -> Result<Option<(Kind, Vec<u8>)>> {
        next_frame(&mut self.stream, &mut self.decoder, until)
    }
}

/// The next frame of a stream; `None` at its end; `TimedOut` when `until` comes first.
pub(super) fn next_frame(
    stream: &mut UnixStream,
    decoder: &mut Decoder,
    until: Option<Instant>,
) -> Result<Option<(Kind, Vec<u8>)>> {
    loop {
        if let Some(frame) = decoder.next_frame()? {
            return Ok(Some(frame));
        }
        let limit = until.map(time_left);
        stream.set_read_timeout(limit).map_err(|error| Error::io("setting a time limit on a socket", error))?;
        let mut bytes = [0; 16 << 10];
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(None),
            Ok(count) => decoder.push(bytes.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if until.is_some_and(|until| Instant::now() >= until) {
                    return Err(no_answer());
                }
            }
            Err(error) => return Err(Error::io("listening to the container's monitor", error)),
        }
    }
}

/// The time until `until`; never zero, which would mean for ever.
pub(super) fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn no_answer() -> Error {
    Error::new(ErrorKind::TimedOut, "the container's monitor did not answer in time")
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
