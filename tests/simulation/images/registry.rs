//! What does the far side of a simulated machine do? A registry that keeps what it is given and answers as it likes.
//!
//! It outlives power cuts, it is another machine. Behind production's `Transport`, so tokens, retries, resumed ranges and
//! uploads are production's. Deliberately elsewhere: a registry with sockets (`tests/support/registry`).

use std::{
    collections::BTreeMap,
    io::{self, Read},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use wharf::engine::{
    backend::{
        OperationContext,
        embedded::registry::transport::{Body, Fault, Headers, Method, Request, Response, Transport, TransportError},
    },
    domain::{Digest, Platform},
};

use super::super::{scheduler::ProcessId, world::World};
use super::unpacker::CONTEXTUAL;

/// Where it answers; this machine, so plain HTTP.
pub const HOST: &str = "localhost:5000";
/// Bytes that arrive at a time.
const PIECE: usize = 900;
/// As production's: silence for longer is the end of a connection.
const SILENCE: Duration = Duration::from_secs(30);

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The registry's content.
#[derive(Default)]
pub struct Remote(Mutex<Content>);

#[derive(Clone, Default)]
pub struct Content {
    /// By repository and tag or digest.
    pub manifests: BTreeMap<(String, String), Vec<u8>>,
    pub blobs: BTreeMap<(String, String), Vec<u8>>,
    uploads: BTreeMap<String, Vec<u8>>,
    /// Something was pushed that should not have been.
    pub outrage: Option<String>,
}

/// What may be wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    Status(u16),
    Refused,
    /// The connection breaks after so many bytes of a body, either way.
    Cut(usize),
    /// The body ends early, as if that were all.
    Truncated(usize),
    /// A byte is another one.
    Wrong,
    /// Five seconds between pieces.
    Slow,
    /// Nothing comes any more.
    Silent,
    /// It does not end.
    Endless,
    /// A byte at a time, for ever: never silent, never done.
    Trickle,
}

impl Remote {
    /// Images that share a layer, one whose upper layer depends on the lower one, and an index.
    pub fn with_images() -> Arc<Self> {
        static FRESH: LazyLock<Content> = LazyLock::new(Remote::fresh);
        Arc::new(Self(Mutex::new(FRESH.clone())))
    }

