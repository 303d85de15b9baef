//! What registry does a hermetic test talk to? One in this process, over real sockets on loopback, that keeps the
//! rules, notes every request and fails exactly as scripted.
//! Deliberately elsewhere: HTTP on the wire (`registry/wire.rs`), the protocol's answers (`registry/answers.rs`).

mod answers;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::json;
use wharf::engine::domain::Digest;

pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that ends when it is dropped.
pub struct TestRegistry {
    address: SocketAddr,
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) ended: AtomicBool,
    state: Mutex<State>,
}

/// What the registry holds and how it behaves.
#[derive(Default)]
pub(super) struct State {
    pub(super) repositories: BTreeMap<String, Contents>,
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    pub(super) next_upload: u64,
    pub(super) requests: Vec<Recorded>,
    pub(super) rules: Vec<Rule>,
    pub(super) login: Login,
    pub(super) tokens: BTreeMap<String, String>,
    pub(super) mounts_refused: bool,
}

#[derive(Default)]
pub(super) struct Contents {
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    /// By digest: media type and bytes.
    pub(super) manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub(super) tags: BTreeMap<String, String>,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub method: String,
    /// With its query.
    pub path: String,
    pub authorization: Option<String>,
    /// Of form posts only.
    pub form: String,
}

/// Who may come in.
#[derive(Clone, Debug, Default)]
pub enum Login {
    #[default]
    Open,
    Basic {
        user: &'static str,
        password: &'static str,
    },
    Bearer {
        /// Absent: this registry's own `/token`.
        realm: Option<String>,
        /// Absent: everybody gets a token.
        user: Option<(&'static str, &'static str)>,
        /// A refresh token that `/token` takes by POST.
        refresh: Option<&'static str>,
    },
}

/// What goes wrong, where and how often.
#[derive(Clone, Debug)]
pub struct Rule {
    pub method: &'static str,
    /// Part of the path with its query.
    pub path: String,
    pub times: usize,
    pub fault: Fault,
}

#[derive(Clone, Debug)]
pub enum Fault {
    Status(u16, &'static [(&'static str, &'static str)]),
    /// The head and this many bytes of the answer's body, then the connection ends.
    CutAfter(usize),
    /// As many bytes as promised, but other ones.
    WrongBytes,
    /// So many bytes more than the blob has, rightly announced.
    LongerBy(usize),
    /// The head, and then nothing until the client goes.
    Stall,
    /// To the same path on another host.
    RedirectTo(String),
    /// The connection ends without an answer.
    HangUp,
    /// As if the request had no range.
    IgnoreRange,
    /// Something that is not HTTP.
    Garbage,
    /// This many bytes of the request's body are taken, then the connection ends.
    CutUploadAfter(usize),
}

/// An image put into the registry by a test.
#[derive(Clone, Debug)]
pub struct TestImage {
    pub digest: Digest,
    pub manifest: Vec<u8>,
}

impl TestRegistry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { address, ended: AtomicBool::new(false), state: Mutex::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // A client that hangs up ends its connection's thread, which is no failure of the test.
                thread::spawn(move || stream.and_then(|stream| wire::serve(stream, &serving)));
            }
        });
        Self { address, shared }
    }

    /// `host:port`, as it stands in references.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    pub fn forget_requests(&self) {
        self.state().requests.clear();
    }

    /// How many requests had that method and a path with that part.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.requests().iter().filter(|request| request.method == method && request.path.contains(path)).count()
    }

    /// The next `times` requests with this method and a path with this part go wrong.
    pub fn break_next(&self, times: usize, method: &'static str, path: &str, fault: Fault) {
        self.state().rules.push(Rule { method, path: path.to_owned(), times, fault });
    }

    pub fn demand(&self, login: Login) {
        self.state().login = login;
    }

    /// From now on tokens given out before are worth nothing.
    pub fn expire_tokens(&self) {
        self.state().tokens.clear();
    }

    pub fn refuse_mounts(&self) {
        self.state().mounts_refused = true;
    }

    pub fn put_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256_of(bytes);
        self.contents(repository, |contents| contents.blobs.insert(digest.to_string(), bytes.to_vec()));
        digest
    }

    pub fn put_manifest(&self, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256_of(bytes);
        self.contents(repository, |contents| {
            contents.manifests.insert(digest.to_string(), (media_type.to_owned(), bytes.to_vec()));
            contents.tags.insert(tag.to_owned(), digest.to_string())
        });
        digest
    }

    /// An image for `linux/ARCHITECTURE` of these layers.
    pub fn put_image(&self, repository: &str, tag: &str, architecture: &str, layers: &[&[u8]]) -> TestImage {
        let config = json!({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
        let config_bytes = config.to_string().into_bytes();
        let descriptor =
            |kind: &str, digest: &Digest, size: usize| json!({"mediaType": kind, "digest": digest, "size": size});
        let config = self.put_blob(repository, &config_bytes);
        let digests: Vec<Digest> = layers.iter().map(|layer| self.put_blob(repository, layer)).collect();
        let entries: Vec<_> = digests
            .iter()
            .zip(layers)
            .map(|(digest, layer)| descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest, layer.len()))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config, config_bytes.len()),
            "layers": entries,
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = self.put_manifest(repository, tag, OCI_MANIFEST, &manifest);
        TestImage { digest, manifest }
    }

    /// The bytes of the manifest under a tag or a digest.
    pub fn manifest(&self, repository: &str, name: &str) -> Option<Vec<u8>> {
        self.contents(repository, |contents| {
            let digest = contents.tags.get(name).cloned().unwrap_or_else(|| name.to_owned());
            contents.manifests.get(&digest).map(|(_, bytes)| bytes.clone())
        })
    }

    /// Digests that were sent to `repository` whole, with how often.
    pub fn sent_blobs(&self, repository: &str) -> BTreeMap<String, usize> {
        let mut sent = BTreeMap::new();
        for request in self.requests() {
            let here = request.path.starts_with(&format!("/v2/{repository}/blobs/uploads/"));
            if let Some((_, digest)) = request.path.split_once("digest=").filter(|_| here && request.method == "PUT") {
                *sent.entry(digest.to_owned()).or_default() += 1;
            }
        }
        sent
    }

    /// Every `Authorization` that came, once each.
    pub fn authorizations(&self) -> BTreeSet<String> {
        self.requests().into_iter().filter_map(|request| request.authorization).collect()
    }

    fn contents<R>(&self, repository: &str, act: impl FnOnce(&mut Contents) -> R) -> R {
        act(self.state().repositories.entry(repository.to_owned()).or_default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// Notes the request and takes the fault that is due for it.
    pub(super) fn arrived(&mut self, request: Recorded) -> Option<Fault> {
        let fits =
            |rule: &&mut Rule| rule.times > 0 && rule.method == request.method && request.path.contains(&rule.path);
        let fault = self.rules.iter_mut().find(fits).map(|rule| {
            rule.times -= 1;
            rule.fault.clone()
        });
        self.requests.push(request);
        fault
    }
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if nobody can connect any more, it has ended already.
        let _ = TcpStream::connect(self.address);
    }
}
