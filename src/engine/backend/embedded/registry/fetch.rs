//! What does a registry have? Manifests by tag or digest, and blobs.
//!
//! Deliberately elsewhere: the calls themselves (`client`), resuming (`blob_reader`), keeping what came (`images`).

use std::{io::Read, sync::Arc};

use super::{
    blob_reader::{BlobReader, read_error},
    client::{Call, CallBody, Client, Place, Reply, pull_scope, push_scope},
    exchange::Repeat,
    pace::{Pace, SystemPace},
    repository::Repository,
    settings::RegistrySettings,
    transport::{Method, Transport, TransportError},
    transport_ureq::UreqTransport,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            machine::{OsThreads, Threads},
            manifest::{ACCEPT, Descriptor, MANIFEST_MAX},
        },
    },
    domain::{Digest, Error, ErrorKind, ImageReference, Result, Tag},
};

/// Which manifest of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestName {
    Tag(Tag),
    Digest(Digest),
}

impl ManifestName {
    fn as_path(&self) -> String {
        match self {
            Self::Tag(tag) => format!("manifests/{tag}"),
            Self::Digest(digest) => format!("manifests/{digest}"),
        }
    }
}

impl From<&ImageReference> for ManifestName {
    /// A digest says more than a tag; neither means `latest`.
    fn from(reference: &ImageReference) -> Self {
        match reference.digest() {
            Some(digest) => Self::Digest(digest.clone()),
            None => Self::Tag(reference.tag_or_latest()),
        }
    }
}

/// A manifest or an index with the very bytes its digest is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedManifest {
    pub bytes: Arc<[u8]>,
    /// What the registry called it; the document itself may say more.
    pub media_type: Option<String>,
    pub digest: Digest,
}

/// One operation's connection to all the registries it deals with. Clones share it; threads may use it side by side.
/// Every call ends when the operation's context is cancelled or its deadline passes.
#[derive(Clone)]
pub struct Registry {
    pub(super) client: Arc<Client>,
    pub(super) threads: Arc<dyn Threads>,
}

impl Registry {
    /// Opens nothing yet: the first call connects.
    pub fn new(settings: Arc<RegistrySettings>, context: OperationContext) -> Self {
        Self::with_pace(settings, Arc::new(SystemPace), context)
    }

    /// Real sockets, but another clock and chance.
    pub fn with_pace(settings: Arc<RegistrySettings>, pace: Arc<dyn Pace>, context: OperationContext) -> Self {
        let transport = UreqTransport::new(Arc::clone(&settings), context.cancel.clone());
        Self::with_parts(settings, Box::new(transport), pace, context)
    }

    /// Over any transport, clock and chance: simulations come in here.
    pub fn with_parts(
        settings: Arc<RegistrySettings>,
        transport: Box<dyn Transport>,
        pace: Arc<dyn Pace>,
        context: OperationContext,
    ) -> Self {
        let client = Arc::new(Client::new(settings, transport, pace, context));
        Self { client, threads: Arc::new(OsThreads) }
    }

    /// With other threads for what is done side by side.
    #[must_use]
    pub fn with_threads(self, threads: Arc<dyn Threads>) -> Self {
        Self { threads, ..self }
    }

