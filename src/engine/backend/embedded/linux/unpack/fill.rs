//! How does an empty volume get what the image has at its place? A copy beside it, then one rename for each entry.
//!
//! Docker's rule: a volume with nothing in it is filled when a container with something there is created. The volume's
//! own directory is never replaced, for a running container may have it mounted. Deliberately elsewhere: which volumes
//! (`containers::volumes`), the process this runs in (`helper`).

use std::{
    collections::HashMap,
    ffi::CStr,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{self, AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags},
    io::Errno,
};

use super::{attributes::Attributes, privilege::Privilege, remove::remove_tree, tree::is_whiteout};
use crate::engine::backend::embedded::linux::{
    ids::Ids,
    namespaces::leave_mounts,
    overlay::{Marks, open_merged},
};

/// The content, a copy being made, and a copy that is whole; all in the volume's directory.
const DATA: &CStr = c"data";
const FILLING: &CStr = c"filling";
const FILLED: &CStr = c"filled";

/// See `Kernel::fill_volume`. To be called in a process with one thread, after it has entered its user namespace.
pub(super) fn fill(volume: &Path, lowers: &[PathBuf], path: &Path, ids: Ids) -> io::Result<()> {
    let (privilege, marks) = match ids {
        Ids::All => (Privilege::Root, Marks::Trusted),
        Ids::Ranges => (Privilege::MappedRoot, Marks::User),
        Ids::Single => (Privilege::SingleUser, Marks::User),
    };
    let volume_dir = fs::open(volume, DIRECTORY, Mode::empty())?;
    let data = fs::openat(&volume_dir, DATA, DIRECTORY, Mode::empty())?;
    let filled = match fs::openat(&volume_dir, FILLED, DIRECTORY, Mode::empty()) {
        Ok(filled) => filled,
        Err(Errno::NOENT) if !is_empty(&data)? => return Ok(()),
        Err(Errno::NOENT) => {
            remove_tree(volume_dir.as_fd(), FILLING)?;
            leave_mounts()?;
            let image = open_merged(lowers, volume, marks).map_err(io::Error::other)?;
            let Some(source) = directory_in(&image, path)? else { return Ok(()) };
            fs::mkdirat(&volume_dir, FILLING, Mode::RWXU)?;
            let filling = fs::openat(&volume_dir, FILLING, DIRECTORY, Mode::empty())?;
            if let Err(error) = copy_tree(&source, &filling, privilege) {
                // The error that brought us here is the one to tell; a leftover goes with the next try.
                let _ = remove_tree(volume_dir.as_fd(), FILLING);
                return Err(error);
            }
            fs::renameat(&volume_dir, FILLING, &volume_dir, FILLED)?;
            filling
        }
        Err(error) => return Err(error.into()),
    };
    let attributes = Attributes::read(filled.as_fd())?;
    for name in names(&filled)? {
        match fs::renameat_with(&filled, &name, &data, &name, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            // Somebody who uses the volume was quicker: theirs stays.
            Err(Errno::EXIST | Errno::NOTEMPTY) => remove_tree(filled.as_fd(), &name)?,
            Err(error) => return Err(error.into()),
        }
    }
    attributes.apply(data.as_fd(), privilege)?;
    remove_tree(volume_dir.as_fd(), FILLED)
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The directory at `path`, links followed inside the image; `None` when it has none there.
fn directory_in(image: &OwnedFd, path: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match fs::openat2(image, path.as_os_str().as_bytes(), flags, Mode::empty(), resolve) {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Copies everything below `from`, and the attributes of `from` itself. Directories get theirs last, innermost
/// first, because filling one changes its times and may need rights it takes away.
fn copy_tree(from: &OwnedFd, to: &OwnedFd, privilege: Privilege) -> io::Result<()> {
    let mut copy = Copy { from, to, privilege, links: HashMap::new() };
    let mut directories = vec![b".".to_vec()];
    let mut next = 0;
    while let Some(path) = directories.get(next).cloned() {
        directories.extend(copy.directory(&path)?);
        next += 1;
    }
    for path in directories.iter().rev() {
        Attributes::read(below(from, path)?.as_fd())?.apply(below(to, path)?.as_fd(), privilege)?;
    }
    Ok(())
}

struct Copy<'a> {
    from: &'a OwnedFd,
    to: &'a OwnedFd,
    privilege: Privilege,
    /// Where the first name of a file with several was put.
    links: HashMap<(u64, u64), Vec<u8>>,
}

impl Copy<'_> {
    /// Copies what lies in one directory; returns the directories among it, made and still empty.
    fn directory(&mut self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let (source, target) = (below(self.from, path)?, below(self.to, path)?);
        let mut directories = Vec::new();
        for name in names(&source)? {
            let stat = fs::statat(&source, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            let full = [path, b"/", name.to_bytes()].concat();
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    fs::mkdirat(&target, &name, Mode::RWXU)?;
                    directories.push(full);
                }
                FileType::RegularFile => self.file(&source, &target, &name, &stat, full)?,
                FileType::Symlink => {
                    fs::symlinkat(fs::readlinkat(&source, &name, Vec::new())?, &target, &name)?;
                    described(&stat).apply_unopened(target.as_fd(), name.to_bytes(), self.privilege)?;
                }
                FileType::CharacterDevice if is_whiteout(&stat) => {}
                kind @ (FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice) => {
                    if kind == FileType::Fifo || self.privilege.makes_devices() {
                        let mode = Mode::from_raw_mode(self.privilege.mode(stat.st_mode));
                        fs::mknodat(&target, &name, kind, mode, stat.st_rdev)?;
                        described(&stat).apply_unopened(target.as_fd(), name.to_bytes(), self.privilege)?;
                        // The umask took bits away; the node is ours and new, so there is no link to follow.
                        fs::chmodat(&target, &name, mode, AtFlags::empty())?;
                    }
                }
                // Nobody listens behind a socket of an image.
                FileType::Socket | FileType::Unknown => {}
            }
        }
        Ok(directories)
    }

    fn file(
        &mut self,
        source: &OwnedFd,
        target: &OwnedFd,
        name: &CStr,
        stat: &fs::Stat,
        full: Vec<u8>,
    ) -> io::Result<()> {
        if stat.st_nlink > 1 {
            let known = self.links.entry((stat.st_dev, stat.st_ino)).or_insert_with(|| full.clone());
            if *known != full {
                return Ok(fs::linkat(self.to, known.as_slice(), target, name, AtFlags::empty())?);
            }
        }
        let from = fs::openat(source, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = fs::openat(target, name, flags, Mode::RUSR | Mode::WUSR)?;
        io::copy(&mut std::fs::File::from(from.try_clone()?), &mut std::fs::File::from(to.try_clone()?))?;
        Attributes::read(from.as_fd())?.apply(to.as_fd(), self.privilege)
    }
}

/// Owner and times of what cannot be opened.
fn described(stat: &fs::Stat) -> Attributes {
    let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or_default();
    let mtime = (stat.st_mtime, nanos);
    Attributes { mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid, mtime, xattrs: Vec::new() }
}

/// A directory of the tree; none of ours and none of the image's is reached through a link.
fn below(root: &OwnedFd, path: &[u8]) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    Ok(fs::openat2(root, path, DIRECTORY, Mode::empty(), resolve)?)
}

fn names(directory: &OwnedFd) -> io::Result<Vec<std::ffi::CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

fn is_empty(directory: &OwnedFd) -> io::Result<bool> {
    Ok(names(directory)?.is_empty())
}
