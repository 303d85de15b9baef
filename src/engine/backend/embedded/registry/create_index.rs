//! How do several images become one index under several names? What `docker buildx imagetools create` does.
//!
//! Everything is read and decided first; the plan is then pushed to every target, byte for byte the same. Deliberately
//! elsewhere: pushing (`push`), the command line (`cli`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    sync::Arc,
};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    fetch::{FetchedManifest, ManifestName, Registry},
    push::{BlobOrigin, PlannedManifest, PushPlan, TargetResult, push},
    repository::Repository,
};
use crate::engine::{
    backend::embedded::manifest::{
        DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, INDEX_DEPTH, ImageManifest, Index, Manifest, OCI_INDEX, OCI_MANIFEST,
    },
    domain::{Digest, Error, ErrorKind, ImageReference, Result},
};

/// Image configurations are a few KiB; this is far above the largest seen.
const CONFIG_LIMIT: u64 = 8 << 20;
/// Manifests in one index, nested ones included. Each is held in memory while the index is made.
const CHILDREN: usize = 1_000;

/// A new index and how it went for each target.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedIndex {
    pub digest: Digest,
    pub results: Vec<TargetResult>,
}

/// Makes one index of all `sources` (an index contributes its entries, a single image itself with the platform its
/// configuration names) and lets all `targets` point at it, copying what their repositories lack. A single source that
/// is an index already is copied as it is.
///
/// # Errors
/// When a source cannot be read or there is none: then nothing has been written anywhere. Failures of targets are in
/// the result.
pub fn create_index(
    registry: &Registry,
    targets: &[ImageReference],
    sources: &[ImageReference],
) -> Result<CreatedIndex> {
    let context = &registry.client.exchange.context;
    let mut gathered = Gathered::default();
    let mut originals = Vec::new();
    for source in sources {
        context.step(format!("reading {source}"));
        originals.push(gathered.add(registry, source).map_err(|error| error.on(source))?);
    }
    let root = match originals.as_slice() {
        [] => return Err(Error::new(ErrorKind::InvalidInput, "an index needs at least one source image")),
        [Some(index)] => index.clone(),
        _ => gathered.index()?,
    };
    let plan = PushPlan::new(root, gathered.children);
    let origin = RemoteBlobs { registry, places: gathered.places };
    let results = push(registry, &plan, targets, &origin);
    Ok(CreatedIndex { digest: plan.digest().clone(), results })
}

/// What the sources bring together.
#[derive(Default)]
struct Gathered {
    /// The new index's entries with every field their sources gave them.
    entries: Vec<Value>,
    /// Deepest first, each once.
    children: Vec<PlannedManifest>,
    seen: BTreeSet<Digest>,
    /// Where each blob was found.
    places: BTreeMap<Digest, Vec<Repository>>,
}

impl Gathered {
    /// Reads one source. Returns the source itself when it is an index.
    fn add(&mut self, registry: &Registry, source: &ImageReference) -> Result<Option<PlannedManifest>> {
        let repository = Repository::from(source);
        let found = registry.manifest(&repository, &ManifestName::from(source))?;
        match parse(&found)? {
            Parsed::Index(index) => {
                let root = planned(&found, OCI_INDEX, Vec::new());
                self.descend(registry, &repository, &index, 0)?;
                self.seen.insert(found.digest.clone());
                raw_entries(&found)?.into_iter().for_each(|entry| self.enter(entry));
                Ok(Some(root))
            }
            Parsed::Image(image) => {
                let entry = described(registry, &repository, &found, &image)?;
                self.keep(&repository, &found, &image);
                self.enter(entry);
                Ok(None)
            }
        }
    }

