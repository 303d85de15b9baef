//! How do bytes reach the daemon? Dialling, a small pool of kept connections, one request at a time on each.
//!
//! Deliberately elsewhere: versions, deadlines and errors of the API (`api`), which addresses (`address`).

use std::sync::{Mutex, OnceLock, PoisonError};

use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

use super::address::{self, Address};
use crate::engine::domain::{Error, ErrorKind, HostSpec, Result};

/// Small and whole for nearly every request of the API; an image on its way in is a stream.
pub type RequestBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// Kept connections without a request. Listing looks at several containers at once; more never wait.
const KEPT: usize = 8;

/// Everything that can carry HTTP.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The way to one daemon. Nothing is dialled before the first request.
pub struct Connections {
    host: HostSpec,
    candidates: Vec<Address>,
    /// The first candidate that answered; from then on the only one, so that two daemons never mix.
    chosen: OnceLock<Address>,
    /// Connections that carried a request before; some may still deliver its answer.
    kept: Mutex<Vec<Connection>>,
}

/// A body that is here as a whole.
pub fn whole(bytes: Bytes) -> RequestBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// One HTTP connection. Dropping it ends the connection, whatever still flows on it.
pub struct Connection {
    sender: SendRequest<RequestBody>,
    _driver: AbortOnDropHandle<()>,
}

impl Connections {
    #[must_use]
    pub fn new(host: HostSpec, candidates: Vec<Address>) -> Self {
        Self { host, candidates, chosen: OnceLock::new(), kept: Mutex::new(Vec::new()) }
    }

    /// Where the daemon is, as far as it is known.
    #[must_use]
    pub fn location(&self) -> String {
        self.chosen.get().or(self.candidates.first()).map_or_else(|| self.host.to_string(), Address::to_string)
    }

    /// The value of the `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        match self.chosen.get().or(self.candidates.first()) {
            Some(Address::Tcp { authority }) => authority,
            Some(Address::Unix(_) | Address::Pipe(_)) | None => "localhost",
        }
    }

    /// Sends a request and returns once the answer's head is there; the connection is kept for further use.
    ///
    /// # Errors
    /// `Unreachable` or `Denied` when no connection can be made, `Protocol` when it broke before an answer.
    pub async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>> {
        let (response, connection) = self.exchange(request).await?;
        self.keep(connection);
        Ok(response)
    }

    /// As [`Connections::send`], for long streams and upgrades: the caller holds the connection while it reads.
    pub async fn send_alone(&self, request: Request<RequestBody>) -> Result<(Response<Incoming>, Connection)> {
        let connection = self.dial().await?;
        self.on(connection, request).await.map_err(|broken| self.broken(&broken.error))
    }

    async fn exchange(&self, mut request: Request<RequestBody>) -> Result<(Response<Incoming>, Connection)> {
        // A kept connection may have been closed by the daemon meanwhile: what was not sent, or only asks, is
        // sent again on a new one.
        while let Some(connection) = self.take_kept() {
            let again = (request.method() == Method::GET).then(|| without_body(&request));
            match self.on(connection, request).await {
                Ok(answer) => return Ok(answer),
                Err(broken) => match broken.unsent.map(|unsent| *unsent).or(again) {
                    Some(unsent) => request = unsent,
                    None => return Err(self.broken(&broken.error)),
                },
            }
        }
        let connection = self.dial().await?;
        self.on(connection, request).await.map_err(|broken| self.broken(&broken.error))
    }

    async fn on(
        &self,
        mut connection: Connection,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Connection), Broken> {
        match connection.sender.try_send_request(request).await {
            Ok(response) => Ok((response, connection)),
            Err(mut failed) => {
                let unsent = failed.take_message().map(Box::new);
                Err(Broken { error: failed.into_error(), unsent })
            }
        }
    }

    fn take_kept(&self) -> Option<Connection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|connection| !connection.sender.is_closed());
        let idle = kept.iter().position(|connection| connection.sender.is_ready())?;
        Some(kept.swap_remove(idle))
    }

    fn keep(&self, connection: Connection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|connection| !connection.sender.is_closed());
        kept.push(connection);
        // Only idle ones may go: the others still carry an answer.
        let idle = kept.iter().filter(|connection| connection.sender.is_ready()).count();
        if idle > KEPT
            && let Some(surplus) = kept.iter().position(|connection| connection.sender.is_ready())
        {
            drop(kept.swap_remove(surplus));
        }
    }

    async fn dial(&self) -> Result<Connection> {
        if let Some(address) = self.chosen.get() {
            return self.handshake(address).await.map_err(|error| self.unreachable(&[(address, error)]));
        }
        let mut tried = Vec::new();
        for address in &self.candidates {
            match self.handshake(address).await {
                Ok(connection) => {
                    // Another task may have chosen at the same time, by the same rule.
                    let _ = self.chosen.set(address.clone());
                    return Ok(connection);
                }
                Err(error) => tried.push((address, error)),
            }
        }
        Err(self.unreachable(&tried))
    }

    async fn handshake(&self, address: &Address) -> std::io::Result<Connection> {
        let stream = connect(address).await?;
        let (sender, connection) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        // Its errors also reach whoever waits for an answer on it.
        let driver = tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Ok(Connection { sender, _driver: AbortOnDropHandle::new(driver) })
    }

    fn unreachable(&self, tried: &[(&Address, std::io::Error)]) -> Error {
        let denied = tried.iter().any(|(_, error)| error.kind() == std::io::ErrorKind::PermissionDenied);
        let kind = if denied { ErrorKind::Denied } else { ErrorKind::Unreachable };
        let list: Vec<String> = tried.iter().map(|(address, error)| format!("{address}: {error}")).collect();
        Error::new(kind, format!("{} does not answer (tried {})", self.host, list.join("; ")))
            .remedy(address::remedy(&self.host, denied))
    }

    fn broken(&self, error: &hyper::Error) -> Error {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        Error::new(ErrorKind::Unreachable, format!("the connection to {} broke: {reason}", self.location()))
            .remedy("look again: the daemon may have restarted")
    }
}

