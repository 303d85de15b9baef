//! What may a stalled viewer cost? Nothing but its own output: not the owner's commands, not the workload's speed,
//! not the monitor's memory.
//! Deliberately elsewhere: how viewers stall (`viewer`).

use std::{
    fs,
    time::{Duration, Instant},
};

use super::{
    place::{Listener, Place},
    viewer::{MANNERS, Viewer},
};
use crate::support::deadline::{Deadline, PATIENCE, wait_until};

const FLOOD: &str = "yes 0123456789012345678901234567890123456789";

/// What an owner does to a container meanwhile; the last one ends it.
fn operations(name: &str) -> Vec<Vec<String>> {
    let lines = [
        "inspect NAME",
        "ps -a",
        "top NAME",
        "logs --tail 3 NAME",
        "exec NAME true",
        "pause NAME",
        "unpause NAME",
        "kill -s CONT NAME",
        "rename NAME NAME-2",
        "rename NAME-2 NAME",
        "stop -t 0 NAME",
        "rm NAME",
    ];
    lines.iter().map(|line| line.split(' ').map(|word| word.replace("NAME", name)).collect()).collect()
}

/// Does them all; how long each took.
fn do_all(place: &Place, name: &str) -> Vec<(String, Duration)> {
    let timed = |words: Vec<String>| {
        let begun = Instant::now();
        place.store().ok(&words);
        (words.join(" "), begun.elapsed())
    };
    operations(name).into_iter().map(timed).collect()
}

/// On a container that somebody looks at, everything takes at most a second more than on one that nobody looks at.
#[track_caller]
fn nobody_is_delayed(place: &Place, alone: &[(String, Duration)], watched: &str) {
    for ((line, took), (_, usually)) in do_all(place, watched).into_iter().zip(alone) {
        assert!(took <= *usually * 3 + Duration::from_secs(1), "{line} took {took:?}, unwatched {usually:?}");
    }
}

fn alone(place: &Place) -> Vec<(String, Duration)> {
    place.start("alone", FLOOD);
    do_all(place, "alone")
}

#[test]
fn those_who_follow_its_log_badly_delay_nobody() {
    let Some(place) = Place::new() else { return };
    let alone = alone(&place);
    place.start("logged", FLOOD);
    let viewers = MANNERS.map(|manner| Viewer::start(place.store().command(&["logs", "-f", "logged"]), manner));
    viewers[0].wait_until_full();
    nobody_is_delayed(&place, &alone, "logged");
}

#[test]
fn those_who_attach_and_read_badly_delay_nobody() {
    let Some(place) = Place::new() else { return };
    let alone = alone(&place);
    place.start("attached", FLOOD);
    let viewers = MANNERS.map(|manner| Viewer::start(place.store().command(&["attach", "attached"]), manner));
    viewers[0].wait_until_full();
    nobody_is_delayed(&place, &alone, "attached");
}

#[test]
fn those_who_exec_and_read_badly_delay_nobody() {
    let Some(place) = Place::new() else { return };
    let alone = alone(&place);
    place.start("entered", FLOOD);
    let exec = ["exec", "entered", "sh", "-c", FLOOD];
    let viewers = MANNERS.map(|manner| Viewer::start(place.store().command(&exec), manner));
    viewers[0].wait_until_full();
    nobody_is_delayed(&place, &alone, "entered");
}

#[test]
fn those_who_listen_to_events_badly_delay_nobody() {
    let Some(place) = Place::new() else { return };
    let alone = alone(&place);
    place.start("told", FLOOD);
    let events = ["events", "--since", "1h", "--format", "json"];
    let viewers = MANNERS.map(|manner| Viewer::start(place.store().command(&events), manner));
    let script = place.store().root().join("many");
    fs::write(&script, "kill -s CONT told\n".repeat(400)).unwrap();
    place.store().ok(&["script", &script.display().to_string()]);
    viewers[0].wait_until_full();
    nobody_is_delayed(&place, &alone, "told");
}

