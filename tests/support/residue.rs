//! What did a store leave behind in the kernel and on the disk? Mounts, processes, control groups, and names
//! without an owner. An empty list is the promise.
//! Deliberately elsewhere: ending containers first (`store.rs`).

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Everything that still belongs to the store under `root` although its containers are gone, one line each.
///
/// Kernel objects are found from three sides, since a leak can hide from each: mounts of this namespace below
/// `root`; processes that were started for this store (their environment says `WHARF_ROOT=root`); processes of
/// other mount namespaces that still see an overlay of this store. Container ids, which name control groups, are
/// `known_ids`.
pub fn residue_of(root: &Path, known_ids: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    let inside = root.display().to_string();
    left.extend(lines_naming("/proc/self/mountinfo", &inside).into_iter().map(|line| format!("mount: {line}")));
    left.extend(processes(root));
    left.extend(control_groups(known_ids));
    left.extend(ownerless_entries(root));
    left
}

/// A process that belongs to a store.
pub struct Seeing {
    pub pid: u32,
    pub command: String,
    /// The mounts below the store that it sees and we do not.
    pub mounts: Vec<String>,
}

fn processes(root: &Path) -> Vec<String> {
    processes_seeing(root).into_iter().map(|seen| format!("process {}: {}", seen.pid, seen.command)).collect()
}

/// Processes that were started for the store under `root`, or see a mount of it in another namespace.
pub fn processes_seeing(root: &Path) -> Vec<Seeing> {
    let marker = format!("WHARF_ROOT={}", root.display());
    let inside = root.display().to_string();
    let own_namespace = fs::read_link("/proc/self/ns/mnt").ok();
    let mut left = Vec::new();
    for entry in entries(Path::new("/proc")) {
        let Some(pid) = name_of(&entry).parse::<u32>().ok().filter(|pid| *pid != std::process::id()) else { continue };
        // A process that ends while we look has left nothing; an unreadable file belongs to somebody else.
        let environment = fs::read(entry.join("environ")).unwrap_or_default();
        let foreign_namespace = fs::read_link(entry.join("ns/mnt")).ok() != own_namespace;
        let started_for_store = environment.split(|byte| *byte == 0).any(|pair| pair == marker.as_bytes());
        let mounts = if foreign_namespace { lines_naming(entry.join("mountinfo"), &inside) } else { Vec::new() };
        if (started_for_store || !mounts.is_empty()) && !is_zombie(&entry) {
            left.push(Seeing { pid, command: command_line(&entry), mounts });
        }
    }
    left
}

/// A zombie holds nothing but its exit code, and only its parent can take that.
fn is_zombie(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

fn command_line(process: &Path) -> String {
    let bytes = fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned()
}

/// Control groups named after one of `ids`, at most four levels below each hierarchy.
pub fn control_groups(ids: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    let mut level = vec![PathBuf::from("/sys/fs/cgroup")];
    for _ in 0..5 {
        level = level.iter().flat_map(|folder| entries(folder)).filter(|path| path.is_dir()).collect();
        let named = level.iter().filter(|path| ids.iter().any(|id| name_of(path).contains(id.as_str())));
        left.extend(named.map(|path| format!("control group: {}", path.display())));
    }
    left
}

/// Names, containers and run-time folders that nobody owns once no container is left.
fn ownerless_entries(root: &Path) -> Vec<String> {
    let folders = ["data/names", "data/containers", "data/trash", "run/c", "run/containers"];
    folders
        .iter()
        .flat_map(|folder| entries(&root.join(folder)))
        // A folder's own lock belongs to the store.
        .filter(|path| name_of(path) != ".lock")
        .map(|path| format!("entry without owner: {}", path.display()))
        .collect()
}

pub fn lines_naming(file: impl AsRef<Path>, text: &str) -> Vec<String> {
    let content = fs::read_to_string(file).unwrap_or_default();
    content.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

/// The entries of a folder; none when it is not there or not ours to read.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).map(|list| list.filter_map(|entry| entry.ok().map(|entry| entry.path())));
    listed.map(Iterator::collect).unwrap_or_default()
}

pub fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