    /// The manifest or index of that name, its digest checked against the name and what the registry says.
    ///
    /// # Errors
    /// `NoSuchImage`, `Unauthorized`, `Denied`, `Unreachable`, `RateLimited`, `DigestMismatch`, `Protocol`.
    pub fn manifest(&self, repository: &Repository, name: &ManifestName) -> Result<FetchedManifest> {
        let reply = self.manifest_call(Method::Get, repository, name, pull_scope(repository))?;
        if reply.status() != 200 {
            return Err(reply.into_error(repository));
        }
        let said = said_digest(&reply);
        let media_type = reply.response.headers.get("content-type").map(str::to_owned);
        let url = reply.url;
        let mut bytes = Vec::new();
        let read = reply.response.body.take(MANIFEST_MAX as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| super::failure::of_transport(TransportError::of_read(error), &url))?;
        if bytes.len() > MANIFEST_MAX {
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the manifest is larger than {} MiB", MANIFEST_MAX >> 20),
            ));
        }
        let wanted = match name {
            ManifestName::Digest(digest) => Some(digest),
            ManifestName::Tag(_) => said.as_ref(),
        };
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_of(&bytes)) {
            let found = Digest::sha256_of(&bytes);
            let why =
                format!("the registry sent a manifest with digest {} instead of {}", found.short(), wanted.short());
            return Err(Error::new(ErrorKind::DigestMismatch, why)
                .remedy("try again; if it stays so, the registry or a proxy before it is damaged"));
        }
        let digest = wanted.cloned().unwrap_or_else(|| Digest::sha256_of(&bytes));
        Ok(FetchedManifest { bytes: bytes.into(), media_type, digest })
    }

    /// What the name stands for right now, without fetching it; `None` when there is nothing of that name. Registries
    /// that do not tell the digest are asked for the manifest itself.
    ///
    /// # Errors
    /// As [`Registry::manifest`].
    pub fn find_manifest(&self, repository: &Repository, name: &ManifestName) -> Result<Option<Descriptor>> {
        self.find(repository, name, pull_scope(repository))
    }

    /// The same with the rights of a push, which spares asking for a second token.
    pub(super) fn find_manifest_to_push(
        &self,
        repository: &Repository,
        name: &ManifestName,
    ) -> Result<Option<Descriptor>> {
        self.find(repository, name, push_scope(repository))
    }

    fn find(&self, repository: &Repository, name: &ManifestName, scope: String) -> Result<Option<Descriptor>> {
        let reply = self.manifest_call(Method::Head, repository, name, scope)?;
        match reply.status() {
            404 => return Ok(None),
            200 => {}
            _ => return Err(reply.into_error(repository)),
        }
        let headers = &reply.response.headers;
        if let (Some(digest), Some(size)) = (said_digest(&reply), headers.number("content-length")) {
            let media_type = headers.get("content-type").unwrap_or_default().to_owned();
            return Ok(Some(Descriptor { media_type, digest, size, platform: None, annotations: None }));
        }
        let found = self.manifest(repository, name)?;
        let size = found.bytes.len() as u64;
        let media_type = found.media_type.unwrap_or_default();
        Ok(Some(Descriptor { media_type, digest: found.digest, size, platform: None, annotations: None }))
    }

    /// A blob from `offset` on. The reader resumes by itself; the digest is for the caller to check.
    ///
    /// # Errors
    /// As [`BlobReader::open`].
    pub fn blob(&self, repository: &Repository, wanted: &Descriptor, offset: u64) -> Result<BlobReader> {
        BlobReader::open(Arc::clone(&self.client), repository.clone(), wanted, offset)
    }

    /// A small blob, whole and with its digest checked.
    ///
    /// # Errors
    /// As [`Registry::blob`]; `DigestMismatch`; `Protocol` when it is larger than `limit` bytes.
    pub fn small_blob(&self, repository: &Repository, wanted: &Descriptor, limit: u64) -> Result<Vec<u8>> {
        if wanted.size > limit {
            let why = format!("blob {} has {} bytes, more than {limit}", wanted.digest.short(), wanted.size);
            return Err(Error::new(ErrorKind::Protocol, why));
        }
        let mut bytes = Vec::new();
        self.blob(repository, wanted, 0)?.read_to_end(&mut bytes).map_err(read_error)?;
        if wanted.digest.is_of(&bytes) {
            return Ok(bytes);
        }
        Err(Error::new(ErrorKind::DigestMismatch, format!("blob {} has other content", wanted.digest.short()))
            .remedy("try again; if it stays so, the registry or a proxy before it is damaged"))
    }

    fn manifest_call(
        &self,
        method: Method,
        repository: &Repository,
        name: &ManifestName,
        scope: String,
    ) -> Result<Reply> {
        self.client.call(&Call {
            method,
            repository,
            place: Place::Path(name.as_path()),
            scopes: vec![scope],
            headers: vec![("accept", ACCEPT.join(", "))],
            body: CallBody::Empty,
            repeat: Repeat::Allowed,
        })
    }
}

/// None where the registry says none, or nonsense: the content is checked against what was asked for anyway.
fn said_digest(reply: &Reply) -> Option<Digest> {
    reply.response.headers.get("docker-content-digest")?.parse().ok()
}
