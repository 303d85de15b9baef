//! How does a whole layer become a directory? Member by member, within limits, to the end of the stream.
//!
//! Deliberately elsewhere: each kind of file (`tree`), what the layers below must add (`complete`).

use std::{
    io::{self, BufRead},
    path::Path,
};

use rustix::fs::FileType;

use super::{
    archive::{Archive, Entry, EntryKind},
    attributes::Attributes,
    field::malformed,
    place::{Place, Target},
    privilege::Privilege,
    tree::{Linked, Tree, shown},
};
use crate::engine::backend::embedded::images::unpacker::{
    LayerPath, LowerLink, RootAttributes, UnpackLimits, UnpackReport,
};

/// Skipped members reported by name.
const SKIPPED_SHOWN: usize = 20;
/// Progress is told once in so many members.
const REPORT_EVERY: u64 = 128;

/// Applies the layer in `stream` to the empty directory `target`; see `Unpacker::unpack`.
pub(super) fn apply_layer(
    stream: &mut dyn BufRead,
    target: &Path,
    privilege: Privilege,
    limits: &UnpackLimits,
    files: &dyn Fn(u64),
) -> io::Result<UnpackReport> {
    let mut layer = Layer {
        archive: Archive::new(stream),
        tree: Tree::open(target, privilege)?,
        privilege,
        report: UnpackReport::default(),
        late_links: Vec::new(),
    };
    while let Some(entry) = layer.archive.next_entry()? {
        layer.report.members += 1;
        if !matches!(entry.kind, EntryKind::HardLink) {
            layer.report.bytes = layer.report.bytes.saturating_add(entry.stored());
        }
        if layer.report.members > limits.members || layer.report.bytes > limits.bytes {
            return Err(malformed(format!(
                "the layer is larger than its blob can honestly hold ({} members, {} bytes)",
                layer.report.members, layer.report.bytes
            )));
        }
        let path = entry.path.clone();
        layer.apply(entry).map_err(|error| naming(error, &path))?;
        if layer.report.members.is_multiple_of(REPORT_EVERY) {
            files(layer.report.members);
        }
    }
    layer.finish(files)
}

struct Layer<'a> {
    archive: Archive<&'a mut dyn BufRead>,
    tree: Tree,
    privilege: Privilege,
    report: UnpackReport,
    /// Hard links met before their targets.
    late_links: Vec<(Place, Place)>,
}

impl Layer<'_> {
    fn apply(&mut self, mut entry: Entry) -> io::Result<()> {
        match Target::of(&entry.path)? {
            Target::Opaque(directory) if directory.is_empty() => {
                self.report.opaque_root = true;
                Ok(())
            }
            Target::Opaque(directory) => self.tree.opaque(&directory),
            Target::Whiteout(place) => self.tree.whiteout(&place),
            Target::Root => {
                let attributes = Attributes::of(&mut entry);
                let Attributes { mode, uid, gid, .. } = attributes;
                self.report.root = Some(RootAttributes { mode, uid, gid });
                self.tree.describe_root(attributes);
                Ok(())
            }
            Target::Make(place) => self.make(&place, entry),
        }
    }

    fn make(&mut self, place: &Place, mut entry: Entry) -> io::Result<()> {
        let attributes = Attributes::of(&mut entry);
        match entry.kind {
            EntryKind::Directory => self.tree.directory(place, attributes),
            EntryKind::File => {
                let holes = entry.extents.as_deref().map(|extents| (extents, entry.size));
                self.tree.file(place, &attributes, &mut self.archive, holes)
            }
            EntryKind::Symlink if entry.link.is_empty() || entry.link.contains(&0) => {
                Err(malformed("its link target is empty or holds a NUL byte"))
            }
            EntryKind::Symlink => self.tree.symlink(place, &entry.link, &attributes),
            EntryKind::HardLink => {
                let target = Place::of(&entry.link)?.ok_or_else(|| malformed("it is a hard link to the root"))?;
                if self.tree.hard_link(place, &target)? == Linked::TargetMissing {
                    self.late_links.push((place.clone(), target));
                }
                Ok(())
            }
            EntryKind::Fifo => self.tree.node(place, FileType::Fifo, (0, 0), &attributes),
            EntryKind::CharDevice => self.device(place, FileType::CharacterDevice, &entry, &attributes),
            EntryKind::BlockDevice => self.device(place, FileType::BlockDevice, &entry, &attributes),
        }
    }

    fn device(&mut self, place: &Place, kind: FileType, entry: &Entry, attributes: &Attributes) -> io::Result<()> {
        // 0:0 is the overlay's own whiteout; an archive says `.wh.` when it means that.
        if !self.privilege.makes_devices() || entry.device == (0, 0) {
            if self.report.skipped.len() < SKIPPED_SHOWN {
                self.report.skipped.push(shown(place));
            }
            return Ok(());
        }
        self.tree.node(place, kind, entry.device, attributes)
    }

    fn finish(mut self, files: &dyn Fn(u64)) -> io::Result<UnpackReport> {
        for (place, target) in std::mem::take(&mut self.late_links) {
            let linked = self.tree.hard_link(&place, &target).map_err(|error| naming(error, &place.path()))?;
            if linked == Linked::TargetMissing {
                let (at, target) = (LayerPath(place.path()), LayerPath(target.path()));
                self.report.links.push(LowerLink { at, target });
            }
        }
        self.report.implied = self.tree.finish()?.into_iter().map(LayerPath).collect();
        self.archive.drain()?;
        files(self.report.members);
        Ok(self.report)
    }
}

/// Says which member it was; the kind stays.
fn naming(error: io::Error, path: &[u8]) -> io::Error {
    let start = String::from_utf8_lossy(path.get(..path.len().min(200)).unwrap_or(path));
    io::Error::new(error.kind(), format!("{start:?}: {error}"))
}
