//! Where does each part of the image store lie?
//!
//! `blobs/` with `oci-layout` and `index.json` is an OCI image layout (image-spec image-layout.md): other tools may read
//! it. Deliberately elsewhere: what is in the files (`blobs`, `layers`, `records`, `references`, `leases`).

use std::path::{Path, PathBuf};

use crate::engine::domain::{Digest, ImageReference};

/// Paths below `data/images`. Nothing is created by naming them.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Every directory that must exist.
    pub(super) fn directories(&self) -> [PathBuf; 9] {
        [
            self.root.join("blobs/sha256"),
            self.root.join("blobs/sha512"),
            self.layers(),
            self.records(),
            self.held(),
            self.references(),
            self.ingest(),
            self.leases(),
            self.trash(),
        ]
    }

    pub(super) fn blobs(&self, algorithm: &str) -> PathBuf {
        self.root.join("blobs").join(algorithm)
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs(digest.algorithm().as_str()).join(digest.hex())
    }

    /// What is being received, unpacked, and the locks of who does it.
    pub(super) fn ingest(&self) -> PathBuf {
        self.root.join("ingest")
    }

    pub(super) fn partial_blob(&self, digest: &Digest) -> PathBuf {
        self.ingest().join(format!("{}.part", digest.hex()))
    }

    /// Locked by whoever writes the blob of this digest.
    pub(super) fn blob_lock(&self, digest: &Digest) -> PathBuf {
        self.ingest().join(format!("{}.blob.lock", digest.hex()))
    }

    /// Locked by whoever unpacks the layer of this `diff_id`, which for a plain tar is the blob's digest too.
    pub(super) fn layer_lock(&self, diff_id: &Digest) -> PathBuf {
        self.ingest().join(format!("{}.layer.lock", diff_id.hex()))
    }

    pub(super) fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    /// One layer's directory by its `diff_id`, or by its chain id when it depends on the layers below.
    pub(super) fn layer(&self, key: &Digest) -> PathBuf {
        self.layers().join(key.hex())
    }

    /// One file for each image, named after its id.
    pub(super) fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    pub(super) fn record(&self, id: &Digest) -> PathBuf {
        self.records().join(format!("{}.json", id.hex()))
    }

    /// Records of images that were removed while containers made of them stay.
    pub(super) fn held(&self) -> PathBuf {
        self.root.join("held")
    }

    pub(super) fn held_record(&self, id: &Digest) -> PathBuf {
        self.held().join(format!("{}.json", id.hex()))
    }

    pub(super) fn references(&self) -> PathBuf {
        self.root.join("refs")
    }

    /// `refs/REGISTRY/REPOSITORY/_tags/TAG.json`: no component of a repository begins with an underscore, so
    /// repositories and tags never meet. A port's colon becomes `+`, which no host name has.
    pub(super) fn reference(&self, reference: &ImageReference) -> PathBuf {
        let mut path = self.references().join(reference.registry().replace(':', "+"));
        path.extend(reference.repository().split('/'));
        path.join(TAGS).join(format!("{}.json", reference.tag_or_latest().as_str()))
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index.json")
    }

    pub(super) fn leases(&self) -> PathBuf {
        self.root.join("leases")
    }

    /// Held shared by whoever relies on content without a record yet, exclusively by whoever deletes content.
    pub(super) fn collection_lock(&self) -> PathBuf {
        self.root.join("collection.lock")
    }

    /// Directories on their way out.
    pub(super) fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

/// The directory of tags inside a repository's.
pub(super) const TAGS: &str = "_tags";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_own_place() {
        let layout = Layout::new(PathBuf::from("/s"));
        let digest = Digest::sha256_of(b"x");
        assert_eq!(layout.blob(&digest), Path::new("/s/blobs/sha256").join(digest.hex()));
        let path = |text: &str| layout.reference(&text.parse().unwrap());
        assert_eq!(path("py"), Path::new("/s/refs/docker.io/library/py/_tags/latest.json"));
        assert_eq!(path("127.0.0.1:5000/a/b:1"), Path::new("/s/refs/127.0.0.1+5000/a/b/_tags/1.json"));
        assert_eq!(path("[::1]:5000/a:x"), Path::new("/s/refs/[++1]+5000/a/_tags/x.json"));
    }
}
