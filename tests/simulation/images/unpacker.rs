//! How does a layer become a directory in the simulation? One file with the archive's bytes, written through the
//! simulated disk, so that it is lost, torn and cut as real files are.
//!
//! An archive that begins with [`CONTEXTUAL`] depends on the layers below, as one with implied directories does.
//! Deliberately elsewhere: real archives (`linux::unpack`, with tests and fuzz targets of its own).

use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
};

use wharf::engine::backend::embedded::{
    disk::{Disk as _, EntryKind},
    images::unpacker::{LayerPath, UnpackLimits, UnpackReport, Unpacker},
};

use super::super::{disk::SimulatedDisk, scheduler::die};

/// The mark of an archive that leaves something to the layers below.
pub const CONTEXTUAL: &[u8] = b"implied";
/// Where the bytes are, below a layer's files.
pub const DATA: &str = "data";
/// What the layers below have given.
const COMPLETED: &str = "completed";

pub struct SimulatedUnpacker {
    pub disk: SimulatedDisk,
}

impl Unpacker for SimulatedUnpacker {
    fn unpack(
        &self,
        stream: &mut dyn BufRead,
        target: &Path,
        _limits: &UnpackLimits,
        files: &(dyn Fn(u64) + Sync),
    ) -> io::Result<UnpackReport> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        self.disk.create_exclusive(&target.join(DATA), &bytes)?;
        files(1);
        let implied = bytes.starts_with(CONTEXTUAL).then(|| LayerPath(b"dir".to_vec()));
        Ok(UnpackReport {
            members: 1,
            bytes: bytes.len() as u64,
            implied: implied.into_iter().collect(),
            ..UnpackReport::default()
        })
    }

    fn complete(&self, layer: &Path, lowers: &[PathBuf], _report: &UnpackReport) -> io::Result<()> {
        // What is below must be whole, or what is copied from it is not.
        for lower in lowers {
            self.disk.stat(&lower.join(DATA))?;
        }
        self.disk.write_atomic(&layer.join(COMPLETED), b"")
    }

    fn scatter(&self, _parent: &Path) {}

    /// As syncfs(2): everything below, contents and names.
    fn settle(&self, path: &Path) -> io::Result<()> {
        if !self.disk.world.step(self.disk.me, || format!("syncfs {}", path.display())) {
            die();
        }
        let mut open = vec![path.to_owned()];
        let mut state = self.disk.world.state();
        while let Some(directory) = open.pop() {
            let inner: Vec<_> = state.files.entries(state.files.find(&directory)?)?.clone().into_iter().collect();
            for (name, inode) in inner {
                if state.files.entries(inode).is_ok() {
                    open.push(directory.join(name));
                } else {
                    state.files.sync_file(inode);
                }
            }
            state.files.sync_directory(&directory)?;
        }
        Ok(())
    }

    fn remove(&self, tree: &Path) -> io::Result<()> {
        match self.disk.stat(tree).map(|stat| stat.kind) {
            Ok(EntryKind::Directory) => self.disk.remove_tree(tree),
            Ok(EntryKind::File | EntryKind::Symlink | EntryKind::Other) => self.disk.remove_file(tree),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}