    fn fresh() -> Content {
        let remote = Self::default();
        let layer = |text: &str, len: usize| text.bytes().cycle().take(len).collect::<Vec<u8>>();
        let base = layer("shared base ", 2_000);
        let mut implied = CONTEXTUAL.to_vec();
        implied.extend(layer(" of the one below ", 700));
        remote.image("app", "1", &[base.clone(), layer("one ", 1_500)]);
        remote.image("app", "2", &[base.clone(), implied, base.clone()]);
        let child = remote.image("app", "child", &[base, layer("three ", 300)]);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}).to_string();
        remote.content().put_manifest("app", "3", index.as_bytes());
        remote.content().clone()
    }

    fn image(&self, repository: &str, tag: &str, layers: &[Vec<u8>]) -> Value {
        let platform = Platform::host();
        let mut content = self.content();
        let mut add = |media: &str, bytes: &[u8]| {
            let digest = Digest::sha256_of(bytes).to_string();
            content.blobs.insert((repository.to_owned(), digest.clone()), bytes.to_vec());
            json!({"mediaType": media, "digest": digest, "size": bytes.len()})
        };
        let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::sha256_of(layer).to_string()).collect();
        let config = json!({"architecture": platform.architecture, "os": platform.os,
            "config": {"Cmd": ["sh"], "Labels": {"tag": tag}}, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let config = add("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let layers: Vec<Value> =
            layers.iter().map(|layer| add("application/vnd.oci.image.layer.v1.tar", layer)).collect();
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).to_string();
        content.put_manifest(repository, tag, manifest.as_bytes());
        json!({"mediaType": MANIFEST, "digest": Digest::sha256_of(manifest.as_bytes()).to_string(),
            "size": manifest.len(), "platform": {"os": platform.os, "architecture": platform.architecture}})
    }

    /// The id of the image that a name leads to for this platform.
    pub fn image_id(&self, name: &str) -> Option<Digest> {
        let content = self.content();
        let (repository, tag) = name.strip_prefix(HOST)?.strip_prefix('/')?.split_once(':')?;
        let find = |name: &str| -> Option<Value> {
            serde_json::from_slice(content.manifests.get(&(repository.to_owned(), name.to_owned()))?).ok()
        };
        let mut manifest = find(tag)?;
        if let Some(child) = manifest["manifests"][0]["digest"].as_str() {
            manifest = find(child)?;
        }
        manifest["config"]["digest"].as_str()?.parse().ok()
    }

    /// What the layers of an image are unpacked to, the lowest first. Nothing for an image that is not from here.
    pub fn diff_ids(&self, image: &str) -> Vec<Digest> {
        let content = self.content();
        let config = content.blobs.get(&("app".to_owned(), image.to_owned())).map(Vec::as_slice).unwrap_or_default();
        let config: Value = serde_json::from_slice(config).unwrap_or_default();
        let listed = config["rootfs"]["diff_ids"].as_array().cloned().unwrap_or_default();
        listed.iter().filter_map(|diff_id| diff_id.as_str()?.parse().ok()).collect()
    }

    /// Whether a name leads to that manifest, and everything below is there as its digest says.
    pub fn is_whole(&self, name: &str, digest: &Digest) -> bool {
        let content = self.content();
        let Some((repository, tag)) = name.strip_prefix(HOST).and_then(|name| name.strip_prefix('/')?.split_once(':'))
        else {
            return false;
        };
        let key = |name: &str| (repository.to_owned(), name.to_owned());
        let (Some(by_digest), true) =
            (content.manifests.get(&key(&digest.to_string())), content.manifests.contains_key(&key(tag)))
        else {
            return false;
        };
        let manifest: Value = serde_json::from_slice(by_digest).unwrap_or_default();
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        layers.iter().chain([&manifest["config"]]).all(|blob| {
            let digest = blob["digest"].as_str().unwrap_or_default();
            let there = content.blobs.get(&key(digest));
            there.is_some_and(|bytes| Digest::sha256_of(bytes).to_string() == digest)
        })
    }

    pub fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn put_manifest(&mut self, repository: &str, name: &str, bytes: &[u8]) {
        let digest = Digest::sha256_of(bytes).to_string();
        for name in [name.to_owned(), digest] {
            self.manifests.insert((repository.to_owned(), name), bytes.to_vec());
        }
    }

    /// Everything a manifest names must be there before it.
    fn insist(&mut self, repository: &str, bytes: &[u8]) {
        let Ok(manifest) = serde_json::from_slice::<Value>(bytes) else { return };
        let list = |name: &str| manifest.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let key = |entry: &Value| (repository.to_owned(), entry["digest"].as_str().unwrap_or_default().to_owned());
        let blobs: Vec<Value> = list("layers").into_iter().chain(manifest.get("config").cloned()).collect();
        let whole = blobs.iter().all(|blob| self.blobs.contains_key(&key(blob)))
            && list("manifests").iter().all(|child| self.manifests.contains_key(&key(child)));
        if !whole {
            self.outrage.get_or_insert(format!("a manifest came to {repository} before what it names"));
        }
    }
}

/// One process's way there.
pub struct SimulatedTransport {
    /// Whoever watches the operation cancels it at its deadline, and then reading ends, as in production.
    pub context: OperationContext,
    pub world: Arc<World>,
    pub me: ProcessId,
    pub remote: Arc<Remote>,
}

impl Transport for SimulatedTransport {
    fn send(&self, mut request: Request<'_>) -> Result<Response, TransportError> {
        let url = request.url.to_string();
        self.step(|| format!("{} {url}", request.method.as_str()))?;
        let mishap = self.mishap();
        match mishap {
            Some(Mishap::Refused) => return Err(TransportError::new(Fault::Refused, "connection refused")),
            Some(Mishap::Status(status)) => return Ok(self.answer(status, &[("retry-after", "1")], b"{}", None)),
            Some(Mishap::Silent) if request.method != Method::Get => {
                self.world.sleep(self.me, SILENCE);
                return Err(TransportError::new(Fault::TimedOut, "silence"));
            }
            Some(_) | None => {}
        }
        let (path, query) =
            url.split_once("/v2/").map_or(("", ""), |(_, path)| path.split_once('?').unwrap_or((path, "")));
        if let Some((repository, name)) = path.split_once("/manifests/") {
            return Ok(self.manifest(&request, repository, name, mishap));
        }
        let Some((repository, rest)) = path.split_once("/blobs/") else {
            return Ok(self.answer(404, &[], b"{}", None));
        };
        match rest.strip_prefix("uploads/") {
            Some(upload) => self.upload(&mut request, repository, upload, query, mishap),
            None => Ok(self.blob(&request, repository, rest, mishap)),
        }
    }
}

