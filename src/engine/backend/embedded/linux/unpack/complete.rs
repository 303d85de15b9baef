//! What do the layers below add to a layer? Attributes of directories it only implies, and files it links to.
//!
//! Deliberately elsewhere: when this happens and which directory the result gets (`images::layers`).

use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{self, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{
    attributes::Attributes, field::malformed, place::Place, privilege::Privilege, remove::remove_tree,
    tree::is_whiteout,
};
use crate::engine::backend::embedded::images::unpacker::{LowerLink, UnpackReport};

/// See `Unpacker::complete`.
pub(super) fn complete_layer(
    layer: &Path,
    lowers: &[PathBuf],
    privilege: Privilege,
    report: &UnpackReport,
) -> io::Result<()> {
    let own = open_root(layer)?;
    let lowers = lowers.iter().map(|lower| open_root(lower)).collect::<io::Result<Vec<_>>>()?;
    for path in &report.implied {
        if let Some(found) = find(&lowers, &path.0, privilege)?
            && found.kind == FileType::Directory
        {
            let from = open(&found, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let to = inside(&own, &path.0, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
            Attributes::read(from.as_fd())?.apply(to.as_fd(), privilege)?;
        }
    }
    report.links.iter().try_for_each(|link| copy_up(&own, &lowers, link, privilege))
}

/// What the layers below show at a path.
struct Found<'a> {
    root: &'a OwnedFd,
    path: Vec<u8>,
    kind: FileType,
}

/// The topmost thing at `path` that no whiteout or opaque directory hides.
fn find<'a>(lowers: &'a [OwnedFd], path: &[u8], privilege: Privilege) -> io::Result<Option<Found<'a>>> {
    for root in lowers {
        let mut walked = Vec::new();
        let mut hides = false;
        for part in path.split(|byte| *byte == b'/') {
            walked = if walked.is_empty() { part.to_vec() } else { [&walked, part].map(<[u8]>::to_vec).join(&b'/') };
            let node = match inside(root, &walked, OFlags::PATH | OFlags::NOFOLLOW) {
                Ok(node) => node,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            let stat = fs::fstat(&node)?;
            let kind = FileType::from_raw_mode(stat.st_mode);
            if is_whiteout(&stat) {
                return Ok(None);
            }
            if walked == path {
                return Ok(Some(Found { root, path: walked, kind }));
            }
            if kind != FileType::Directory {
                return Ok(None);
            }
            hides |= is_opaque(root, &walked, privilege)?;
        }
        if hides {
            return Ok(None);
        }
    }
    Ok(None)
}

fn is_opaque(root: &OwnedFd, path: &[u8], privilege: Privilege) -> io::Result<bool> {
    let directory = inside(root, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
    let mut value = [0; 1];
    match fs::fgetxattr(&directory, privilege.opaque_attribute(), &mut value) {
        Ok(_) => Ok(value == *b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives this layer its own copy of a file below, under the link's name.
fn copy_up(own: &OwnedFd, lowers: &[OwnedFd], link: &LowerLink, privilege: Privilege) -> io::Result<()> {
    let missing = || malformed(format!("{} is a hard link to {}, which no layer has", link.at, link.target));
    let found = find(lowers, &link.target.0, privilege)?.ok_or_else(missing)?;
    let place = Place::of(&link.at.0)?.ok_or_else(missing)?;
    let parent = match place.parent.as_slice() {
        [] => b".".as_slice(),
        parent => parent,
    };
    let parent = inside(own, parent, OFlags::RDONLY | OFlags::DIRECTORY)?;
    remove_tree(parent.as_fd(), &CString::new(place.name.as_slice())?)?;
    if found.kind == FileType::Symlink {
        let target = fs::readlinkat(found.root, found.path.as_slice(), Vec::new())?;
        return Ok(fs::symlinkat(target, &parent, place.name.as_slice())?);
    }
    if found.kind != FileType::RegularFile {
        return Err(malformed(format!("{} is a hard link to {}, which is no file", link.at, link.target)));
    }
    let from = open(&found, OFlags::RDONLY)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let to = fs::openat(&parent, place.name.as_slice(), flags, Mode::RUSR | Mode::WUSR)?;
    io::copy(&mut std::fs::File::from(from.try_clone()?), &mut std::fs::File::from(to.try_clone()?))?;
    Attributes::read(from.as_fd())?.apply(to.as_fd(), privilege)
}

fn open(found: &Found<'_>, access: OFlags) -> io::Result<OwnedFd> {
    inside(found.root, &found.path, access | OFlags::NOFOLLOW)
}

fn inside(root: &OwnedFd, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
    loop {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

fn open_root(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(fs::openat(fs::CWD, path, flags, Mode::empty())?)
}
