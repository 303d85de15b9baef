use serde_json::json;

use super::*;

const ID: &str = "21c5779a813c5c694664e6123543c03b3a0bc36abf0877090c805d5c213ab951";

/// Recorded from dockerd 20.10.24, shortened.
fn docker_entry() -> Value {
    json!({
        "Id": ID, "Names": ["/dk1"], "Image": "127.0.0.1:5000/bb:1",
        "ImageID": "sha256:8db6ea3925a1bd76557a6aba0697fefdbfa13be3c65e33a9e0ed140b6b7eb1df",
        "Command": "/bin/busybox sh -c 'sleep 300'", "Created": 1_795_254_213,
        "Ports": [
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 443, "Type": "tcp"}
        ],
        "Labels": {"a": "b"}, "State": "exited", "Status": "Exited (137) 2 hours ago"
    })
}

/// Recorded from dockerd 20.10.24, shortened.
fn docker_object() -> Value {
    json!({
        "Id": ID, "Created": "2026-11-21T09:43:33.924723168Z", "Path": "/bin/busybox",
        "Args": ["sh", "-c", "sleep 300"],
        "State": {
            "Status": "running", "Running": true, "OOMKilled": false, "Pid": 1243, "ExitCode": 0, "Error": "",
            "StartedAt": "2026-11-21T09:43:34.161427964Z", "FinishedAt": "0001-01-01T00:00:00Z"
        },
        "Image": "sha256:8db6ea3925a1bd76557a6aba0697fefdbfa13be3c65e33a9e0ed140b6b7eb1df", "Name": "/dk1",
        "HostConfig": {"AutoRemove": true},
        "Config": {"Tty": true, "Image": "127.0.0.1:5000/bb:1", "Labels": null},
        "NetworkSettings": {"Ports": {
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
            "443/tcp": null
        }}
    })
}

#[test]
fn a_list_entry_gives_what_it_has() {
    let container = from_list_entry(&docker_entry()).unwrap();
    assert_eq!(container.display_name(), "dk1");
    assert_eq!(container.status(), Status::Exited);
    assert_eq!(container.state.exit_code, Some(137));
    assert_eq!(container.labels["a"], "b");
    assert_eq!(container.ports.len(), 1, "both families and the unpublished one: {:?}", container.ports);
}

#[test]
fn an_inspected_object_gives_all() {
    let container = from_inspect(&docker_object()).unwrap();
    assert_eq!(container.command, ["/bin/busybox", "sh", "-c", "sleep 300"]);
    assert_eq!(container.state.pid, Some(1243));
    assert!(container.tty && container.auto_remove);
    assert!(container.state.started.is_some() && container.state.finished.is_none());
    assert_eq!(container.state.exit_code, None, "it runs");
    assert_eq!(container.ports, from_list_entry(&docker_entry()).unwrap().ports);
}

#[test]
fn a_ghost_without_names_labels_or_times_is_still_a_container() {
    // What is left on dockerd 20.10 when a rename meets a removal.
    let ghost = json!({
        "Id": ID, "Names": [], "Image": "bb:1", "ImageID": "", "Command": "", "Created": 0, "Ports": null,
        "Labels": null, "State": "removing", "Status": "Removal In Progress"
    });
    let container = from_list_entry(&ghost).unwrap();
    assert_eq!((container.name.is_none(), container.status()), (true, Status::Removing));
    assert_eq!(container.display_name(), &ID[..12]);
}

#[test]
fn words_of_the_future_are_unknown_and_not_fatal() {
    let mut entry = docker_entry();
    entry["State"] = json!("hibernating");
    assert_eq!(from_list_entry(&entry).unwrap().status(), Status::Unknown);
    entry["State"] = json!(17);
    assert_eq!(from_list_entry(&entry).unwrap().status(), Status::Unknown);
    assert_eq!(status_of("stopping"), Status::Stopping);
    let mut object = docker_object();
    object["State"]["Status"] = json!("hibernating");
    assert_eq!(from_inspect(&object).unwrap().status(), Status::Running, "its flags still tell");
}

#[test]
fn no_single_missing_or_mistyped_field_hides_a_container() {
    for (whole, read) in
        [(docker_entry(), from_list_entry as fn(&Value) -> Option<Container>), (docker_object(), from_inspect)]
    {
        for key in whole.as_object().unwrap().keys().filter(|key| *key != "Id") {
            for odd in [Value::Null, json!(-1), json!("x"), json!([]), json!([null]), json!({}), json!(true)] {
                let mut broken = whole.clone();
                broken[key] = odd.clone();
                assert!(read(&broken).is_some(), "{key} = {odd}");
            }
        }
        assert!(read(&json!({"Id": "short"})).is_none());
        assert!(read(&Value::Null).is_none());
    }
}

#[test]
fn health_is_read_from_both_forms() {
    assert_eq!(health_in_parentheses("Up 2 hours (healthy)"), Some(Health::Healthy));
    assert_eq!(health_in_parentheses("Up 1 second (health: starting)"), Some(Health::Starting));
    assert_eq!(health_in_parentheses("Up 1 second (Paused)"), None);
    assert_eq!(health_in_parentheses("Up"), None);
    assert_eq!(code_in_parentheses("Exited (-1) now"), None);
    assert_eq!(code_in_parentheses("Exited () now"), None);
}

#[test]
fn a_failed_start_keeps_its_reason() {
    let mut object = docker_object();
    object["State"] = json!({"Status": "created", "ExitCode": 127, "Error": "no such file"});
    let container = from_inspect(&object).unwrap();
    assert_eq!(container.state.reason.as_deref(), Some("no such file"));
    assert_eq!(container.state.exit_code, None, "it never ran");
    assert_eq!(start_failure_code(&object), Some(127));
}

#[test]
fn a_row_has_the_age_that_its_words_tell() {
    let now = Timestamp::from_unix_seconds(1_795_260_000);
    for (state, words, seconds) in [
        ("running", "Up Less than a second", 0),
        ("running", "Up 3 seconds", 3),
        ("running", "Up About a minute (health: starting)", 60),
        ("paused", "Up 2 hours (Paused)", 7_200),
        ("exited", "Exited (137) About an hour ago", 3_600),
        ("exited", "Exited (0) 4 weeks ago", 28 * 86_400),
        ("restarting", "Restarting (1) 5 seconds ago", 5),
    ] {
        let mut entry = docker_entry();
        entry["State"] = json!(state);
        entry["Status"] = json!(words);
        let (container, told) = row(&entry, now).unwrap();
        let at = container.state.started.or(container.state.finished).unwrap();
        assert_eq!((now.since(at).as_secs(), told), (seconds, Told::Enough), "{words}");
    }
}

#[test]
fn a_row_that_leaves_something_open_says_so() {
    for (key, value) in [
        ("Status", "Exited (-1) 2 hours ago"),
        ("Status", "Up a while"),
        ("State", "napping"),
        ("Image", "sha256:8db6"),
    ] {
        let mut entry = docker_entry();
        entry[key] = json!(value);
        if value.starts_with("Up") {
            entry["State"] = json!("running");
        }
        let (_, told) = row(&entry, Timestamp::from_unix_seconds(1_795_260_000)).unwrap();
        assert_eq!(told, Told::TooLittle, "{value}");
    }
}
