//! Does following a log cost nothing while there is nothing, and end whenever nothing more can come?
//! Deliberately elsewhere: the reader of the segments (`log_segments`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};

use super::place::{Listener, Place};
use crate::support::{
    deadline::{PATIENCE, wait_until},
    residue::{entries, name_of},
};

/// How often each thread of a process gave up its processor of its own accord: each time it waited.
fn waits(pid: u32) -> BTreeMap<String, u64> {
    let tasks = entries(Path::new(&format!("/proc/{pid}/task")));
    let count = |task: &PathBuf| {
        let status = fs::read_to_string(task.join("status")).ok()?; // It ended just now.
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        Some((name_of(task), line.trim().parse().ok()?))
    };
    tasks.iter().filter_map(count).collect()
}

/// How often the threads that were there all the time waited meanwhile.
fn waited_since(before: &BTreeMap<String, u64>, pid: u32) -> u64 {
    waits(pid).iter().filter_map(|(thread, count)| Some(count - before.get(thread)?)).sum()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn following_a_silent_log_wakes_nobody() {
    let Some(place) = Place::new() else { return };
    place.start("quiet", "echo a; sleep 1; echo b; sleep 6; echo c; sleep 1000");
    let (monitor, _) = place.pids("quiet");
    let follower = Listener::start(place.store().command(&["logs", "-f", "quiet"]));
    assert_eq!(follower.line().as_deref(), Some("a"));
    // The second line comes by the way of an event; by the third everything has settled for seconds.
    assert_eq!(follower.line().as_deref(), Some("b"));
    let before = (waits(follower.pid()), waits(monitor));
    assert_eq!(follower.line().as_deref(), Some("c"));
    let (follower, monitor) = (waited_since(&before.0, follower.pid()), waited_since(&before.1, monitor));
    // Going to sleep after one line and being woken for the next takes each of its threads a turn or two.
    assert!(follower <= 6, "the follower woke {follower} times in six silent seconds");
    assert!(monitor <= 3, "its monitor woke {monitor} times in six silent seconds");
}

#[test]
fn a_follower_learns_of_an_end_that_nobody_recorded() {
    let Some(place) = Place::new() else { return };
    place.start("lost", "echo a; sleep 1000");
    let follower = Listener::start(place.store().command(&["logs", "-f", "lost"]));
    assert_eq!(follower.line().as_deref(), Some("a"));
    let (monitor, init) = place.pids("lost");
    kill(monitor);
    kill(init);
    assert_eq!(follower.rest(), Vec::<String>::new());
}

#[test]
fn a_follower_does_not_wait_for_an_owner_who_never_reads() {
    let Some(place) = Place::new() else { return };
    let mut owner = place.foreground("owned", "echo a; trap 'echo b; exit 3' TERM; while :; do echo flood; done");
    let mut owner = owner.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("its log", PATIENCE, || {
        let logged = place.store().run(&["logs", "owned"]).stdout;
        logged.lines().count().checked_sub(2000)
    });
    let follower = Listener::start(place.store().command(&["logs", "-f", "--tail", "1", "owned"]));
    assert!(follower.line().is_some());
    place.store().ok(&["kill", "owned"]);
    follower.rest();
    owner.kill().unwrap();
    owner.wait().unwrap();
}
