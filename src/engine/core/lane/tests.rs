use super::*;

fn entry(operation: u64, verb: Verb) -> Entry {
    Entry { operation: OperationId(operation), verb, force: Force::No, platform: None, volumes: false }
}

fn forced(operation: u64) -> Entry {
    Entry { force: Force::Yes, ..entry(operation, Verb::Remove) }
}

fn begins(effects: &[Effect]) -> Vec<u64> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Begin(operation) => Some(operation.0),
            Effect::Join { .. } | Effect::End { .. } | Effect::CancelRunning(_) | Effect::Hurry => None,
        })
        .collect()
}

#[test]
fn operations_run_one_at_a_time_in_arrival_order() {
    let mut lane = Lane::default();
    assert_eq!(begins(&lane.step(Input::Submit(entry(1, Verb::Start)))), [1]);
    assert!(lane.step(Input::Submit(entry(2, Verb::Stop))).is_empty());
    assert!(lane.step(Input::Submit(entry(3, Verb::Start))).is_empty());
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(1)))), [2]);
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(2)))), [3]);
    assert!(lane.step(Input::Ended(OperationId(3))).is_empty());
    assert!(lane.is_idle());
}

#[test]
fn a_kill_runs_beside_a_stop_and_its_end_starts_nothing_twice() {
    let mut lane = Lane::default();
    lane.step(Input::Submit(entry(1, Verb::Stop)));
    lane.step(Input::Submit(entry(2, Verb::Start)));
    assert_eq!(begins(&lane.step(Input::Submit(entry(3, Verb::Kill)))), [3]);
    assert!(lane.step(Input::Ended(OperationId(3))).is_empty());
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(1)))), [2]);
}

#[test]
fn what_comes_after_several_stops_waits_for_the_last_of_them() {
    let mut lane = Lane::default();
    lane.step(Input::Submit(entry(1, Verb::Stop)));
    assert_eq!(begins(&lane.step(Input::Submit(entry(2, Verb::Stop)))), [2]);
    assert!(lane.step(Input::Submit(entry(3, Verb::Start))).is_empty());
    assert!(lane.step(Input::Ended(OperationId(1))).is_empty());
    assert_eq!(begins(&lane.step(Input::Submit(entry(4, Verb::Stop)))), [4]);
    assert!(lane.step(Input::Ended(OperationId(2))).is_empty());
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(4)))), [3]);
}

#[test]
fn a_forced_removal_hurries_a_stop_that_outlived_the_first() {
    let mut lane = Lane::default();
    lane.step(Input::Submit(entry(1, Verb::Stop)));
    lane.step(Input::Submit(entry(2, Verb::Stop)));
    lane.step(Input::Ended(OperationId(1)));
    assert_eq!(lane.step(Input::Submit(forced(3))), [Effect::Hurry]);
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(2)))), [3]);
}

#[test]
fn a_removal_replaces_what_waits_and_hurries_a_stop_when_forced() {
    let mut lane = Lane::default();
    lane.step(Input::Submit(entry(1, Verb::Stop)));
    lane.step(Input::Submit(entry(2, Verb::Start)));
    let effects = lane.step(Input::Submit(forced(3)));
    assert!(matches!(effects.first(), Some(Effect::End { operation: OperationId(2), .. })), "{effects:?}");
    assert_eq!(effects.get(1), Some(&Effect::Hurry));
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(1)))), [3]);
}

#[test]
fn a_second_removal_joins_only_one_that_does_as_much() {
    let mut lane = Lane::default();
    lane.step(Input::Submit(entry(1, Verb::Remove)));
    assert_eq!(
        lane.step(Input::Submit(entry(2, Verb::Remove))),
        [Effect::Join { operation: OperationId(2), leader: OperationId(1) }]
    );
    assert!(lane.step(Input::Submit(forced(3))).is_empty(), "a forced removal must not share a refusal");
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(1)))), [3]);
}

