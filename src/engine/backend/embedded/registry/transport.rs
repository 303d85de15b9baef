//! How does one request reach a server and its answer come back? The seam between the registry protocol and the
//! network.
//!
//! Two live implementations: `transport_ureq` (sockets and TLS) and the scripted one of the tests. Deliberately
//! elsewhere: retries, redirects and credentials (`client`), which work the same over either.

use std::{fmt, io, io::Read, time::Duration};

use super::url::Url;

/// A connection that is not there after this is given up.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// Carries requests. Shared by the threads of one operation; when the operation is cancelled, every request under
/// way ends with [`Fault::Cancelled`] within about a quarter of a second.
pub trait Transport: Send + Sync {
    /// Sends one request and returns once the head of the answer is there. Follows no redirect, retries nothing, and
    /// treats no status as an error. Connections are reused where the body was read to its end.
    ///
    /// # Errors
    /// A [`TransportError`]; reading the body fails with an `io::Error` that holds one.
    fn send(&self, request: Request<'_>) -> Result<Response, TransportError>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request. `Debug` shows neither headers nor query, since both can hold secrets.
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body<'a>,
    pub reach: Reach<'a>,
}

/// What a request carries. The length is always known, so nothing is sent in chunked coding.
pub enum Body<'a> {
    Empty,
    Bytes(&'a [u8]),
    Reader { reader: &'a mut (dyn Read + Send), length: u64 },
}

/// Which machines a request may end at. A registry on the internet must not be able to point us (by a redirect, an
/// upload location or a token realm) at loopback, at the local network or at a cloud's metadata address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach<'a> {
    /// The address comes from the person who asked.
    Anywhere,
    /// The address comes from the registry at this address: private addresses only if that one is private itself.
    AsFarAs(&'a Url),
}

/// The head of an answer and its body, still on the wire.
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Box<dyn Read + Send>,
}

/// Header fields in order of arrival; names are lower case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first field of that (lower-case) name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A field that is a plain number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
    }
}

/// Why there was no answer, as far as it decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name has no address.
    UnknownHost,
    /// Nothing listens there, or no route leads there.
    Refused,
    /// The certificate or the handshake.
    Tls,
    /// No progress within its deadline.
    TimedOut,
    /// The connection ended early.
    Broken,
    /// The server does not speak HTTP as it should.
    Malformed,
    /// The address is outside the request's [`Reach`].
    OutOfReach,
    /// The reader of the request's body failed: our side, not the network's.
    Source,
    Cancelled,
}

/// No answer, or no rest of it.
#[derive(Debug)]
pub struct TransportError {
    pub fault: Fault,
    pub source: io::Error,
}

impl TransportError {
    pub fn new(fault: Fault, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { fault, source: io::Error::other(source) }
    }

    /// What reading a body failed with.
    pub fn of_read(error: io::Error) -> Self {
        let silent = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
        let fault = if silent { Fault::TimedOut } else { Fault::Broken };
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(source) => Self { fault, source },
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for TransportError {}

impl From<TransportError> for io::Error {
    fn from(error: TransportError) -> Self {
        io::Error::other(error)
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.method.as_str(), self.url)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)
    }
}
