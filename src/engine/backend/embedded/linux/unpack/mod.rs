//! How do layers get onto this machine's disk? The Linux extractor behind the image store's `Unpacker`.
//!
//! Deliberately elsewhere: blobs, digests and decompression (`images`); entering a user namespace (`linux`).
//! ENGINE.md of the design notes calls the rules: parents resolved in the root by openat2(2), leaves made anew.

mod apply;
mod archive;
mod attributes;
mod complete;
mod field;
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
};

pub use self::privilege::Privilege;
use crate::engine::backend::embedded::images::unpacker::{UnpackLimits, UnpackReport, Unpacker};

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