#[test]
fn cancelling_reaches_running_waiting_and_joined_operations() {
    let mut lane = Lane::default();
    lane.step(Input::Submit(entry(1, Verb::Pull)));
    lane.step(Input::Submit(entry(2, Verb::Pull)));
    lane.step(Input::Submit(entry(3, Verb::Tag)));
    assert_eq!(lane.step(Input::Cancel(OperationId(1))), [Effect::CancelRunning(OperationId(1))]);
    for operation in [2, 3] {
        let effects = lane.step(Input::Cancel(OperationId(operation)));
        assert!(matches!(effects.as_slice(), [Effect::End { .. }]), "{effects:?}");
    }
    assert!(lane.step(Input::Cancel(OperationId(9))).is_empty());
}

#[test]
fn a_full_lane_refuses_with_what_to_do() {
    let mut lane = Lane::default();
    for operation in 0..=limits::CONTAINER_QUEUE as u64 {
        lane.step(Input::Submit(entry(operation, Verb::Restart)));
    }
    let effects = lane.step(Input::Submit(entry(999, Verb::Restart)));
    let [Effect::End { error, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(error.kind(), ErrorKind::Busy);
}

#[test]
fn every_operation_begins_joins_or_ends_exactly_once() {
    use proptest::prelude::*;
    let verbs = prop::sample::select(vec![
        Verb::Start,
        Verb::Stop,
        Verb::Kill,
        Verb::Remove,
        Verb::Rename,
        Verb::Pause,
        Verb::Restart,
    ]);
    proptest!(|(moves in prop::collection::vec((verbs, 0_u8..4), 1..60))| {
        let mut lane = Lane::default();
        let mut running = Vec::new();
        let mut seen = std::collections::BTreeMap::<u64, u32>::new();
        let mut followers: Vec<(u64, u64)> = Vec::new();
        let mut apply = |lane: &mut Lane, running: &mut Vec<u64>, input: Input| {
            for effect in lane.step(input) {
                match effect {
                    Effect::Begin(operation) => {
                        running.push(operation.0);
                        *seen.entry(operation.0).or_default() += 1;
                    }
                    Effect::Join { operation, leader } => {
                        followers.push((operation.0, leader.0));
                        *seen.entry(operation.0).or_default() += 1;
                    }
                    Effect::End { operation, .. } => *seen.entry(operation.0).or_default() += 1,
                    Effect::CancelRunning(_) | Effect::Hurry => {}
                }
            }
        };
        let count = moves.len() as u64;
        for (number, (verb, ends)) in moves.into_iter().enumerate() {
            apply(&mut lane, &mut running, Input::Submit(entry(number as u64, verb)));
            for _ in 0..ends {
                if let Some(done) = running.pop() {
                    apply(&mut lane, &mut running, Input::Ended(OperationId(done)));
                }
            }
        }
        while let Some(done) = running.pop() {
            apply(&mut lane, &mut running, Input::Ended(OperationId(done)));
        }
        prop_assert!(lane.is_idle());
        for operation in 0..count {
            prop_assert_eq!(seen.get(&operation), Some(&1), "operation {}", operation);
        }
    });
}

#[test]
fn a_pull_for_another_platform_is_a_pull_of_its_own() {
    let mut lane = Lane::default();
    let pull = |operation, platform: &str| {
        let platform = (!platform.is_empty()).then(|| platform.parse().unwrap());
        Input::Submit(Entry { platform, ..entry(operation, Verb::Pull) })
    };
    assert_eq!(begins(&lane.step(pull(1, ""))), [1]);
    assert!(lane.step(pull(2, "linux/arm64")).is_empty());
    let joined = lane.step(pull(3, "linux/arm64"));
    assert_eq!(joined, [Effect::Join { operation: OperationId(3), leader: OperationId(2) }]);
    assert_eq!(begins(&lane.step(Input::Ended(OperationId(1)))), [2]);
}

#[test]
fn a_removal_with_volumes_does_not_join_one_that_leaves_them() {
    let rm = |operation, volumes| Input::Submit(Entry { volumes, ..entry(operation, Verb::Remove) });
    let mut lane = Lane::default();
    lane.step(rm(1, false));
    assert_eq!(lane.step(rm(2, true)), []);
    assert_eq!(lane.step(rm(3, true)), [Effect::Join { operation: OperationId(3), leader: OperationId(2) }]);
    assert_eq!(lane.step(rm(4, false)), [Effect::Join { operation: OperationId(4), leader: OperationId(1) }]);
}
