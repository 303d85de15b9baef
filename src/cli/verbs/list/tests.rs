//! Does `ps` choose and show as Docker's does?

use super::*;
use crate::engine::domain::{ContainerId, ContainerState, Status};

fn container(name: &str, status: Status, created: i64) -> Container {
    Container {
        name: Some(name.parse().unwrap()),
        command: vec!["sleep".to_owned(), "100".to_owned()],
        labels: [("job".to_owned(), name.to_owned())].into_iter().collect(),
        state: ContainerState { status, ..ContainerState::created() },
        ..Container::new(
            ContainerId::from_random([u8::try_from(created).unwrap(); 32]),
            "alpine",
            Timestamp::from_unix_seconds(1_000_000 + created),
        )
    }
}

fn names(request: &ListRequest) -> Vec<String> {
    let containers = vec![
        container("old", Status::Running, 1),
        container("middle", Status::Exited, 2),
        container("new", Status::Paused, 3),
    ];
    chosen(containers, request).iter().map(Container::display_name).collect()
}

#[test]
fn only_containers_with_a_process_are_listed_and_the_newest_comes_first() {
    assert_eq!(names(&ListRequest::default()), ["new", "old"]);
    assert_eq!(names(&ListRequest { all: true, ..ListRequest::default() }), ["new", "middle", "old"]);
    assert_eq!(names(&ListRequest { last: Some(2), ..ListRequest::default() }), ["new", "middle"]);
}

#[test]
fn filters_of_one_key_widen_and_different_keys_narrow() {
    let filtered = |filters: Vec<ContainerFilter>| names(&ListRequest { all: true, filters, ..ListRequest::default() });
    let name = |part: &str| ContainerFilter::Name(part.to_owned());
    assert_eq!(filtered(vec![name("old"), name("new")]), ["new", "old"]);
    assert_eq!(filtered(vec![name("old"), ContainerFilter::Status(vec![Status::Exited])]), Vec::<String>::new());
    let label = |value: Option<&str>| ContainerFilter::Label { key: "job".into(), value: value.map(Into::into) };
    assert_eq!(filtered(vec![label(Some("middle"))]), ["middle"]);
    assert_eq!(filtered(vec![label(None)]).len(), 3);
    assert_eq!(filtered(vec![ContainerFilter::Ancestor("docker.io/library/alpine:latest".into())]).len(), 3);
    assert_eq!(filtered(vec![ContainerFilter::Ancestor("alpine:3".into())]).len(), 0);
}

#[test]
fn asking_for_a_status_looks_at_all_containers() {
    let request =
        ListRequest { filters: vec![ContainerFilter::Status(vec![Status::Exited])], ..ListRequest::default() };
    assert_eq!(names(&request), ["middle"]);
}

#[test]
fn the_table_has_dockers_columns() {
    let now = Timestamp::from_unix_seconds(1_000_000 + 3 * 60);
    let table = table(&[container("web", Status::Exited, 1)], None, &ListRequest::default(), now);
    assert_eq!(
        table.render(None),
        "CONTAINER ID   IMAGE    COMMAND       CREATED         STATUS       PORTS   NAMES\n\
         010101010101   alpine   \"sleep 100\"   2 minutes ago   Exited (?)           web\n"
    );
}
