//! What is deleted when nothing needs it any more?
//!
//! Needed is what a record names and what a living lease keeps; everything else goes. Deliberately elsewhere: which
//! records go (`remove`).

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{leases::CollectionGuard, records::ImageRecord, store::ImageStore};
use crate::engine::{
    backend::embedded::disk::{EntryKind, is_temporary},
    domain::{Digest, Error, Result, Verb},
};

/// What to do with downloads that were interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partials {
    /// Somebody may want to go on.
    Keep,
    Drop,
}

/// What a collection deleted.
#[derive(Debug)]
pub(super) struct Collected {
    /// Directories' names of deleted layers.
    pub layers: HashSet<String>,
    /// Bytes of deleted blobs.
    pub bytes: u64,
    /// Whether `index.json` says so: written last, when there is room again.
    pub index: Result<()>,
}

impl ImageStore {
    /// Deletes every blob and layer without an owner. The names go while `guard` is held, the layers' files after.
    pub(super) fn collect(&self, guard: CollectionGuard, partials: Partials) -> Result<Collected> {
        let leased = self.leases.living()?;
        let mut records = self.records.images()?;
        records.extend(self.records.held()?);
        let mut collected = Collected { layers: HashSet::new(), bytes: 0, index: Ok(()) };
        self.collect_blobs(&records, &leased.digests, &mut collected)?;
        self.collect_layers(&records, &leased.digests, &mut collected)?;
        self.clear_guarded_temporaries()?;
        if leased.leases == 0 {
            self.clear_ingest(partials)?;
            self.clear_temporaries(&self.layout.blobs("sha256"))?;
            self.clear_temporaries(&self.layout.blobs("sha512"))?;
        }
        self.clear_empty_repositories()?;
        collected.index = self.write_index();
        drop(guard);
        self.empty_trash()?;
        Ok(collected)
    }

    /// Clears what killed processes left: dead leases, directories half-unpacked, layers half-deleted. Interrupted
    /// downloads and whole blobs stay, for whoever pulls again.
    ///
    /// # Errors
    /// `Busy` when somebody holds the store for long; the disk's.
    pub fn sweep(&self) -> Result<()> {
        if self.is_swept() {
            return Ok(()); // An idle store is not written to.
        }
        let guard = self.leases.exclude(Verb::Repair)?;
        self.clear_guarded_temporaries()?;
        if self.leases.living()?.leases == 0 {
            self.clear_ingest(Partials::Keep)?;
            self.clear_temporaries(&self.layout.blobs("sha256"))?;
            self.clear_temporaries(&self.layout.blobs("sha512"))?;
        }
        drop(guard);
        self.empty_trash()
    }

    fn is_swept(&self) -> bool {
        let directories = [self.layout.ingest(), self.layout.leases(), self.layout.trash()];
        let emptied = directories.iter().all(|directory| {
            let entries = self.disk.list(directory);
            entries.is_ok_and(|entries| entries.iter().all(|entry| entry.name.ends_with(".part")))
        });
        let blobs = ["sha256", "sha512"].map(|algorithm| self.layout.blobs(algorithm));
        emptied
            && self.guarded_directories().is_ok_and(|directories| {
                directories.iter().chain(&blobs).all(|directory| {
                    let entries = self.disk.list(directory);
                    entries.is_ok_and(|entries| !entries.iter().any(|entry| is_temporary(&entry.name)))
                })
            })
    }

    /// Removes what earlier deletions left, for example because they were killed.
    pub(super) fn empty_trash(&self) -> Result<()> {
        let trash = self.layout.trash();
        let entries = self.disk.list(&trash).map_err(|error| Error::io("listing deleted layers", error))?;
        entries.iter().try_for_each(|entry| self.layers.remove(&trash.join(&entry.name)))
    }

