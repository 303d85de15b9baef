//! What must be so among the images when nothing goes wrong any more? Nothing without an owner, nothing owned that is
//! not whole, every name where it was said to lead; and everything can be pulled and removed.
//!
//! Reads the simulated disk by itself wherever that says more than asking the store. Deliberately elsewhere: what was
//! promised (`ledger`).

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::Value;
use wharf::engine::{
    backend::embedded::images::PruneScope,
    domain::{ContainerId, Digest, ErrorKind, Force, RepairMode},
};

use super::super::invariants as containers;
use super::party::{Party, ROOT, all_names, is_whole, name};

/// Virtual time in which everything must come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

type Checked = Result<(), String>;

/// The liveness phase, as one process: repair until all is well, check, use an image, remove everything, check again.
pub fn come_to_rest(party: &Party) {
    say(party, rest(party).and_then(|()| use_one(party)).and_then(|()| remove_everything(party)));
}

/// The same without using anything, which takes most of the time.
pub fn come_to_rest_unused(party: &Party) {
    say(party, rest(party).and_then(|()| remove_everything(party)));
}

fn rest(party: &Party) -> Checked {
    settle(party).and_then(|()| check_at_rest(party))
}

fn say(party: &Party, outcome: Checked) {
    if let Err(why) = outcome {
        party.site.world.violate(why);
    }
}

fn settle(party: &Party) -> Checked {
    containers::settle(&party.hands)?;
    let begun = party.site.world.state().now;
    let repair = |mode| party.store().repair(mode, &|| party.users()).map_err(|error| format!("repair: {error}"));
    loop {
        party.site.world.sleep(party.me, Duration::from_secs(15));
        let mended = repair(RepairMode::Mend)?;
        let left = repair(RepairMode::LookOnly)?;
        if left.is_empty() {
            return Ok(());
        }
        if Duration::from_nanos(party.site.world.state().now - begun) > PATIENCE {
            return Err(format!("stuck after {PATIENCE:?}: findings {left:?}, mended {mended:?}"));
        }
    }
}

fn check_at_rest(party: &Party) -> Checked {
    nothing_ownerless(party)?;
    everything_owned_is_whole(party)?;
    for name in all_names() {
        let found = leads_to(party, &name)?;
        if !party.site.ledger.book().may_be(&name, found.as_ref()) {
            return Err(format!("{name} leads to {found:?}, against what was acknowledged"));
        }
    }
    containers::check_at_rest(&party.hands)
}

fn leads_to(party: &Party, name: &str) -> Result<Option<Digest>, String> {
    match party.store().find(name) {
        Ok(record) => Ok(Some(record.id)),
        Err(error) if error.kind() == ErrorKind::NoSuchImage => Ok(None),
        Err(error) => Err(format!("finding {name}: {error}")),
    }
}

/// Blobs and layers are those that a record, or a record held for a container, names; no lease, lock or rest is left.
fn nothing_ownerless(party: &Party) -> Checked {
    let (mut blobs, mut layers) = (BTreeSet::new(), BTreeSet::new());
    for directory in ["records", "held"] {
        for file in entries(party, directory) {
            let record: Value = serde_json::from_slice(&read(party, &format!("{directory}/{file}"))?)
                .map_err(|error| format!("{directory}/{file}: {error}"))?;
            let mut digests = vec![record["manifest"]["digest"].clone(), record["config"]["digest"].clone()];
            for layer in record["layers"].as_array().into_iter().flatten() {
                digests.push(layer["blob"]["digest"].clone());
                layers.extend(layer["key"].as_str().map(hex));
            }
            let known = record["digests"].as_array().cloned().unwrap_or_default();
            blobs.extend(digests.iter().chain(&known).filter_map(Value::as_str).map(hex));
        }
    }
    for (directory, owned) in [("blobs/sha256", &blobs), ("layers", &layers)] {
        if let Some(nobodys) = entries(party, directory).into_iter().find(|name| !owned.contains(name)) {
            return Err(format!("{directory}/{nobodys} belongs to nobody"));
        }
    }
    for directory in ["leases", "trash", "ingest"] {
        if let Some(left) = entries(party, directory).into_iter().find(|name| !name.ends_with(".part")) {
            return Err(format!("{directory}/{left} is left"));
        }
    }
    Ok(())
}

fn hex(digest: &str) -> String {
    digest.rsplit(':').next().unwrap_or_default().to_owned()
}

