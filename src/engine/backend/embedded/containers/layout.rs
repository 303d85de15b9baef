//! Where does each thing about containers lie?
//!
//! Deliberately elsewhere: the two roots themselves (`engine::location`), images (`images`).

use std::path::{Path, PathBuf};

use crate::engine::{
    backend::embedded::disk::Disk,
    domain::{ContainerId, ContainerName, VolumeName},
};

/// Paths below the data and run directories. Nothing is created by naming them.
#[derive(Clone, Debug)]
pub struct Layout {
    data: PathBuf,
    run: PathBuf,
}

impl Layout {
    #[must_use]
    pub fn new(data: PathBuf, run: PathBuf) -> Self {
        Self { data, run }
    }

    /// The layout that a monitor works in, from the two directories its plan names.
    #[must_use]
    pub fn of_plan(container_dir: &Path, run_dir: &Path) -> Option<Self> {
        let data = container_dir.parent()?.parent()?;
        let run = run_dir.parent()?.parent()?;
        Some(Self::new(data.to_owned(), run.to_owned()))
    }

    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    #[must_use]
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// One directory for each container, named by its full id.
    #[must_use]
    pub fn containers(&self) -> PathBuf {
        self.data.join("containers")
    }

    #[must_use]
    pub fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }

    /// A container in the making, until its record is whole.
    #[must_use]
    pub fn nascent(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(format!("{NASCENT}{id}"))
    }

    /// The lock of a container: in its directory, so that it goes with it, or beside all of them where an open file keeps
    /// the directory from being renamed.
    #[must_use]
    pub fn lock(&self, disk: &dyn Disk, id: &ContainerId) -> PathBuf {
        if disk.open_files_keep_names() { self.locks().join(id.as_str()) } else { self.container(id).join(LOCK) }
    }

    /// The lock of a container in the making.
    #[must_use]
    pub fn nascent_lock(&self, disk: &dyn Disk, id: &ContainerId) -> PathBuf {
        if disk.open_files_keep_names() { self.locks().join(id.as_str()) } else { self.nascent(id).join(LOCK) }
    }

    /// The containers' locks, where they cannot lie in their directories.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.data.join("locks")
    }

    /// One file for each name in use; it holds the id.
    #[must_use]
    pub fn names(&self) -> PathBuf {
        self.data.join("names")
    }

    #[must_use]
    pub fn name(&self, name: &ContainerName) -> PathBuf {
        self.names().join(name.as_str())
    }

    /// Held for the microseconds in which a name is taken or freed. No name begins with a dot.
    #[must_use]
    pub fn names_lock(&self) -> PathBuf {
        self.names().join(".lock")
    }

    /// Who changed, for whoever watches.
    #[must_use]
    pub fn changes(&self) -> PathBuf {
        self.data.join("changes")
    }

    /// Numbered segments of what happened.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.data.join("events")
    }

    #[must_use]
    pub fn volumes(&self) -> PathBuf {
        self.data.join("volumes")
    }

    #[must_use]
    pub fn volume(&self, name: &VolumeName) -> PathBuf {
        self.volumes().join(name.as_str())
    }

    /// Directories on their way out; nothing in here is looked at again but to be deleted.
    #[must_use]
    pub fn trash(&self) -> PathBuf {
        self.data.join("trash")
    }

    /// The boot since which the store was last put right.
    #[must_use]
    pub fn boot(&self) -> PathBuf {
        self.run.join("boot")
    }

    /// The runtime directories of all containers.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.run.join("c")
    }

    #[must_use]
    pub fn run_of(&self, id: &ContainerId) -> PathBuf {
        self.runs().join(id.as_str())
    }
}

/// Prefix of a container's directory until its record is whole.
pub const NASCENT: &str = ".new-";
/// How the name of a removed container's directory ends in the trash while volumes are to go with it.
pub const TRASHED_WITH_VOLUMES: &str = "volumes";
/// Held by whoever restarts a container that would go when it ends, in its directory.
pub const RESTART: &str = "restart.lock";
/// The record of a container, in its directory.
pub const RECORD: &str = "config.json";
/// The lock of a container, in its directory; see [`Layout::lock`].
pub const LOCK: &str = "lock";
/// How the last run ended, in a container's directory; the monitor writes it.
pub const EXIT: &str = "exit.json";
/// Who runs, in a container's runtime directory; the monitor writes it.
pub const STATE: &str = "state.json";
/// The log segments, in a container's directory; the monitor writes them.
pub const LOG: &str = "log";
/// The volumes that go with a container whose creation is cut, one name a line, in its directory.
pub const VOLUMES: &str = "volumes";
/// An empty file in the directory of a container that goes when it ends: it tells so even when a power cut has torn the
/// record, which for such containers is not synced.
pub const AUTO_REMOVE: &str = "auto-remove";
pub const UPPER: &str = "upper";
pub const WORK: &str = "work";
