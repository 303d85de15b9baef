//! Does `wharf demo` show on this machine what it promises, and does `wharf demo --clean` leave nothing?
//!
//! Deliberately elsewhere: what belongs to the demo and what is missing (unit tests), asking twice (`super`).

use std::time::{Duration, Instant};

use crate::support::{
    need::{needs_docker, needs_podman, needs_root, needs_user},
    store::Store,
};

#[test]
fn the_demo_works_on_the_embedded_engine_and_goes_without_a_trace() {
    if needs_root() {
        come_and_go(&Store::new());
    }
}

#[test]
fn the_demo_works_rootless_and_goes_without_a_trace() {
    if needs_user() {
        come_and_go(&Store::new());
    }
}

#[test]
fn the_demo_works_on_docker_and_goes_without_a_trace() {
    if let Some(host) = needs_docker() {
        come_and_go_on_a_daemon(&Store::new(), &host);
    }
}

#[test]
fn the_demo_works_on_podman_and_goes_without_a_trace() {
    if let Some(host) = needs_podman() {
        come_and_go_on_a_daemon(&Store::new(), &host);
    }
}

/// Others may use the daemon meanwhile: only what the demo makes is looked at.
fn come_and_go_on_a_daemon(store: &Store, host: &str) {
    let on = |args: &[&str]| store.ok(&[&["--host", host], args].concat());
    let is_there = || on(&["ps", "-a"]).lines().any(|line| line.contains("demo-web"));
    assert!(!is_there(), "{host} has a demo already; this test would remove it");
    assert!(on(&["demo"]).lines().any(|line| line == "demo-web"));
    assert_eq!(on(&["wait", "demo-finisher", "demo-failer"]), "0\n1");
    assert_eq!(on(&["demo"]), "", "asking again does nothing");
    let removed = on(&["demo", "--clean"]);
    assert!(removed.lines().any(|line| line == "wharf/demo:latest"), "{removed}");
    assert!(!is_there());
    assert!(!on(&["images"]).contains("wharf/demo"));
}

fn come_and_go(store: &Store) {
    let begun = Instant::now();
    let made = store.ok(&["demo"]);
    assert!(made.lines().any(|line| line == "demo-web"), "{made}");
    // A second with the program as it ships; a debug build is ten times as large.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(store.ok(&["wait", "demo-finisher", "demo-failer", "demo-burst"]), "0\n1\n0");
    let statuses = store.ok(&["ps", "-a", "--format", "json"]);
    let count =
        |status: &str| statuses.lines().filter(|line| line.contains(&format!("\"status\":\"{status}\""))).count();
    assert_eq!((count("running"), count("exited")), (4, 3), "{statuses}");
    assert!(store.ok(&["logs", "demo-finisher"]).contains("all done"));
    assert_eq!(store.ok(&["logs", "demo-burst"]).lines().count(), 2_000);
    assert_eq!(store.ok(&["demo"]), "", "asking again does nothing");
    // Its first process hears TERM: no grace period passes.
    let begun = Instant::now();
    store.ok(&["stop", "demo-web"]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(store.ok(&["demo"]), "demo-web");
    let removed = store.ok(&["demo", "--clean"]);
    assert!(removed.lines().any(|line| line == "wharf/demo:latest"), "{removed}");
    assert_eq!(store.ok(&["ps", "-a", "-q"]), "");
    assert_eq!(store.ok(&["images", "-q"]), "");
    assert_eq!(store.clean(), Vec::<String>::new());
}
