//! Does everybody agree after a storm? Several processes on one store, mixed verbs, kills at any moment; then the
//! screen, the listing and the kernel must tell one story, every name has one owner, and nothing is left.
//!
//! `WHARF_STORM_SECONDS` sets the length (default 6; CI says 60), `WHARF_STORM_KILLS` the number of killed commands.
//! Deliberately elsewhere: order within one process (`supervision`).

mod lines;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use self::lines::Lines;
use crate::support::{
    deadline::{Deadline, wait_until},
    need::{needs_image, needs_root, needs_user},
    residue::{entries, name_of},
    screen::{Screen, Size},
    store::Store,
};

#[test]
fn after_a_storm_of_two_scripts_and_a_screen_all_agree() {
    if needs_root() {
        storm();
    }
}

#[test]
fn after_a_rootless_storm_all_agree() {
    if needs_user() {
        storm();
    }
}

#[test]
fn commands_killed_at_any_moment_lose_nothing_and_leave_nothing() {
    if needs_root() {
        kills();
    }
}

#[test]
fn rootless_commands_killed_at_any_moment_lose_nothing_and_leave_nothing() {
    if needs_user() {
        kills();
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn storm() {
    let Some(image) = needs_image("bb:1") else { return };
    let store = Store::new();
    store.ok(&["pull", "-q", &image]);
    let screen = store.screen(&["ui"], Size::WIDE);
    screen.wait_for("No containers");
    let end = Deadline::after(Duration::from_secs(setting("WHARF_STORM_SECONDS", 6)));
    std::thread::scope(|scope| {
        for seed in [1, 2] {
            let (store, image) = (&store, &image);
            scope.spawn(move || {
                let mut lines = Lines::new(seed, image);
                while !end.passed() {
                    run_script(store, &lines.take(60));
                }
            });
        }
    });
    let settled = Instant::now();
    let listed = agreed(&store, &screen);
    assert!(settled.elapsed() < Duration::from_secs(2), "the screen needed {:?} to agree", settled.elapsed());
    names_have_one_owner(&store, listed);
    screen.type_keys("q");
}

/// Every line must come back as one result; which of them succeed depends on the other storm.
fn run_script(store: &Store, lines: &[String]) {
    let file = store.root().join(format!("script-{:?}", std::thread::current().id()));
    std::fs::write(&file, lines.join("\n")).unwrap();
    let finished = store.run(&["script", "--jobs", "4", "--keep-going", &file.display().to_string()]);
    let results: Vec<Value> = finished
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(results.len(), lines.len(), "{finished}");
    for result in results {
        let slow = result["ms"].as_f64().unwrap() > 20_000.0;
        let defect = result["error"]["kind"] == "internal" || result["error"]["kind"] == "timed_out";
        assert!(!slow && !defect, "{result}\n{finished}");
    }
}

/// Waits until the screen's rows are what `ps` lists; returns the listing: name to status and pid.
fn agreed(store: &Store, screen: &Screen) -> BTreeMap<String, (String, Option<u64>)> {
    let deadline = Deadline::after(Duration::from_secs(10));
    loop {
        let listed = listing(store);
        let shown = screen.text();
        // The detail pane, right or below, names a container too.
        let rows: Vec<&str> = shown
            .lines()
            .filter_map(|row| row.split(['│', '─']).next())
            .filter(|row| row.split_whitespace().any(|word| word.starts_with("storm-")))
            .collect();
        let has_row = |name: &String, status: &String| {
            rows.iter().any(|row| row.split_whitespace().any(|word| word == name) && row.contains(shown_word(status)))
        };
        if rows.len() == listed.len() && listed.iter().all(|(name, (status, _))| has_row(name, status)) {
            return listed;
        }
        assert!(!deadline.passed(), "ps lists {listed:#?}\nbut the screen shows\n{shown}");
        deadline.pause();
    }
}

/// The word on the screen for a status of `ps`.
fn shown_word(status: &str) -> &str {
    if status == "running" { "up" } else { status }
}

fn listing(store: &Store) -> BTreeMap<String, (String, Option<u64>)> {
    let listed = store.ok(&["ps", "-a", "--format", "json"]);
    let mut rows = BTreeMap::new();
    for row in listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let twin = rows.insert(text("name"), (text("status"), row["pid"].as_u64()));
        assert!(twin.is_none(), "two containers are called {}:\n{listed}", text("name"));
    }
    rows
}

/// The names on disk are the names listed, and what is listed as running is a process in the kernel. What a
/// monitor is just removing may take a moment longer.
fn names_have_one_owner(store: &Store, mut listed: BTreeMap<String, (String, Option<u64>)>) {
    let deadline = Deadline::after(Duration::from_secs(1));
    loop {
        let names = entries(&store.root().join("data/names"));
        // The folder's own lock is not a name.
        let names: BTreeSet<String> =
            names.iter().map(|path| name_of(path)).filter(|name| !name.starts_with('.')).collect();
        let owners: BTreeSet<String> = listed.keys().cloned().collect();
        let false_claims: Vec<_> = listed.iter().filter(|(_, (status, pid))| !is_true(status, *pid)).collect();
        if names == owners && false_claims.is_empty() {
            return;
        }
        assert!(!deadline.passed(), "names {names:?}, listed {listed:?}, untrue {false_claims:?}");
        deadline.pause();
        listed = listing(store);
    }
}

fn is_true(status: &str, pid: Option<u64>) -> bool {
    let alive = pid.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists());
    alive == matches!(status, "running" | "paused" | "stopping")
}

fn kills() {
    let Some(image) = needs_image("bb:1") else { return };
    let store = Store::new();
    store.ok(&["pull", "-q", &image]);
    store.ok(&["run", "-d", "--network", "none", "--name", "bystander", &image, "sleep", "100000"]);
    let mut lines = Lines::new(3, &image);
    for number in 0..setting("WHARF_STORM_KILLS", 40) {
        let line = lines.take(1).remove(0);
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut child = store.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Between the first instruction and well after the end of most verbs.
        let moment = Deadline::after(Duration::from_micros(number * 7919 % 40_000));
        while !moment.passed() {
            moment.pause();
        }
        // It may have ended already, which is one of the moments meant.
        let _ = child.kill();
        child.wait().unwrap();
    }
    // What was cut within the last second still looks like work in progress, and is repaired a moment later.
    wait_until("a repair that leaves nothing half-made", Duration::from_secs(10), || {
        store.ok(&["system", "repair"]);
        let hidden = |path: &PathBuf| name_of(path).starts_with('.');
        let nascent = entries(&store.root().join("data/containers")).iter().any(hidden);
        (!nascent && entries(&store.root().join("data/trash")).is_empty()).then_some(())
    });
    let again = store.ok(&["system", "repair", "--dry-run", "-q"]);
    assert!(again.is_empty(), "a second repair still finds: {again}");
    let listed = listing(&store);
    assert_eq!(listed.get("bystander").map(|(status, _)| status.as_str()), Some("running"));
    names_have_one_owner(&store, listed);
}
