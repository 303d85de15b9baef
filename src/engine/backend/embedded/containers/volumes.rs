//! Which directories stand behind a container's volumes?
//!
//! `volumes/<name>/data`, filled from the image while it is empty; an anonymous one has a name of 64 digits and goes with its container when that is
//! removed with its volumes. Deliberately elsewhere: mounting (the monitor), copying (`Kernel::fill_volume`), who mounts what (`record`).

use std::{io, path::Path, path::PathBuf};

use super::{
    layout::VOLUMES,
    record::{Durability, Record, RecordedMount},
    store::Store,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            kernel::{Kernel, VolumeFill},
            launch::ResolvedMount,
            lock::{self, Holder, Mode},
            machine::Machine,
        },
    },
    core::limits,
    domain::{ContainerId, Error, ErrorKind, InitialContent, Mount, MountKind, Result, Verb, VolumeName},
};

/// The content of a volume, inside its directory.
const DATA: &str = "data";
/// A whole copy of what the image has, on its way into [`DATA`]; and one being made.
const COPIES: [&str; 2] = ["filled", "filling"];
/// Who fills a volume, one at a time.
const LOCK: &str = "lock";

/// Volumes made for a container that is not there yet: undone unless the container comes to be.
#[derive(Debug, Default)]
pub struct Made(Vec<VolumeName>);

/// Gives every volume a name: its own, or a random one that goes with the container.
#[must_use]
pub fn named(machine: &Machine, mounts: Vec<Mount>) -> Vec<RecordedMount> {
    let name = |mount: Mount| match &mount.kind {
        MountKind::Bind { .. } | MountKind::Tmpfs { .. } => RecordedMount { mount, volume: None, anonymous: false },
        MountKind::Volume { name: Some(name), .. } => {
            let name = name.clone();
            RecordedMount { mount, volume: Some(name), anonymous: false }
        }
        MountKind::Volume { name: None, .. } => {
            let name = machine.random_id().as_str().parse().expect("64 digits are a volume name");
            RecordedMount { mount, volume: Some(name), anonymous: true }
        }
    };
    mounts.into_iter().map(name).collect()
}

/// Makes the directories of all volumes and fills the empty ones from the image's `layers`. `made` lists what
/// was new, also when this fails half-way.
///
/// # Errors
/// `InvalidInput` for a bind whose source is missing; `Busy`, `NoSpace`, `Denied`, `Io`, `Cancelled`.
pub fn provide(
    store: &Store,
    kernel: &dyn Kernel,
    mounts: &[RecordedMount],
    layers: &[PathBuf],
    made: &mut Made,
    durability: Durability,
    context: &OperationContext,
) -> Result<()> {
    for RecordedMount { mount, volume, .. } in mounts {
        match (&mount.kind, volume) {
            (MountKind::Bind { source }, _) => check_source(source)?,
            (MountKind::Tmpfs { .. }, _) | (MountKind::Volume { .. }, None) => {}
            (MountKind::Volume { initial, .. }, Some(name)) => {
                make(store, name, made, durability)?;
                match initial {
                    InitialContent::Image => fill(store, kernel, name, layers, &mount.target, context)?,
                    InitialContent::Empty => {}
                }
            }
        }
    }
    Ok(())
}

fn fill(
    store: &Store,
    kernel: &dyn Kernel,
    name: &VolumeName,
    layers: &[PathBuf],
    target: &Path,
    context: &OperationContext,
) -> Result<()> {
    let dir = store.layout.volume(name);
    if !is_empty(store, name) && !store.disk().exists(&dir.join("filled")) {
        return Ok(());
    }
    let holder = Holder::this_process(&store.machine, Verb::Create, context.remaining());
    let _lock = lock::lock(&store.machine, &dir.join(LOCK), Mode::Exclusive, &holder, context.remaining())?;
    let fill = VolumeFill { volume: dir, lowers: layers.to_owned(), path: target.to_owned() };
    kernel.fill_volume(&fill, &|| context.check())
}

/// A bind of nothing is a typing error more often than a wish for an empty directory.
fn check_source(source: &Path) -> Result<()> {
    match std::fs::metadata(source) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::InvalidInput, format!("there is no {} on this machine", source.display()))
                .remedy("make the directory first, or check the path before the colon"))
        }
        Err(error) => Err(Error::io(format!("{} cannot be mounted", source.display()), error)),
    }
}

