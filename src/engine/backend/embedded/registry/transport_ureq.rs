//! How do requests really travel? The transport over ureq and rustls: sockets, TLS, proxies, pooled connections.
//!
//! The only file that names ureq. Deliberately elsewhere: everything that is not one request (`client`).

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ureq::{
    Agent, SendBody, Timeout,
    config::Config,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{
            Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector,
            Transport as Connection, time,
        },
    },
};

use super::{
    nearness::Nearness,
    settings::RegistrySettings,
    transport::{Body, CONNECT_DEADLINE, Fault, Method, Reach, Request, Response, Transport, TransportError},
    url::{Scheme, Url},
};
use crate::engine::backend::{CancelToken, embedded::stop_at};

/// Big enough that the number of system calls does not matter beside hashing.
const BUFFER: usize = 512 << 10;
/// How long a silent connection is waited for before looking whether somebody cancelled.
const ATTENTION: Duration = Duration::from_millis(200);
/// Transfers of one operation run over a handful of connections.
const IDLE_CONNECTIONS: usize = 8;

/// One operation's transport: its connections end with it.
pub struct UreqTransport {
    settings: Arc<RegistrySettings>,
    cancel: CancelToken,
    agents: Mutex<HashMap<Route, Agent>>,
    /// What registries' names were resolved to.
    registries: Mutex<HashMap<String, Nearness>>,
}

/// Requests that may share connections.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Route {
    scheme: Scheme,
    proxy: Option<String>,
    nearest: Nearness,
}

impl UreqTransport {
    pub fn new(settings: Arc<RegistrySettings>, cancel: CancelToken) -> Self {
        Self { settings, cancel, agents: Mutex::default(), registries: Mutex::default() }
    }

    /// The agent for the route of a request; certificates are read when the first TLS connection needs them.
    fn agent(&self, request: &Request<'_>) -> Result<Agent, TransportError> {
        let nearest = match request.reach {
            Reach::Anywhere => Nearness::Machine,
            Reach::AsFarAs(registry) => self.nearness(registry),
        };
        if request.url.ip().is_some_and(|ip| Nearness::of(ip) > nearest) {
            return Err(out_of_reach());
        }
        let proxy = self.settings.proxies.for_url(request.url).map(str::to_owned);
        let route = Route { scheme: request.url.scheme(), proxy, nearest };
        // A thread that panicked while holding the lock left a whole map behind.
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&route) {
            return Ok(agent.clone());
        }
        let agent = self.new_agent(&route)?;
        agents.insert(route, agent.clone());
        Ok(agent)
    }

    fn new_agent(&self, route: &Route) -> Result<Agent, TransportError> {
        let proxy =
            match &route.proxy {
                None => None,
                // Not the address: it may hold a password.
                Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|_| {
                    TransportError::new(Fault::Refused, "the proxy's address in the environment is wrong")
                })?),
            };
        let mut config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(2 * IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .timeout_resolve(Some(CONNECT_DEADLINE))
            .timeout_connect(Some(CONNECT_DEADLINE))
            .timeout_per_read(Some(self.settings.progress_deadline))
            .timeout_per_write(Some(self.settings.progress_deadline));
        if route.scheme == Scheme::Https {
            config = config.tls_config(TlsConfig::builder().root_certs(self.roots()?).build());
        }
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(Attention { cancel: self.cancel.clone() })
                .chain(RustlsConnector::default());
        let resolver = BoundedResolver { inner: DefaultResolver::default(), nearest: route.nearest };
        Ok(Agent::with_parts(config.build(), connector, resolver))
    }

    /// The system's certificate authorities and the configured ones; Mozilla's where the system has none.
    fn roots(&self) -> Result<RootCerts, TransportError> {
        let system = rustls_native_certs::load_native_certs();
        let mut roots: Vec<Certificate<'static>> =
            system.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        if roots.is_empty() && self.settings.certificates.is_empty() {
            return Ok(RootCerts::WebPki);
        }
        for path in &self.settings.certificates {
            let unreadable =
                |why: String| TransportError::new(Fault::Tls, format!("certificate file {}: {why}", path.display()));
            let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            for item in parse_pem(&pem) {
                // A key or a request beside the certificates is none of our business.
                if let PemItem::Certificate(certificate) = item.map_err(|error| unreadable(error.to_string()))? {
                    roots.push(certificate);
                }
            }
        }
        Ok(RootCerts::new_with_certs(&roots))
    }

    /// How near a registry is: what its name resolves to, the nearest of several addresses.
    fn nearness(&self, registry: &Url) -> Nearness {
        if let Some(ip) = registry.ip() {
            return Nearness::of(ip);
        }
        if self.settings.proxies.for_url(registry).is_some() {
            return Nearness::Public; // Only the proxy knows better.
        }
        // As in `agent`.
        let mut known = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(registry.authority()).or_insert_with(|| {
            let addresses = (registry.host(), registry.port()).to_socket_addrs();
            // A name without an address is as far as can be: the request itself will tell.
            addresses.into_iter().flatten().map(|at| Nearness::of(at.ip())).max().unwrap_or(Nearness::Public)
        })
    }
}

