//! How is one call of the Docker Engine API made? Deadlines, bodies, streams, and bollard on our own wire.
//!
//! Deliberately elsewhere: the version in front (`wire`), what a refusal means (`failure`), each verb's own calls.

use std::{sync::Arc, time::Duration};

use bollard::{BollardRequest, Docker};
use http_body_util::BodyExt as _;
use hyper::{
    Method, Request, StatusCode,
    body::{Bytes, Incoming},
    header,
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};

pub use super::wire::{ApiVersion, Daemon};
use super::{
    connection::{Connection, Connections, RequestBody},
    failure::{self, About},
    path::Path,
    wire::{Wire, collect, httpdate},
};
use crate::engine::{
    backend::registry_access::RegistryAccess,
    core::limits,
    domain::{Error, ErrorKind, Result, Timestamp},
};

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

/// An answer that goes on; dropping it hangs up.
pub struct Stream {
    /// The daemon's clock when the answer began, cut to the second; not every daemon says.
    pub begun: Option<Timestamp>,
    body: Incoming,
    _connection: Connection,
}

/// A connection that has stopped being HTTP: bytes both ways. Dropping it hangs up.
pub type Hijacked = TokioIo<Upgraded>;

/// The calls of one host.
pub struct Api {
    wire: Arc<Wire>,
    typed: Docker,
    registries: Arc<RegistryAccess>,
}

impl Api {
    /// # Errors
    /// `Internal` when bollard refuses its own defaults.
    pub fn new(connections: Connections, registries: RegistryAccess) -> Result<Self> {
        let wire = Arc::new(Wire::new(connections));
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
        Ok(Self { wire, typed, registries: Arc::new(registries) })
    }

    /// Registries as this process reaches them, not the daemon.
    pub fn registries(&self) -> &Arc<RegistryAccess> {
        &self.registries
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
        self.wire.forget().await;
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
            let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
            let begun = date.and_then(httpdate).map(Timestamp::from_unix_seconds);
            return Ok(Stream { begun, body: response.into_body(), _connection: connection });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_errors_come_back_through_bollard_whole() {
        let ours = Error::new(ErrorKind::Denied, "no").remedy("ask");
        let wrapped = bollard::errors::Error::IOError { err: std::io::Error::other(ours.clone()) };
        assert_eq!(typed_error(wrapped, About::Container), ours);
    }
}
