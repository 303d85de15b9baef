//! How is one call of the Docker Engine API made? Version prefix, deadlines, bodies, and bollard on our own wire.
//!
//! bollard 0.21 joins absolute paths and so drops `/v1.NN`; every request passes through [`Wire`], which puts it
//! there. Deliberately elsewhere: sockets (`connection`), what a refusal means (`failure`), each verb's own calls.

use std::{sync::Arc, time::Duration};

use bollard::{BollardRequest, Docker};
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    header,
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use super::{
    connection::{Connection, Connections, RequestBody, whole},
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

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

/// An answer that goes on; dropping it hangs up.
pub struct Stream {
    body: Incoming,
    _connection: Connection,
}

/// A connection that has stopped being HTTP: bytes both ways. Dropping it hangs up.
pub type Hijacked = TokioIo<Upgraded>;

/// The calls of one host.
pub struct Api {
    wire: Arc<Wire>,
    typed: Docker,
}

/// Everything that is sent goes through here.
struct Wire {
    connections: Connections,
    daemon: Mutex<Option<Arc<Daemon>>>,
}

impl Api {
    /// # Errors
    /// `Internal` when bollard refuses its own defaults.
    pub fn new(connections: Connections) -> Result<Self> {
        let wire = Arc::new(Wire { connections, daemon: Mutex::new(None) });
        let inner = Arc::clone(&wire);
        let typed = Docker::connect_with_custom_transport(
            move |request: BollardRequest| {
                let wire = Arc::clone(&inner);
                async move { wire.typed(request).await }
            },
            Some("http://localhost"),
            limits::STEP_DEADLINE.as_secs(),
            bollard::API_DEFAULT_VERSION,
        )
        .map_err(|error| Error::new(ErrorKind::Internal, format!("the API client cannot be made: {error}")))?;
        Ok(Self { wire, typed })
    }

    /// bollard's typed calls, over our wire. Its errors become ours by [`typed_error`].
    pub fn typed(&self) -> &Docker {
        &self.typed
    }

    #[must_use]
    pub fn location(&self) -> String {
        self.wire.connections.location()
    }

    /// Who is there; asked once and kept until [`Api::forget`].
    ///
    /// # Errors
    /// `Unreachable`, `Denied`, or `Unsupported` when we share no version.
    pub async fn daemon(&self) -> Result<Arc<Daemon>> {
        self.wire.daemon().await
    }

    /// The daemon may have been replaced: the next call asks again.
    pub async fn forget(&self) {
        *self.wire.daemon.lock().await = None;
    }

    pub async fn get(&self, path: Path) -> Result<Reply> {
        self.call(Method::GET, path, None, limits::READ_DEADLINE).await
    }

    pub async fn post(&self, path: Path, limit: Duration) -> Result<Reply> {
        self.call(Method::POST, path, None, limit).await
    }

    pub async fn post_json(&self, path: Path, body: &impl Serialize, limit: Duration) -> Result<Reply> {
        self.call(Method::POST, path, Some(written(body)?), limit).await
    }

    pub async fn delete(&self, path: Path, limit: Duration) -> Result<Reply> {
        self.call(Method::DELETE, path, None, limit).await
    }

    async fn call(&self, method: Method, path: Path, body: Option<Bytes>, limit: Duration) -> Result<Reply> {
        let exchange = async {
            let request = self.wire.request(method, path, body).await?;
            let response = self.wire.connections.send(request).await?;
            let status = response.status();
            Ok(Reply { status, body: collect(response).await? })
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(self.silent(limit)))
    }

    /// Sends a request whose answer goes on for as long as it likes; its head must come within `limit`.
    ///
    /// # Errors
    /// As `failure` says when the answer is no success.
    pub async fn stream(
        &self,
        method: Method,
        path: Path,
        registry_auth: Option<&str>,
        about: About,
        limit: Duration,
    ) -> Result<Stream> {
        let opening = async {
            let mut request = self.wire.request(method, path, None).await?;
            if let Some(auth) = registry_auth {
                let mut value: header::HeaderValue = auth
                    .parse()
                    .map_err(|_| Error::new(ErrorKind::InvalidInput, "the registry's credentials are no header"))?;
                value.set_sensitive(true);
                request.headers_mut().insert("x-registry-auth", value);
            }
            self.open(request, about).await
        };
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(self.silent(limit)))
    }

    /// Sends `size` bytes as they come; the answer is a stream that begins within `limit`.
    ///
    /// # Errors
    /// As `failure` says when the answer is no success.
    pub async fn upload(
        &self,
        path: Path,
        (body, size): (RequestBody, u64),
        about: About,
        limit: Duration,
    ) -> Result<Stream> {
        let opening = async {
            let mut request = self.wire.request(Method::POST, path, None).await?;
            *request.body_mut() = body;
            request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-tar"));
            request.headers_mut().insert(header::CONTENT_LENGTH, size.into());
            self.open(request, about).await
        };
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(self.silent(limit)))
    }

    async fn open(&self, request: Request<RequestBody>, about: About) -> Result<Stream> {
        let (response, connection) = self.wire.connections.send_alone(request).await?;
        if response.status().is_success() {
            return Ok(Stream { body: response.into_body(), _connection: connection });
        }
        let status = response.status();
        Err(failure::of_status(status, &collect(response).await?, about))
    }

    /// Turns a connection into a two-way stream of bytes (`attach`, `exec`).
    ///
    /// # Errors
    /// As `failure` says when the daemon does not switch.
    pub async fn hijack(&self, path: Path, body: Option<&impl Serialize>) -> Result<Hijacked> {
        let opening = async {
            let body = body
                .map(serde_json::to_vec)
                .transpose()
                .map_err(|error| Error::new(ErrorKind::Internal, format!("the request cannot be written: {error}")))?;
            let mut request = self.wire.request(Method::POST, path, body.map(Bytes::from)).await?;
            let headers = request.headers_mut();
            headers.insert(header::CONNECTION, header::HeaderValue::from_static("Upgrade"));
            headers.insert(header::UPGRADE, header::HeaderValue::from_static("tcp"));
            let (response, connection) = self.wire.connections.send_alone(request).await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                let io = hyper::upgrade::on(response).await.map_err(|error| {
                    Error::new(ErrorKind::Protocol, format!("the daemon did not hand over the stream: {error}"))
                })?;
                // Its driver has handed the socket over and ended.
                drop(connection);
                return Ok(TokioIo::new(io));
            }
            let status = response.status();
            Err(failure::of_status(status, &collect(response).await?, About::Container))
        };
        let limit = limits::STEP_DEADLINE;
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(self.silent(limit)))
    }

    fn silent(&self, limit: Duration) -> Error {
        Error::new(ErrorKind::TimedOut, format!("{} did not answer within {limit:?}", self.location()))
            .remedy("look again: the daemon may still be doing it")
    }
}

