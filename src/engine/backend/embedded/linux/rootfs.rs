//! How is a file inside a container's root reached without being led outside it? openat2, in-root.
//!
//! Deliberately elsewhere: mounting the root (`overlay`), unpacking layers (`unpack`).

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, open, openat2};

/// More of `/etc/passwd` or `/etc/group` than this is not read.
const LONGEST_FILE: u64 = 1 << 20;

/// A container's root directory as the host sees it.
#[derive(Debug)]
pub(super) struct Rootfs {
    root: OwnedFd,
}

impl Rootfs {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root })
    }

    /// The root of a running process.
    pub(super) fn of_process(pid: u32) -> io::Result<Self> {
        Self::open(Path::new(&format!("/proc/{pid}/root")))
    }

    /// The text of a file; `None` when there is no such regular file. Odd bytes are replaced.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<String>> {
        // NONBLOCK: an image may put a pipe where a file belongs.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match openat2(&self.root, path, flags, Mode::empty(), in_root()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(LONGEST_FILE).read_to_end(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Makes a directory with all its parents, as Docker does for a working directory that the image lacks.
    pub(super) fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if openat2(&self.root, path, flags, Mode::empty(), in_root()).is_ok() {
            return Ok(());
        }
        let mut here = rustix::io::fcntl_dupfd_cloexec(&self.root, 3)?;
        let mut so_far = PathBuf::from("/");
        for component in path.components() {
            so_far.push(component);
            // A link on the way (`/var/run`) is followed inside the root only from the root itself.
            here = match openat2(&self.root, &so_far, flags, Mode::empty(), in_root()) {
                Err(rustix::io::Errno::NOENT) => {
                    let Component::Normal(name) = component else { return Err(io::ErrorKind::NotFound.into()) };
                    mkdirat(&here, name, Mode::from_raw_mode(0o755))?;
                    openat2(&self.root, &so_far, flags, Mode::empty(), in_root())?
                }
                opened => opened?,
            };
        }
        Ok(())
    }
}

fn in_root() -> ResolveFlags {
    ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS
}

/// Makes a directory of ours on the host if it is missing.
pub(super) fn make_dir(path: &Path, mode: u32) -> io::Result<()> {
    match mkdirat(CWD, path, Mode::from_raw_mode(mode)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_directory_is_made_behind_links_but_never_outside_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
        std::fs::create_dir_all(root.join("run")).unwrap();
        std::fs::create_dir_all(root.join("var")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        symlink("/run", root.join("var/run")).unwrap();
        symlink("../../outside", root.join("up")).unwrap();
        let rootfs = Rootfs::open(&root).unwrap();
        rootfs.create_dir_all(Path::new("/var/run/service/data")).unwrap();
        assert!(root.join("run/service/data").is_dir());
        rootfs.create_dir_all(Path::new("/run/../srv/x")).unwrap();
        assert!(root.join("srv/x").is_dir());
        assert!(rootfs.create_dir_all(Path::new("/up/x")).is_err(), "a link to nothing inside is not followed");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    }
}
