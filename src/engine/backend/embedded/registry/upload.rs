//! How does one blob get into a repository? Is it there, can it be linked from next door, else send it, resuming.
//!
//! OCI distribution specification, "Pushing blobs" and "Mounting a blob from another repository". Deliberately
//! elsewhere: which blobs, and what comes after them (`push`).

use std::io::{self, Read};

use super::{
    client::{Call, CallBody, Client, Place, Reply, pull_scope, push_scope},
    exchange::{Repeat, Trouble, is_passing},
    repository::Repository,
    transport::Method,
    url::Url,
};
use crate::engine::{
    backend::embedded::manifest::Descriptor,
    domain::{Error, ErrorKind, Result},
};

/// Neighbours asked for a link before the blob is sent: each refusal costs a round trip.
const NEIGHBOURS: usize = 3;

/// How a blob came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Existed,
    Mounted,
    Uploaded,
}

/// One blob on its way into one repository.
pub struct Upload<'a> {
    pub client: &'a Client,
    pub repository: &'a Repository,
    pub blob: &'a Descriptor,
    /// Repositories that may have it. Those on other registries are of no use here.
    pub neighbours: &'a [Repository],
    /// Opens the blob from an offset on.
    pub open: &'a (dyn Fn(u64) -> Result<Box<dyn Read + Send>> + Sync),
    /// Told how many bytes the registry has been sent.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// What the registry made of a piece.
enum Step {
    Done,
    /// Go on at this address, from this byte on.
    Continue(Url, u64),
    /// The session is lost.
    Restart,
}

