//! What lies in `run/c/<id>` while a container runs, and who may touch it? The holder of `monitor.lock`.
//!
//! On the disk is only what others need, also of a run whose monitor was killed. What one run alone needs is in
//! memory (`parts`). Deliberately elsewhere: the socket (`client_socket`), what the files mean (`launch`).

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{client_socket::SOCKET, parts::Parts};
use crate::engine::{
    backend::embedded::{
        launch::{ProcessIdentity, StateFile},
        stop_at,
    },
    domain::{Error, ErrorKind, Result},
};

const LOCK: &str = "monitor.lock";
const STATE: &str = "state.json";
/// Which process was created, and what joins it; whether it runs, the state says.
const CREATED: &str = "created.json";
/// What a monitor leaves that is killed while it writes its state; see [`replace`].
const STATE_TEMPORARY: &str = "state.tmp";
/// Where exec helpers work.
const EXEC: &str = "exec";
/// What runs of earlier builds left, which kept on the disk what is in memory now.
const OLD_MOUNT_POINTS: [&str; 2] = ["rootfs", "cgroup"];
const OLD_DIRECTORIES: [&str; 3] = ["bundle", "etc", "runtime"];
/// How long a monitor waits for its predecessor to finish, and for those who only look.
const LOCK_WAIT: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(super) struct RunDir {
    path: PathBuf,
}

/// A process that was created, and in which boot.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Created {
    pub(super) boot_id: String,
    pub(super) init: ProcessIdentity,
    /// What a further process needs of the container's spec; a monitor of an older version says nothing.
    #[serde(default)]
    pub(super) joining: Option<Value>,
}

/// Held for a monitor's whole life.
#[derive(Debug)]
pub(super) struct MonitorLock(File);

impl RunDir {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What this run keeps in memory; only its monitor sees it.
    pub(super) fn parts(&self) -> Parts {
        Parts::of_run(&self.path)
    }

    /// Where a monitor of an older version put the spec.
    pub(super) fn old_spec(&self) -> PathBuf {
        self.path.join("bundle/config.json")
    }

    /// What exec helpers need while they start their process.
    pub(super) fn exec(&self) -> PathBuf {
        self.path.join(EXEC)
    }

    /// Takes the monitor's lock, making the directory if need be. A lock file that was removed while
    /// we waited is not the lock any more.
    pub(super) fn lock(&self) -> Result<MonitorLock> {
        let failed = |error: io::Error| Error::io(format_args!("locking {}", self.path.display()), error);
        let until = Instant::now() + LOCK_WAIT;
        loop {
            match fs::create_dir_all(&self.path) {
                Ok(()) => {}
                // There, and removed before it could be seen to be a directory.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && Instant::now() < until => continue,
                Err(error) => return Err(failed(error)),
            }
            let file = match self.open_lock() {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // Removed in between.
                Err(error) => return Err(failed(error)),
            };
            match file.try_lock() {
                Ok(()) if self.is_current(&file) => return Ok(MonitorLock(file)),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(Error::new(ErrorKind::Busy, "the monitor of its last run is still there")
                        .remedy("wait for it to finish, or kill the container"));
                }
                // flock(2) either waits for ever or not at all.
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Whether somebody holds the lock now. Looking takes it for an instant.
    pub(super) fn is_monitored(&self) -> bool {
        match File::open(self.path.join(LOCK)) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            // Who cannot look must not take it for gone.
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }

    /// Makes what one run uses. Leftovers of a run that nobody finished go first. For a monitor, in a mount namespace of
    /// its own.
    pub(super) fn create_parts(&self) -> Result<Parts> {
        self.remove_files();
        let parts = self.parts();
        parts.create()?;
        Ok(parts)
    }

    /// Removes everything but the lock. For the monitor of this run.
    pub(super) fn remove_parts(&self) {
        self.parts().detach();
        self.remove_files();
    }

    /// Removes from the disk everything but the lock; what a monitor has in memory ends with it.
    pub(super) fn remove_files(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return }; // Not there: nothing to do.
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let is_one_of = |names: &[&str]| names.iter().any(|known| *known == name);
            // What resists stays for the next sweep, which reports it; and so does what we never put there.
            if is_one_of(&[STATE, STATE_TEMPORARY, CREATED, SOCKET]) {
                let _ = fs::remove_file(path); // As above.
            } else if is_one_of(&OLD_MOUNT_POINTS) {
                // Not mounted in this namespace is the usual case.
                let _ = rustix::mount::unmount(&path, rustix::mount::UnmountFlags::DETACH);
                let _ = fs::remove_dir(path); // As above.
            } else if is_one_of(&[EXEC]) || is_one_of(&OLD_DIRECTORIES) {
                let _ = fs::remove_dir_all(path); // As above.
            }
        }
    }