fn make(store: &Store, name: &VolumeName, made: &mut Made, durability: Durability) -> Result<()> {
    let failed = |error| Error::io(format!("the volume {name} cannot be made"), error);
    let dir = store.layout.volume(name);
    match store.disk().create_dir(&dir) {
        Ok(()) => made.0.push(name.clone()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    match store.disk().create_dir_with_mode(&dir.join(DATA), 0o755) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    match durability {
        // A container that outlives a power cut needs its volumes then.
        Durability::Synced => store.disk().sync_dir(&dir).map_err(failed),
        Durability::Unsynced => Ok(()),
    }
}

/// Takes back what [`provide`] made.
///
/// # Errors
/// When an anonymous volume cannot be removed now: whoever knows its name must keep it.
pub fn undo(store: &Store, made: Made, remove_tree: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    let (anonymous, named): (Vec<_>, Vec<_>) = made.0.into_iter().partition(is_anonymous);
    for name in named.iter().filter(|name| is_empty(store, name)) {
        // Another container may have begun to use a named volume meanwhile; its files stay then. One that cannot be
        // removed now is used by whoever names it.
        let _ = remove_tree(&store.layout.volume(name));
    }
    remove_all(store, &anonymous, remove_tree)
}

/// Volumes that nobody named are called like an id.
#[must_use]
pub fn is_anonymous(name: &VolumeName) -> bool {
    name.as_str().parse::<ContainerId>().is_ok()
}

/// Whether a copy of the image's directory was cut, and nobody is at it now.
#[must_use]
pub fn is_half_filled(store: &Store, name: &VolumeName) -> bool {
    let dir = store.layout.volume(name);
    COPIES.iter().any(|copy| store.disk().exists(&dir.join(copy))) && lock::is_free(store.disk(), &dir.join(LOCK))
}

/// Finishes or clears a copy that was cut. Without layers there is nothing to begin another one from.
///
/// # Errors
/// As `Kernel::fill_volume`; `Busy` when somebody has begun meanwhile.
pub fn settle(store: &Store, kernel: &dyn Kernel, name: &VolumeName) -> Result<()> {
    let dir = store.layout.volume(name);
    let holder = Holder::this_process(&store.machine, Verb::Repair, limits::STEP_DEADLINE);
    let _lock = lock::lock(&store.machine, &dir.join(LOCK), Mode::Exclusive, &holder, limits::STEP_DEADLINE)?;
    let [filled, filling] = COPIES.map(|copy| dir.join(copy));
    if store.disk().exists(&filled) {
        let fill = VolumeFill { volume: dir, lowers: Vec::new(), path: PathBuf::from("/") };
        return kernel.fill_volume(&fill, &|| Ok(()));
    }
    kernel.remove_tree(&filling)
}

/// Whether nothing was ever put into it, as far as can be told.
#[must_use]
pub fn is_empty(store: &Store, name: &VolumeName) -> bool {
    match store.disk().list(&store.layout.volume(name).join(DATA)) {
        Ok(content) => content.is_empty(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The volumes that were made for this container alone.
#[must_use]
pub fn anonymous(record: &Record) -> Vec<VolumeName> {
    record.mounts.iter().filter(|mount| mount.anonymous).filter_map(|mount| mount.volume.clone()).collect()
}

/// The same, as listed in the directory of a container whose record is not at hand. No list: it never had any.
///
/// # Errors
/// When the list cannot be read.
pub fn listed(store: &Store, dir: &Path) -> Result<Vec<VolumeName>> {
    let list = match store.disk().read(&dir.join(VOLUMES)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        list => list.map_err(|error| Error::io("the list of its volumes cannot be read", error))?,
    };
    let list = String::from_utf8_lossy(&list);
    Ok(list.lines().filter_map(|line| line.parse().ok()).filter(is_anonymous).collect())
}

/// Removes volumes, durably: whatever says whose they were goes next. Idempotent.
///
/// # Errors
/// As `remove_tree`, and the disk's.
pub fn remove_all(store: &Store, names: &[VolumeName], remove_tree: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    names.iter().try_for_each(|name| remove_tree(&store.layout.volume(name)))?;
    match store.disk().sync_dir(&store.layout.volumes()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("its volumes cannot be removed", error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The directory or file behind a recorded mount.
#[must_use]
pub fn source(store: &Store, mount: &RecordedMount) -> Option<PathBuf> {
    match (&mount.mount.kind, &mount.volume) {
        (MountKind::Bind { source }, _) => Some(source.clone()),
        (MountKind::Volume { .. }, Some(name)) => Some(store.layout.volume(name).join(DATA)),
        (MountKind::Volume { .. }, None) | (MountKind::Tmpfs { .. }, _) => None,
    }
}

/// As a monitor needs them.
#[must_use]
pub fn resolved(store: &Store, record: &Record) -> Vec<ResolvedMount> {
    let resolve = |mount: &RecordedMount| ResolvedMount { mount: mount.mount.clone(), source: source(store, mount) };
    record.mounts.iter().map(resolve).collect()
}
