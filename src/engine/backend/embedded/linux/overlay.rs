//! How does a container get its root? An overlay of its layers, mounted in the monitor's own namespace.
//!
//! Deliberately elsewhere: making the layers (`images`), leaving the host's mount namespace (`monitor`).

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, Mode, OFlags, open},
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, fsconfig_create, fsconfig_set_flag,
        fsconfig_set_string, fsmount, fsopen, mount, move_mount,
    },
};

use crate::engine::{
    backend::embedded::launch::RootfsPlan,
    domain::{Error, ErrorKind, Result},
};

/// How overlayfs keeps its own marks: `trusted.` needs real root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    Trusted,
    User,
}

/// Whether a crash may lose the upper directory (nobody will look at it again).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    Kept,
    Volatile,
}

/// What the image alone shows, for reading; seen by nobody but whoever holds the descriptor. The caller has
/// left the host's mount namespace; kernels before 6.5 want `place`, an existing directory, as mount point there.
pub(super) fn open_merged(lowers: &[PathBuf], place: &Path, marks: Marks) -> Result<OwnedFd> {
    let failed = |error: io::Error| Error::io("reading the image's layers as one", error);
    let opened = lowers.iter().map(|path| open_dir(path)).collect::<Result<Vec<_>>>()?;
    match lowers {
        [] => Err(Error::new(ErrorKind::InvalidInput, "the image has no layers")),
        // An overlay needs two.
        [only] => open_dir(only),
        _ => match mount_new(&opened, None, marks, Durability::Kept) {
            Ok(merged) => Ok(merged),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => {
                mount_old(&opened, None, place, marks, Durability::Kept).map_err(failed)?;
                open_dir(place)
            }
            Err(error) => Err(failed(error)),
        },
    }
}

/// Mounts the overlay of `plan` at `target`, an existing directory.
pub(super) fn mount_rootfs(plan: &RootfsPlan, target: &Path, marks: Marks, durability: Durability) -> Result<()> {
    let failed = |error: io::Error| {
        let missing = error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error());
        let error = Error::io(format_args!("mounting the container's root at {}", target.display()), error);
        if missing { error.remedy("load the overlay module of this kernel: modprobe overlay") } else { error }
    };
    if plan.lowers.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "the image has no layers"));
    }
    for dir in [&plan.upper, &plan.work] {
        // Never their parent: a container that was removed a moment ago must not come back as an empty shell.
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
    }
    // Directories go in as descriptors: their paths may be longer than a mount option, and there
    // may be hundreds.
    let lowers = plan.lowers.iter().map(|path| open_dir(path)).collect::<Result<Vec<_>>>()?;
    let (upper, work) = (open_dir(&plan.upper)?, open_dir(&plan.work)?);
    let writable = Writable { upper: &upper, work: &work };
    let mounted = mount_new(&lowers, Some(writable), marks, durability)
        .and_then(|mounted| Ok(move_mount(&mounted, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?));
    match mounted {
        // Before Linux 6.5 there is no lowerdir+.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => {
            mount_old(&lowers, Some(writable), target, marks, durability).map_err(failed)
        }
        result => result.map_err(failed),
    }
}

/// Where an overlay keeps what is written to it.
#[derive(Clone, Copy)]
struct Writable<'a> {
    upper: &'a OwnedFd,
    work: &'a OwnedFd,
}

/// A mount that is nowhere yet; closed, it is gone.
fn mount_new(
    lowers: &[OwnedFd],
    writable: Option<Writable<'_>>,
    marks: Marks,
    durability: Durability,
) -> io::Result<OwnedFd> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for lower in lowers {
        fsconfig_set_string(&context, "lowerdir+", by_descriptor(lower))?;
    }
    if let Some(Writable { upper, work }) = writable {
        fsconfig_set_string(&context, "upperdir", by_descriptor(upper))?;
        fsconfig_set_string(&context, "workdir", by_descriptor(work))?;
    }
    for flag in flags(marks, durability) {
        fsconfig_set_flag(&context, flag)?;
    }
    fsconfig_create(&context)?;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?)
}

fn mount_old(
    lowers: &[OwnedFd],
    writable: Option<Writable<'_>>,
    target: &Path,
    marks: Marks,
    durability: Durability,
) -> io::Result<()> {
    let lowers: Vec<String> = lowers.iter().map(by_descriptor).collect();
    let mut options = format!("lowerdir={}", lowers.join(":"));
    if let Some(Writable { upper, work }) = writable {
        options.push_str(&format!(",upperdir={},workdir={}", by_descriptor(upper), by_descriptor(work)));
    }
    for flag in flags(marks, durability) {
        options.push(',');
        options.push_str(flag);
    }
    let options = std::ffi::CString::new(options)?;
    Ok(mount("overlay", target, "overlay", MountFlags::empty(), Some(options.as_c_str()))?)
}

fn flags(marks: Marks, durability: Durability) -> impl Iterator<Item = &'static str> {
    let marks = match marks {
        Marks::Trusted => None,
        Marks::User => Some("userxattr"),
    };
    let durability = match durability {
        Durability::Kept => None,
        Durability::Volatile => Some("volatile"),
    };
    marks.into_iter().chain(durability)
}

/// A path of at most 20 bytes that names the directory behind a descriptor.
fn by_descriptor(dir: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", dir.as_raw_fd())
}

fn open_dir(path: &Path) -> Result<OwnedFd> {
    open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|error| {
        Error::io(format_args!("opening the layer directory {}", path.display()), error.into())
            .remedy("pull the image again; wharf system repair finds what is damaged")
    })
}
