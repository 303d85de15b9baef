//! How does an image get into repositories? Blobs, then the manifests an index names, then what the tags point at.
//!
//! The plan is fixed before the first byte is sent and shared by all targets; every target has its own result.
//! Deliberately elsewhere: one blob (`upload`), making plans (`images` for pushes, `create_index`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    sync::{Arc, atomic::Ordering},
};

use super::{
    client::{Call, CallBody, Place, push_scope},
    exchange::Repeat,
    fetch::{ManifestName, Registry},
    repository::Repository,
    side_by_side::side_by_side,
    transport::Method,
    upload::{Arrival, Upload},
};
use crate::engine::{
    backend::{OperationContext, embedded::manifest::Descriptor},
    domain::{Digest, Done, Error, ErrorKind, ImageReference, Outcome, Result, Transfer, TransferPhase},
    sync::primitives::{AtomicBool, Mutex, lock},
};

/// Blobs sent at a time to one repository, as Docker has it.
const BLOBS_AT_ONCE: usize = 4;
/// Registries served at a time.
const REGISTRIES_AT_ONCE: usize = 4;

/// A manifest with what must be there before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedManifest {
    pub media_type: String,
    pub digest: Digest,
    pub bytes: Arc<[u8]>,
    /// Configuration and layers; none for an index.
    pub blobs: Vec<Descriptor>,
}

/// What is pushed: fixed when made, the same for every target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushPlan {
    /// Every manifest after those it names; each once.
    children: Vec<PlannedManifest>,
    root: PlannedManifest,
}

impl PushPlan {
    /// `children` are the manifests that `root` (and, for nested indexes, they themselves) name, deepest first.
    pub fn new(root: PlannedManifest, children: Vec<PlannedManifest>) -> Self {
        let mut seen = BTreeSet::from([root.digest.clone()]);
        let children = children.into_iter().filter(|child| seen.insert(child.digest.clone())).collect();
        Self { children, root }
    }

    /// What the targets will point at.
    pub fn digest(&self) -> &Digest {
        &self.root.digest
    }

    fn manifests(&self) -> impl Iterator<Item = &PlannedManifest> {
        self.children.iter().chain([&self.root])
    }
}

/// Where the bytes of a plan's blobs are.
pub trait BlobOrigin: Sync {
    /// The blob from `offset` on.
    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>>;

    /// Repositories that probably have it, likeliest first: a registry can link it from there without a transfer.
    fn repositories(&self, digest: &Digest) -> Vec<Repository>;
}

/// How it went for one target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetResult {
    pub target: ImageReference,
    /// The digest that the target points at now.
    pub outcome: Result<Digest>,
}

/// Pushes the plan to every target. One target's failure does not stop the others; each blob is sent at most once to a
/// repository, however many targets and manifests need it. Progress goes to the registry's operation.
pub fn push(
    registry: &Registry,
    plan: &PushPlan,
    targets: &[ImageReference],
    origin: &dyn BlobOrigin,
) -> Vec<TargetResult> {
    let mut groups: BTreeMap<String, Vec<Repository>> = BTreeMap::new();
    for target in targets {
        let repositories = groups.entry(target.registry().to_owned()).or_default();
        let repository = Repository::from(target);
        if !repositories.contains(&repository) {
            repositories.push(repository);
        }
    }
    let board = Board::open(&registry.client.exchange.context, plan, groups.values().flatten());
    let groups: Vec<Vec<Repository>> = groups.into_values().collect();
    let reached: Vec<(Repository, Result<()>)> =
        side_by_side(&*registry.threads, &groups, REGISTRIES_AT_ONCE, |repositories| {
            let mut served: Vec<Repository> = Vec::new();
            let mut results = Vec::new();
            for repository in repositories {
                let job = Job { registry, plan, repository, origin, served: &served, board: &board };
                let outcome = job.bring_content();
                if outcome.is_ok() {
                    served.push(repository.clone());
                }
                results.push((repository.clone(), outcome));
            }
            results
        })
        .into_iter()
        .flatten()
        .collect();
    let publish = |target: &ImageReference| {
        let repository = Repository::from(target);
        let content = reached.iter().find(|(reached, _)| *reached == repository).map(|(_, outcome)| outcome.clone());
        content.unwrap_or(Ok(()))?;
        publish(registry, plan, &repository, target)
    };
    side_by_side(&*registry.threads, targets, REGISTRIES_AT_ONCE, |target| TargetResult {
        target: target.clone(),
        outcome: publish(target).map_err(|error| error.on(target)),
    })
}

