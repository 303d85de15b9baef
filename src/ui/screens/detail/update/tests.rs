//! Unit tests of the detail's pace: which of several moves loads.

use super::*;
use crate::engine::domain::{HostSpec, Timestamp};

fn id(letter: char) -> ContainerId {
    letter.to_string().repeat(64).parse().expect("64 hexadecimal digits")
}

fn facts() -> Facts {
    Facts::new(HostSpec::Embedded, Timestamp::now())
}

fn questions(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Ask { .. })).count()
}

fn detail() -> State {
    State { tab: Tab::Inspect, ..State::default() }
}

#[test]
fn a_single_move_loads_at_once_and_not_again_when_it_rests() {
    let (mut detail, facts) = (detail(), facts());
    assert_eq!(questions(&detail.visit(Some(&id('a')), &facts)), 1);
    assert_eq!(questions(&detail.rested(detail.visit, &facts)), 0);
    assert_eq!(questions(&detail.visit(Some(&id('b')), &facts)), 1);
    assert_eq!(questions(&detail.rested(detail.visit, &facts)), 0);
}

#[test]
fn of_a_run_of_moves_only_the_first_and_the_last_load() {
    let (mut detail, facts) = (detail(), facts());
    let mut asked = 0;
    let mut visits = Vec::new();
    for letter in ['a', 'b', 'c', 'd'] {
        asked += questions(&detail.visit(Some(&id(letter)), &facts));
        visits.push(detail.visit);
    }
    assert_eq!(asked, 1, "the first");
    let rests: Vec<usize> = visits.iter().map(|visit| questions(&detail.rested(*visit, &facts))).collect();
    assert_eq!(rests, [0, 0, 0, 1], "the last, when it rests");
    assert_eq!(questions(&detail.visit(Some(&id('e')), &facts)), 1, "a move after the rest is a single one again");
}
