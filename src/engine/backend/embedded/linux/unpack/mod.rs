//! How do layers get onto this machine's disk? The Linux extractor behind the image store's `Unpacker`.
//!
//! Deliberately elsewhere: blobs, digests and decompression (`images`); entering a user namespace (`linux`).
//! ENGINE.md of the design notes calls the rules: parents resolved in the root by openat2(2), leaves made anew.

mod apply;
mod archive;
mod attributes;
mod complete;
mod field;
mod fill;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod helper;
mod pax;
mod place;
mod privilege;
mod remove;
mod sparse;
#[cfg(test)]
mod tests;
mod tree;

use std::{
    ffi::CString,
    io::{self, BufRead},
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    helper::{HelperUnpacker, ROLE, unpack_role},
    privilege::Privilege,
};
use crate::engine::backend::embedded::images::unpacker::{UnpackLimits, UnpackReport, Unpacker};

/// The unpacker for whoever runs this program: root does it himself, an ordinary user with a range of ids sends a
/// helper, `binary` in its role, into a user namespace, and one without owns every file alone.
#[must_use]
pub fn unpacker_of_this_user(binary: PathBuf) -> Arc<dyn Unpacker> {
    if rustix::process::geteuid().is_root() {
        Arc::new(LayerUnpacker::new(Privilege::Root))
    } else if super::namespaces::id_ranges().is_some() {
        Arc::new(HelperUnpacker::new(binary))
    } else {
        Arc::new(LayerUnpacker::new(Privilege::SingleUser))
    }
}

/// Unpacks in this very process, with the rights it has.
#[derive(Clone, Copy, Debug)]
pub struct LayerUnpacker {
    privilege: Privilege,
}

impl LayerUnpacker {
    #[must_use]
    pub fn new(privilege: Privilege) -> Self {
        Self { privilege }
    }
}

impl Unpacker for LayerUnpacker {
    fn unpack(
        &self,
        stream: &mut dyn BufRead,
        target: &Path,
        limits: &UnpackLimits,
        files: &(dyn Fn(u64) + Sync),
    ) -> io::Result<UnpackReport> {
        apply::apply_layer(stream, target, self.privilege, limits, files)
    }

    fn complete(&self, layer: &Path, lowers: &[PathBuf], report: &UnpackReport) -> io::Result<()> {
        complete::complete_layer(layer, lowers, self.privilege, report)
    }

    /// The top-of-hierarchy flag, chattr(1) `T`. Without it ext4 puts a new layer where an old one was, and looks at
    /// each of the thousands of inodes deleted there a moment ago for every file it makes: pulling again what was just
    /// removed took three times as long.
    fn scatter(&self, parent: &Path) {
        let flagged = std::fs::File::open(parent).and_then(|directory| {
            let flags = rustix::fs::ioctl_getflags(&directory)?;
            if !flags.contains(rustix::fs::IFlags::TOPDIR) {
                rustix::fs::ioctl_setflags(&directory, flags | rustix::fs::IFlags::TOPDIR)?;
            }
            Ok(())
        });
        // Other file systems have no such flag and need none.
        drop(flagged);
    }

    fn settle(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(std::fs::File::open(path)?)?)
    }

    fn remove(&self, tree: &Path) -> io::Result<()> {
        let (Some(parent), Some(name)) = (tree.parent(), tree.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no directory entry"));
        };
        match std::fs::File::open(parent) {
            Ok(parent) => remove::remove_tree(parent.as_fd(), &CString::new(name.as_bytes())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}