    /// Replaces `state.json` in one step. Not synced: after a reboot it means nothing.
    pub(super) fn write_state(&self, state: &StateFile) -> Result<()> {
        let text = serde_json::to_vec(state).unwrap_or_default();
        replace(&self.path.join(STATE), &text, Sync::No)
            .map_err(|error| Error::io(format_args!("writing the state of {}", self.path.display()), error))
    }

    /// Notes the process that is about to be started: a monitor killed before it writes the state must not leave one
    /// that nobody knows of.
    pub(super) fn note_created(&self, created: &Created) -> Result<()> {
        let text = serde_json::to_vec(created).unwrap_or_default();
        OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600) // It has the container's variables.
            .open(self.path.join(CREATED))
            .and_then(|mut file| file.write_all(&text))
            .map_err(|error| Error::io(format_args!("writing to {}", self.path.display()), error))
    }

    pub(super) fn read_created(&self) -> io::Result<Option<Created>> {
        read_if_there(&self.path.join(CREATED)) // Cut: it was not started yet.
    }

    pub(super) fn read_state(&self) -> Option<StateFile> {
        self.try_read_state().ok().flatten() // Cannot be read: nobody can be asked or signalled by it now.
    }

    /// As `read_state`, for whoever would take "nothing runs" for done.
    pub(super) fn try_read_state(&self) -> io::Result<Option<StateFile>> {
        read_if_there(&self.path.join(STATE)) // Not ours: as good as not there.
    }

    fn open_lock(&self) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.path.join(LOCK))
    }

    fn is_current(&self, file: &File) -> bool {
        match (file.metadata(), fs::metadata(self.path.join(LOCK))) {
            (Ok(held), Ok(there)) => held.dev() == there.dev() && held.ino() == there.ino(),
            (Err(_), _) | (_, Err(_)) => false, // Removed: not the lock any more.
        }
    }
}

impl MonitorLock {
    /// Removes the lock file and the directory if nothing else is in it, and unlocks.
    pub(super) fn release_with(self, run_dir: &RunDir) {
        if run_dir.is_current(&self.0) {
            // Whoever waits sees that its file is not the lock any more and starts over.
            let _ = fs::remove_file(run_dir.path.join(LOCK));
            let _ = fs::remove_dir(&run_dir.path); // Others may have put something there.
        }
        drop(self.0);
    }
}

/// What a file holds; `None` when it is not there or was cut.
fn read_if_there<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()), // Cut, or nothing of ours.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a replaced file must survive a power loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    Yes,
    No,
}

/// Writes `bytes` beside `path` and renames it there.
pub(super) fn replace(path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    stop_at::step("write", path);
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    stop_at::step("fill temporary for", path);
    file.write_all(bytes)?;
    if sync == Sync::Yes {
        file.sync_data()?;
    }
    stop_at::step("publish", path);
    fs::rename(&temporary, path)?;
    if let (Sync::Yes, Some(dir)) = (sync, path.parent()) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}
