//! Which layers are unpacked here, and where do containers find them?
//!
//! A layer is a directory `fs` and a marker `layer.json`, published by one rename. The files are not synced: the marker
//! says in which boot they were written, and a layer of an earlier boot that was never settled is unpacked again from
//! its blob, which is synced. Deliberately elsewhere: the unpacking (`unpack_stream`), deleting (`collect`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    layout::Layout,
    unpacker::{UnpackReport, Unpacker},
};
use crate::engine::{
    backend::embedded::machine::Machine,
    domain::{Digest, Error, ErrorKind, Result},
};

/// The version of `layer.json`.
const FORMAT: u32 = 1;
const MARKER: &str = "layer.json";
const FILES: &str = "fs";

/// The unpacked layers of one store.
#[derive(Clone)]
pub(super) struct Layers {
    layout: Layout,
    machine: Machine,
    unpacker: Arc<dyn Unpacker>,
    boot: Arc<str>,
}

/// `layer.json`: what is in the directory beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LayerMarker {
    format: u32,
    pub diff_id: Digest,
    /// When the files were written, and whether they have reached the disk since.
    boot: String,
    #[serde(default)]
    settled: bool,
    pub report: UnpackReport,
}

/// A layer being unpacked; dropped unpublished, it is removed.
pub(super) struct Staging {
    layers: Layers,
    directory: PathBuf,
}

/// A layer that is here.
#[derive(Clone, Debug)]
pub(super) struct PublishedLayer {
    /// Its directory's name: the `diff_id`, or the chain id when its content depends on the layers below.
    pub key: Digest,
    pub report: UnpackReport,
}

impl Layers {
    pub(super) fn new(layout: Layout, machine: Machine, unpacker: Arc<dyn Unpacker>, boot: Arc<str>) -> Self {
        Self { layout, machine, unpacker, boot }
    }

    /// The layer as it can be used now: under its `diff_id`, else under its chain id.
    pub(super) fn find(&self, diff_id: &Digest, chain_id: &Digest) -> Option<PublishedLayer> {
        [diff_id, chain_id].into_iter().find_map(|key| {
            let marker = self.marker(key).filter(|marker| marker.diff_id == *diff_id && self.is_sound(marker))?;
            Some(PublishedLayer { key: key.clone(), report: marker.report })
        })
    }

    /// Where the files of a layer are.
    pub(super) fn files(&self, key: &Digest) -> PathBuf {
        self.layout.layer(key).join(FILES)
    }

    /// An empty directory to unpack `diff_id` into, nobody else's.
    pub(super) fn stage(&self, diff_id: &Digest) -> Result<Staging> {
        let name = format!("{}.{}.layer", diff_id.short(), self.machine.unique());
        let staging = Staging { layers: self.clone(), directory: self.layout.ingest().join(name) };
        staging.clear()?;
        let files = staging.files();
        self.unpacker.scatter(&self.layout.ingest());
        self.machine.disk.create_dir_all(&files).map_err(|error| Error::io("making a layer's directory", error))?;
        Ok(staging)
    }

    /// Makes the layer visible under its key. Somebody else's sound one is kept, a broken one replaced. `lowers` are
    /// the directories below, topmost first, for a layer that depends on them.
    pub(super) fn publish(
        &self,
        staging: Staging,
        diff_id: &Digest,
        chain_id: &Digest,
        report: UnpackReport,
        lowers: &[PathBuf],
    ) -> Result<PublishedLayer> {
        let failed = |error| Error::io("publishing a layer", error);
        let key = if report.is_contextual() && !lowers.is_empty() {
            self.unpacker
                .complete(&staging.files(), lowers, &report)
                .map_err(|error| from_unpacker("completing a layer from those below", error))?;
            chain_id.clone()
        } else {
            diff_id.clone()
        };
        let marker = LayerMarker {
            format: FORMAT,
            diff_id: diff_id.clone(),
            boot: self.boot.to_string(),
            settled: false,
            report,
        };
        self.write_marker(&staging.directory.join(MARKER), &marker).map_err(failed)?;
        let place = self.layout.layer(&key);
        // Renaming onto a directory works only while it is empty, so there is one winner.
        while let Err(error) = self.machine.disk.rename(&staging.directory, &place) {
            let found = self.marker(&key).is_some_and(|marker| self.is_sound(&marker));
            if found {
                break;
            }
            if !self.machine.disk.exists(&place) {
                return Err(failed(error));
            }
            self.discard(&key)?;
        }
        Ok(PublishedLayer { key, report: marker.report })
    }