/// The results of all targets as one outcome: `Partial` when some worked and some did not.
pub fn outcome(results: &[TargetResult]) -> Outcome {
    let failures: Vec<(&ImageReference, &Error)> =
        results.iter().filter_map(|result| Some((&result.target, result.outcome.as_ref().err()?))).collect();
    let Some((_, first)) = failures.first() else {
        let line = |result: &TargetResult| Some(format!("{}@{}", result.target, result.outcome.as_ref().ok()?));
        return Ok(Done { output: results.iter().filter_map(line).collect(), ..Done::default() });
    };
    if let [(_, only)] = failures.as_slice()
        && results.len() == 1
    {
        return Err((*only).clone());
    }
    let told: Vec<String> = failures.iter().map(|(target, error)| format!("{target}: {}", error.reason())).collect();
    let done = results.len() - failures.len();
    let kind = if done == 0 { first.kind() } else { ErrorKind::Partial };
    let reason = format!("{done} of {} targets are done; not done: {}", results.len(), told.join("; "));
    let error = Error::new(kind, reason);
    Err(error.remedy(first.remedy_text().unwrap_or("run it again: what is done is not repeated")))
}

/// Makes the target point at the plan's root.
fn publish(registry: &Registry, plan: &PushPlan, repository: &Repository, target: &ImageReference) -> Result<Digest> {
    if let Some(pinned) = target.digest().filter(|pinned| *pinned != plan.digest()) {
        let why = format!("the target is pinned to {}, but this is {}", pinned.short(), plan.digest().short());
        return Err(Error::new(ErrorKind::InvalidInput, why).remedy("push to a tag"));
    }
    let name = match (target.tag(), target.digest()) {
        (None, Some(digest)) => digest.to_string(),
        (Some(_), _) | (None, None) => target.tag_or_latest().to_string(),
    };
    put_manifest(registry, repository, &plan.root, &name)?;
    Ok(plan.digest().clone())
}

fn put_manifest(registry: &Registry, repository: &Repository, manifest: &PlannedManifest, name: &str) -> Result<()> {
    let reply = registry.client.call(&Call {
        method: Method::Put,
        repository,
        place: Place::Path(format!("manifests/{name}")),
        scopes: vec![push_scope(repository)],
        headers: vec![("content-type", manifest.media_type.clone())],
        body: CallBody::Bytes(&manifest.bytes),
        repeat: Repeat::Allowed,
    })?;
    if !matches!(reply.status(), 200..=202 | 204) {
        return Err(reply.into_error(repository));
    }
    let said = reply.response.headers.get("docker-content-digest").and_then(|digest| digest.parse::<Digest>().ok());
    match said.filter(|said| said.algorithm() == manifest.digest.algorithm() && *said != manifest.digest) {
        None => Ok(()),
        Some(other) => {
            let why = format!("the registry stored {} instead of {}", other.short(), manifest.digest.short());
            Err(Error::new(ErrorKind::DigestMismatch, why)
                .remedy("the registry changed the manifest; nothing can be done here"))
        }
    }
}

/// Bringing a plan's content into one repository.
struct Job<'a> {
    registry: &'a Registry,
    plan: &'a PushPlan,
    repository: &'a Repository,
    origin: &'a dyn BlobOrigin,
    /// Repositories of the same registry that have everything already.
    served: &'a [Repository],
    board: &'a Board<'a>,
}

