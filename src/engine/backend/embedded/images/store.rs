//! What is one image store? Its parts, opened together.
//!
//! Deliberately elsewhere: each verb (`pull`, `catalog`, `remove`, …) in its own file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    blobs::Blobs,
    layers::Layers,
    layout::Layout,
    leases::Leases,
    records::{ImageRecord, Records},
    unpacker::Unpacker,
};
use crate::engine::{
    backend::embedded::{disk::Disk, machine::Machine},
    domain::{Error, Result},
};

/// `oci-layout`: the directory is an OCI image layout. image-layout.md.
const LAYOUT_VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The images of one embedded engine. Cloning is cheap; any number of processes may have the same store open.
#[derive(Clone)]
pub struct ImageStore {
    pub(super) layout: Layout,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) machine: Machine,
    pub(super) blobs: Blobs,
    pub(super) layers: Layers,
    pub(super) records: Records,
    pub(super) leases: Leases,
}

impl ImageStore {
    /// Opens the store in `root` (`data/images`), making what is missing. `boot` identifies this boot of the machine:
    /// unpacked layers that an earlier boot did not settle are not trusted.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(root: &Path, machine: Machine, unpacker: Arc<dyn Unpacker>, boot: &str) -> Result<Self> {
        let layout = Layout::new(root.to_owned());
        let disk = &machine.disk;
        let failed = |error| Error::io("opening the image store", error).on(root.display());
        for directory in layout.directories() {
            if !disk.exists(&directory) {
                disk.create_dir_all(&directory).map_err(failed)?;
            }
        }
        let version = layout.root().join("oci-layout");
        // A power cut may have left an empty one.
        if !disk.read(&version).is_ok_and(|there| there == LAYOUT_VERSION) {
            match disk.write_durable(&version, LAYOUT_VERSION) {
                // Somebody else opened it meanwhile, or the disk is full or read-only: only other tools read it.
                Err(_) if disk.exists(&version) => {}
                outcome => outcome.map_err(failed)?,
            }
        }
        Ok(Self {
            blobs: Blobs::new(layout.clone(), machine.clone()),
            layers: Layers::new(layout.clone(), machine.clone(), unpacker, boot.into()),
            records: Records::new(layout.clone(), Arc::clone(disk)),
            leases: Leases::new(layout.clone(), machine.clone()),
            disk: Arc::clone(disk),
            layout,
            machine,
        })
    }

    /// The directories of an image's layers, topmost first, as an overlay wants them: each once, and nothing below a
    /// layer that hides everything.
    #[must_use]
    pub fn lowers(&self, record: &ImageRecord) -> Vec<PathBuf> {
        let mut lowers: Vec<PathBuf> = Vec::with_capacity(record.layers.len());
        for layer in record.layers.iter().rev() {
            let files = self.layers.files(&layer.key);
            // The same layer further down adds nothing that its upper twin does not show.
            if !lowers.contains(&files) {
                lowers.push(files);
            }
            if layer.opaque {
                break;
            }
        }
        lowers
    }

    /// Writes unpacked layers to the disk for good, so that the next boot need not unpack them again. Call when there
    /// is time: it may take as long as the disk needs. `Ok(false)` when there was nothing to do.
    pub fn settle(&self) -> Result<bool> {
        self.layers.settle()
    }
}
