//! What does every request carry, and who answers? The negotiated version in front of the path, learnt from a ping.
//!
//! bollard 0.21 joins absolute paths and so drops `/v1.NN`; everything it sends passes here, where it is put back.
//! Deliberately elsewhere: sockets (`connection`), deadlines and answers (`api`).

use std::sync::Arc;

use bollard::BollardRequest;
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Request, Response, Uri,
    body::{Bytes, Incoming},
    header,
};
use tokio::sync::Mutex;

use super::{
    connection::{Connections, RequestBody, whole},
    failure::{self, About},
    path::Path,
};
use crate::engine::{
    core::limits,
    domain::{Error, ErrorKind, HostKind, Result},
};

/// The newest API version whose answers we know, and the oldest daemon we talk to (Docker 1.12).
const NEWEST: ApiVersion = ApiVersion(1, 53);
const OLDEST: ApiVersion = ApiVersion(1, 24);
/// No answer that is read whole is larger; `inspect` of 10,000 containers stays far below.
const LARGEST_BODY: usize = 64 << 20;

/// Major and minor number of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(pub u32, pub u32);

/// Who answered, learnt from the headers of `/_ping` (Podman needs 365 ms for `/version`, so nobody asks it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    pub kind: HostKind,
    /// The engine's own version: `20.10.24+dfsg1`, `4.3.1`.
    pub version: String,
    /// What both sides speak.
    pub api: ApiVersion,
    /// The daemon's clock when it answered, whole seconds since 1970; its events count by it.
    pub seconds: i64,
}

/// Everything that is sent goes through here.
pub struct Wire {
    pub connections: Connections,
    daemon: Mutex<Option<Arc<Daemon>>>,
}

impl Wire {
    #[must_use]
    pub fn new(connections: Connections) -> Self {
        Self { connections, daemon: Mutex::new(None) }
    }

    /// Forgets who is there: the next request asks again.
    pub async fn forget(&self) {
        *self.daemon.lock().await = None;
    }

    /// Who is there; asked once.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`, or `Unsupported` when we share no version.
    pub async fn daemon(&self) -> Result<Arc<Daemon>> {
        let mut known = self.daemon.lock().await;
        if let Some(daemon) = &*known {
            return Ok(Arc::clone(daemon));
        }
        let ping = self.plain_request(Method::GET, "/_ping", None)?;
        let answer = tokio::time::timeout(limits::READ_DEADLINE, self.connections.send(ping)).await;
        let response = answer.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::TimedOut, format!("{} does not answer", self.connections.location())))
        })?;
        let headers = response.headers().clone();
        let status = response.status();
        let body = collect(response).await?;
        if !status.is_success() {
            return Err(failure::of_status(status, &body, About::Host));
        }
        let daemon = Arc::new(Daemon::of_ping(&headers)?);
        *known = Some(Arc::clone(&daemon));
        Ok(daemon)
    }

    /// A request with the version in front.
    ///
    /// # Errors
    /// As [`Wire::daemon`].
    pub async fn request(&self, method: Method, path: Path, body: Option<Bytes>) -> Result<Request<RequestBody>> {
        let ApiVersion(major, minor) = self.daemon().await?.api;
        self.plain_request(method, &format!("/v{major}.{minor}{path}"), body)
    }

    fn plain_request(&self, method: Method, target: &str, body: Option<Bytes>) -> Result<Request<RequestBody>> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, self.connections.authority())
            .header(header::USER_AGENT, concat!("wharf/", env!("CARGO_PKG_VERSION")));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request
            .body(whole(body.unwrap_or_default()))
            .map_err(|error| Error::new(ErrorKind::InvalidInput, format!("the request cannot be written: {error}")))
    }

    /// bollard's request, with the version it lost.
    ///
    /// # Errors
    /// Ours, wrapped so that [`super::api::typed_error`] finds them again.
    pub async fn typed(&self, request: BollardRequest) -> Result<Response<Incoming>, bollard::errors::Error> {
        let wrap = |error: Error| bollard::errors::Error::IOError { err: std::io::Error::other(error) };
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
        let ApiVersion(major, minor) = self.daemon().await.map_err(wrap)?.api;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        parts.uri = Uri::try_from(format!("/v{major}.{minor}{target}"))
            .map_err(|error| wrap(Error::new(ErrorKind::InvalidInput, error.to_string())))?;
        if let Ok(authority) = self.connections.authority().parse() {
            parts.headers.insert(header::HOST, authority);
        }
        self.connections.send(Request::from_parts(parts, whole(body))).await.map_err(wrap)
    }
}

impl Daemon {
    /// Docker and Podman put their name and version into `Server`, the API's into `Api-Version`.
    fn of_ping(headers: &header::HeaderMap) -> Result<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let server = text("server").split_whitespace().next().unwrap_or_default();
        let (name, version) = server.split_once('/').unwrap_or((server, ""));
        let podman = name == "Libpod" || headers.contains_key("libpod-api-version");
        let offered = ApiVersion::parse(text("api-version")).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "whoever answers there does not speak the Docker Engine API")
                .remedy("check the address: it must be the API's socket or port")
        })?;
        if offered < OLDEST {
            let ApiVersion(major, minor) = offered;
            return Err(Error::new(ErrorKind::Unsupported, format!("the daemon speaks only API {major}.{minor}"))
                .remedy("update it: Wharf needs 1.24 (Docker 1.12) or newer"));
        }
        let date = httpdate(text("date"));
        Ok(Self {
            kind: if podman { HostKind::Podman } else { HostKind::Docker },
            version: version.to_owned(),
            api: offered.min(NEWEST),
            seconds: date.unwrap_or_default(),
        })
    }
}

impl ApiVersion {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        // Not numbers: not a version.
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// A whole body.
///
/// # Errors
/// `Protocol` when it breaks off or is too large.
pub async fn collect(response: Response<Incoming>) -> Result<Bytes> {
    let whole = Limited::new(response.into_body(), LARGEST_BODY).collect().await;
    whole.map(|body| body.to_bytes()).map_err(|error| {
        Error::new(ErrorKind::Protocol, format!("the daemon's answer broke off or is too large: {error}"))
    })
}

/// Seconds since 1970 of an HTTP date (RFC 9110, IMF-fixdate).
pub fn httpdate(text: &str) -> Option<i64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.replace("GMT", "+0000")).ok()?;
    Some(time.as_second())
}

#[cfg(test)]
mod tests;
