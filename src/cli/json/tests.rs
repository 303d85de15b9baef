//! Do the keys and forms that programs rely on stay?

use serde_json::Value;

use super::*;
use crate::engine::domain::ContainerId;

fn keys<T: Serialize>(row: &T) -> Vec<String> {
    let Value::Object(object) = serde_json::to_value(row).unwrap() else { panic!("a row is an object") };
    object.keys().cloned().collect()
}

#[test]
fn the_keys_of_version_1_stay() {
    let container = Container::new(ContainerId::from_random([7; 32]), "alpine", Timestamp::from_unix_seconds(0));
    let row = [
        "v",
        "id",
        "name",
        "image",
        "image_id",
        "command",
        "created",
        "status",
        "pid",
        "started",
        "finished",
        "exit_code",
        "oom_killed",
        "health",
        "reason",
        "ports",
        "labels",
        "tty",
        "auto_remove",
        "degraded",
        "intent",
    ];
    assert_eq!(keys(&ContainerRow::from(&container)), row);
    let result = ["v", "verb", "target", "outcome", "id", "output", "warnings", "error"];
    assert_eq!(keys(&ResultRow::of_done("rm", "a", &Done::default())), result);
    let failed = ResultRow::of_error("rm", "a", &Error::no_such_container("a"));
    assert_eq!(keys(&failed.error.unwrap()), ["kind", "message", "remedy"]);
    assert_eq!(keys(&WaitRow::new("a", true, None)), ["v", "target", "reached", "exit_code"]);
}

#[test]
fn what_a_host_does_not_count_is_no_key() {
    let mut image = Image {
        id: crate::engine::domain::Digest::sha256_of(b"a"),
        references: Vec::new(),
        digests: Vec::new(),
        created: None,
        size: crate::engine::domain::Size::from_bytes(0),
        platform: None,
        layers: 1,
        containers: None,
    };
    let row = ["v", "id", "references", "digests", "created", "size_bytes", "platform", "layers"];
    assert_eq!(keys(&ImageRow::from(&image)), row);
    image.containers = Some(2);
    assert_eq!(serde_json::to_value(ImageRow::from(&image)).unwrap()["containers"], 2);
}

#[test]
fn kinds_and_times_are_written_as_documented() {
    let error = ErrorRow::from(&Error::no_such_container("a"));
    let value = serde_json::to_value(&error).unwrap();
    assert_eq!(value["kind"], "no_such_container");
    let at = serde_json::to_value(Timestamp::from_unix_seconds(0)).unwrap();
    assert_eq!(at, "1970-01-01T00:00:00Z");
}