impl SimulatedTransport {
    /// One exchange with the network: others may run before it, and it may be the last.
    fn step(&self, what: impl FnOnce() -> String) -> Result<(), TransportError> {
        let broken = |error: io::Error| TransportError::new(Fault::Broken, error);
        if !self.world.step(self.me, what) {
            return Err(broken(io::Error::other("killed")));
        }
        let effect = self.world.state().strike_now();
        effect.map_or(Ok(()), |effect| self.world.suffer(self.me, effect)).map_err(broken)
    }

    fn mishap(&self) -> Option<Mishap> {
        let mut state = self.world.state();
        let often = state.faults.registry;
        let dice = &mut state.dice;
        if std::thread::panicking() || !dice.per_mille(often) {
            return None;
        }
        let at = dice.index(2_500);
        Some(match dice.below(12) {
            0 => Mishap::Status(401),
            1 => Mishap::Status(404),
            2 => Mishap::Status(429),
            3 => Mishap::Status(500),
            4 => Mishap::Status(503),
            5 => Mishap::Refused,
            6 | 7 => Mishap::Cut(at),
            8 => Mishap::Truncated(at),
            9 => Mishap::Wrong,
            10 => dice.pick(&[Mishap::Slow, Mishap::Silent, Mishap::Trickle]),
            _ => Mishap::Endless,
        })
    }

    fn manifest(&self, request: &Request<'_>, repository: &str, name: &str, mishap: Option<Mishap>) -> Response {
        let key = (repository.to_owned(), name.to_owned());
        match (request.method, &request.body) {
            (Method::Put, Body::Bytes(bytes)) => {
                let mut content = self.remote.content();
                content.insist(repository, bytes);
                content.put_manifest(repository, name, bytes);
                drop(content);
                let digest = Digest::sha256_of(bytes).to_string();
                self.answer(201, &[("docker-content-digest", &digest)], b"", None)
            }
            (Method::Head | Method::Get, _) => {
                let there = self.remote.content().manifests.get(&key).cloned();
                let Some(bytes) = there else { return self.answer(404, &[], b"{}", None) };
                let parsed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let digest = Digest::sha256_of(&bytes).to_string();
                let (kind, length) = (parsed["mediaType"].as_str().unwrap_or_default(), bytes.len().to_string());
                let headers =
                    [("docker-content-digest", &*digest), ("content-type", kind), ("content-length", &length)];
                self.answer(200, &headers, if request.method == Method::Get { &bytes } else { b"" }, mishap)
            }
            _ => self.answer(405, &[], b"{}", None),
        }
    }

