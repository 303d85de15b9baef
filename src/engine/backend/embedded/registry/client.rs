//! How does one call to a registry go? Address, credentials when asked for, redirects within bounds.
//!
//! Deliberately elsewhere: repeating what failed (`exchange`), what is called (`fetch`, `upload`).

use std::{io::Read, sync::Arc};

use super::{
    authenticator::{Authenticator, Refusal},
    exchange::{Exchange, Repeat},
    failure,
    pace::Pace,
    repository::Repository,
    secret::Secret,
    settings::RegistrySettings,
    transport::{Body, Method, Reach, Request, Response, Transport},
    url::{Scheme, Url},
};
use crate::engine::{
    backend::OperationContext,
    domain::{Error, ErrorKind, Result},
};

/// Redirects followed for one call.
const HOPS: u32 = 5;

/// One operation's way to its registries. Shared by its threads.
pub struct Client {
    pub exchange: Exchange,
    authenticator: Authenticator,
    settings: Arc<RegistrySettings>,
}

/// One call. Nothing in it changes while it is tried again.
pub struct Call<'a> {
    pub method: Method,
    pub repository: &'a Repository,
    pub place: Place<'a>,
    /// What the token must allow.
    pub scopes: Vec<String>,
    pub headers: Vec<(&'static str, String)>,
    pub body: CallBody<'a>,
    pub repeat: Repeat,
}

/// Where on the registry.
pub enum Place<'a> {
    /// Below the repository: `manifests/latest`, `blobs/uploads/`.
    Path(String),
    /// Where the registry sent us before.
    Location(&'a Url),
}

pub enum CallBody<'a> {
    Empty,
    Bytes(&'a [u8]),
    /// A body too large for memory; opened anew when the call has to be sent again.
    Stream {
        open: &'a (dyn Fn() -> Result<Box<dyn Read + Send + 'a>> + 'a),
        length: u64,
    },
}

/// An answer and the address that gave it.
#[derive(Debug)]
pub struct Reply {
    pub response: Response,
    pub url: Url,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The address in the `Location` header.
    pub fn location(&self) -> Option<Url> {
        self.url.join(self.response.headers.get("location")?)
    }

    /// This answer as the failure it is.
    pub fn into_error(self, repository: &Repository) -> Error {
        failure::of_status(self.response, &self.url, repository.registry())
    }
}

impl Client {
    pub fn new(
        settings: Arc<RegistrySettings>,
        transport: Box<dyn Transport>,
        pace: Arc<dyn Pace>,
        context: OperationContext,
    ) -> Self {
        let exchange = Exchange::new(transport, pace, context);
        Self { exchange, authenticator: Authenticator::new(Arc::clone(&settings)), settings }
    }

    /// Makes the call. Any status but 401 (answered once with credentials) and redirects (followed) is a reply.
    ///
    /// # Errors
    /// What [`Exchange::send`] and the login fail with; `Protocol` for redirects without end or without TLS.
    pub fn call(&self, call: &Call<'_>) -> Result<Reply> {
        let registry = call.repository.registry();
        let origin = self.address(call.repository, "")?;
        let mut url = match &call.place {
            Place::Path(path) => self.address(call.repository, path)?,
            Place::Location(url) => (*url).clone(),
        };
        let mut method = call.method;
        let mut hops = 0;
        let mut asked = false;
        loop {
            if url.scheme() == Scheme::Http && origin.scheme() == Scheme::Https {
                return Err(Error::new(ErrorKind::Protocol, format!("{registry} leads away from TLS, to {url:?}"))
                    .remedy("the fault is the registry's; nothing was sent there"));
            }
            // Credentials go to the registry itself and nowhere else.
            let ours = url.same_origin(&origin);
            let login = ours.then(|| self.authenticator.header(registry, &call.scopes, self.exchange.now())).flatten();
            let response = self.once(call, method, &url, &origin, login.as_ref())?;
            match response.status {
                401 if ours && !asked => {
                    asked = true;
                    let refusal = Refusal {
                        repository: call.repository,
                        scopes: &call.scopes,
                        origin: &origin,
                        refused: login.as_ref(),
                        response,
                    };
                    self.authenticator.answer(&self.exchange, refusal)?;
                }
                301 | 302 | 303 | 307 | 308 => {
                    hops += 1;
                    let status = response.status;
                    let next = response.headers.get("location").and_then(|location| url.join(location));
                    let Some(next) = next.filter(|_| hops <= HOPS) else {
                        let why = format!("{registry} redirects without end or without aim (status {status})");
                        return Err(Error::new(ErrorKind::Protocol, why));
                    };
                    let reads = matches!(method, Method::Get | Method::Head);
                    if !reads && status == 303 {
                        method = Method::Get;
                    } else if !reads && !matches!(status, 307 | 308) {
                        return Ok(Reply { response, url });
                    }
                    url = next;
                }
                _ => return Ok(Reply { response, url }),
            }
        }
    }

    fn once(
        &self,
        call: &Call<'_>,
        method: Method,
        url: &Url,
        origin: &Url,
        login: Option<&Secret>,
    ) -> Result<Response> {
        let reach = if url.same_origin(origin) { Reach::Anywhere } else { Reach::AsFarAs(origin) };
        let headers = || {
            let mut headers = call.headers.clone();
            headers.extend(login.map(|login| ("authorization", login.expose().to_owned())));
            headers
        };
        let sends = !matches!(method, Method::Get | Method::Head);
        if let (CallBody::Stream { open, length }, true) = (&call.body, sends) {
            // Only the caller knows how far a stream came, so it is sent once.
            let mut reader = open()?;
            let mut body = Some(Body::Reader { reader: &mut *reader, length: *length });
            return self.exchange.send(url, Repeat::ByCaller, || {
                let body = body.take().unwrap_or(Body::Empty);
                Request { method, url, headers: headers(), body, reach }
            });
        }
        self.exchange.send(url, call.repeat, || {
            let body = match &call.body {
                CallBody::Bytes(bytes) if sends => Body::Bytes(bytes),
                CallBody::Bytes(_) | CallBody::Empty | CallBody::Stream { .. } => Body::Empty,
            };
            Request { method, url, headers: headers(), body, reach }
        })
    }

    /// The address of `path` below the repository.
    pub fn address(&self, repository: &Repository, path: &str) -> Result<Url> {
        let path = format!("/v2/{}/{path}", repository.path());
        self.settings.endpoint(repository.registry(), &path).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, format!("{} is not a registry's address", repository.registry()))
        })
    }
}

/// The scope for reading.
pub fn pull_scope(repository: &Repository) -> String {
    format!("repository:{}:pull", repository.path())
}

/// The scope for writing.
pub fn push_scope(repository: &Repository) -> String {
    format!("repository:{}:pull,push", repository.path())
}