    fn collect_blobs(
        &self,
        records: &[ImageRecord],
        leased: &HashSet<Digest>,
        collected: &mut Collected,
    ) -> Result<()> {
        let named = records.iter().flat_map(ImageRecord::needed);
        let needed: HashSet<&Digest> = named.chain(leased).collect();
        for algorithm in ["sha256", "sha512"] {
            let directory = self.layout.blobs(algorithm);
            for entry in self.disk.list(&directory).map_err(|error| Error::io("listing blobs", error))? {
                let digest = format!("{algorithm}:{}", entry.name).parse::<Digest>();
                // Other names are temporary files of a running writer, or of a dead one.
                let Ok(digest) = digest else { continue };
                if !needed.contains(&digest) {
                    collected.bytes += self.blobs.size(&digest).unwrap_or_default();
                    self.blobs.delete(&digest)?;
                }
            }
        }
        Ok(())
    }

    fn collect_layers(
        &self,
        records: &[ImageRecord],
        leased: &HashSet<Digest>,
        collected: &mut Collected,
    ) -> Result<()> {
        let named = records.iter().flat_map(|record| &record.layers).map(|layer| &layer.key);
        let needed: HashSet<&str> = named.chain(leased).map(Digest::hex).collect();
        let directory = self.layout.layers();
        for entry in self.disk.list(&directory).map_err(|error| Error::io("listing layers", error))? {
            if !needed.contains(entry.name.as_str()) {
                self.layers.hide(&entry.name)?;
                collected.layers.insert(entry.name);
            }
        }
        Ok(())
    }

    /// Where files are written under the guard: a half-written one seen there by its holder is nobody's.
    pub(super) fn guarded_directories(&self) -> Result<Vec<PathBuf>> {
        let mut directories = vec![self.layout.root().to_owned(), self.layout.records(), self.layout.held()];
        let mut repositories = vec![self.layout.references()];
        while let Some(directory) = repositories.pop() {
            let entries = self.disk.list(&directory).map_err(|error| Error::io("listing tags", error))?;
            let inner = entries.into_iter().filter(|entry| entry.kind == EntryKind::Directory);
            repositories.extend(inner.map(|entry| directory.join(entry.name)));
            directories.push(directory);
        }
        Ok(directories)
    }

    fn clear_guarded_temporaries(&self) -> Result<()> {
        self.guarded_directories()?.iter().try_for_each(|directory| self.clear_temporaries(directory))
    }

    /// Directories of tags that were never written, or whose removal was cut. Inner ones first.
    fn clear_empty_repositories(&self) -> Result<()> {
        let mut directories = self.guarded_directories()?;
        let top = self.layout.references();
        directories.retain(|directory| directory.starts_with(&top) && *directory != top);
        directories.sort_by_key(|directory| std::cmp::Reverse(directory.components().count()));
        for directory in directories {
            if self.disk.list(&directory).is_ok_and(|entries| entries.is_empty()) {
                // Left behind it holds no tag, and is found again.
                let _ = self.disk.remove_tree(&directory);
            }
        }
        Ok(())
    }

    /// Removes half-written files where nobody writes now.
    fn clear_temporaries(&self, directory: &Path) -> Result<()> {
        let entries = self.disk.list(directory).map_err(|error| Error::io("listing the image store", error))?;
        for entry in entries.iter().filter(|entry| is_temporary(&entry.name)) {
            // Left to the next collection when it cannot go now.
            let _ = self.disk.remove_file(&directory.join(&entry.name));
        }
        Ok(())
    }

    /// Without any lease nobody receives or unpacks: what lies in `ingest` is from the dead.
    fn clear_ingest(&self, partials: Partials) -> Result<()> {
        let ingest = self.layout.ingest();
        for entry in self.disk.list(&ingest).map_err(|error| Error::io("listing downloads", error))? {
            let path = ingest.join(&entry.name);
            if !is_ingested(&entry.name) || (is_partial(&entry.name) && partials == Partials::Keep) {
                continue;
            }
            if entry.name.ends_with(".layer") {
                self.layers.remove(&path)?;
            } else {
                // Another collection may have been here first.
                let _ = self.disk.remove_file(&path);
            }
        }
        Ok(())
    }
}

/// A download that can go on.
pub(super) fn is_partial(name: &str) -> bool {
    name.ends_with(".part")
}

/// What pulls put into `ingest`; anything else there is not ours.
pub(super) fn is_ingested(name: &str) -> bool {
    is_partial(name) || [".layer", ".lock"].iter().any(|end| name.ends_with(end)) || is_temporary(name)
}