impl Job<'_> {
    /// Everything but the root manifest.
    fn bring_content(&self) -> Result<()> {
        let mut missing = Vec::new();
        for manifest in self.plan.manifests() {
            if self.has(manifest)? {
                manifest.blobs.iter().for_each(|blob| self.tell(&blob.digest, TransferPhase::Exists, blob.size));
            } else {
                missing.push(manifest);
            }
        }
        let mut seen = BTreeSet::new();
        let blobs: Vec<&Descriptor> = missing
            .iter()
            .flat_map(|manifest| &manifest.blobs)
            .filter(|blob| !blob.is_foreign() && seen.insert(blob.digest.clone()))
            .collect();
        self.bring_blobs(&blobs)?;
        // In the plan's order: no manifest before what it names. The root is published under its names, later.
        for manifest in missing.into_iter().filter(|manifest| manifest.digest != self.plan.root.digest) {
            put_manifest(self.registry, self.repository, manifest, &manifest.digest.to_string())?;
        }
        Ok(())
    }

    /// A registry that has a manifest has all it names.
    fn has(&self, manifest: &PlannedManifest) -> Result<bool> {
        let name = ManifestName::Digest(manifest.digest.clone());
        match self.registry.find_manifest_to_push(self.repository, &name) {
            Ok(found) => Ok(found.is_some_and(|found| found.digest == manifest.digest)),
            Err(error) => Err(error),
        }
    }

    fn bring_blobs(&self, blobs: &[&Descriptor]) -> Result<()> {
        let failed = AtomicBool::new(false);
        let results = side_by_side(&*self.registry.threads, blobs, BLOBS_AT_ONCE, |blob| {
            if failed.load(Ordering::Relaxed) {
                return Ok(()); // The first failure is what is told.
            }
            let outcome = self.bring(blob);
            if outcome.is_err() {
                failed.store(true, Ordering::Relaxed);
                self.tell(&blob.digest, TransferPhase::Failed, 0);
            }
            outcome
        });
        results.into_iter().collect()
    }

    fn bring(&self, blob: &Descriptor) -> Result<()> {
        let neighbours: Vec<Repository> =
            self.served.iter().cloned().chain(self.origin.repositories(&blob.digest)).collect();
        let arrival = Upload {
            client: &self.registry.client,
            repository: self.repository,
            blob,
            neighbours: &neighbours,
            open: &|offset| self.origin.open(blob, offset),
            progress: &|sent| self.tell(&blob.digest, TransferPhase::Uploading, sent),
        }
        .run()?;
        let phase = match arrival {
            Arrival::Existed => TransferPhase::Exists,
            Arrival::Mounted => TransferPhase::Mounted,
            Arrival::Uploaded => TransferPhase::Done,
        };
        self.tell(&blob.digest, phase, blob.size);
        Ok(())
    }

    fn tell(&self, digest: &Digest, phase: TransferPhase, done: u64) {
        self.board.tell(self.repository, digest, phase, done);
    }
}

/// One line for each blob of each repository.
struct Board<'a> {
    context: &'a OperationContext,
    lines: BTreeMap<(Repository, Digest), usize>,
    /// What was told last: a transfer tells thousands of times a second, and each report costs an allocation.
    told: Mutex<BTreeMap<usize, (TransferPhase, u64)>>,
}

impl<'a> Board<'a> {
    /// Bytes between two reports of one transfer.
    const STEP: u64 = 1 << 20;

    fn open<'r>(
        context: &'a OperationContext,
        plan: &PushPlan,
        repositories: impl Iterator<Item = &'r Repository> + Clone,
    ) -> Self {
        let mut lines = BTreeMap::new();
        let mut transfers = Vec::new();
        let several = repositories.clone().count() > 1;
        for repository in repositories {
            for blob in plan.manifests().flat_map(|manifest| &manifest.blobs).filter(|blob| !blob.is_foreign()) {
                let key = (repository.clone(), blob.digest.clone());
                lines.entry(key).or_insert_with(|| {
                    let short = blob.digest.short();
                    let name = if several { format!("{short} → {repository}") } else { short.to_owned() };
                    let phase = TransferPhase::Waiting;
                    transfers.push(Transfer { name, phase, done: 0, total: blob.size, files: 0 });
                    transfers.len() - 1
                });
            }
        }
        context.step("pushing");
        context.report(|progress| progress.transfers = transfers);
        Self { context, lines, told: Mutex::default() }
    }

    fn tell(&self, repository: &Repository, digest: &Digest, phase: TransferPhase, done: u64) {
        let Some(line) = self.lines.get(&(repository.clone(), digest.clone())) else { return };
        {
            let mut told = lock(&self.told);
            let last = told.get(line);
            if last.is_some_and(|(last, at)| *last == phase && at.abs_diff(done) < Self::STEP) {
                return;
            }
            told.insert(*line, (phase, done));
        }
        self.context.report(|progress| {
            if let Some(transfer) = progress.transfers.get_mut(*line) {
                transfer.phase = phase;
                transfer.done = done;
            }
        });
    }
}
