//! Who owns a container name? One file for each name, holding the id of its owner.
//!
//! A name is owned while the container it points to exists and claims it; what is left of a killed process
//! is taken over by the next who wants the name. Deliberately elsewhere: when names change (`create`,
//! `rename`, `remove`).

use std::{io, time::Duration};

use super::{
    layout::Layout,
    record::{Durability, Read, read},
};
use crate::engine::{
    backend::embedded::{
        disk::Disk,
        lock::{self, Holder, Lock, Mode},
        machine::Machine,
    },
    domain::{ContainerId, ContainerName, Error, ErrorKind, Result, Verb},
};

/// Names are taken and freed in microseconds; who waits longer than this has found a fault.
const PATIENCE: Duration = Duration::from_secs(5);

/// How taking a name went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    Yes,
    /// It belongs to that container.
    Taken(ContainerId),
}

/// Takes `name` for `id`, as durably as the owner's record will be: a name that went with the power could be given to
/// somebody else before its owner says so. Taking what one has is fine.
///
/// # Errors
/// `Busy`, `NoSpace`, `Denied` or `Io`.
pub fn reserve(
    machine: &Machine,
    layout: &Layout,
    name: &ContainerName,
    id: &ContainerId,
    durability: Durability,
) -> Result<Reserved> {
    let _lock = names_lock(machine, layout)?;
    let disk = &*machine.disk;
    let path = layout.name(name);
    // Whoever changes names holds their lock, so nothing can come between this look and the writing.
    match owner(disk, layout, name)? {
        Some(owner) if owner != *id && claims(disk, layout, name, &owner) => return Ok(Reserved::Taken(owner)),
        // Free, ours already (perhaps not durably), or left by a process that was killed in between.
        Some(_) | None => {}
    }
    let bytes = id.as_str().as_bytes();
    let written = match durability {
        Durability::Synced => disk.write_durable(&path, bytes),
        Durability::Unsynced => disk.write_atomic(&path, bytes),
    };
    written.map_err(|error| Error::io("its name cannot be reserved", error))?;
    Ok(Reserved::Yes)
}

/// Frees `name` if it belongs to `id`; anything else is left alone.
///
/// # Errors
/// `Busy`, `Denied` or `Io`.
pub fn release(machine: &Machine, layout: &Layout, name: &ContainerName, id: &ContainerId) -> Result<()> {
    release_if(machine, layout, name, |owner| owner == Some(id))
}

/// Frees `name` if its file says nobody's: a power cut has torn it. Somebody may have taken it since that was seen.
///
/// # Errors
/// As [`release`].
pub fn release_torn(machine: &Machine, layout: &Layout, name: &ContainerName) -> Result<()> {
    release_if(machine, layout, name, |owner| owner.is_none())
}

fn release_if(
    machine: &Machine,
    layout: &Layout,
    name: &ContainerName,
    is_it: impl FnOnce(Option<&ContainerId>) -> bool,
) -> Result<()> {
    let _lock = names_lock(machine, layout)?;
    let disk = &*machine.disk;
    if !is_it(owner(disk, layout, name)?.as_ref()) {
        return Ok(());
    }
    match disk.remove_file(&layout.name(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("its name cannot be freed", error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whose file it is, whether or not that container still claims it.
///
/// # Errors
/// `Denied` or `Io`.
pub fn owner(disk: &dyn Disk, layout: &Layout, name: &ContainerName) -> Result<Option<ContainerId>> {
    match disk.read(&layout.name(name)) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("the name {name} cannot be looked up"), error)),
    }
}

/// Whether that container is there, or being made, and this is its name. Somebody who holds its lock may be
/// about to give it the name: that counts. Ask under the names' lock.
#[must_use]
pub fn claims(disk: &dyn Disk, layout: &Layout, name: &ContainerName, id: &ContainerId) -> bool {
    let dir = layout.container(id);
    let claimed = || match read(disk, &dir) {
        Read::Record(record) if record.name == *name => Some(true),
        // Between the reservation and the record of a rename its lock is held; afterwards the record says it.
        Read::Record(_) if lock::is_free(disk, &layout.lock(disk, id)) => {
            Some(matches!(read(disk, &dir), Read::Record(record) if record.name == *name))
        }
        // Nobody can say which name a damaged one had: it keeps this one until it is removed.
        Read::Record(_) | Read::Damaged(_) => Some(true),
        Read::Gone => None,
    };
    // One in the making moves from the hidden directory to its own: looked for before and after.
    claimed()
        .or_else(|| (!lock::is_free(disk, &layout.nascent_lock(disk, id))).then_some(true))
        .or_else(claimed)
        .unwrap_or(false)
}

/// `name` belongs to somebody else, in the words of every verb that meets it.
#[must_use]
pub fn in_use(name: &ContainerName, owner: &ContainerId) -> Error {
    Error::new(ErrorKind::NameInUse, format!("the name {name} is in use by container {}", owner.short()))
        .remedy(format!("choose another name, or remove or rename the container that has it (wharf rm {name})"))
}

/// Held for every change of the names: whoever has it sees none half-made.
///
/// # Errors
/// `Busy`, `Denied` or `Io`.
pub fn names_lock(machine: &Machine, layout: &Layout) -> Result<Lock> {
    let holder = Holder::this_process(machine, Verb::Rename, PATIENCE);
    lock::lock(machine, &layout.names_lock(), Mode::Exclusive, &holder, PATIENCE)
}
