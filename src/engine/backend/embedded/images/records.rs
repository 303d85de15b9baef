//! Which images are here? One small file for each image, and one for each tag that points to one.
//!
//! Written content first, record then, tag last, each durably; so whatever a tag leads to is whole. Changes happen under
//! the collection lock. Deliberately elsewhere: finding an image by what a person typed (`catalog`).

use std::{io, path::Path, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    layout::{Layout, TAGS},
    unpacker::RootAttributes,
};
use crate::engine::{
    backend::embedded::{
        disk::{Disk, EntryKind},
        manifest::Descriptor,
    },
    domain::{Digest, Error, ErrorKind, ImageReference, Platform, Result, Timestamp},
};

/// The version of both kinds of file.
const FORMAT: u32 = 1;

/// `records/ID.json`: an image that is here, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    pub(super) format: u32,
    /// The digest of the configuration.
    pub id: Digest,
    /// The image manifest the content came by; pushed as it is.
    pub manifest: Descriptor,
    pub config: Descriptor,
    /// Every `repository@digest` it was pulled or pushed by, indexes included.
    pub digests: Vec<ImageReference>,
    pub platform: Option<Platform>,
    pub created: Option<Timestamp>,
    pub pulled: Timestamp,
    /// Lowest first.
    pub layers: Vec<RecordLayer>,
    pub root: RootAttributes,
}

/// One layer of an image, as a blob and as a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLayer {
    pub diff_id: Digest,
    pub chain_id: Digest,
    /// The name of its directory.
    pub key: Digest,
    pub blob: Descriptor,
    /// Bytes of file data, and members.
    pub bytes: u64,
    pub members: u64,
    /// It hides everything below.
    #[serde(default)]
    pub opaque: bool,
}

/// A tag and the image it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TagFile {
    pub(super) format: u32,
    /// Registry, repository and tag; never a digest.
    pub reference: ImageReference,
    pub image: Digest,
}

/// Reading and writing both.
#[derive(Clone)]
pub(super) struct Records {
    layout: Layout,
    disk: Arc<dyn Disk>,
}

impl ImageRecord {
    /// Bytes of all layers, unpacked.
    #[must_use]
    pub fn size(&self) -> u64 {
        // Saturating: the numbers stand in a file that anything may have damaged.
        self.layers.iter().fold(0, |size, layer| size.saturating_add(layer.bytes))
    }

    /// Digests of everything that must stay as long as this image does.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &Digest> {
        [&self.manifest.digest, &self.config.digest]
            .into_iter()
            .chain(self.layers.iter().map(|layer| &layer.blob.digest))
    }

    /// These, and the indexes it came by.
    pub(super) fn needed(&self) -> impl Iterator<Item = &Digest> {
        self.blobs().chain(self.digests.iter().filter_map(ImageReference::digest))
    }
}

impl Records {
    pub(super) fn new(layout: Layout, disk: Arc<dyn Disk>) -> Self {
        Self { layout, disk }
    }

    pub(super) fn image(&self, id: &Digest) -> Result<Option<ImageRecord>> {
        self.load(&self.layout.record(id))
    }

    /// Every image, newest first.
    pub(super) fn images(&self) -> Result<Vec<ImageRecord>> {
        let mut images = self.in_directory(&self.layout.records())?;
        images.sort_by(|a, b| (b.created, &a.id).cmp(&(a.created, &b.id)));
        Ok(images)
    }

    pub(super) fn put_image(&self, record: &ImageRecord) -> Result<()> {
        self.store(&self.layout.record(&record.id), record)
    }

    /// Makes the records that can be seen durable, whoever wrote them.
    pub(super) fn sync_images(&self) -> Result<()> {
        self.sync(&self.layout.records())
    }

    /// The same for a tag that is there.
    pub(super) fn sync_tag(&self, reference: &ImageReference) -> Result<()> {
        self.layout.reference(reference).parent().map_or(Ok(()), |directory| self.sync(directory))
    }

    /// Removes the record, durably: what it named may be deleted afterwards.
    pub(super) fn remove_image(&self, id: &Digest) -> Result<()> {
        self.delete(&self.layout.record(id))?;
        self.sync(&self.layout.records())
    }

    /// Images that are nobody's any more but for the containers made of them.
    pub(super) fn held(&self) -> Result<Vec<ImageRecord>> {
        self.in_directory(&self.layout.held())
    }

