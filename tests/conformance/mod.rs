//! Do all engines behave the same through the door? One list of named checks, run against each.
//!
//! Deliberately elsewhere: the checks themselves (`lifecycle`, `names`, `streams`, `images`), what only one
//! engine does (`tests/engine`).

mod bench;
mod images;
mod lifecycle;
mod names;
mod streams;

use std::{io::Write as _, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use wharf::engine::{
    Engine, Locations,
    backend::{embedded, fake::FakeHost},
    domain::HostSpec,
};

use self::bench::Bench;
use crate::support::{
    command::wharf_binary,
    need::{needs_docker, needs_image, needs_podman, needs_root, needs_user},
    store::Store,
};

/// One behaviour: its name is the sentence that must be true.
pub struct Check {
    pub name: &'static str,
    pub run: for<'a> fn(&'a Bench) -> BoxFuture<'a, Result<(), String>>,
}

/// A check that one engine is known to fail, and why that cannot be mended on our side.
pub struct Deviation {
    pub check: &'static str,
    pub reason: &'static str,
    pub seen: Seen,
}

/// How often a deviation shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A check that passes has to be struck from the list.
    Always,
    /// The engine races with itself.
    Sometimes,
}

/// An image of the lab that no other test has on a daemon.
const SPARE: &str = "tree:1";
const PATIENCE: Duration = Duration::from_secs(90);

fn all() -> impl Iterator<Item = &'static Check> {
    lifecycle::CHECKS.iter().chain(names::CHECKS).chain(streams::CHECKS).chain(images::CHECKS)
}

/// Runs every check; a failure that is not a listed deviation, and a listed deviation that passes, both fail.
async fn conform(bench: Bench, deviations: &[Deviation]) {
    let mut wrong = Vec::new();
    let mut passed = 0;
    for check in all() {
        let outcome = tokio::time::timeout(PATIENCE, (check.run)(&bench))
            .await
            .unwrap_or_else(|_| Err(format!("not done after {PATIENCE:?}")));
        bench.sweep().await;
        let known = deviations.iter().find(|deviation| deviation.check == check.name);
        match (outcome, known) {
            (Ok(()), None) => passed += 1,
            (Ok(()), Some(known)) if known.seen == Seen::Sometimes => passed += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{}: passes now, strike it from the deviations", check.name)),
            (Err(why), None) => wrong.push(format!("{}: {why}", check.name)),
            (Err(_), Some(known)) => say(&format!("deviation: {}: {}: {}", bench.label, check.name, known.reason)),
        }
    }
    say(&format!("{}: {passed} checks passed, {} known deviations", bench.label, deviations.len()));
    assert!(wrong.is_empty(), "{} of the checks failed on {}:\n{}", wrong.len(), bench.label, wrong.join("\n"));
    assert!(
        deviations.iter().all(|deviation| all().any(|check| check.name == deviation.check)),
        "a deviation names a check that does not exist"
    );
}

/// On the real stderr: the test harness swallows what a passing test prints through the macros.
fn say(line: &str) {
    // A closed stderr must not fail a passing suite.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fake_engine_conforms() {
    let engine = Engine::with_backend(HostSpec::Embedded, Arc::new(FakeHost::new()));
    conform(Bench::new("fake", engine, "bb:1", "remote:1"), &[]).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_engine_conforms_as_root() {
    if !needs_root() {
        return;
    }
    embedded_engine("embedded, root").await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_engine_conforms_rootless() {
    if !needs_user() {
        return;
    }
    embedded_engine("embedded, rootless").await;
}

#[cfg(target_os = "linux")]
async fn embedded_engine(label: &'static str) {
    let (Some(image), Some(spare)) = (needs_image("bb:1"), needs_image(SPARE)) else { return };
    let store = Store::new();
    let root = store.root().to_owned();
    let locations = Locations::resolve(&|name| (name == "WHARF_ROOT").then(|| root.clone()), Some(0));
    // The roles of monitors and helpers are the program's, not this test's.
    let backend = embedded::open_with_binary(&locations, wharf_binary()).unwrap();
    let engine = Engine::with_backend(HostSpec::Embedded, backend);
    conform(Bench::new(label, engine, &image, &spare), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn docker_conforms() {
    let Some(url) = needs_docker() else { return };
    daemon("docker", &url, DOCKER_DEVIATIONS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn podman_conforms() {
    let Some(url) = needs_podman() else { return };
    daemon("podman", &url, PODMAN_DEVIATIONS).await;
}

async fn daemon(label: &'static str, url: &str, deviations: &[Deviation]) {
    let (Some(image), Some(spare)) = (needs_image("bb:1"), needs_image(SPARE)) else { return };
    let host: HostSpec = url.parse().unwrap();
    let engine = Engine::open(host, &Locations::of_this_process()).unwrap();
    conform(Bench::new(label, engine, &image, &spare), deviations).await;
}

/// Seen on Docker 20.10.
const DOCKER_DEVIATIONS: &[Deviation] = &[];

/// Seen on Podman 4.3 (its Docker-compatible API).
const PODMAN_DEVIATIONS: &[Deviation] = &[
    Deviation {
        check: "a restart keeps an auto-remove container and a stop removes it",
        reason: "its cleanup process, run after every stop, may remove the container before the start",
        seen: Seen::Sometimes,
    },
    Deviation { check: images::STOPPED, reason: FORCE_TAKES_CONTAINERS, seen: Seen::Always },
    Deviation { check: images::RUNNING, reason: FORCE_TAKES_CONTAINERS, seen: Seen::Always },
    Deviation { check: images::RUNNING_BY_ID, reason: FORCE_TAKES_CONTAINERS, seen: Seen::Always },
    Deviation {
        check: images::SEVERAL_NAMES,
        reason: "it refuses as well, but its answer (500) does not tell a refusal from a failure",
        seen: Seen::Always,
    },
];

const FORCE_TAKES_CONTAINERS: &str = "a forced removal of an image removes its containers too";

#[test]
fn every_check_has_a_name_of_its_own() {
    let mut names: Vec<_> = all().map(|check| check.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count >= 30, "only {count} checks");
}
