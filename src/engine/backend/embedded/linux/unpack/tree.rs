//! How is a layer's directory written so that nothing outside it can ever be touched? Parents are resolved by the
//! kernel inside the root (openat2(2), RESOLVE_IN_ROOT), leaves are made anew and never followed.
//!
//! Deliberately elsewhere: what the archive asks for (`apply`), completion from lower layers (`complete`).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::CString,
    io::{self, BufRead},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    rc::Rc,
};

use rustix::{
    fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{
    attributes::{Attributes, set_opaque},
    field::malformed,
    place::Place,
    privilege::Privilege,
    remove::remove_tree,
    sparse::Extent,
};

/// Directory descriptors kept at most; several layers are unpacked at once, and the default limit is 1,024.
const DIRECTORIES: usize = 96;

/// A directory being filled from an archive.
pub(super) struct Tree {
    root: OwnedFd,
    privilege: Privilege,
    open: HashMap<Vec<u8>, Rc<OwnedFd>>,
    /// Directories nobody described, so far.
    implied: BTreeSet<Vec<u8>>,
    /// Attributes of directories, set at the end because filling a directory changes its time.
    described: BTreeMap<Vec<u8>, Attributes>,
}

/// What had to go to make room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Whiteout,
    Something,
}

/// Whether a hard link's target is in this layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linked {
    Done,
    TargetMissing,
}