impl Wire {
    async fn daemon(&self) -> Result<Arc<Daemon>> {
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

    async fn request(&self, method: Method, path: Path, body: Option<Bytes>) -> Result<Request<RequestBody>> {
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
    async fn typed(&self, request: BollardRequest) -> Result<Response<Incoming>, bollard::errors::Error> {
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

impl Reply {
    /// The answer of a success; 304 counts as one.
    ///
    /// # Errors
    /// As `failure` says.
    pub fn success(self, about: About) -> Result<Self> {
        if self.status.is_success() || self.status == StatusCode::NOT_MODIFIED {
            Ok(self)
        } else {
            Err(failure::of_status(self.status, &self.body, about))
        }
    }

    /// # Errors
    /// As `failure` says, and `Protocol` when the body is not what the API promises.
    pub fn json<T: DeserializeOwned>(self, about: About) -> Result<T> {
        let body = self.success(about)?.body;
        serde_json::from_slice(&body).map_err(|error| unreadable(&error))
    }
}

impl Stream {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `Unreachable` when the connection broke in the middle.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame
                .map_err(|error| Error::new(ErrorKind::Unreachable, format!("the daemon's stream broke: {error}")))?;
            // Trailers say nothing here.
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Everything up to the end.
    ///
    /// # Errors
    /// As [`Stream::next`].
    pub async fn whole(mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(bytes) = self.next().await? {
            whole.extend_from_slice(&bytes);
        }
        Ok(whole)
    }
}

/// bollard's error as ours.
#[must_use]
pub fn typed_error(error: bollard::errors::Error, about: About) -> Error {
    use bollard::errors::Error as Typed;
    if let Typed::DockerResponseServerError { status_code, message } = &error {
        let status = StatusCode::from_u16(*status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return failure::of_status(status, message.as_bytes(), about);
    }
    if let Typed::RequestTimeoutError = error {
        return Error::new(ErrorKind::TimedOut, "the daemon did not answer in time");
    }
    if let Typed::IOError { err } = error {
        return match err.downcast::<Error>() {
            Ok(ours) => ours,
            Err(other) => Error::io("talking to the daemon", other),
        };
    }
    Error::new(ErrorKind::Protocol, format!("the daemon's answer makes no sense: {error}"))
}

/// A body that is not what the API promises.
#[must_use]
pub fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, format!("the daemon's answer cannot be read: {error}"))
}

fn written(body: &impl Serialize) -> Result<Bytes> {
    let body = serde_json::to_vec(body);
    body.map(Bytes::from)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("the request cannot be written: {error}")))
}

async fn collect(response: Response<Incoming>) -> Result<Bytes> {
    let whole = Limited::new(response.into_body(), LARGEST_BODY).collect().await;
    whole.map(|body| body.to_bytes()).map_err(|error| {
        Error::new(ErrorKind::Protocol, format!("the daemon's answer broke off or is too large: {error}"))
    })
}

/// Seconds since 1970 of an HTTP date (RFC 9110, IMF-fixdate).
fn httpdate(text: &str) -> Option<i64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.replace("GMT", "+0000")).ok()?;
    Some(time.as_second())
}

#[cfg(test)]
mod tests;
