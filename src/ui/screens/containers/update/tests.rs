use std::sync::Arc;

use super::*;
use crate::engine::domain::{ContainerState, HostLink, HostSpec, Inventory, Timestamp};

fn container(digit: char, name: &str, created: i64, code: Option<i32>) -> Arc<Container> {
    let status = if code.is_some() { Status::Exited } else { Status::Running };
    Arc::new(Container {
        name: Some(name.parse().unwrap()),
        command: vec!["run".to_owned()],
        state: ContainerState { status, exit_code: code, ..ContainerState::created() },
        ..Container::new(
            digit.to_string().repeat(64).parse().unwrap(),
            format!("image-of-{name}"),
            Timestamp::from_unix_seconds(created),
        )
    })
}

fn facts(containers: &[Arc<Container>]) -> Facts {
    let mut facts = Facts::new(HostSpec::Embedded, Timestamp::from_unix_seconds(1_000));
    facts.inventory = Arc::new(Inventory {
        link: HostLink::Live,
        containers: containers.into(),
        ..Inventory::unknown(HostSpec::Embedded)
    });
    facts
}

fn four() -> Vec<Arc<Container>> {
    vec![
        container('d', "delta", 40, Some(0)),
        container('c', "charlie", 30, None),
        container('b', "bravo", 20, Some(1)),
        container('a', "alpha", 10, None),
    ]
}

fn names(state: &State, facts: &Facts) -> Vec<String> {
    state.rows.iter().map(|index| facts.inventory.containers[*index].display_name()).collect()
}

#[test]
fn trouble_floats_up_and_the_rest_is_newest_first() {
    let facts = facts(&four());
    let mut state = State::default();
    state.refresh(&facts, 10);
    assert_eq!(names(&state, &facts), ["bravo", "charlie", "alpha", "delta"]);
    assert_eq!(state.totals, Totals { running: 2, stopped: 1, failed: 1 });
}

#[test]
fn the_same_sort_again_reverses() {
    let facts = facts(&four());
    let mut state = State::default();
    state.sort_by(SortBy::Name, &facts, 10);
    assert_eq!(names(&state, &facts), ["alpha", "bravo", "charlie", "delta"]);
    state.sort_by(SortBy::Name, &facts, 10);
    assert_eq!(names(&state, &facts), ["delta", "charlie", "bravo", "alpha"]);
}

#[test]
fn a_filter_looks_at_names_images_status_and_ids() {
    let facts = facts(&four());
    let mut state = State::default();
    for (text, expected) in [("ALPHA", 1), ("image-of-b", 1), ("exited", 2), ("cccc", 1), ("nothing", 0)] {
        state.filter.field.set(text);
        state.refresh(&facts, 10);
        assert_eq!(state.rows.len(), expected, "{text}");
    }
    assert_eq!(state.selected, None);
}

#[test]
fn the_selection_follows_the_container_and_stays_near_when_it_goes() {
    let mut state = State::default();
    let all = facts(&four());
    state.refresh(&all, 10);
    state.step(Step::Down(1), &all, 10);
    assert_eq!(state.selected, Some(four()[1].id.clone()));
    let mut more = four();
    more.insert(0, container('e', "echo", 50, Some(2)));
    let more = facts(&more);
    state.refresh(&more, 10);
    assert_eq!((state.selected.clone(), state.cursor.index), (Some(four()[1].id.clone()), 2));
    let without: Vec<_> = four().into_iter().filter(|container| container.display_name() != "charlie").collect();
    let without = facts(&without);
    state.refresh(&without, 10);
    assert_eq!(state.cursor.index, 2);
    assert!(state.selected.is_some());
}

#[test]
fn actions_are_about_the_marked_ones_in_the_order_of_the_host() {
    let facts = facts(&four());
    let mut state = State::default();
    state.refresh(&facts, 10);
    assert_eq!(state.targets(&facts).len(), 1);
    state.mark(&facts, 10);
    state.mark(&facts, 10);
    assert_eq!(state.targets(&facts).len(), 2);
    state.mark_all(&facts);
    assert_eq!(state.targets(&facts).len(), 4);
    state.mark_all(&facts);
    assert!(state.marked.is_empty());
}

#[test]
fn the_last_line_of_a_failure_is_asked_for_once() {
    let facts = facts(&four());
    let mut state = State::default();
    state.refresh(&facts, 10);
    assert_eq!(state.ask_last_lines(&facts).len(), 1);
    assert_eq!(state.ask_last_lines(&facts), Vec::new());
}