    /// Reads every manifest an index names, and those below.
    fn descend(&mut self, registry: &Registry, repository: &Repository, index: &Index, depth: usize) -> Result<()> {
        if depth > INDEX_DEPTH {
            return Err(Error::new(ErrorKind::Protocol, format!("indexes are nested more than {INDEX_DEPTH} deep")));
        }
        for entry in &index.manifests {
            if self.seen.contains(&entry.digest) {
                continue;
            }
            if self.children.len() >= CHILDREN {
                return Err(Error::new(ErrorKind::Refused, format!("the sources hold more than {CHILDREN} manifests")));
            }
            registry.client.exchange.context.check()?;
            let found = registry.manifest(repository, &ManifestName::Digest(entry.digest.clone()))?;
            match parse(&found)? {
                Parsed::Index(nested) => {
                    // Marked first: an index that names itself ends here.
                    self.seen.insert(found.digest.clone());
                    self.descend(registry, repository, &nested, depth + 1)?;
                    self.children.push(planned(&found, OCI_INDEX, Vec::new()));
                }
                Parsed::Image(image) => self.keep(repository, &found, &image),
            }
        }
        Ok(())
    }

    fn keep(&mut self, repository: &Repository, found: &FetchedManifest, image: &ImageManifest) {
        let blobs: Vec<Descriptor> = image.layers.iter().chain([&image.config]).cloned().collect();
        for blob in &blobs {
            let places = self.places.entry(blob.digest.clone()).or_default();
            if !places.contains(repository) {
                places.push(repository.clone());
            }
        }
        if self.seen.insert(found.digest.clone()) {
            self.children.push(planned(found, OCI_MANIFEST, blobs));
        }
    }

    /// An entry that is there already counts once.
    fn enter(&mut self, entry: Value) {
        let same = |other: &Value| {
            other.get("digest") == entry.get("digest") && other.get("platform") == entry.get("platform")
        };
        if !self.entries.iter().any(same) {
            self.entries.push(entry);
        }
    }

    /// The new index: Docker's kind when everything in it is Docker's, OCI's otherwise.
    fn index(&self) -> Result<PlannedManifest> {
        let kind = |entry: &Value| entry.get("mediaType").and_then(Value::as_str).map(str::to_owned);
        let docker = self.entries.iter().all(|entry| kind(entry).as_deref() == Some(DOCKER_MANIFEST));
        let media_type = if docker { DOCKER_INDEX } else { OCI_INDEX };
        let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": self.entries });
        let bytes = serde_json::to_vec_pretty(&index)
            .map_err(|error| Error::new(ErrorKind::Internal, "the index could not be written").caused_by(error))?;
        let digest = Digest::sha256_of(&bytes);
        Ok(PlannedManifest { media_type: media_type.to_owned(), digest, bytes: bytes.into(), blobs: Vec::new() })
    }
}

enum Parsed {
    Index(Index),
    Image(Box<ImageManifest>),
}