    /// The image, or what is kept of it for its containers.
    pub(super) fn image_or_held(&self, id: &Digest) -> Result<Option<ImageRecord>> {
        match self.image(id)? {
            None => self.load(&self.layout.held_record(id)),
            here => Ok(here),
        }
    }

    /// Keeps what the record names for containers. Call before the record itself goes.
    pub(super) fn hold(&self, record: &ImageRecord) -> Result<()> {
        self.store(&self.layout.held_record(&record.id), record)
    }

    pub(super) fn let_go(&self, id: &Digest) -> Result<()> {
        self.delete(&self.layout.held_record(id))?;
        self.sync(&self.layout.held())
    }

    /// The image `reference`'s tag leads to, digest ignored.
    pub(super) fn tagged(&self, reference: &ImageReference) -> Result<Option<Digest>> {
        let file: Option<TagFile> = self.load(&self.layout.reference(reference))?;
        Ok(file.map(|file| file.image))
    }

    /// Every tag, sorted.
    pub(super) fn tags(&self) -> Result<Vec<(ImageReference, Digest)>> {
        let mut tags = Vec::new();
        let mut directories = vec![self.layout.references()];
        while let Some(directory) = directories.pop() {
            for name in self.names(&directory, EntryKind::Directory)? {
                let inner = directory.join(&name);
                if name != TAGS {
                    directories.push(inner);
                    continue;
                }
                for name in self.names(&inner, EntryKind::File)? {
                    let file: Option<TagFile> = self.load(&inner.join(name))?;
                    tags.extend(file.map(|file| (file.reference, file.image)));
                }
            }
        }
        tags.sort();
        Ok(tags)
    }

    pub(super) fn put_tag(&self, reference: &ImageReference, image: &Digest) -> Result<()> {
        let reference = reference.clone().without_digest().with_default_tag();
        let path = self.layout.reference(&reference);
        if let Some(directory) = path.parent() {
            self.disk.create_dir_all(directory).map_err(|error| Error::io("making a repository's directory", error))?;
        }
        self.store(&path, &TagFile { format: FORMAT, reference, image: image.clone() })
    }

    /// Removes a tag durably, and the directories that were only there for it. Needs the collection lock, as every change does.
    pub(super) fn remove_tag(&self, reference: &ImageReference) -> Result<()> {
        let path = self.layout.reference(reference);
        self.delete(&path)?;
        let top = self.layout.references();
        let mut lowest = path.ancestors().skip(1);
        while let Some(directory) = lowest.next().filter(|directory| **directory != top) {
            let is_empty = self.disk.list(directory).is_ok_and(|entries| entries.is_empty());
            // An empty directory left behind holds no tag.
            if !is_empty || self.disk.remove_tree(directory).is_err() {
                return self.sync(directory);
            }
        }
        self.sync(&top)
    }

    /// A record for now, to be completed by the caller.
    pub(super) const fn format() -> u32 {
        FORMAT
    }

    fn in_directory(&self, directory: &Path) -> Result<Vec<ImageRecord>> {
        let mut images = Vec::new();
        // Other names are not ours: somebody put them there.
        for name in self.names(directory, EntryKind::File)?.iter().filter(|name| name.ends_with(".json")) {
            // Removed since the listing: not here.
            images.extend(self.load::<ImageRecord>(&directory.join(name))?);
        }
        Ok(images)
    }

    fn names(&self, directory: &Path, kind: EntryKind) -> Result<Vec<String>> {
        match self.disk.list(directory) {
            Ok(entries) => {
                let ours = entries.into_iter().filter(|entry| entry.kind == kind && !entry.name.starts_with('.'));
                Ok(ours.map(|entry| entry.name).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::io("listing the image store", error)),
        }
    }

    fn load<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>> {
        let bytes = match self.disk.read(path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io("reading an image's record", error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("the record {} cannot be read", path.display()))
                .remedy("delete that file and pull the image again")
                .caused_by(error)
        })
    }

    fn store<T: Serialize>(&self, path: &Path, value: &T) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(value).expect("records have only string keys");
        self.disk.write_durable(path, &bytes).map_err(|error| Error::io("writing an image's record", error))
    }

    fn delete(&self, path: &Path) -> Result<()> {
        match self.disk.remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("deleting an image's record", error))
            }
            Ok(()) | Err(_) => Ok(()), // Gone is gone.
        }
    }

    fn sync(&self, directory: &Path) -> Result<()> {
        self.disk.sync_dir(directory).map_err(|error| Error::io("writing the image store", error))
    }
}
