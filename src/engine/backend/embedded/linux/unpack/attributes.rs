//! What does a file carry besides its data? Owner, mode, times and the extended attributes a layer may set.
//!
//! Deliberately elsewhere: making the file (`tree`), reading its header (`archive`).

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{self, AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags},
    io::Errno,
};

use super::{archive::Entry, privilege::Privilege};

/// Attributes of one file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: (i64, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Attributes {
    /// Moves them out of `entry`, leaving out extended attributes a layer must not set.
    pub(super) fn of(entry: &mut Entry) -> Self {
        let mut xattrs = std::mem::take(&mut entry.xattrs);
        xattrs.retain(|(name, _)| is_allowed(name));
        Self { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: entry.mtime, xattrs }
    }

    /// What a directory gets that nobody described, unless a layer below knows better.
    pub(super) fn of_nobody() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0, mtime: (0, 0), xattrs: Vec::new() }
    }

    /// The attributes of an open file of another layer.
    pub(super) fn read(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let stat = fs::fstat(fd)?;
        let mut xattrs = Vec::new();
        for name in names(fd)?.split(|byte| *byte == 0).filter(|name| is_allowed(name)) {
            let mut value = vec![0; 64 << 10];
            match fs::fgetxattr(fd, name, &mut value) {
                Ok(length) => {
                    value.truncate(length);
                    xattrs.push((name.to_vec(), value));
                }
                Err(Errno::NODATA) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or_default();
        Ok(Self {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: (stat.st_mtime, nanos),
            xattrs,
        })
    }

    /// Sets everything on an open file or directory: owner first, because changing it clears set-user-id bits and
    /// capabilities; times last. chown(2), capabilities(7).
    pub(super) fn apply(&self, fd: BorrowedFd<'_>, privilege: Privilege) -> io::Result<()> {
        if self.needs_owner(privilege) {
            fs::fchown(fd, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))
                .map_err(|error| self.owner_error(error))?;
        }
        fs::fchmod(fd, Mode::from_raw_mode(privilege.mode(self.mode)))?;
        for (name, value) in &self.xattrs {
            match fs::fsetxattr(fd, name.as_slice(), value, XattrFlags::empty()) {
                // One user cannot grant capabilities, and some file systems keep no attributes: the file is still
                // right for everybody who does not need them.
                Err(Errno::PERM | Errno::OPNOTSUPP) if privilege == Privilege::SingleUser => {}
                Err(Errno::OPNOTSUPP) if name.starts_with(b"user.") => {}
                other => other?,
            }
        }
        Ok(fs::futimens(fd, &self.times())?)
    }

    /// The same for what cannot be opened: links, devices, pipes. `mode` is applied by whoever makes the node.
    pub(super) fn apply_unopened(&self, parent: BorrowedFd<'_>, name: &[u8], privilege: Privilege) -> io::Result<()> {
        if self.needs_owner(privilege) {
            let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
            fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|error| self.owner_error(error))?;
        }
        Ok(fs::utimensat(parent, name, &self.times(), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn needs_owner(&self, privilege: Privilege) -> bool {
        // Whoever gives owners is user 0, and so owns what he makes.
        privilege.gives_owners() && (self.uid, self.gid) != (0, 0)
    }

    fn owner_error(&self, error: Errno) -> io::Error {
        match error {
            Errno::INVAL => io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("the owner {}:{} is outside the ids mapped for this user", self.uid, self.gid),
            ),
            error => error.into(),
        }
    }

    fn times(&self) -> Timestamps {
        let modified = Timespec { tv_sec: self.mtime.0, tv_nsec: self.mtime.1.into() };
        Timestamps { last_access: modified, last_modification: modified }
    }
}

/// Makes a directory hide what lower layers have in it.
pub(super) fn set_opaque(directory: impl AsFd, privilege: Privilege) -> io::Result<()> {
    Ok(fs::fsetxattr(directory, privilege.opaque_attribute(), b"y", XattrFlags::empty())?)
}

/// File capabilities and users' own attributes; never the overlay's, whichever prefix it uses.
fn is_allowed(name: &[u8]) -> bool {
    name == b"security.capability" || (name.starts_with(b"user.") && !name.starts_with(b"user.overlay."))
}

fn names(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut names = vec![0; 64 << 10];
    match fs::flistxattr(fd, &mut names) {
        Ok(length) => names.truncate(length),
        Err(Errno::OPNOTSUPP) => names.clear(),
        Err(error) => return Err(error.into()),
    }
    Ok(names)
}