impl Transport for UreqTransport {
    fn send(&self, request: Request<'_>) -> Result<Response, TransportError> {
        if self.cancel.is_cancelled() {
            return Err(cancelled());
        }
        stop_at::step(request.method.as_str(), std::path::Path::new(request.url.host()));
        let agent = self.agent(&request)?;
        let mut head = http::Request::builder().method(request.method.as_str()).uri(request.url.to_string());
        for (name, value) in &request.headers {
            head = head.header(*name, value);
        }
        let malformed = |error| TransportError::new(Fault::Malformed, error);
        let mut source_failure = None;
        let answer = match request.body {
            Body::Empty => match request.method {
                Method::Get | Method::Head | Method::Delete => agent.run(head.body(()).map_err(malformed)?),
                // Says `Content-Length: 0`, which some servers insist on.
                Method::Post | Method::Put | Method::Patch => agent.run(head.body(&[][..]).map_err(malformed)?),
            },
            Body::Bytes(bytes) => agent.run(head.body(bytes).map_err(malformed)?),
            Body::Reader { reader, length } => {
                let mut source = Source { reader: reader.take(length), failure: &mut source_failure };
                let head = head.header("content-length", length);
                agent.run(head.body(SendBody::from_reader(&mut source)).map_err(malformed)?)
            }
        };
        if let Some(failure) = source_failure {
            return Err(TransportError { fault: Fault::Source, source: failure });
        }
        let (head, body) = answer.map_err(|error| self.told(error))?.into_parts();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let body = Wire { body: body.into_reader(), cancel: self.cancel.clone() };
        Ok(Response { status: head.status.as_u16(), headers: headers.collect(), body: Box::new(body) })
    }
}

impl UreqTransport {
    fn told(&self, error: ureq::Error) -> TransportError {
        if self.cancel.is_cancelled() { cancelled() } else { classified(error) }
    }
}

/// The body of a request; remembers that it failed, which the network's own errors must not be confused with.
struct Source<'a, R> {
    reader: io::Take<R>,
    failure: &'a mut Option<io::Error>,
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let failure = match self.reader.read(buffer) {
            Ok(0) if self.reader.limit() > 0 && !buffer.is_empty() => {
                io::Error::new(io::ErrorKind::UnexpectedEof, "the blob is shorter than its descriptor says")
            }
            Ok(count) => return Ok(count),
            Err(error) => error,
        };
        let told = io::Error::new(failure.kind(), failure.to_string());
        *self.failure = Some(failure);
        Err(told)
    }
}

/// The body of an answer; its errors are [`TransportError`]s.
struct Wire {
    body: ureq::BodyReader<'static>,
    cancel: CancelToken,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(cancelled().into());
        }
        self.body.read(buffer).map_err(|error| {
            if self.cancel.is_cancelled() { cancelled().into() } else { classified(error.into()).into() }
        })
    }
}

fn cancelled() -> TransportError {
    TransportError::new(Fault::Cancelled, "cancelled")
}

fn out_of_reach() -> TransportError {
    TransportError::new(Fault::OutOfReach, "the registry points at an address nearer to this machine than itself")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "ureq adds errors with its features and versions")]
