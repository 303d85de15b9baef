//! Does the Docker backend keep its head when a daemon does not? Versions, ghosts, removal windows, lost answers,
//! broken streams, replayed by a scripted daemon.
//! Deliberately elsewhere: real daemons (`docker_real.rs`, `conformance`).

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use wharf::engine::{
    Engine,
    backend::{Backend, EventRange, Notice, OperationContext, docker, embedded},
    domain::*,
};

use super::fake_daemon::{Answer, Asked, FakeDaemon};

const ID: &str = "21c5779a813c5c694664e6123543c03b3a0bc36abf0877090c805d5c213ab951";
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

fn open(daemon: &FakeDaemon) -> std::sync::Arc<dyn Backend> {
    let registries = embedded::registry_access(&EngineSettings::default());
    docker::open(&daemon.url().parse::<HostSpec>().unwrap(), registries).unwrap()
}

fn id() -> ContainerId {
    ID.parse().unwrap()
}

fn entry(state: &str) -> Value {
    json!({"Id": ID, "Names": ["/web"], "Image": "bb:1", "State": state, "Status": "x", "Created": 1})
}

fn object(state: &str) -> String {
    json!({"Id": ID, "Name": "/web", "State": {"Status": state}, "Config": {}, "HostConfig": {}}).to_string()
}

fn message(status: u16, text: &str) -> Answer {
    Answer::Json(status, json!({"message": text}).to_string())
}

fn is(asked: &Asked, method: &str, path: &str) -> bool {
    asked.method == method && asked.target.split_once("/containers").is_some_and(|(_, rest)| rest.starts_with(path))
}

