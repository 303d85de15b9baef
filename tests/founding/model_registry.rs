//! What registry does a pusher under a model checker speak to? One in memory that refuses what a real one would.
//!
//! It keeps count of what is being sent where, and insists that a manifest names only what is there. Deliberately
//! elsewhere: a registry with sockets (`tests/support/registry`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use shuttle::{
    sync::{Arc, Mutex},
    thread,
};
use wharf::engine::{
    backend::embedded::{
        machine::{Panicked, Task, Threads},
        registry::{
            pace::Pace,
            transport::{Body, Headers, Method, Request, Response, Transport, TransportError},
        },
    },
    domain::Digest,
};

/// All registries of a model, by `host/repository`.
#[derive(Clone, Default)]
pub struct ModelRegistry {
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
pub struct World {
    pub blobs: BTreeSet<(String, String)>,
    /// By repository and tag or digest.
    pub manifests: BTreeMap<(String, String), Vec<u8>>,
    pub contents: BTreeMap<String, Vec<u8>>,
    sending: BTreeSet<(String, String)>,
    /// Repositories whose manifests are refused.
    pub refusing: BTreeSet<String>,
}

impl ModelRegistry {
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap())
    }

    fn manifest(&self, method: Method, repository: &str, name: &str, body: &[u8]) -> Response {
        let digest = Digest::sha256_of(body).to_string();
        self.world(|world| match method {
            Method::Put if world.refusing.contains(repository) => answer(403, &[], b"{}"),
            Method::Put => {
                world.insist_on_children(repository, body);
                for name in [name.to_owned(), digest.clone()] {
                    world.manifests.insert((repository.to_owned(), name), body.to_vec());
                }
                answer(201, &[("docker-content-digest", &digest)], b"")
            }
            Method::Head | Method::Get => match world.manifests.get(&(repository.to_owned(), name.to_owned())) {
                None => answer(404, &[], b"{}"),
                Some(bytes) => {
                    let digest = Digest::sha256_of(bytes).to_string();
                    let kind = serde_json::from_slice::<Value>(bytes).unwrap();
                    let kind = kind.get("mediaType").and_then(Value::as_str).unwrap().to_owned();
                    let length = bytes.len().to_string();
                    let headers =
                        [("docker-content-digest", &*digest), ("content-type", &*kind), ("content-length", &*length)];
                    answer(200, &headers, if method == Method::Get { bytes } else { b"" })
                }
            },
            Method::Post | Method::Patch | Method::Delete => answer(405, &[], b"{}"),
        })
    }

    fn blob(&self, method: Method, repository: &str, digest: &str) -> Response {
        self.world(|world| {
            let there = world.blobs.contains(&(repository.to_owned(), digest.to_owned()));
            match (there, world.contents.get(digest)) {
                (true, Some(bytes)) if method == Method::Get => answer(200, &[], bytes),
                (true, _) => answer(200, &[], b""),
                (false, _) => answer(404, &[], b"{}"),
            }
        })
    }

    fn upload(&self, repository: &str, digest: &str, body: &mut Body<'_>) -> Response {
        let key = (repository.to_owned(), digest.to_owned());
        self.world(|world| {
            assert!(world.sending.insert(key.clone()), "{digest} is sent twice at a time to {repository}")
        });
        thread::yield_now();
        let mut bytes = Vec::new();
        if let Body::Reader { reader, .. } = body {
            reader.read_to_end(&mut bytes).unwrap();
        }
        thread::yield_now();
        assert_eq!(Digest::sha256_of(&bytes).to_string(), digest);
        self.world(|world| {
            world.sending.remove(&key);
            assert!(world.blobs.insert(key), "{digest} is sent a second time to {repository}");
        });
        answer(201, &[], b"")
    }
}

impl World {
    fn insist_on_children(&self, repository: &str, manifest: &[u8]) {
        let manifest: Value = serde_json::from_slice(manifest).unwrap();
        let entries = |name: &str| manifest.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let key = |entry: &Value| (repository.to_owned(), entry.get("digest").unwrap().as_str().unwrap().to_owned());
        for child in entries("manifests") {
            assert!(self.manifests.contains_key(&key(&child)), "an index before its children in {repository}");
        }
        for blob in entries("layers").iter().chain(manifest.get("config")) {
            assert!(self.blobs.contains(&key(blob)), "a manifest before its blobs in {repository}");
        }
    }
}

impl Transport for ModelRegistry {
    fn send(&self, mut request: Request<'_>) -> Result<Response, TransportError> {
        thread::yield_now();
        let url = request.url.to_string();
        let (host, path) = url.strip_prefix("http://").unwrap().split_once("/v2/").unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some((repository, name)) = path.split_once("/manifests/") {
            let body = if let Body::Bytes(bytes) = request.body { bytes } else { &[] };
            return Ok(self.manifest(request.method, &format!("{host}/{repository}"), name, body));
        }
        let (repository, rest) = path.split_once("/blobs/").unwrap_or((path, ""));
        let repository = format!("{host}/{repository}");
        Ok(match (request.method, rest.strip_prefix("uploads/")) {
            (Method::Get | Method::Head, None) => self.blob(request.method, &repository, rest),
            (Method::Post, Some(_)) => answer(202, &[("location", &format!("/v2/{path}1"))], b""),
            (Method::Put, Some(_)) => {
                let digest = query.strip_prefix("digest=").unwrap().replace("%3A", ":");
                self.upload(&repository, &digest, &mut request.body)
            }
            _ => answer(404, &[], b"{}"),
        })
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let headers: Headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, body: Box::new(io::Cursor::new(body.to_vec())) }
}

/// Threads whose order shuttle chooses.
pub struct ModelThreads;

impl Threads for ModelThreads {
    fn together(&self, tasks: Vec<Task<'_>>) -> Result<(), Panicked> {
        thread::scope(|scope| {
            let threads: Vec<_> = tasks.into_iter().map(|task| scope.spawn(task)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| Panicked))
        })
    }
}

/// A clock that stands still.
pub struct Unhurried;

impl Pace for Unhurried {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn pause(&self, _: Duration) {
        thread::yield_now();
    }

    fn chance(&self) -> f64 {
        0.5
    }
}