fn classified(error: ureq::Error) -> TransportError {
    use io::ErrorKind as Os;
    let error = match error {
        ureq::Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TransportError>()) => {
            return TransportError::of_read(error);
        }
        other => other,
    };
    let fault = match &error {
        ureq::Error::HostNotFound => Fault::UnknownHost,
        ureq::Error::Timeout(Timeout::Resolve) => Fault::UnknownHost,
        ureq::Error::Timeout(Timeout::Connect) => Fault::Refused,
        ureq::Error::Timeout(_) => Fault::TimedOut,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) | ureq::Error::TlsRequired => Fault::Tls,
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl | ureq::Error::ConnectionFailed => {
            Fault::Refused
        }
        ureq::Error::Protocol(_)
        | ureq::Error::Http(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::LargeResponseHeader(..) => Fault::Malformed,
        ureq::Error::Io(error) => match error.kind() {
            Os::ConnectionRefused | Os::HostUnreachable | Os::NetworkUnreachable | Os::AddrNotAvailable => {
                Fault::Refused
            }
            Os::TimedOut | Os::WouldBlock => Fault::TimedOut,
            // rustls reports a handshake or a certificate it does not accept as invalid data.
            Os::InvalidData => Fault::Tls,
            _ => Fault::Broken,
        },
        _ => Fault::Broken,
    };
    let source = match error {
        ureq::Error::Io(error) => error,
        other => io::Error::other(other),
    };
    TransportError { fault, source }
}

/// Resolves names, and refuses what is nearer than allowed. It checks the very addresses that are connected to, so
/// a name that resolves differently a moment later gains nothing.
struct BoundedResolver {
    inner: DefaultResolver,
    nearest: Nearness,
}

impl Resolver for BoundedResolver {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = match self.literal(uri).map_or_else(|| self.look_up(uri, config, timeout), Ok) {
            // The resolver's own words ("Temporary failure in name resolution") come as an error of the system.
            Err(ureq::Error::Io(source)) => {
                return Err(ureq::Error::Io(TransportError { fault: Fault::UnknownHost, source }.into()));
            }
            other => other?,
        };
        let too_near = |ip: IpAddr| Nearness::of(ip) > self.nearest;
        if found.iter().any(|address| too_near(address.ip())) {
            return Err(ureq::Error::Io(out_of_reach().into()));
        }
        Ok(found)
    }
}

impl BoundedResolver {
    /// An address that is written out needs no looking up.
    fn literal(&self, uri: &http::Uri) -> Option<ResolvedSocketAddrs> {
        let ip = uri.host()?.trim_matches(['[', ']']).parse().ok()?;
        let mut found = self.empty();
        found.push(SocketAddr::new(ip, uri.port_u16()?));
        Some(found)
    }

    /// On a thread of ureq's, which panics when there is none to be had: so one is tried before.
    fn look_up(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        // A thread that ended without a word did what it was for.
        let _ = std::thread::Builder::new().spawn(|| ()).map_err(ureq::Error::Io)?.join();
        self.inner.resolve(uri, config, timeout)
    }
}

impl fmt::Debug for BoundedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resolver up to {:?}", self.nearest)
    }
}

/// Puts an [`AttentiveConnection`] around each socket, below TLS.
#[derive(Debug)]
struct Attention {
    cancel: CancelToken,
}

/// Waits for input in short turns and looks for a cancel between them.
#[derive(Debug)]
struct AttentiveConnection<C> {
    inner: C,
    cancel: CancelToken,
}

impl<In: Connection> Connector<In> for Attention {
    type Out = AttentiveConnection<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| AttentiveConnection { inner, cancel: self.cancel.clone() }))
    }
}

impl<C: Connection> Connection for AttentiveConnection<C> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.cancel.is_cancelled() {
            return Err(ureq::Error::Io(cancelled().into()));
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let whole = timeout.for_read();
        let mut left = *whole.after;
        loop {
            if self.cancel.is_cancelled() {
                return Err(ureq::Error::Io(cancelled().into()));
            }
            let turn = ATTENTION.min(left);
            let after = time::Duration::Exact(turn);
            match self.inner.await_input(NextTimeout { after, per_read: None, ..whole }) {
                Err(ureq::Error::Timeout(_)) if left > turn => left -= turn,
                other => return other,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests;