#[tokio::test]
async fn every_request_carries_the_version_both_sides_speak() {
    for (offered, spoken) in [("1.24", "/v1.24/"), ("1.41", "/v1.41/"), ("1.44", "/v1.44/"), ("1.99", "/v1.53/")] {
        let daemon = FakeDaemon::new(offered, |asked| match asked.method.as_str() {
            "GET" => Answer::Json(200, if asked.target.contains("/json?") { "[]".into() } else { object("running") }),
            _ => Answer::Json(204, String::new()),
        });
        let backend = open(&daemon);
        assert!(backend.containers().await.unwrap().is_empty());
        // Through bollard, which drops it, and past it.
        backend.rename(id(), "new".parse().unwrap(), OperationContext::unwatched(MINUTE)).await.unwrap();
        backend.pause(id(), OperationContext::unwatched(MINUTE)).await.unwrap();
        let asked = daemon.asked();
        assert_eq!(asked.len(), 3);
        assert!(asked.iter().all(|asked| asked.target.starts_with(spoken)), "{offered}: {asked:?}");
    }
    let ancient = FakeDaemon::new("1.18", |_| Answer::HangUp);
    assert_eq!(open(&ancient).containers().await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn one_odd_container_does_not_hide_the_others() {
    let daemon = FakeDaemon::new("1.41", |asked| {
        if asked.target.contains("/containers/json") {
            let ghost = json!({"Id": "f".repeat(64), "Names": [], "Labels": null, "State": "removing", "Created": 0});
            let list = json!([ghost, entry("hibernating"), {"Id": null}, 7]);
            return Answer::Json(200, list.to_string());
        }
        Answer::Json(200, object("hibernating"))
    });
    let listed = open(&daemon).containers().await.unwrap();
    let seen: Vec<_> = listed.iter().map(|container| (container.display_name(), container.status())).collect();
    assert_eq!(seen, [("f".repeat(12), Status::Removing), ("web".to_owned(), Status::Unknown)]);
}

#[tokio::test]
async fn a_table_of_containers_costs_one_request_and_one_more_for_what_it_leaves_open() {
    let daemon = FakeDaemon::new("1.41", |asked| {
        if asked.target.contains("/containers/json") {
            let one = |number: usize, words: &str| {
                json!({"Id": format!("{number:064x}"), "Names": [format!("/n{number}")], "Image": "bb:1",
                    "State": "exited", "Status": words, "Created": 1})
            };
            let told = (0..100).map(|number| one(number, "Exited (3) 2 hours ago"));
            let list: Vec<Value> = told.chain([one(100, "Exited (-1) 2 hours ago")]).collect();
            return Answer::Json(200, json!(list).to_string());
        }
        Answer::Json(200, object("exited"))
    });
    let rows = open(&daemon).container_table().await.unwrap();
    assert_eq!(rows.len(), 101);
    assert_eq!(rows.iter().filter(|row| row.state.exit_code == Some(3)).count(), 100);
    assert_eq!(daemon.asked().len(), 2);
}

#[tokio::test]
async fn the_first_picture_of_a_daemon_does_not_wait_for_a_look_at_each_container() {
    let (answer, answers) = std::sync::mpsc::channel::<()>();
    let answers = std::sync::Mutex::new(answers);
    let daemon = FakeDaemon::new("1.41", move |asked| {
        if asked.target.contains("/containers/json") {
            let mut up = entry("running");
            up["Status"] = json!("Up 3 seconds");
            return Answer::Json(200, json!([up]).to_string());
        }
        if asked.target.contains("/events") {
            return Answer::Pieces(Vec::new());
        }
        if asked.target.contains("/images/json") {
            return Answer::Json(200, "[]".to_owned());
        }
        // Nobody ever sends: looks are answered once the other end has been dropped.
        let _ = answers.lock().unwrap().recv();
        let mut looked: Value = serde_json::from_str(&object("running")).unwrap();
        looked["State"]["Pid"] = json!(4242);
        Answer::Json(200, looked.to_string())
    });
    let engine = Engine::with_backend(daemon.url().parse().unwrap(), open(&daemon));
    let mut inventory = engine.inventory();
    let pid = |inventory: &Inventory| inventory.containers.first().map(|found| found.state.pid);
    engine.observe();
    let rough = inventory.wait_for(|inventory| pid(inventory).is_some()).await.unwrap();
    assert_eq!((pid(&rough), rough.containers[0].status()), (Some(None), Status::Running));
    drop(answer);
    let whole = inventory.wait_for(|inventory| pid(inventory) == Some(Some(4242))).await.unwrap();
    assert_eq!(whole.containers[0].display_name(), "web");
}

#[tokio::test]
async fn the_failures_of_the_removal_window_are_one_outcome() {
    let looks = AtomicU32::new(0);
    let daemon = FakeDaemon::new("1.41", move |asked| match asked.method.as_str() {
        "DELETE" => message(500, "RWLayer of container x is unexpectedly nil"),
        _ if looks.fetch_add(1, Ordering::Relaxed) < 2 => Answer::Json(200, json!([entry("removing")]).to_string()),
        _ => Answer::Json(200, "[]".into()),
    });
    let outcome = open(&daemon).remove(id(), RemoveOptions::default(), OperationContext::unwatched(MINUTE)).await;
    assert!(!outcome.unwrap().already);
}

#[tokio::test]
async fn a_container_is_seen_through_the_removal_window() {
    let daemon = FakeDaemon::new("1.41", |asked| {
        if asked.target.contains("/containers/json") {
            return Answer::Json(200, json!([entry("removing")]).to_string());
        }
        message(500, "stat /var/lib/docker/overlay2/x: no such file or directory")
    });
    let seen = open(&daemon).container(id()).await.unwrap().unwrap();
    assert_eq!(seen.status(), Status::Removing);
}

#[tokio::test]
async fn a_ghost_is_told_apart_from_nothing() {
    let daemon = FakeDaemon::new("1.41", |asked| match asked.method.as_str() {
        "DELETE" => message(404, "No such container"),
        _ => Answer::Json(200, json!([entry("removing")]).to_string()),
    });
    let error =
        open(&daemon).remove(id(), RemoveOptions::default(), OperationContext::unwatched(MINUTE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.remedy_text().unwrap().contains("restart"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_to_a_creation_is_resolved_by_its_label() {
    let daemon = FakeDaemon::new("1.41", |asked| {
        if is(asked, "POST", "/create") {
            return Answer::HangUp;
        }
        Answer::Json(200, json!([entry("created")]).to_string())
    });
    let spec = ContainerSpec { image: "bb:1".into(), ..ContainerSpec::default() };
    let done = open(&daemon).create(spec, OperationContext::unwatched(MINUTE)).await.unwrap();
    assert_eq!(done.container, Some(id()));
    let asked = daemon.asked();
    let made: Value = serde_json::from_str(&asked[0].body).unwrap();
    let token = made["Labels"]["wharf.operation"].as_str().unwrap();
    assert!(asked[1].target.contains(token), "it looks for its own token: {asked:?}");
}

#[tokio::test]
async fn a_taken_name_is_that_and_not_our_own_container() {
    let daemon = FakeDaemon::new("1.41", |asked| {
        if is(asked, "POST", "/create") {
            return message(409, "Conflict");
        }
        let labelled = asked.target.contains("label");
        Answer::Json(200, if labelled { "[]".into() } else { object("running") })
    });
    let spec = ContainerSpec { image: "bb:1".into(), name: Some("web".parse().unwrap()), ..ContainerSpec::default() };
    let error = open(&daemon).create(spec, OperationContext::unwatched(MINUTE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NameInUse);
    assert!(error.reason().contains(&ID[..12]), "{error}");
}

#[tokio::test]
async fn a_kept_connection_that_the_daemon_closed_is_replaced() {
    let daemon = FakeDaemon::new("1.41", |_| Answer::JsonThenHangUp(200, "[]".into()));
    let backend = open(&daemon);
    for _ in 0..20 {
        assert!(backend.containers().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn events_cut_anywhere_become_notices_and_a_break_is_told() {
    let events = [
        json!({"Type": "container", "Action": "start", "Actor": {"ID": ID}, "timeNano": 1_795_253_763_000_000_001_i64}),
        json!({"Type": "container", "Action": "exec_create: größe", "Actor": {"ID": ID}, "timeNano": 1_795_253_763_000_000_002_i64}),
        json!({"Type": "image", "Action": "pull", "Actor": {"ID": "bb:1"}, "timeNano": 1_795_253_763_000_000_003_i64}),
    ];
    let text: String = events.iter().map(Value::to_string).collect();
    let pieces: Vec<Vec<u8>> = text.bytes().map(|byte| vec![byte]).collect();
    let daemon = FakeDaemon::new("1.41", move |_| Answer::Pieces(pieces.clone()));
    let backend = open(&daemon);
    let (notices, mut heard) = mpsc::channel(64);
    let error = backend.watch(notices).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let mut looks = Vec::new();
    let mut facts = 0;
    while let Ok(notice) = heard.try_recv() {
        match notice {
            Notice::Event(_) => facts += 1,
            Notice::Subscribed | Notice::Container(_) | Notice::Images | Notice::Gap => looks.push(notice),
        }
    }
    assert_eq!(looks, [Notice::Subscribed, Notice::Container(id()), Notice::Images]);
    assert_eq!(facts, 3);
    // The same events after a new subscription are hints again, and no news.
    let (notices, mut heard) = mpsc::channel(64);
    backend.watch(notices).await.unwrap_err();
    let repeated = std::iter::from_fn(|| heard.try_recv().ok()).filter(|notice| matches!(notice, Notice::Event(_)));
    assert_eq!(repeated.count(), 0);
    let since = daemon.asked()[1].target.clone();
    assert!(since.contains("since=1795253761.000000000"), "not later than what was heard: {since}");
}

#[tokio::test]
async fn a_full_queue_becomes_one_gap_and_the_stream_is_read_on() {
    let one = json!({"Type": "container", "Action": "start", "Actor": {"ID": ID}, "timeNano": 1}).to_string();
    let daemon = FakeDaemon::new("1.41", move |_| Answer::Pieces(vec![one.repeat(500).into_bytes()]));
    let (notices, mut heard) = mpsc::channel(4);
    let backend = open(&daemon);
    // Nobody takes a notice until the stream has ended: waiting for room would never end.
    let watching = tokio::time::timeout(MINUTE, backend.watch(notices)).await.unwrap();
    assert!(watching.is_err());
    assert_eq!(heard.recv().await, Some(Notice::Subscribed));
}

#[tokio::test]
async fn a_bounded_range_of_events_ends_without_an_error() {
    let daemon = FakeDaemon::new("1.41", |_| Answer::Pieces(Vec::new()));
    let range = EventRange { since: Some(Timestamp::ZERO), until: Some(Timestamp::now()) };
    let (events, _heard) = mpsc::channel(1);
    open(&daemon).events(range, events).await.unwrap();
}

#[tokio::test]
async fn a_reference_cannot_smuggle_a_query() {
    let daemon = FakeDaemon::new("1.41", |_| Answer::Json(200, "[]".into()));
    let backend = open(&daemon);
    for odd in ["bb?force=1", "../containers/x", "bb#x", "bb 1"] {
        let context = OperationContext::unwatched(MINUTE);
        let error = backend.remove_image(odd.to_owned(), Force::No, context).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchImage, "{odd}");
    }
    assert!(daemon.asked().is_empty(), "{:?}", daemon.asked());
}