/// A request that got no answer.
struct Broken {
    error: hyper::Error,
    /// Present when not a byte of it was sent.
    unsent: Option<Box<Request<RequestBody>>>,
}

/// A request that only asks, once more.
fn without_body(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut again = Request::new(whole(Bytes::new()));
    again.method_mut().clone_from(request.method());
    again.uri_mut().clone_from(request.uri());
    again.headers_mut().clone_from(request.headers());
    again
}

async fn connect(address: &Address) -> std::io::Result<Box<dyn Duplex>> {
    match address {
        Address::Unix(path) => unix(path).await,
        Address::Tcp { authority } => {
            let stream = tokio::net::TcpStream::connect(authority.as_str()).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            Ok(Box::new(stream))
        }
        Address::Pipe(path) => pipe(path),
    }
}

/// A daemon behind a network that is gone is noticed within a minute, also by streams that only listen.
#[cfg(unix)]
fn keep_alive(stream: &tokio::net::TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, std::time::Duration::from_secs(15))?;
    sockopt::set_tcp_keepintvl(stream, std::time::Duration::from_secs(15))?;
    Ok(sockopt::set_tcp_keepcnt(stream, 3)?)
}

#[cfg(not(unix))]
fn keep_alive(_stream: &tokio::net::TcpStream) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
async fn unix(path: &std::path::Path) -> std::io::Result<Box<dyn Duplex>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix(_path: &std::path::Path) -> std::io::Result<Box<dyn Duplex>> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this system has no unix sockets"))
}

#[cfg(windows)]
fn pipe(path: &str) -> std::io::Result<Box<dyn Duplex>> {
    Ok(Box::new(tokio::net::windows::named_pipe::ClientOptions::new().open(path)?))
}

#[cfg(not(windows))]
fn pipe(_path: &str) -> std::io::Result<Box<dyn Duplex>> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this system has no named pipes"))
}
