//! What does one run alone need, and where is it? In memory, in the mount namespace of its monitor.
//!
//! The runtime wants directories and files for everything it is told: the root's mount point, `config.json`, its own
//! state, sockets, what becomes `/etc/hosts`. On a disk each of them costs more to make and to delete than it is
//! worth. Nothing here outlives the namespaces of the monitor and of its container, so that nothing is to be deleted.
//! Deliberately elsewhere: what others must find (`run_dir`).

use std::{
    ffi::CString,
    io,
    path::{Path, PathBuf},
};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::rootfs::make_dir;
use crate::engine::domain::{Error, Result};

/// In the run directory of the store, for all containers: each monitor mounts over it in a namespace of its own.
const PARTS: &str = "parts";
/// Some tens of small files; the container may write to `/etc/hosts` and its like.
const OPTIONS: &std::ffi::CStr = c"mode=700,size=16m,nr_inodes=1k";

/// Paths that lead somewhere only between [`Parts::create`] and [`Parts::detach`].
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// What tells whose mount it is.
    name: String,
    path: PathBuf,
}

impl Parts {
    /// Those of the run in `run/c/<id>`.
    pub(super) fn of_run(run_dir: &Path) -> Self {
        let store = run_dir.parent().and_then(Path::parent).unwrap_or(run_dir);
        let id = run_dir.file_name().unwrap_or_default().to_string_lossy();
        Self { name: format!("wharf-{id}"), path: store.join(PARTS) }
    }

    pub(super) fn rootfs(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    /// Where `config.json` is.
    pub(super) fn bundle(&self) -> PathBuf {
        self.path.join("bundle")
    }

    pub(super) fn etc(&self) -> PathBuf {
        self.path.join("etc")
    }

    /// What the container will see of its control groups.
    pub(super) fn cgroup_view(&self) -> PathBuf {
        self.path.join("cgroup")
    }

    /// libcontainer's own state.
    pub(super) fn runtime(&self) -> PathBuf {
        self.path.join("runtime")
    }

    /// Mounts the memory and makes the directories.
    pub(super) fn create(&self) -> Result<()> {
        let failed = |path: &Path, error: io::Error| Error::io(format_args!("creating {}", path.display()), error);
        // It stays: the next run needs it again.
        make_dir(&self.path, 0o700).map_err(|error| failed(&self.path, error))?;
        let name = CString::new(self.name.as_str()).map_err(|error| failed(&self.path, error.into()))?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount(name.as_c_str(), &self.path, "tmpfs", flags, Some(OPTIONS))
            .map_err(|error| failed(&self.path, error.into()))?;
        for part in [self.rootfs(), self.bundle(), self.etc(), self.runtime()] {
            make_dir(&part, 0o700).map_err(|error| failed(&part, error))?;
        }
        Ok(())
    }

    /// Takes the mounts away from this namespace, the container's root among them.
    pub(super) fn detach(&self) {
        // Not mounted yet is a usual case; a mount that resists ends with this process.
        let _ = unmount(&self.path, UnmountFlags::DETACH);
    }
}
