//! Which view of our own binary do the roles run from? One that nobody can write to, not even a container's root.
//!
//! A container can make the runtime execute itself inside (`#!/proc/self/exe`) and then reach the file it was
//! started from (CVE-2019-5736). Root gets a read-only overlay of the binary's directory that is mounted
//! nowhere: nothing is copied, and it ends with its descriptor. Where that cannot be had, and the user owns
//! the binary, it is a sealed copy in memory. Deliberately elsewhere: starting roles (`launcher`).

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    sync::Mutex,
};

use rustix::{
    fs::{Access, MemfdFlags, Mode, OFlags, SealFlags, access, fcntl_add_seals, memfd_create, open, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen},
    process::geteuid,
};

use super::rootfs::make_dir;

/// A directory that every system has and no binary or store lies in.
const ELSEWHERE: &str = "/etc";

/// A program that cannot be changed while it is held.
#[derive(Debug)]
pub(super) struct SealedBinary {
    path: PathBuf,
    _held: Option<OwnedFd>,
    /// The whole mount. Its end waits for every processor to pass by (synchronize_rcu), a quarter of a millisecond
    /// that a launch should not stand still for.
    mount: Mutex<Option<OwnedFd>>,
}

impl SealedBinary {
    /// What to execute. Valid in this process and, until it has executed it, in a child.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go of what is not needed to execute it. Takes its time; call when nobody waits.
    pub(super) fn let_go_of_mount(&self) {
        if let Ok(mut mount) = self.mount.lock() {
            mount.take();
        }
    }

    /// Seals `binary`. `empty` is a directory of ours, made if need be, with nothing in it.
    pub(super) fn of(binary: &Path, empty: &Path) -> io::Result<Self> {
        if geteuid().is_root() {
            // An old kernel, or one without overlays: a copy does as well.
            overlay(binary, empty).or_else(|_| copy(binary))
        } else if access(binary, Access::WRITE_OK).is_ok() || fs::metadata(binary)?.uid() == geteuid().as_raw() {
            copy(binary)
        } else {
            // Root of such a container is this user, who cannot write the file either.
            Ok(Self { path: binary.to_owned(), _held: None, mount: Mutex::default() })
        }
    }

    fn held(fd: OwnedFd, mount: Option<OwnedFd>) -> Self {
        let path = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        Self { path, _held: Some(fd), mount: Mutex::new(mount) }
    }
}

fn overlay(binary: &Path, empty: &Path) -> io::Result<SealedBinary> {
    // The name may lead elsewhere by now (an upgrade); only the very file that runs will do.
    let path = fs::canonicalize(binary)?;
    let (dir, name) = path.parent().zip(path.file_name()).ok_or(io::ErrorKind::NotFound)?;
    // Layers inside one another are refused (after nine milliseconds), and a store may well lie below the binary's
    // directory. Any directory elsewhere does as the second layer: the binary is opened from the first.
    let mount = read_only_overlay(dir, Path::new(ELSEWHERE)).or_else(|_| {
        make_dir(empty, 0o700)?;
        read_only_overlay(dir, empty)
    })?;
    let sealed = openat(&mount, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let (wanted, found) = (fs::metadata(binary)?, fs::metadata(SealedBinary::held(sealed.try_clone()?, None).path())?);
    if (wanted.size(), wanted.mtime(), wanted.mtime_nsec()) != (found.size(), found.mtime(), found.mtime_nsec()) {
        return Err(io::ErrorKind::StaleNetworkFileHandle.into());
    }
    Ok(SealedBinary::held(sealed, Some(mount)))
}

/// Without an upper directory an overlay is read-only for ever, and the kernel wants two lower ones then.
fn read_only_overlay(dir: &Path, empty: &Path) -> io::Result<OwnedFd> {
    let layer = |path: &Path| open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let layers = [layer(dir)?, layer(empty)?];
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for layer in &layers {
        fsconfig_set_string(&context, OsStr::new("lowerdir+"), format!("/proc/self/fd/{}", layer.as_raw_fd()))?;
    }
    fsconfig_create(&context)?;
    let attributes =
        MountAttrFlags::MOUNT_ATTR_RDONLY | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOSUID;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

fn copy(binary: &Path) -> io::Result<SealedBinary> {
    let mut copy = File::from(memfd_create("wharf", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    io::copy(&mut File::open(binary)?, &mut copy)?;
    fcntl_add_seals(&copy, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(SealedBinary::held(copy.into(), None))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_sealed_binary_runs_and_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("program");
        fs::copy("/bin/true", &binary).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        for sealed in [SealedBinary::of(&binary, &dir.path().join("empty")).unwrap(), copy(&binary).unwrap()] {
            assert!(std::process::Command::new(sealed.path()).status().unwrap().success());
            let written =
                File::options().write(true).open(sealed.path()).and_then(|mut file| io::Write::write(&mut file, b"x"));
            assert!(written.is_err(), "{written:?}");
        }
    }

    #[test]
    fn a_store_below_the_binarys_directory_costs_no_copy() {
        if !geteuid().is_root() {
            // A closed stderr must not fail a test that is skipped anyway.
            let _ = io::Write::write_all(&mut io::stderr(), b"skipped: sealing by overlay: it needs root\n");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("program");
        fs::copy("/bin/true", &binary).unwrap();
        fs::create_dir_all(dir.path().join("store/run")).unwrap();
        let sealed = overlay(&binary, &dir.path().join("store/run/empty")).unwrap();
        assert!(std::process::Command::new(sealed.path()).status().unwrap().success());
    }

    #[test]
    fn sealing_shows_up_in_no_mount_table() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("program");
        fs::copy("/bin/true", &binary).unwrap();
        let _sealed = SealedBinary::of(&binary, &dir.path().join("empty")).unwrap();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(&*dir.path().to_string_lossy()));
    }
}
