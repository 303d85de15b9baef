//! Has everything in a store an owner while some of its containers live? The residue check for the middle of a test.
//! Deliberately elsewhere: the check of a store whose containers are all gone (`residue.rs`).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    residue::{control_groups, entries, lines_naming, name_of, processes_seeing},
    store::Store,
};

/// A container as `ps -a` tells it.
#[derive(Clone, Debug)]
pub struct Owner {
    pub id: String,
    pub name: String,
    pub status: String,
    pub pid: Option<u32>,
    pub degraded: bool,
}

impl Owner {
    pub fn runs(&self) -> bool {
        matches!(self.status.as_str(), "running" | "paused" | "stopping")
    }
}

/// Every container of the store, by `ps -a`.
#[track_caller]
pub fn owners(store: &Store) -> Vec<Owner> {
    let listed = store.ok(&["ps", "-a", "--format", "json"]);
    let rows = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let pid = row["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        Owner { id: text("id"), name: text("name"), status: text("status"), pid, degraded: row["degraded"].is_string() }
    })
    .collect()
}

/// What nobody owns, one line each: in the kernel, among the names, and half-made or half-gone files.
///
/// For a moment when no verb is at work. A control group, mount or process belongs to a running container; a name to the
/// container that says so; leases, temporary files, trash and hidden directories to nobody.
#[track_caller]
pub fn ownerless(store: &Store) -> Vec<String> {
    let owners = owners(store);
    let mut left = in_the_kernel(store, &owners);
    left.extend(among_the_names(store, &owners));
    left.extend(half_made_files(store, &owners));
    left
}

/// Control groups, mounts and processes without a running container.
pub fn in_the_kernel(store: &Store, owners: &[Owner]) -> Vec<String> {
    let running: BTreeSet<&str> = owners.iter().filter(|owner| owner.runs()).map(|owner| owner.id.as_str()).collect();
    let dead: Vec<String> = ids_ever_seen(store).into_iter().filter(|id| !running.contains(id.as_str())).collect();
    let mut left = control_groups(&dead);
    let inside = format!("{}/", store.root().display());
    let mounts = lines_naming("/proc/self/mountinfo", &inside);
    left.extend(mounts.into_iter().map(|line| format!("mount: {line}")));
    let strangers = processes_seeing(store.root()).into_iter().filter(|seen| {
        let owned = seen.mounts.iter().any(|line| running.iter().any(|id| line.contains(id)));
        !owned
    });
    left.extend(strangers.map(|seen| format!("process {}: {}", seen.pid, seen.command)));
    left
}

/// Names without an owner, owners without their name.
pub fn among_the_names(store: &Store, owners: &[Owner]) -> Vec<String> {
    let folder = store.root().join("data/names");
    let mut left = Vec::new();
    let mut claimed: BTreeSet<(String, String)> = BTreeSet::new();
    for path in entries(&folder).into_iter().filter(|path| !name_of(path).starts_with('.')) {
        let holder = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
        claimed.insert((name_of(&path), holder));
    }
    let owned: BTreeSet<(String, String)> = owners.iter().map(|owner| (owner.name.clone(), owner.id.clone())).collect();
    left.extend(claimed.difference(&owned).map(|(name, id)| format!("name without owner: {name} of {id}")));
    left.extend(owned.difference(&claimed).map(|(name, id)| format!("container {id} without its name {name}")));
    left
}

/// Leases, temporary files, trash, hidden directories, runtime folders of what does not run.
fn half_made_files(store: &Store, owners: &[Owner]) -> Vec<String> {
    let listed = |folder: &str| entries(&store.root().join(folder)).into_iter();
    let known = |path: &PathBuf| owners.iter().any(|owner| owner.id == name_of(path));
    let running = |path: &PathBuf| owners.iter().any(|owner| owner.runs() && owner.id == name_of(path));
    let mut left: Vec<PathBuf> = Vec::new();
    left.extend(listed("data/containers").filter(|path| !known(path)));
    left.extend(listed("run/c").filter(|path| !running(path)));
    left.extend(["data/trash", "data/images/trash", "data/images/leases"].into_iter().flat_map(listed));
    left.extend(listed("data/images/ingest").filter(|path| !name_of(path).ends_with(".part")));
    let folders = ["data", "data/names", "data/events", "data/images", "run"];
    let blobs = ["data/images/records", "data/images/blobs/sha256", "data/images/blobs/sha512"];
    let mut suspects: Vec<PathBuf> = folders.into_iter().chain(blobs).flat_map(listed).collect();
    suspects.extend(listed("data/containers").flat_map(|folder| entries(&folder)));
    suspects.extend(below(&store.root().join("data/images/refs")));
    suspects.extend(listed("data/images/layers").flat_map(|folder| entries(&folder)));
    let temporary = |path: &PathBuf| name_of(path).starts_with(".tmp-") || name_of(path).ends_with(".tmp");
    left.extend(suspects.into_iter().filter(temporary));
    left.into_iter().map(|path| format!("entry without owner: {}", path.display())).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let found = entries(folder);
    let inner: Vec<PathBuf> = found.iter().filter(|path| path.is_dir()).flat_map(|path| below(path)).collect();
    found.into_iter().chain(inner).collect()
}

/// Ids of all containers that were ever announced, so that what outlived its container is looked for too.
fn ids_ever_seen(store: &Store) -> BTreeSet<String> {
    let changes = fs::read_to_string(store.root().join("data/changes")).unwrap_or_default();
    let announced = changes.lines().filter_map(|line| line.split(' ').next()).filter(|id| id.len() == 64);
    let folders = ["data/containers", "data/trash", "run/c"]
        .into_iter()
        .flat_map(|folder| entries(&store.root().join(folder)).iter().map(|path| name_of(path)).collect::<Vec<_>>());
    announced.map(str::to_owned).chain(folders.filter(|name| name.len() == 64)).collect()
}