impl Upload<'_> {
    /// Brings the blob there. Cancelling leaves at most an upload session, which registries clean up.
    ///
    /// # Errors
    /// `Unauthorized`, `Denied`, `Unreachable` after patience has ended, `Protocol`, and what opening the blob fails
    /// with.
    pub fn run(&self) -> Result<Arrival> {
        if self.exists()? {
            return Ok(Arrival::Existed);
        }
        let mut session = None;
        let near = |other: &&Repository| other.registry() == self.repository.registry() && *other != self.repository;
        for neighbour in self.neighbours.iter().filter(near).take(NEIGHBOURS) {
            match self.mount(neighbour)? {
                Step::Done => return Ok(Arrival::Mounted),
                // The registry did not link it and has opened an upload instead.
                Step::Continue(url, _) => session = Some(url),
                Step::Restart => continue,
            }
            break;
        }
        self.send(session)?;
        Ok(Arrival::Uploaded)
    }

    fn exists(&self) -> Result<bool> {
        let reply = self.call(Method::Head, Place::Path(format!("blobs/{}", self.blob.digest)), Vec::new())?;
        match reply.status() {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(self.failure(reply)),
        }
    }

    fn mount(&self, neighbour: &Repository) -> Result<Step> {
        let path = format!("blobs/uploads/?mount={}&from={}", self.blob.digest, neighbour.path());
        let reply = self.client.call(&Call {
            method: Method::Post,
            repository: self.repository,
            place: Place::Path(path),
            // Both at once, or the registry may not look next door.
            scopes: vec![pull_scope(neighbour), push_scope(self.repository)],
            headers: Vec::new(),
            body: CallBody::Empty,
            repeat: Repeat::Allowed,
        });
        match reply {
            Ok(reply) if reply.status() == 201 => Ok(Step::Done),
            Ok(reply) if reply.status() == 202 => {
                Ok(reply.location().map_or(Step::Restart, |url| Step::Continue(url, 0)))
            }
            Ok(_) => Ok(Step::Restart),
            // No right to read there: then the blob is sent.
            Err(error) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Denied) => Ok(Step::Restart),
            Err(error) => Err(error),
        }
    }

    /// Sends the bytes, in one piece if nothing goes wrong.
    fn send(&self, mut session: Option<Url>) -> Result<()> {
        let mut tries = 1;
        let mut from = 0;
        loop {
            let url = match session.take() {
                Some(url) => url,
                None => {
                    from = 0;
                    self.begin()?
                }
            };
            let piece = if from == 0 { self.whole(&url) } else { self.rest(&url, from) };
            let failure = match piece {
                Ok(reply) if matches!(reply.status(), 200 | 201 | 204) => return Ok(()),
                Ok(reply) if is_passing(reply.status()) || matches!(reply.status(), 404 | 416) => {
                    let wait = self.client.exchange.asked(&reply.response);
                    let trouble = Trouble::Status(reply.status());
                    (self.failure(reply), wait, trouble)
                }
                Ok(reply) => return Err(self.failure(reply)),
                Err(error) if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::TimedOut) => {
                    (error, None, Trouble::Connection)
                }
                Err(error) => return Err(error),
            };
            let (error, asked, trouble) = failure;
            tries += 1;
            if !self.client.exchange.wait(tries, asked, &url, trouble)? {
                return Err(error);
            }
            match self.found(&url)? {
                Step::Done => return Ok(()),
                Step::Continue(url, there) => {
                    if there > from {
                        tries = 1;
                    }
                    from = there;
                    session = Some(url);
                }
                Step::Restart => {}
            }
        }
    }

    fn begin(&self) -> Result<Url> {
        let reply = self.call(Method::Post, Place::Path("blobs/uploads/".to_owned()), Vec::new())?;
        if reply.status() != 202 {
            return Err(self.failure(reply));
        }
        reply.location().ok_or_else(|| self.odd("opens an upload without saying where"))
    }

    /// Everything in the request that also ends the upload.
    fn whole(&self, url: &Url) -> Result<Reply> {
        self.stream(Method::Put, &self.closing(url), 0, Vec::new())
    }

    /// What is missing, then the end.
    fn rest(&self, url: &Url, from: u64) -> Result<Reply> {
        let mut url = url.clone();
        if from < self.blob.size {
            let range = format!("{from}-{}", self.blob.size - 1);
            let reply = self.stream(Method::Patch, &url, from, vec![("content-range", range)])?;
            if !matches!(reply.status(), 202 | 204) {
                return Ok(reply);
            }
            url = reply.location().unwrap_or(url);
        }
        // Not repeated: if it is unclear whether it worked, looking for the blob tells.
        self.client.call(&Call {
            repeat: Repeat::ByCaller,
            ..self.described(Method::Put, Place::Location(&self.closing(&url)), Vec::new())
        })
    }

    fn stream(&self, method: Method, url: &Url, from: u64, mut headers: Vec<(&'static str, String)>) -> Result<Reply> {
        headers.push(("content-type", "application/octet-stream".to_owned()));
        let length = self.blob.size - from;
        (self.progress)(from);
        let open = || -> Result<Box<dyn Read + Send + '_>> {
            Ok(Box::new(Counted { reader: (self.open)(from)?, sent: from, progress: self.progress }))
        };
        self.client.call(&Call {
            body: CallBody::Stream { open: &open, length },
            repeat: Repeat::ByCaller,
            ..self.described(method, Place::Location(url), headers)
        })
    }

    /// How far the upload is, after something went wrong: perhaps it is even done.
    fn found(&self, url: &Url) -> Result<Step> {
        if self.exists()? {
            return Ok(Step::Done);
        }
        let reply = self.call(Method::Get, Place::Location(url), Vec::new())?;
        if !matches!(reply.status(), 200 | 202 | 204) {
            return Ok(Step::Restart);
        }
        let last = reply.response.headers.get("range").and_then(|range| range.trim().split_once('-'));
        // `0-0` is what registries say of an empty session, and of one with a single byte.
        let there = match last.and_then(|(_, last)| last.trim().parse::<u64>().ok()) {
            Some(0) | None => 0,
            Some(last) => last + 1,
        };
        let url = reply.location().unwrap_or_else(|| url.clone());
        // An upload that is longer than the blob is not ours.
        Ok(if there > self.blob.size || there == 0 { Step::Restart } else { Step::Continue(url, there) })
    }

    /// The address that ends the upload.
    fn closing(&self, url: &Url) -> Url {
        url.clone().with_query("digest", &self.blob.digest.to_string())
    }

    fn call(&self, method: Method, place: Place<'_>, headers: Vec<(&'static str, String)>) -> Result<Reply> {
        self.client.call(&self.described(method, place, headers))
    }

    fn described<'c>(&'c self, method: Method, place: Place<'c>, headers: Vec<(&'static str, String)>) -> Call<'c> {
        Call {
            method,
            repository: self.repository,
            place,
            scopes: vec![push_scope(self.repository)],
            headers,
            body: CallBody::Empty,
            repeat: Repeat::Allowed,
        }
    }

    fn failure(&self, reply: Reply) -> Error {
        reply.into_error(self.repository).at(format_args!("blob {} in {}", self.blob.digest.short(), self.repository))
    }

    fn odd(&self, what: &str) -> Error {
        Error::new(ErrorKind::Protocol, format!("{} {what}", self.repository.registry()))
    }
}

/// Tells how much was taken out of the blob to be sent.
struct Counted<'a> {
    reader: Box<dyn Read + Send>,
    sent: u64,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.sent += count as u64;
        (self.progress)(self.sent);
        Ok(count)
    }
}
