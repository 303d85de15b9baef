//! Do the screen, the listing, the names on disk and the kernel tell one story?
//!
//! Deliberately elsewhere: blowing the storm (`mod`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    deadline::Deadline,
    residue::{entries, name_of},
    screen::Screen,
    store::Store,
};

/// A container as `ps` lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: String,
    pub status: String,
    pub pid: Option<u64>,
}

/// What `ps -a --format json` says, by name. Two containers of one name fail.
pub fn listing(store: &Store) -> BTreeMap<String, Row> {
    let listed = store.ok(&["ps", "-a", "--format", "json"]);
    let mut rows = BTreeMap::new();
    for row in listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let found = Row { id: text("id"), status: text("status"), pid: row["pid"].as_u64() };
        let twin = rows.insert(text("name"), found);
        assert!(twin.is_none(), "two containers are called {}:\n{listed}", text("name"));
    }
    rows
}

/// Waits until everybody agrees; how long that took, and the listing.
///
/// # Panics
/// When they do not within `patience`; the message says who contradicts whom.
pub fn agreed(store: &Store, screen: &Screen, patience: Duration) -> (Duration, BTreeMap<String, Row>) {
    let (begun, deadline) = (Instant::now(), Deadline::after(patience));
    loop {
        let listed = listing(store);
        let mut contradictions = on_screen(screen, &listed);
        contradictions.extend(on_disk(store, &listed));
        contradictions.extend(in_kernel(store, &listed));
        if contradictions.is_empty() {
            return (begun.elapsed(), listed);
        }
        assert!(
            !deadline.passed(),
            "after {:?}:\n{}\nps lists {listed:#?}\nthe screen shows\n{}",
            begun.elapsed(),
            contradictions.join("\n"),
            screen.text()
        );
        deadline.pause();
    }
}

fn on_screen(screen: &Screen, listed: &BTreeMap<String, Row>) -> Vec<String> {
    let shown = screen.text();
    // The detail pane, right or below, names a container too.
    let named =
        |row: &&str| row.split_whitespace().any(|word| word.starts_with("storm-") || word.starts_with("stander-"));
    let rows: Vec<&str> = shown.lines().filter_map(|row| row.split(['│', '─']).next()).filter(named).collect();
    let mut wrong = Vec::new();
    if rows.len() != listed.len() {
        wrong.push(format!("the screen has {} rows, ps {}", rows.len(), listed.len()));
    }
    for (name, row) in listed {
        // The word on the screen for a status of `ps`.
        let word = if row.status == "running" { "up" } else { &row.status };
        if !rows.iter().any(|shown| shown.split_whitespace().any(|other| other == name) && shown.contains(word)) {
            wrong.push(format!("the screen does not show {name} as {word}"));
        }
    }
    wrong
}

/// Every name on disk has one owner, who is listed under it.
fn on_disk(store: &Store, listed: &BTreeMap<String, Row>) -> Vec<String> {
    let names = entries(&store.root().join("data/names")).into_iter();
    // The folder's own lock is not a name.
    let names: BTreeMap<String, String> = names
        .filter(|path| !name_of(path).starts_with('.'))
        .map(|path| (name_of(&path), fs::read_to_string(&path).unwrap_or_default().trim().to_owned()))
        .collect();
    let wanted: BTreeMap<String, String> = listed.iter().map(|(name, row)| (name.clone(), row.id.clone())).collect();
    if names == wanted { Vec::new() } else { vec![format!("the names on disk are {names:?}")] }
}

/// What is listed as running is a process, what is not is none, and no monitor is without a container.
fn in_kernel(store: &Store, listed: &BTreeMap<String, Row>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut running = BTreeSet::new();
    for (name, Row { id, status, pid }) in listed {
        let alive = pid.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists());
        if alive != matches!(status.as_str(), "running" | "paused" | "stopping") {
            wrong.push(format!("{name} is listed as {status} with process {pid:?}"));
        }
        if alive {
            let state = fs::read(store.root().join("run/c").join(id).join("state.json")).unwrap_or_default();
            let state: Value = serde_json::from_slice(&state).unwrap_or_default();
            running.extend(state["monitor"]["pid"].as_u64());
        }
    }
    let monitors = monitors(store);
    if monitors != running {
        wrong.push(format!("the kernel has the monitors {monitors:?}, containers have {running:?}"));
    }
    wrong
}

fn monitors(store: &Store) -> BTreeSet<u64> {
    let inside = store.root().display().to_string();
    let is_ours = |process: &Path| {
        // A process that ends while we look is none.
        let words = fs::read(process.join("cmdline")).unwrap_or_default();
        let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
        // Its container's root is mounted where only it sees it.
        words.split(|byte| *byte == 0).any(|word| word == b"__monitor") && mounts.contains(&inside)
    };
    entries(Path::new("/proc"))
        .iter()
        .filter_map(|process| name_of(process).parse().ok().filter(|_| is_ours(process)))
        .collect()
}
