//! What is left when one of our own processes is killed at a bad moment? A container that can still be seen and
//! killed, or nothing.
//! Deliberately elsewhere: orderly ends (`runtime`).

use std::{
    fs,
    time::{Duration, Instant},
};

use wharf::engine::{
    backend::embedded::kernel::{Kernel, Liveness},
    domain::{ErrorKind, Signal, Span},
};

use super::bench_container::{Bench, PATIENCE};
use crate::support::need::needs_root;

fn kill_process(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

fn orphaned() -> Bench {
    let bench = Bench::new(&["sleep", "1000"]);
    let launched = bench.launch().unwrap();
    kill_process(launched.state.monitor.pid);
    until("the monitor dies", || {
        bench.kernel.reap();
        bench.kernel.observe(bench.run_dir(), bench.state().as_ref()).monitor == Liveness::Dead
    });
    bench
}

#[test]
fn a_container_without_its_monitor_is_seen_and_can_be_killed() {
    if !needs_root() {
        return;
    }
    let bench = orphaned();
    assert!(bench.kernel.observe(bench.run_dir(), bench.state().as_ref()).degraded());
    assert!(!bench.kernel.processes(bench.run_dir()).unwrap().rows.is_empty());
    assert_eq!(bench.kernel.sweep(bench.run_dir()).unwrap_err().kind(), ErrorKind::Refused);
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert_eq!(bench.kernel.observe(bench.run_dir(), bench.state().as_ref()).init, Liveness::Dead);
    bench.kernel.sweep(bench.run_dir()).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_container_without_its_monitor_can_be_stopped() {
    if !needs_root() {
        return;
    }
    let bench = orphaned();
    bench.kernel.stop(bench.run_dir(), Signal::TERM, Duration::from_millis(100).into(), PATIENCE).unwrap();
    bench.kernel.sweep(bench.run_dir()).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_frozen_container_without_its_monitor_can_be_killed() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    let launched = bench.launch().unwrap();
    bench.kernel.pause(bench.run_dir(), PATIENCE).unwrap();
    kill_process(launched.state.monitor.pid);
    until("the monitor dies", || bench.kernel.observe(bench.run_dir(), None).monitor == Liveness::Dead);
    bench.kernel.kill(bench.run_dir(), Signal::KILL, Duration::from_secs(5)).unwrap();
    bench.kernel.sweep(bench.run_dir()).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn the_monitor_ends_its_container_when_it_is_asked_to_end() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["sleep", "1000"]);
    bench.plan.stop_grace = Span::from(Duration::from_millis(50));
    let launched = bench.launch().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(launched.state.monitor.pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(bench.kernel.wait(bench.run_dir(), PATIENCE).unwrap());
    assert_eq!(bench.exit().code, Some(137));
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn two_hundred_runs_leave_nothing() {
    if !needs_root() {
        return;
    }
    let open_files = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut bench = Bench::new(&["true"]);
    bench.run();
    let before = open_files();
    for run in 0..200 {
        bench.plan.auto_remove = run % 2 == 0;
        // A volatile overlay is for one run only.
        fs::remove_dir_all(&bench.plan.rootfs.work).unwrap();
        bench.run();
    }
    bench.kernel.reap();
    assert_eq!(bench.residue(), Vec::<String>::new());
    // Other tests of this process open files meanwhile; one left by every run, or every other, would be far more.
    assert!(open_files() < before + 100, "{before} descriptors before, {} after", open_files());
}