/// How long a container takes to print 32 MiB, with what `watch` starts looking on.
fn time_to_print(place: &Place, name: &str, watch: impl FnOnce(&Place)) -> Duration {
    let script = format!("while [ ! -e /go ]; do echo waiting; sleep 0.02; done; {FLOOD} | head -c 33554432");
    place.start(name, &script);
    watch(place);
    let begun = Instant::now();
    place.store().ok(&["exec", name, "touch", "/go"]);
    assert_eq!(place.store().ok(&["wait", name]), "0");
    begun.elapsed()
}

#[test]
fn stalled_viewers_do_not_slow_the_workload_down() {
    let Some(place) = Place::new() else { return };
    let alone = time_to_print(&place, "first", |_| {});
    let mut viewers = Vec::new();
    let watched = time_to_print(&place, "second", |place| {
        for words in [["logs", "-f", "second"].as_slice(), &["attach", "second"]] {
            let watching = MANNERS.map(|manner| Viewer::start(place.store().command(words), manner));
            viewers.extend(watching);
        }
    });
    assert!(watched <= alone * 3 + Duration::from_secs(2), "{watched:?} with stalled viewers, {alone:?} without");
}

/// Memory of `pid` that nobody shares and that is not the program's file, in KiB.
fn private_dirty(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Waits until so many segments of the log have been begun.
#[track_caller]
fn wait_for_segments(place: &Place, name: &str, count: u64) {
    let dir = place.container_dir(name).join("log");
    wait_until(&format!("{count} segments of the log"), PATIENCE * 3, || {
        let names = fs::read_dir(&dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let last: u64 = names.filter_map(|name| name.strip_suffix(".seg")?.parse().ok()).max()?;
        (last >= count).then_some(())
    });
}

#[test]
fn a_monitors_memory_stays_within_its_ring_and_who_resumes_learns_what_is_missing() {
    let Some(place) = Place::new() else { return };
    place.start("plain", FLOOD);
    wait_for_segments(&place, "plain", 2);
    let plain = private_dirty(place.pids("plain").0);
    place.store().ok(&["rm", "-f", "plain"]);
    place.start("ringed", FLOOD);
    let mut attached = MANNERS.map(|manner| Viewer::start(place.store().command(&["attach", "ringed"]), manner));
    let mut following = MANNERS.map(|manner| Viewer::start(place.store().command(&["logs", "-f", "ringed"]), manner));
    // Four more than the log keeps: whoever stands still has been overtaken.
    wait_for_segments(&place, "ringed", 7);
    let ringed = private_dirty(place.pids("ringed").0);
    // Each attached viewer may have 256 KiB waiting, in a buffer that may have doubled once.
    assert!(ringed <= plain + 3 * 600 + 512, "{ringed} KiB with three stalled viewers, {plain} KiB without");
    let [attached, _, stopped] = &mut attached;
    attached.resume_until("bytes missed]");
    stopped.resume_until("bytes missed]");
    let [following, _, stopped] = &mut following;
    following.resume_until("lines are not there any more");
    stopped.resume_until("lines are not there any more");
}

#[test]
fn who_joins_last_sees_what_is_printed_now() {
    let Some(place) = Place::new() else { return };
    place.start("busy", "i=0; while :; do echo $i; i=$((i+1)); done");
    let stalled = MANNERS.map(|manner| Viewer::start(place.store().command(&["attach", "busy"]), manner));
    stalled[0].wait_until_full();
    let newcomer = Listener::start(place.store().command(&["attach", "busy"]));
    let deadline = Deadline::after(PATIENCE);
    let first: u64 = newcomer.line().unwrap().parse().unwrap_or_default();
    while newcomer.line().unwrap().parse().unwrap_or(0) < first + 1000 {
        assert!(!deadline.passed(), "nothing new for a reader who keeps up");
    }
}
