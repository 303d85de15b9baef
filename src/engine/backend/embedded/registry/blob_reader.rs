//! How does a blob arrive whole although the connection breaks? A reader that resumes where it was.
//!
//! Deliberately elsewhere: hashing the bytes, which is the work of whoever stores them (`images`).

use std::{
    io::{self, Read},
    sync::Arc,
};

use super::{
    client::{Call, CallBody, Client, Place, Reply, pull_scope},
    exchange::{Repeat, Trouble},
    repository::Repository,
    transport::{Fault, Method, TransportError},
};
use crate::engine::{
    backend::embedded::manifest::Descriptor,
    domain::{Digest, Error, ErrorKind, Result},
};

/// Reads one blob, beginning at an offset, and gives exactly the bytes that its descriptor promises or an error.
/// **Does not check the digest.** Broken connections are resumed with a range request until the operation's patience
/// ends. Errors hold an engine error; [`read_error`] takes it out.
pub struct BlobReader {
    client: Arc<Client>,
    repository: Repository,
    digest: Digest,
    size: u64,
    position: u64,
    body: Option<Box<dyn Read + Send>>,
    /// Tries without a byte of progress.
    tries: u32,
}

/// The engine error inside what reading a blob failed with.
pub fn read_error(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(other) => Error::io("reading a blob", other),
    }
}

impl BlobReader {
    /// Opens the blob `wanted` of `repository` from `offset` on.
    ///
    /// # Errors
    /// `NoSuchImage` when it is not there, `DigestMismatch` when the registry has it in another size, and what calls
    /// fail with.
    pub(super) fn open(client: Arc<Client>, repository: Repository, wanted: &Descriptor, offset: u64) -> Result<Self> {
        let (digest, size) = (wanted.digest.clone(), wanted.size);
        let mut reader = Self { client, repository, digest, size, position: offset.min(size), body: None, tries: 1 };
        // An empty blob is asked for too: whether it is there is part of the answer.
        if reader.position < size || size == 0 {
            reader.connect()?;
        }
        Ok(reader)
    }

    /// Bytes given out or skipped so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn connect(&mut self) -> Result<()> {
        let mut reply = self.request(self.position > 0)?;
        if reply.status() == 416 {
            reply = self.request(false)?;
        }
        let from = match reply.status() {
            200 => 0,
            206 => self.range_start(&reply)?,
            _ => return Err(reply.into_error(&self.repository).at(format_args!("blob {}", self.digest.short()))),
        };
        if let Some(length) = reply.response.headers.number("content-length")
            && from + length != self.size
        {
            return Err(self.wrong_size(from + length));
        }
        let mut body = reply.response.body;
        // A server without ranges sends everything again.
        let mut skip = self.position.saturating_sub(from);
        let mut scratch = vec![0; 64 << 10];
        while skip > 0 {
            let part = usize::try_from(skip).unwrap_or(usize::MAX).min(scratch.len());
            match body.read(scratch.get_mut(..part).unwrap_or_default()) {
                Ok(count) if count > 0 => skip -= count as u64,
                Ok(_) => return Ok(()), // It ended early; the next read finds no body and tries again.
                Err(error) => return self.passing(TransportError::of_read(error)),
            }
        }
        self.body = Some(body);
        Ok(())
    }

    fn request(&self, range: bool) -> Result<Reply> {
        let mut headers = vec![("accept", "*/*".to_owned())];
        if range {
            headers.push(("range", format!("bytes={}-", self.position)));
        }
        self.client.call(&Call {
            method: Method::Get,
            repository: &self.repository,
            place: Place::Path(format!("blobs/{}", self.digest)),
            scopes: vec![pull_scope(&self.repository)],
            headers,
            body: CallBody::Empty,
            repeat: Repeat::Allowed,
        })
    }

    /// The first byte of a partial answer: `bytes 5-9/10`.
    fn range_start(&self, reply: &Reply) -> Result<u64> {
        let field = reply.response.headers.get("content-range").and_then(|range| range.strip_prefix("bytes "));
        let start = field.and_then(|range| range.split('-').next()).and_then(|start| start.trim().parse().ok());
        start.filter(|start| *start <= self.position).ok_or_else(|| {
            let why = format!("{} sends another part of the blob than asked for", self.repository.registry());
            Error::new(ErrorKind::Protocol, why).at(format_args!("blob {}", self.digest.short()))
        })
    }

    fn wrong_size(&self, found: u64) -> Error {
        let why = format!("the registry has {found} bytes where the manifest promises {}", self.size);
        Error::new(ErrorKind::DigestMismatch, why)
            .at(format_args!("blob {}", self.digest.short()))
            .remedy("the image is damaged in the registry; have it pushed again")
    }

    /// Waits after a failure that may pass; otherwise it is the end.
    fn passing(&mut self, error: TransportError) -> Result<()> {
        self.body = None;
        self.tries += 1;
        let url = self.client.address(&self.repository, "")?;
        let exchange = &self.client.exchange;
        if exchange.may_pass(error.fault) && exchange.wait(self.tries, None, &url, Trouble::Connection)? {
            return Ok(());
        }
        Err(super::failure::of_transport(error, &url).at(format_args!("blob {}", self.digest.short())))
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.size - self.position;
        if left == 0 {
            return self.at_the_end();
        }
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..part).unwrap_or_default();
        loop {
            let Some(body) = &mut self.body else {
                self.connect()?;
                if self.body.is_none() {
                    self.passing(ended_early())?;
                }
                continue;
            };
            let error = match body.read(buffer) {
                Ok(count) if count > 0 => {
                    self.position += count as u64;
                    self.tries = 1;
                    return Ok(count);
                }
                Ok(_) => ended_early(),
                Err(error) => TransportError::of_read(error),
            };
            self.passing(error)?;
        }
    }

    /// Nothing may follow, and reading to the true end lets the connection be used again.
    fn at_the_end(&mut self) -> Result<usize> {
        if let Some(mut body) = self.body.take()
            && matches!(body.read(&mut [0]), Ok(1..))
        {
            return Err(self.wrong_size(self.size + 1));
        }
        Ok(0)
    }
}

fn ended_early() -> TransportError {
    TransportError::new(Fault::Broken, "it ended before the blob did")
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer).map_err(io::Error::other)
    }
}