impl Tree {
    pub(super) fn open(target: &Path, privilege: Privilege) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = fs::open(target, flags, Mode::empty())?;
        let (open, implied, described) = (HashMap::new(), BTreeSet::new(), BTreeMap::new());
        Ok(Self { root, privilege, open, implied, described })
    }

    pub(super) fn directory(&mut self, place: &Place, attributes: Attributes) -> io::Result<()> {
        let parent = self.parent(&place.parent)?;
        let path = place.path();
        match fs::mkdirat(&*parent, place.name.as_slice(), Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) if self.is_directory(&parent, place)? => {}
            Err(Errno::EXIST) => {
                let before = self.make_room(&parent, place)?;
                fs::mkdirat(&*parent, place.name.as_slice(), Mode::RWXU)?;
                if before == Before::Whiteout {
                    set_opaque(self.open_directory(&path)?, self.privilege)?;
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.implied.remove(&path);
        self.described.insert(path, attributes);
        Ok(())
    }

    /// The root directory's own attributes.
    pub(super) fn describe_root(&mut self, attributes: Attributes) {
        self.described.insert(Vec::new(), attributes);
    }

    /// A regular file; with `extents`, the data goes there and the rest is a hole.
    pub(super) fn file(
        &mut self,
        place: &Place,
        attributes: &Attributes,
        data: &mut impl BufRead,
        holes: Option<(&[Extent], u64)>,
    ) -> io::Result<()> {
        let parent = self.parent(&place.parent)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || fs::openat(&*parent, place.name.as_slice(), flags, Mode::RUSR | Mode::WUSR);
        let file = match create() {
            Err(Errno::EXIST) => {
                self.make_room(&parent, place)?;
                create()?
            }
            other => other?,
        };
        match holes {
            None => write_all(&file, data, 0, u64::MAX)?,
            Some((extents, size)) => {
                fs::ftruncate(&file, size)?;
                for extent in extents {
                    write_all(&file, data, extent.offset, extent.length)?;
                }
            }
        }
        attributes.apply(file.as_fd(), self.privilege)
    }

    pub(super) fn symlink(&mut self, place: &Place, target: &[u8], attributes: &Attributes) -> io::Result<()> {
        let parent = self.parent(&place.parent)?;
        let create = || fs::symlinkat(target, &*parent, place.name.as_slice());
        self.anew(&parent, place, create)?;
        attributes.apply_unopened(parent.as_fd(), &place.name, self.privilege)
    }

    /// A device or a pipe.
    pub(super) fn node(
        &mut self,
        place: &Place,
        kind: FileType,
        device: (u32, u32),
        attributes: &Attributes,
    ) -> io::Result<()> {
        let parent = self.parent(&place.parent)?;
        let mode = Mode::from_raw_mode(self.privilege.mode(attributes.mode));
        let number = fs::makedev(device.0, device.1);
        let create = || fs::mknodat(&*parent, place.name.as_slice(), kind, mode, number);
        self.anew(&parent, place, create)?;
        attributes.apply_unopened(parent.as_fd(), &place.name, self.privilege)?;
        // The umask took bits away; the node is ours and new, so there is no link to follow.
        Ok(fs::chmodat(&*parent, place.name.as_slice(), mode, AtFlags::empty())?)
    }

    pub(super) fn hard_link(&mut self, place: &Place, target: &Place) -> io::Result<Linked> {
        let parent = self.parent(&place.parent)?;
        let existing = match self.resolve(&target.parent, OFlags::PATH) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Linked::TargetMissing),
            Err(error) => return Err(error.into()),
        };
        let stat = match fs::statat(&existing, target.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if is_whiteout(&stat) => return Ok(Linked::TargetMissing),
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Linked::TargetMissing),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(malformed(format!("{} is a hard link to a directory", shown(place))));
        }
        if let Ok(own) = fs::statat(&*parent, place.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)
            && (own.st_dev, own.st_ino) == (stat.st_dev, stat.st_ino)
        {
            return Ok(Linked::Done);
        }
        let name = target.name.as_slice();
        let create = || fs::linkat(&existing, name, &*parent, place.name.as_slice(), AtFlags::empty());
        self.anew(&parent, place, create)?;
        Ok(Linked::Done)
    }

    /// Hides what lower layers have at `place`; what this layer has there stays.
    pub(super) fn whiteout(&mut self, place: &Place) -> io::Result<()> {
        let parent = self.parent(&place.parent)?;
        let mode = Mode::empty();
        match fs::mknodat(&*parent, place.name.as_slice(), FileType::CharacterDevice, mode, fs::makedev(0, 0)) {
            Err(Errno::EXIST) if self.is_directory(&parent, place)? => self.opaque(&place.path()),
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Hides what lower layers have in the directory at `path`.
    pub(super) fn opaque(&mut self, path: &[u8]) -> io::Result<()> {
        self.parent(path)?;
        set_opaque(self.open_directory(path)?, self.privilege)
    }

    /// Sets the attributes of directories, innermost first; tells which directories nobody described.
    pub(super) fn finish(mut self) -> io::Result<Vec<Vec<u8>>> {
        for (path, attributes) in std::mem::take(&mut self.described).iter().rev() {
            match self.open_directory(path) {
                Ok(directory) => attributes.apply(directory.as_fd(), self.privilege)?,
                // Replaced later by way of a link: last wins.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.implied.into_iter().collect())
    }

    /// The directory at `path`, made if it is missing.
    fn parent(&mut self, path: &[u8]) -> io::Result<Rc<OwnedFd>> {
        if let Some(directory) = self.open.get(path) {
            return Ok(Rc::clone(directory));
        }
        let directory = match self.resolve(path, OFlags::PATH) {
            Err(Errno::NOENT | Errno::NOTDIR) => self.make_parent(path)?,
            other => other?,
        };
        if self.open.len() >= DIRECTORIES {
            self.open.clear();
        }
        let directory = Rc::new(directory);
        self.open.insert(path.to_vec(), Rc::clone(&directory));
        Ok(directory)
    }

    fn make_parent(&mut self, path: &[u8]) -> io::Result<OwnedFd> {
        let place = Place::of(path)?.ok_or(Errno::NOENT)?;
        let above = self.parent(&place.parent)?;
        let mode = Mode::from_raw_mode(0o755);
        let mut created = fs::mkdirat(&*above, place.name.as_slice(), mode);
        if created == Err(Errno::EXIST) {
            let stat = fs::statat(&*above, place.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)?;
            if !is_whiteout(&stat) {
                return Err(malformed(format!("{} is used as a directory, and is none", shown(&place))));
            }
            self.make_room(&above, &place)?;
            created = fs::mkdirat(&*above, place.name.as_slice(), mode);
            set_opaque(self.open_directory(path)?, self.privilege)?;
        }
        created?;
        self.implied.insert(path.to_vec());
        self.described.insert(path.to_vec(), Attributes::of_nobody());
        Ok(self.resolve(path, OFlags::PATH)?)
    }

    fn open_directory(&self, path: &[u8]) -> io::Result<OwnedFd> {
        Ok(self.resolve(path, OFlags::RDONLY)?)
    }

    fn resolve(&self, path: &[u8], access: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        let flags = access | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match fs::openat2(&self.root, path, flags, Mode::empty(), inside) {
                // The kernel saw a rename somewhere while it walked a "..": ask again. openat2(2).
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other,
            }
        }
    }

    /// Makes something; if a name is taken, what has it goes first: the last member wins.
    fn anew(&mut self, parent: &OwnedFd, place: &Place, create: impl Fn() -> Result<(), Errno>) -> io::Result<()> {
        match create() {
            Err(Errno::EXIST) => {
                self.make_room(parent, place)?;
                Ok(create()?)
            }
            other => Ok(other?),
        }
    }

    fn make_room(&mut self, parent: &OwnedFd, place: &Place) -> io::Result<Before> {
        let name = place.name.as_slice();
        let stat = match fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Before::Nothing),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            remove_tree(parent.as_fd(), &CString::new(name)?)?;
            self.forget(&place.path());
        } else {
            fs::unlinkat(parent, name, AtFlags::empty())?;
        }
        Ok(if is_whiteout(&stat) { Before::Whiteout } else { Before::Something })
    }

    /// Drops all knowledge of a removed directory. Descriptors may be known by other paths, through links: all go.
    fn forget(&mut self, path: &[u8]) {
        let inside =
            |known: &[u8]| known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        self.open.clear();
        self.implied.retain(|known| !inside(known));
        self.described.retain(|known, _| !inside(known));
    }

    fn is_directory(&self, parent: &OwnedFd, place: &Place) -> io::Result<bool> {
        let stat = fs::statat(parent, place.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }
}

/// A character device 0:0, overlayfs's sign for "nothing here".
pub(super) fn is_whiteout(stat: &fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Writes up to `limit` bytes of `data` from `offset` on; without a limit, to the end of the data.
fn write_all(file: &OwnedFd, data: &mut impl BufRead, mut offset: u64, limit: u64) -> io::Result<()> {
    let end = offset.saturating_add(limit);
    while offset < end {
        let available = data.fill_buf()?;
        let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(available.len());
        let Some(bytes) = available.get(..wanted).filter(|bytes| !bytes.is_empty()) else { break };
        let written = pwrite(file.as_fd(), bytes, offset)?;
        data.consume(written);
        offset += written as u64;
    }
    Ok(())
}

fn pwrite(file: BorrowedFd<'_>, bytes: &[u8], offset: u64) -> io::Result<usize> {
    loop {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

pub(super) fn shown(place: &Place) -> String {
    format!("{:?}", String::from_utf8_lossy(&place.path()))
}