    fn blob(&self, request: &Request<'_>, repository: &str, digest: &str, mishap: Option<Mishap>) -> Response {
        let key = (repository.to_owned(), digest.to_owned());
        let there = self.remote.content().blobs.get(&key).cloned();
        let Some(bytes) = there else { return self.answer(404, &[], b"{}", None) };
        if request.method == Method::Head {
            return self.answer(200, &[("content-length", &bytes.len().to_string())], b"", None);
        }
        let range = request.headers.iter().find(|(name, _)| *name == "range").map(|(_, value)| value.as_str());
        let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match from {
            Some(from) if from < bytes.len() => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                let length = (bytes.len() - from).to_string();
                self.answer(206, &[("content-range", &range), ("content-length", &length)], &bytes[from..], mishap)
            }
            Some(_) => self.answer(416, &[], b"", None),
            None => self.answer(200, &[("content-length", &bytes.len().to_string())], &bytes, mishap),
        }
    }

    fn upload(
        &self,
        request: &mut Request<'_>,
        repository: &str,
        upload: &str,
        query: &str,
        mishap: Option<Mishap>,
    ) -> Result<Response, TransportError> {
        let asked = |name: &str| {
            let value = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
            Some(value.replace("%3A", ":").replace("%2F", "/"))
        };
        if request.method == Method::Post {
            let mut content = self.remote.content();
            if let (Some(digest), Some(from)) = (asked("mount"), asked("from"))
                && let Some(bytes) = content.blobs.get(&(from, digest.clone())).cloned()
            {
                content.blobs.insert((repository.to_owned(), digest), bytes);
                drop(content);
                return Ok(self.answer(201, &[], b"", None));
            }
            let number = format!("{}", content.uploads.len());
            content.uploads.insert(number.clone(), Vec::new());
            drop(content);
            return Ok(self.answer(
                202,
                &[("location", &format!("/v2/{repository}/blobs/uploads/{number}"))],
                b"",
                None,
            ));
        }
        let location = format!("/v2/{repository}/blobs/uploads/{upload}");
        let Some(so_far) = self.remote.content().uploads.get(upload).cloned() else {
            return Ok(self.answer(404, &[], b"{}", None));
        };
        if request.method == Method::Get {
            let range = format!("0-{}", so_far.len().saturating_sub(1));
            return Ok(self.answer(204, &[("location", &location), ("range", &range)], b"", None));
        }
        self.take(&mut request.body, upload, mishap)?;
        let Some(digest) = asked("digest").filter(|_| request.method == Method::Put) else {
            return Ok(self.answer(202, &[("location", &location)], b"", None));
        };
        let mut content = self.remote.content();
        let whole = content.uploads.get(upload).cloned().unwrap_or_default();
        let status = if Digest::sha256_of(&whole).to_string() == digest {
            content.uploads.remove(upload);
            content.blobs.insert((repository.to_owned(), digest), whole);
            201
        } else {
            400
        };
        drop(content);
        Ok(self.answer(status, &[], b"", None))
    }

    /// The body of a request, piece by piece, into the upload.
    fn take(&self, body: &mut Body<'_>, upload: &str, mishap: Option<Mishap>) -> Result<(), TransportError> {
        let Body::Reader { reader, .. } = body else { return Ok(()) };
        let mut piece = [0; PIECE];
        let mut taken = 0;
        loop {
            self.step(|| "send a piece".to_owned())?;
            if let Some(Mishap::Cut(at) | Mishap::Truncated(at)) = mishap
                && taken >= at
            {
                return Err(TransportError::new(Fault::Broken, "connection reset"));
            }
            let count = reader.read(&mut piece).map_err(|error| TransportError::new(Fault::Source, error))?;
            if count == 0 {
                return Ok(());
            }
            taken += count;
            if let Some(there) = self.remote.content().uploads.get_mut(upload) {
                there.extend_from_slice(&piece[..count]);
            }
        }
    }

    fn answer(&self, status: u16, headers: &[(&str, &str)], body: &[u8], mishap: Option<Mishap>) -> Response {
        let headers: Headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (context, world) = (self.context.clone(), Arc::clone(&self.world));
        let transport = Self { context, world, me: self.me, remote: Arc::clone(&self.remote) };
        Response { status, headers, body: Box::new(SimulatedBody { transport, bytes: body.to_vec(), at: 0, mishap }) }
    }
}

/// The rest of an answer, as it arrives.
struct SimulatedBody {
    transport: SimulatedTransport,
    bytes: Vec<u8>,
    at: usize,
    mishap: Option<Mishap>,
}

impl Read for SimulatedBody {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        self.transport.step(|| "receive a piece".to_owned())?;
        let (world, me) = (&self.transport.world, self.transport.me);
        match self.mishap {
            Some(Mishap::Cut(at)) if self.at >= at => {
                return Err(TransportError::new(Fault::Broken, "connection reset").into());
            }
            Some(Mishap::Truncated(at)) if self.at >= at => return Ok(0),
            Some(Mishap::Silent) => {
                world.sleep(me, SILENCE);
                return Err(TransportError::new(Fault::TimedOut, "silence").into());
            }
            Some(Mishap::Slow) => world.sleep(me, Duration::from_secs(5)),
            Some(Mishap::Trickle) => {
                world.sleep(me, Duration::from_secs(20));
                if self.transport.context.check().is_err() {
                    return Err(TransportError::new(Fault::Cancelled, "cancelled").into());
                }
                into[0] = self.bytes.get(self.at).copied().unwrap_or(b'x');
                self.at += 1;
                return Ok(1);
            }
            Some(Mishap::Endless) if self.at >= self.bytes.len() => {
                into.fill(b'x');
                return Ok(into.len());
            }
            Some(_) | None => {}
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.len().min(into.len()).min(PIECE);
        into[..count].copy_from_slice(&rest[..count]);
        if self.mishap == Some(Mishap::Wrong) && count > 0 {
            into[0] ^= 1;
            self.mishap = None;
        }
        self.at += count;
        Ok(count)
    }
}
