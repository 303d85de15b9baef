//! What becomes of a monitor that was started ahead, when its container never comes?
//! Deliberately elsewhere: monitors that have their orders (`moments`, `steps`).

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use crate::support::{
    deadline::wait_until,
    residue::{entries, name_of},
    store::Store,
};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_monitor_started_ahead_ends_with_a_run_that_is_killed_before_its_container_exists() {
    let (store, silent) = (Store::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (mut run, waiting) = pulling(&store, &silent);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("the waiting monitor to end", PATIENCE, || (!is_there(waiting)).then_some(()));
    assert_eq!(store.ok(&["ps", "-aq"]), "");
}

#[test]
fn a_monitor_started_ahead_ends_with_a_run_that_fails_before_its_container_exists() {
    let (store, silent) = (Store::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (mut run, waiting) = pulling(&store, &silent);
    // The registry goes away in the middle of its answer.
    let (answer, _) = silent.accept().unwrap();
    drop((answer, silent));
    assert_eq!(run.wait().unwrap().code(), Some(125));
    wait_until("the waiting monitor to end", PATIENCE, || (!is_there(waiting)).then_some(()));
}

/// A `run` that waits for a registry, and the monitor that waits for it.
fn pulling(store: &Store, silent: &TcpListener) -> (Child, u32) {
    let image = format!("{}/a:1", silent.local_addr().unwrap());
    let mut command = store.command(&["run", "--rm", "--network", "none", &image, "true"]);
    let run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let waiting = wait_until("a monitor that waits", PATIENCE, || waiting_monitor_of(run.id()));
    (run, waiting)
}

fn waiting_monitor_of(parent: u32) -> Option<u32> {
    let processes = entries(Path::new("/proc"));
    processes
        .iter()
        .filter(|process| is_waiting_monitor(process, parent))
        .find_map(|process| name_of(process).parse().ok())
}

fn is_waiting_monitor(process: &Path, parent: u32) -> bool {
    // One that ends while we look is none.
    let words = fs::read(process.join("cmdline")).unwrap_or_default();
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    words.split(|byte| *byte == 0).any(|word| word == b"__monitor") && status.contains(&format!("\nPPid:\t{parent}\n"))
}

/// As anything but a zombie.
fn is_there(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| !status.contains("\nState:\tZ"))
}
