//! Founding case 1, on a daemon that has the fault: does what it says in the removal window become one clear answer?
//!
//! The bodies are those of dockerd 20.10.24, seen in 45 removals beside inspect, size, changes and archive; the ghost is
//! the entry that `rename` beside `rm` left there. Deliberately elsewhere: each body by itself, and what bollard makes of
//! odd lists (`tests/engine/docker_wire.rs`).

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use wharf::engine::{
    Engine,
    backend::{docker, embedded},
    domain::{Command, ContainerId, EngineSettings, ErrorKind, Force, HostSpec, RemoveOptions, Status},
};

use crate::engine::fake_daemon::{Answer, FakeDaemon};

const ID: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0";

/// What the daemon said to somebody who looked at a container that was being removed.
const LOOKING: [(u16, &str); 3] = [
    (500, "RWLayer of container 9f8e7d6c5b4a is unexpectedly nil"),
    (500, "stat /var/lib/docker/overlay2/1f2e3d4c: no such file or directory"),
    (404, "No such container: 9f8e7d6c5b4a"),
];
/// And to somebody who removed it as well.
const REMOVING: [(u16, &str); 3] = [
    (500, "RWLayer of container 9f8e7d6c5b4a is unexpectedly nil"),
    (500, "unlinkat /var/lib/docker/overlay2/1f2e3d4c: device or resource busy"),
    (409, "removal of container 9f8e7d6c5b4a is already in progress"),
];

fn open(daemon: &FakeDaemon) -> Engine {
    let host: HostSpec = daemon.url().parse().unwrap();
    Engine::with_backend(
        host.clone(),
        docker::open(&host, embedded::registry_access(&EngineSettings::default())).unwrap(),
    )
}

fn entry(names: &[&str], state: &str) -> serde_json::Value {
    json!({"Id": ID, "Names": names, "Image": "bb:1", "State": state, "Status": "Removal In Progress", "Created": 1})
}

fn message((status, text): (u16, &str)) -> Answer {
    Answer::Json(status, json!({"message": text}).to_string())
}

fn rm(force: Force) -> Command {
    let options = RemoveOptions { force, volumes: false };
    Command::Remove { container: ID.parse::<ContainerId>().unwrap().into(), options }
}

#[tokio::test]
async fn every_word_of_the_removal_window_ends_as_gone() {
    for (looking, removing) in LOOKING.into_iter().flat_map(|looking| REMOVING.map(|removing| (looking, removing))) {
        for listed in [0, 1, 3] {
            let looks = AtomicUsize::new(0);
            let daemon = FakeDaemon::new("1.41", move |asked| {
                if asked.target.contains("/containers/json") {
                    let there = looks.fetch_add(1, Ordering::Relaxed) < listed;
                    let list = if there { json!([entry(&["/web"], "removing")]) } else { json!([]) };
                    return Answer::Json(200, list.to_string());
                }
                message(if asked.method == "DELETE" { removing } else { looking })
            });
            let outcome = open(&daemon).submit(rm(Force::Yes)).unwrap().outcome().await;
            assert!(outcome.is_ok(), "{looking:?}, {removing:?}, listed {listed} times: {outcome:?}");
        }
    }
}

/// The twin: the same words about a container that stays are no success.
#[tokio::test]
async fn the_same_words_about_a_container_that_runs_on_are_a_failure() {
    for removing in REMOVING {
        let daemon = FakeDaemon::new("1.41", move |asked| {
            if asked.target.contains("/containers/json") {
                return Answer::Json(200, json!([entry(&["/web"], "running")]).to_string());
            }
            message(removing)
        });
        let outcome = open(&daemon).submit(rm(Force::Yes)).unwrap().outcome().await;
        assert!(outcome.is_err(), "{removing:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_nameless_ghost_is_shown_by_its_id_and_says_what_can_be_done() {
    let daemon = FakeDaemon::new("1.41", |asked| {
        if asked.target.contains("/containers/json") {
            return Answer::Json(200, json!([entry(&[], "removing")]).to_string());
        }
        message((404, "No such container: 9f8e7d6c5b4a"))
    });
    let engine = open(&daemon);
    let listed = engine.containers().await.unwrap();
    let seen: Vec<_> = listed.iter().map(|ghost| (ghost.display_name(), ghost.status())).collect();
    assert_eq!(seen, [(ID[..12].to_owned(), Status::Removing)]);
    let error = engine.submit(rm(Force::Yes)).unwrap().outcome().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.remedy_text().is_some_and(|remedy| remedy.contains("restart")), "{error}");
}