fn everything_owned_is_whole(party: &Party) -> Checked {
    for file in entries(party, "blobs/sha256") {
        let bytes = read(party, &format!("blobs/sha256/{file}"))?;
        if Digest::sha256_of(&bytes).hex() != file {
            return Err(format!("blob {file} is damaged"));
        }
    }
    let index: Value =
        serde_json::from_slice(&read(party, "oci-layout")?).map_err(|error| format!("oci-layout: {error}"))?;
    if index["imageLayoutVersion"] != "1.0.0" {
        return Err("oci-layout is damaged".to_owned());
    }
    let names = all_names().filter(|name| matches!(leads_to(party, name), Ok(Some(_)))).count();
    if let Ok(index) = read(party, "index.json") {
        let index: Value = serde_json::from_slice(&index).map_err(|error| format!("index.json: {error}"))?;
        if index["manifests"].as_array().map(Vec::len) != Some(names) {
            return Err(format!("index.json does not list {names} names: {index}"));
        }
    }
    every_container_starts(party)?;
    for image in party.store().images().map_err(|error| format!("images: {error}"))? {
        let context = super::context(party);
        let pinned = party.store().pin(image.id.hex(), None, &context);
        let pinned = pinned.map_err(|error| format!("image {} cannot be used: {error}", image.id.short()))?;
        for layer in &pinned.record.layers {
            let path = Path::new(ROOT).join("layers").join(layer.key.hex()).join("fs");
            is_whole(&party.site.world, &path, &layer.diff_id)
                .map_err(|why| format!("layer {} of {} is {why}", layer.key.short(), image.id.short()))?;
        }
    }
    Ok(())
}

/// Whatever became of its image: a container that is there can be started, and then has its layers.
fn every_container_starts(party: &Party) -> Checked {
    for id in ids(party)? {
        match party.hands.start(&id).and_then(|_| party.hands.stop(&id)) {
            // It goes when it ends, and had ended.
            Err(error) if error.kind() == ErrorKind::NoSuchContainer => {}
            outcome => drop(outcome.map_err(|error| format!("{} does not start: {error}", id.short()))?),
        }
        party.check_container(&id, "at rest");
    }
    Ok(())
}

fn ids(party: &Party) -> Result<Vec<ContainerId>, String> {
    let listed = party.hands.containers.list().map_err(|error| format!("listing: {error}"))?;
    Ok(listed.into_iter().map(|container| container.id).collect())
}

/// Whatever happened: an image can be pulled, tagged, pushed, and a container made of it. Every other seed tries; it takes
/// a fifth of a history's time.
fn use_one(party: &Party) -> Checked {
    let tag = 1 + party.site.world.state().dice.below(6);
    if tag > 3 {
        return Ok(());
    }
    let pulled = name("app", tag);
    let failed = |what: &str, error| format!("afterwards, {what} of {pulled} fails: {error}");
    party.pull(&pulled).map_err(|error| failed("pull", error))?;
    let id = leads_to(party, &pulled)?.ok_or_else(|| format!("{pulled} was pulled and is not here"))?;
    if party.site.remote.image_id(&pulled).as_ref() != Some(&id) {
        return Err(format!("{pulled} leads to another image than the registry's"));
    }
    let pushed = name("mirror", tag);
    party.tag(&id, &pushed).map_err(|error| failed("tag", error))?;
    party.push(&pushed).map_err(|error| failed("push", error))?;
    let container = format!("last{tag}");
    party.create(&container, &pulled).map_err(|error| failed("create", error))?;
    party.start(&container).map_err(|error| failed("start", error))?;
    party.stop(&container).map_err(|error| failed("stop", error))
}

fn remove_everything(party: &Party) -> Checked {
    for tag in 1..4 {
        match party.rmi(&name("app", tag), Force::Yes) {
            Err(error) if error.kind() != ErrorKind::NoSuchImage => return Err(format!("rmi of {tag}: {error}")),
            Ok(_) | Err(_) => {}
        }
    }
    ids(party)?.iter().for_each(|id| party.check_container(id, "without its name"));
    let images = party.store().images().map_err(|error| format!("images: {error}"))?;
    for image in images {
        let removed = party.rmi(image.id.hex(), Force::Yes);
        removed.map_err(|error| format!("rmi of {}: {error}", image.id.short()))?;
    }
    ids(party)?.iter().for_each(|id| party.check_container(id, "without its image"));
    containers::remove_everything(&party.hands)?;
    party.prune(PruneScope::Unused).map_err(|error| format!("prune: {error}"))?;
    for directory in ["blobs/sha256", "layers", "records", "held", "refs", "ingest", "leases", "trash"] {
        if let Some(left) = entries(party, directory).first() {
            return Err(format!("{directory}/{left} is left after everything was removed"));
        }
    }
    Ok(())
}

fn entries(party: &Party, directory: &str) -> Vec<String> {
    let entries = party.machine.disk.list(&Path::new(ROOT).join(directory)).unwrap_or_default();
    entries.into_iter().map(|entry| entry.name).collect()
}

fn read(party: &Party, file: &str) -> Result<Vec<u8>, String> {
    party.machine.disk.read(&Path::new(ROOT).join(file)).map_err(|error| format!("{file}: {error}"))
}
