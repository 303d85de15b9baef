//! What becomes of an exec whose asker, or whose helper, is killed? It goes on, visibly, and goes with its container.
//! Deliberately elsewhere: what must not be left of a container (`tests/support`), which every test here checks at
//! its end.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::place::{Listener, Place};
use crate::support::deadline::{PATIENCE, wait_until};

/// The host's id of the process in the container that shows `word`, when there is one.
fn listed(place: &Place, name: &str, word: &str) -> Option<i32> {
    let table = place.store().ok(&["top", name]);
    let row = table.lines().find(|line| line.contains(word))?;
    row.split_whitespace().nth(1)?.parse().ok()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

fn parent(pid: i32) -> i32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().parse().unwrap()
}

#[test]
fn an_exec_whose_asker_is_killed_goes_on_and_goes_with_its_container() {
    let Some(place) = Place::new() else { return };
    for (name, ends) in [("stopped", ["stop", "-t", "0"].as_slice()), ("removed", &["rm", "-f"])] {
        place.start(name, "sleep 1000");
        let asker = Listener::start(place.store().command(&["exec", name, "sh", "-c", "echo in; sleep 777"]));
        assert_eq!(asker.line().as_deref(), Some("in"));
        let helper = parent(parent(listed(&place, name, "sleep 777").unwrap()));
        drop(asker);
        let pid = listed(&place, name, "sleep 777").expect("it goes on without its asker");
        place.store().ok(&[ends, &[name]].concat());
        for (what, pid) in [("the process", pid), ("its helper", helper)] {
            wait_until(&format!("{what} to be gone"), PATIENCE, || {
                fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |line| line.is_empty()).then_some(())
            });
        }
    }
}

#[test]
fn an_exec_whose_helper_is_killed_stays_visible_and_goes_with_its_container() {
    let Some(place) = Place::new() else { return };
    place.start("orphaned", "sleep 1000");
    let asker = Listener::start(place.store().command(&["exec", "orphaned", "sh", "-c", "echo in; exec sleep 777"]));
    assert_eq!(asker.line().as_deref(), Some("in"));
    let pid = wait_until("the process", PATIENCE, || listed(&place, "orphaned", "sleep 777"));
    kill(parent(pid));
    assert_eq!(asker.rest(), Vec::<String>::new());
    assert_eq!(listed(&place, "orphaned", "sleep 777"), Some(pid));
    place.store().ok(&["rm", "-f", "orphaned"]);
}
