//! Which directories stand behind a container's volumes?
//!
//! `volumes/<name>/data`; an anonymous one has a name of 64 digits and goes with its container when that is
//! removed with its volumes. Deliberately elsewhere: mounting (the monitor), who mounts what (`record`).

use std::{io, path::Path, path::PathBuf};

use super::{
    record::{Record, RecordedMount},
    store::Store,
};
use crate::engine::{
    backend::embedded::launch::ResolvedMount,
    domain::{ContainerId, Error, ErrorKind, Mount, MountKind, Result, VolumeName},
};

/// The content of a volume, inside its directory.
const DATA: &str = "data";

/// Volumes made for a container that is not there yet: undone unless the container comes to be.
#[derive(Debug, Default)]
pub struct Made(Vec<VolumeName>);

/// Gives every mount what it needs: names for anonymous volumes, directories for all volumes. `made` lists
/// what was new, also when this fails half-way.
///
/// # Errors
/// `InvalidInput` for a bind whose source is missing; `NoSpace`, `Denied` or `Io`.
pub fn provide(store: &Store, mounts: Vec<Mount>, made: &mut Made) -> Result<Vec<RecordedMount>> {
    mounts.into_iter().map(|mount| provide_one(store, mount, made)).collect()
}

fn provide_one(store: &Store, mount: Mount, made: &mut Made) -> Result<RecordedMount> {
    match &mount.kind {
        MountKind::Bind { source } => {
            check_source(source)?;
            Ok(RecordedMount { mount, volume: None, anonymous: false })
        }
        MountKind::Tmpfs { .. } => Ok(RecordedMount { mount, volume: None, anonymous: false }),
        MountKind::Volume { name } => {
            let anonymous = name.is_none();
            let name = match name {
                Some(name) => name.clone(),
                None => ContainerId::random().as_str().parse().expect("64 digits are a volume name"),
            };
            make(store, &name, made)?;
            Ok(RecordedMount { mount, volume: Some(name), anonymous })
        }
    }
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

fn make(store: &Store, name: &VolumeName, made: &mut Made) -> Result<()> {
    let failed = |error| Error::io(format!("the volume {name} cannot be made"), error);
    let dir = store.layout.volume(name);
    match store.disk.create_dir(&dir) {
        Ok(()) => made.0.push(name.clone()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    match store.disk.create_dir_with_mode(&dir.join(DATA), 0o755) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Takes back what [`provide`] made.
pub fn undo(store: &Store, made: Made) {
    for name in made.0 {
        // Another container may have begun to use a named volume meanwhile; its files stay then.
        let dir = store.layout.volume(&name);
        if is_empty(store, &name) {
            // What cannot be removed now is an empty directory, found by the next repair.
            let _ = store.disk.remove_tree(&dir);
        }
    }
}

/// Whether nothing was ever put into it, as far as can be told.
#[must_use]
pub fn is_empty(store: &Store, name: &VolumeName) -> bool {
    match store.disk.list(&store.layout.volume(name).join(DATA)) {
        Ok(content) => content.is_empty(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes the container's anonymous volumes. Idempotent.
///
/// # Errors
/// As `remove_tree`.
pub fn remove_anonymous(store: &Store, record: &Record, remove_tree: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    for mount in record.mounts.iter().filter(|mount| mount.anonymous) {
        if let Some(name) = &mount.volume {
            remove_tree(&store.layout.volume(name))?;
        }
    }
    Ok(())
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
