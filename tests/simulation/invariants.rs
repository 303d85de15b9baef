//! What must be so when nothing goes wrong any more? Everything comes to rest, fits together, and can be removed.
//! Deliberately elsewhere: what was promised to whom (`history`).

use std::{path::Path, time::Duration};

use wharf::engine::{
    backend::embedded::containers::record::Read,
    domain::{Container, ContainerId, ErrorKind, RepairMode, Status},
};

use super::{history::AtRest, workload::Party, workload::layout};

/// Virtual time in which everything must come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// The liveness phase, as one process: repair until all is well, check, use it, remove everything, check again.
pub fn come_to_rest(party: &Party) {
    let rested = settle(party).and_then(|()| check_at_rest(party));
    if let Err(why) = rested.and_then(|()| use_it(party)).and_then(|()| remove_everything(party)) {
        party.world.violate(why);
    }
}

/// Whatever happened: a container can be made and started. Without this an engine that refuses everything would hold.
/// It takes most of the time, so it is tried at one end of four.
pub fn use_it(party: &Party) -> Result<(), String> {
    if !party.world.state().steps.is_multiple_of(4) {
        return Ok(());
    }
    let failed = |what: &str, error| format!("afterwards, {what} fails: {error}");
    let made = party.create_with("last", false).map_err(|error| failed("create", error))?;
    let id = made.container.ok_or("a creation that names no container")?;
    party.start(&id).map(drop).map_err(|error| failed("start", error))
}

pub fn settle(party: &Party) -> Result<(), String> {
    let begun = party.world.state().now;
    loop {
        party.world.sleep(party.me, Duration::from_secs(3));
        let mended = party.containers.repair(RepairMode::Mend);
        party.world.sleep(party.me, Duration::from_secs(3));
        let left = party.containers.repair(RepairMode::LookOnly).map_err(|error| format!("repair: {error}"))?;
        let restless: Vec<Container> = list(party)?.into_iter().filter(|container| !is_at_rest(container)).collect();
        let mismatch = mismatch(party)?;
        if left.is_empty() && restless.is_empty() && mismatch.is_none() {
            return Ok(());
        }
        if Duration::from_nanos(party.world.state().now - begun) > PATIENCE {
            return Err(format!(
                "stuck after {PATIENCE:?}: {restless:?}, {mismatch:?}, findings {left:?}, mended {mended:?}"
            ));
        }
    }
}

/// A container that is shown as something else than its process says, or a name of none. One that ends while we look is
/// seen so next time, and one that its monitor removes when it has freed the name.
fn mismatch(party: &Party) -> Result<Option<String>, String> {
    let listed = list(party)?;
    let names = count(party, &layout().names());
    if names != listed.len() {
        return Ok(Some(format!("{names} names for {} containers", listed.len())));
    }
    for container in listed {
        let runs = matches!(container.status(), Status::Running | Status::Paused);
        if runs == party.world.state().running(&container.id).is_empty() {
            return Ok(Some(format!(
                "{} is shown {:?}, its process says otherwise",
                container.id.short(),
                container.status()
            )));
        }
    }
    Ok(None)
}

fn is_at_rest(container: &Container) -> bool {
    let status = matches!(container.status(), Status::Created | Status::Running | Status::Exited | Status::Paused);
    status && container.intent.is_none()
}

pub fn list(party: &Party) -> Result<Vec<Container>, String> {
    party.containers.list().map_err(|error| format!("listing: {error}"))
}

/// Names, directories, volumes and processes are those of the records; and the history agrees.
pub fn check_at_rest(party: &Party) -> Result<(), String> {
    let listed = list(party)?;
    let layout = layout();
    let mut at_rest = Vec::new();
    for container in &listed {
        let name = container.name.clone().ok_or("a container without a name")?;
        let found = party.containers.find(name.as_str()).map_err(|error| format!("finding {name}: {error}"))?;
        if found.id != container.id {
            return Err(format!("{name} leads to {}, not to {}", found.id.short(), container.id.short()));
        }
        volumes_are_there(party, &container.id)?;
        at_rest.push(AtRest { id: container.id.clone(), name });
    }
    let owners = count(party, &layout.names());
    if owners != listed.len() {
        return Err(format!("{owners} names for {} containers", listed.len()));
    }
    nothing_without_record(party)?;
    party.world.state().history.check(&at_rest)
}

fn volumes_are_there(party: &Party, id: &ContainerId) -> Result<(), String> {
    let Read::Record(record) = party.containers.store().read(id) else { return Ok(()) };
    if record.spec.auto_remove {
        return Ok(()); // It goes with the power, and it may have.
    }
    for volume in record.mounts.iter().filter_map(|mount| mount.volume.as_ref()) {
        if !party.machine.disk.exists(&layout().volume(volume).join("data")) {
            return Err(format!("{} has lost its volume {volume}", id.short()));
        }
    }
    Ok(())
}

pub fn remove_everything(party: &Party) -> Result<(), String> {
    for container in list(party)? {
        match party.remove(&container.id) {
            Err(error) if error.kind() != ErrorKind::NoSuchContainer => {
                return Err(format!("rm of {}: {error}", container.id.short()));
            }
            Ok(_) | Err(_) => {}
        }
    }
    // Monitors of removed containers need a moment to end.
    party.world.sleep(party.me, Duration::from_secs(5));
    nothing_without_record(party)?;
    if party.machine.disk.open_files_keep_names() {
        // A lock that somebody looked at when its container went is left to a repair.
        party.containers.repair(RepairMode::Mend).map_err(|error| format!("repair: {error}"))?;
    }
    let layout = layout();
    let pruned = party.world.state().pruned;
    for dir in [layout.containers(), layout.names(), layout.volumes(), layout.trash(), layout.runs(), layout.locks()] {
        // A prune keeps volumes, as Docker's does.
        if count(party, &dir) > 0 && !(pruned && dir == layout.volumes()) {
            return Err(format!("{} is not empty after everything was removed", dir.display()));
        }
    }
    let state = party.world.state();
    let left = state.kernel.inits.iter().filter(|init| init.death > state.now).count();
    if left > 0 { Err(format!("{left} processes are left")) } else { Ok(()) }
}

fn nothing_without_record(party: &Party) -> Result<(), String> {
    let state = party.world.state();
    let now = state.now;
    for init in state.kernel.inits.iter().filter(|init| init.death > now) {
        let id = init.run_dir.file_name().unwrap_or_default();
        if state.files.find(&layout().containers().join(id)).is_err() {
            return Err(format!("process {} lives without a container", init.pid));
        }
    }
    Ok(())
}

/// Entries that are not hidden.
fn count(party: &Party, dir: &Path) -> usize {
    let entries = party.machine.disk.list(dir).unwrap_or_default();
    entries.iter().filter(|entry| !entry.name.starts_with('.')).count()
}
