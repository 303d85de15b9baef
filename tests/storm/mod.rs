//! Does everybody agree after a storm? Several processes on one store, mixed verbs, kills at any moment; then the
//! screen, the listing and the kernel must tell one story, every name has one owner, and nothing is left.
//!
//! `WHARF_STORM_SECONDS` sets the length (default 6; CI says 60), `WHARF_STORM_KILLS` the number of killed commands.
//! Deliberately elsewhere: order within one process (`supervision`).

mod lines;

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use self::lines::Lines;
use crate::support::{
    deadline::{Deadline, wait_until},
    need::{needs_image, needs_root, needs_user},
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
    names_have_one_owner(store.root(), &listed);
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
    wait_until("the screen and `ps` to agree", Duration::from_secs(10), || {
        let listed = listing(store);
        let shown = screen.text();
        let same = listed.iter().all(|(name, (status, _))| {
            shown.lines().any(|row| row.split_whitespace().any(|word| word == name) && row.contains(shown_word(status)))
        });
        let others = shown.lines().filter(|row| row.split_whitespace().any(|word| word.starts_with("storm-"))).count();
        (same && others == listed.len()).then_some(listed)
    })
}

/// The word on the screen for a status of `ps`.
fn shown_word(status: &str) -> &str {
    if status == "running" { "up" } else { status }
}

fn listing(store: &Store) -> BTreeMap<String, (String, Option<u64>)> {
    let listed = store.ok(&["ps", "-a", "--format", "json"]);
    let rows = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        (text("name"), (text("status"), row["pid"].as_u64()))
    })
    .collect()
}

/// The names on disk are the names listed, and what is listed as running is a process in the kernel.
fn names_have_one_owner(root: &Path, listed: &BTreeMap<String, (String, Option<u64>)>) {
    let names = std::fs::read_dir(root.join("data/names")).map_or(0, Iterator::count);
    assert_eq!(names, listed.len(), "names without an owner, or owners without a name");
    for (name, (status, pid)) in listed {
        let alive = pid.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists());
        assert_eq!(alive, matches!(status.as_str(), "running" | "paused" | "stopping"), "{name} is {status}");
    }
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
        std::thread::park_timeout(Duration::from_micros(number * 7919 % 40_000));
        // It may have ended already, which is one of the moments meant.
        let _ = child.kill();
        child.wait().unwrap();
    }
    store.ok(&["system", "repair"]);
    let listed = listing(&store);
    assert_eq!(listed.get("bystander").map(|(status, _)| status.as_str()), Some("running"));
    names_have_one_owner(store.root(), &listed);
    let again = store.ok(&["system", "repair", "--dry-run", "-q"]);
    assert!(again.is_empty(), "a second repair still finds: {again}");
}