/// Artifacts are welcome here: an index may carry signatures and attestations of any kind.
fn parse(found: &FetchedManifest) -> Result<Parsed> {
    match Manifest::parse(&found.bytes, found.media_type.as_deref()) {
        Ok(Manifest::Index(index)) => Ok(Parsed::Index(index)),
        Ok(Manifest::Image(image)) => Ok(Parsed::Image(Box::new(image))),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            serde_json::from_slice(&found.bytes).map(Box::new).map(Parsed::Image).map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

fn planned(found: &FetchedManifest, fallback: &str, blobs: Vec<Descriptor>) -> PlannedManifest {
    PlannedManifest {
        media_type: kind(found, fallback),
        digest: found.digest.clone(),
        bytes: Arc::clone(&found.bytes),
        blobs,
    }
}

/// What the document calls itself, else what the registry called it.
fn kind(found: &FetchedManifest, fallback: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Document {
        media_type: Option<String>,
    }
    let document = serde_json::from_slice::<Document>(&found.bytes).ok(); // It has been parsed before.
    let own = document.and_then(|document| document.media_type).filter(|kind| !kind.is_empty());
    let called = || found.media_type.as_deref().map(|called| called.split(';').next().unwrap_or_default().trim());
    let known = |kind: &&str| [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].contains(kind);
    own.unwrap_or_else(|| called().filter(known).unwrap_or(fallback).to_owned())
}

/// The entries of an index with every field they have.
fn raw_entries(found: &FetchedManifest) -> Result<Vec<Value>> {
    #[derive(Deserialize)]
    struct Document {
        manifests: Vec<Value>,
    }
    serde_json::from_slice::<Document>(&found.bytes)
        .map(|document| document.manifests)
        .map_err(|error| Error::new(ErrorKind::Protocol, "the index is malformed").caused_by(error))
}

/// A single image as an entry: its platform stands in its configuration.
fn described(
    registry: &Registry,
    repository: &Repository,
    found: &FetchedManifest,
    image: &ImageManifest,
) -> Result<Value> {
    let mut entry = Map::new();
    entry.insert("mediaType".into(), kind(found, OCI_MANIFEST).into());
    entry.insert("digest".into(), found.digest.to_string().into());
    entry.insert("size".into(), found.bytes.len().into());
    let config = registry.small_blob(repository, &image.config, CONFIG_LIMIT)?;
    // An artifact's configuration may be anything; then it is for no platform.
    let config: Map<String, Value> = serde_json::from_slice(&config).unwrap_or_default();
    let fields = ["architecture", "os", "os.version", "os.features", "variant"];
    let given = fields.into_iter().filter_map(|name| Some((name.to_owned(), config.get(name)?.clone())));
    let platform: Map<String, Value> = given.filter(|(_, value)| !matches!(value.as_str(), Some(""))).collect();
    if platform.contains_key("os") && platform.contains_key("architecture") {
        entry.insert("platform".into(), platform.into());
    }
    Ok(entry.into())
}

/// Blobs that lie on registries: linked where both are on the same one, streamed through otherwise.
struct RemoteBlobs<'a> {
    registry: &'a Registry,
    places: BTreeMap<Digest, Vec<Repository>>,
}

impl BlobOrigin for RemoteBlobs<'_> {
    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>> {
        let place = self.places.get(&blob.digest).and_then(|places| places.first());
        let place = place.ok_or_else(|| Error::new(ErrorKind::Internal, "a blob of the index has no source"))?;
        Ok(Box::new(self.registry.blob(place, blob, offset)?))
    }

    fn repositories(&self, digest: &Digest) -> Vec<Repository> {
        self.places.get(digest).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(media_type: &str, digest: &str, architecture: &str) -> Value {
        json!({"mediaType": media_type, "digest": digest, "size": 1, "platform": {"os": "linux", "architecture": architecture}})
    }

    #[test]
    fn an_index_is_dockers_only_when_everything_in_it_is() {
        let mut gathered = Gathered::default();
        gathered.enter(entry(DOCKER_MANIFEST, "sha256:a", "amd64"));
        assert_eq!(gathered.index().unwrap().media_type, DOCKER_INDEX);
        gathered.enter(entry(OCI_MANIFEST, "sha256:b", "arm64"));
        let index = gathered.index().unwrap();
        assert_eq!(index.media_type, OCI_INDEX);
        assert_eq!(index, gathered.index().unwrap(), "the same sources make the same bytes");
        assert!(index.digest.is_of(&index.bytes));
    }

    #[test]
    fn an_entry_counts_once_and_keeps_fields_we_do_not_know() {
        let mut gathered = Gathered::default();
        let mut odd = entry(OCI_MANIFEST, "sha256:a", "amd64");
        odd["artifactType"] = "x/y".into();
        gathered.enter(odd.clone());
        gathered.enter(odd);
        gathered.enter(entry(OCI_MANIFEST, "sha256:a", "arm64"));
        assert_eq!(gathered.entries.len(), 2);
        assert!(String::from_utf8(gathered.index().unwrap().bytes.to_vec()).unwrap().contains("artifactType"));
    }
}