    /// Takes a layer out of sight and removes it.
    pub(super) fn discard(&self, key: &Digest) -> Result<()> {
        let hidden = self.hide(key.hex())?;
        self.remove(&hidden)
    }

    /// Moves the layer of that directory name to the trash, where nobody looks for it; gone already is fine.
    pub(super) fn hide(&self, name: &str) -> Result<PathBuf> {
        let hidden = self.layout.trash().join(format!("{name}.{}", self.machine.unique()));
        match self.machine.disk.rename(&self.layout.layers().join(name), &hidden) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("removing a layer", error)),
            Ok(()) | Err(_) => Ok(hidden),
        }
    }

    /// Removes a tree that may hold files of other ids.
    pub(super) fn remove(&self, tree: &Path) -> Result<()> {
        self.unpacker.remove(tree).map_err(|error| Error::io("removing a layer's files", error))
    }

    /// Writes all layers of this boot to the disk, so that the next boot need not unpack them again. May take as long
    /// as the disk needs; `Ok(false)` when there was nothing to do.
    pub(super) fn settle(&self) -> Result<bool> {
        let failed = |error| Error::io("settling layers", error);
        let names = self.machine.disk.list(&self.layout.layers()).map_err(failed)?;
        let waiting: Vec<(PathBuf, LayerMarker)> = names
            .iter()
            .filter_map(|entry| {
                let path = self.layout.layers().join(&entry.name).join(MARKER);
                let marker = self.read_marker(&path)?;
                (!marker.settled && *marker.boot == *self.boot).then_some((path, marker))
            })
            .collect();
        if waiting.is_empty() {
            return Ok(false);
        }
        self.unpacker.settle(&self.layout.layers()).map_err(failed)?;
        for (path, marker) in waiting {
            // The layer may have been removed meanwhile; then nothing needs to be said about it.
            let _ = self.write_marker(&path, &LayerMarker { settled: true, ..marker });
        }
        Ok(true)
    }

    pub(super) fn unpacker(&self) -> &dyn Unpacker {
        &*self.unpacker
    }

    fn marker(&self, key: &Digest) -> Option<LayerMarker> {
        self.read_marker(&self.layout.layer(key).join(MARKER))
    }

    /// `None` for a missing or torn marker: then there is no layer.
    fn read_marker(&self, path: &Path) -> Option<LayerMarker> {
        let bytes = self.machine.disk.read(path).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|marker: &LayerMarker| marker.format == FORMAT)
    }

    fn write_marker(&self, path: &Path, marker: &LayerMarker) -> io::Result<()> {
        self.machine.disk.write_atomic(path, &serde_json::to_vec(marker)?)
    }

    fn is_sound(&self, marker: &LayerMarker) -> bool {
        marker.settled || *marker.boot == *self.boot
    }
}

impl Staging {
    pub(super) fn files(&self) -> PathBuf {
        self.directory.join(FILES)
    }

    fn clear(&self) -> Result<()> {
        self.layers.remove(&self.directory)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Published, there is nothing here any more. A leftover goes with the next collection.
        let _ = self.clear();
    }
}

/// An unpacker's failure in the store's words: bad archives are the image's fault, the rest this machine's.
pub(super) fn from_unpacker(doing: &str, error: io::Error) -> Error {
    if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) {
        return Error::new(ErrorKind::Corrupt, format!("{doing}: {error}"))
            .remedy("the image itself is broken: tell whoever made it")
            .caused_by(error);
    }
    Error::io(doing, error)
}
