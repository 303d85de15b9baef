//! Does all of that work for an ordinary user, without root and without anybody's help?
//! Deliberately elsewhere: the same things as root (`runtime`, `exec`, `surroundings`).

use std::time::Duration;

use wharf::engine::{
    backend::embedded::kernel::{Kernel, Liveness},
    domain::{ExecSpec, NetworkMode, ProcessExit, SessionInput, Signal, Size},
};

use super::bench_container::{Bench, PATIENCE, collect};
use crate::support::need::needs_user;

#[test]
fn a_command_runs_as_root_of_its_own_namespace() {
    if !needs_user() {
        return;
    }
    let bench = Bench::shell(
        "id -u; hostname; echo mark > /root/mark; grep ^CapEff /proc/self/status; ls /proc | grep -c '^1$'; exit 4",
    );
    let (stdout, stderr, exit) = bench.run();
    assert_eq!((stdout.as_str(), stderr.as_str()), ("0\nbench\nCapEff:\t00000000a80425fb\n1\n", ""));
    assert_eq!(exit, ProcessExit::Code(4));
    assert_eq!(bench.exit().code, Some(4));
    assert!(bench.plan.rootfs.upper.join("root/mark").exists());
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn networks_are_loopback_alone_or_the_hosts() {
    if !needs_user() {
        return;
    }
    let mut bench = Bench::shell("ls /sys/class/net | wc -l; cat /proc/net/dev | grep -c :");
    assert_eq!(bench.run().0, "1\n1\n");
    bench.plan.network = NetworkMode::Host;
    let (stdout, stderr, exit) = bench.run();
    assert_eq!((stderr.as_str(), exit), ("", ProcessExit::Code(0)), "{stdout}");
}

#[test]
fn stop_kill_wait_and_observe_work() {
    if !needs_user() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    let launched = bench.launch().unwrap();
    assert_eq!(bench.kernel.observe(bench.run_dir(), Some(&launched.state)).init, Liveness::Alive);
    assert!(
        bench
            .kernel
            .processes(bench.run_dir())
            .unwrap()
            .rows
            .iter()
            .any(|row| row.iter().any(|cell| cell == "sleep 1000"))
    );
    bench.kernel.stop(bench.run_dir(), Signal::TERM, Duration::from_millis(50).into(), PATIENCE).unwrap();
    assert_eq!(bench.exit().code, Some(137));
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn more_processes_run_inside_with_and_without_a_terminal() {
    if !needs_user() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    let mut spec = ExecSpec {
        command: ["sh", "-c", "id -u; hostname; exit 3"].map(str::to_owned).to_vec(),
        ..ExecSpec::default()
    };
    let session = bench.kernel.exec(bench.run_dir(), &spec, PATIENCE).unwrap();
    assert_eq!(collect(session), ("0\nbench\n".into(), String::new(), ProcessExit::Code(3)));
    spec.tty = true;
    spec.interactive = true;
    spec.command = ["sh", "-c", "read line; echo got $line"].map(str::to_owned).to_vec();
    let mut session = bench.kernel.exec(bench.run_dir(), &spec, PATIENCE).unwrap();
    session.input.send(SessionInput::Stdin(b"word\n".to_vec())).unwrap();
    let (stdout, ..) = collect(session);
    assert!(stdout.contains("got word"), "{stdout:?}");
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn another_user_for_one_more_process_needs_id_ranges_too() {
    if !needs_user() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    let spec = ExecSpec { command: vec!["id".into()], user: Some("web".into()), ..ExecSpec::default() };
    match bench.kernel.exec(bench.run_dir(), &spec, PATIENCE) {
        Ok(session) => assert!(collect(session).0.starts_with("uid=33(web)")),
        Err(error) => assert!(error.reason().contains("33") && error.remedy_text().is_some(), "{error:?}"),
    }
}

#[test]
fn limits_that_cannot_be_set_are_said() {
    if !needs_user() {
        return;
    }
    let mut bench = Bench::new(&["true"]);
    bench.plan.limits.memory = Some(Size::from_mib(64));
    bench.plan.limits.pids = Some(10);
    assert_eq!(bench.launch().unwrap().warnings.len(), 2);
    assert!(bench.kernel.wait(bench.run_dir(), PATIENCE).unwrap());
}

#[test]
fn other_users_exist_where_there_are_id_ranges_and_are_refused_where_not() {
    if !needs_user() {
        return;
    }
    let mut bench = Bench::shell("id -u; touch /tmp/theirs && echo made");
    bench.plan.process.user = Some("web".into());
    let attach = wharf::engine::domain::AttachOptions {
        stdin: false,
        flow: wharf::engine::domain::Flow::Lossless,
        terminal: None,
    };
    match bench.kernel.launch(&bench.plan, Some(&attach), PATIENCE) {
        Ok(launched) => {
            let (stdout, stderr, _) = collect(launched.session.unwrap());
            assert!(stdout.starts_with("33\n"), "{stdout:?} {stderr:?}");
        }
        Err(error) => assert!(error.reason().contains("33") && error.remedy_text().is_some(), "{error:?}"),
    }
    assert_eq!(bench.residue(), Vec::<String>::new());
    bench.kernel.remove_tree(&bench.plan.container_dir).unwrap();
    assert!(!bench.plan.container_dir.exists());
}

#[test]
fn a_command_that_is_not_there_is_told_and_leaves_nothing() {
    if !needs_user() {
        return;
    }
    let bench = Bench::new(&["ghost"]);
    let error = bench.launch().unwrap_err();
    assert_eq!(error.kind(), wharf::engine::domain::ErrorKind::CommandNotFound, "{error}");
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_container_without_its_monitor_can_be_killed() {
    if !needs_user() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    let launched = bench.launch().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(launched.state.monitor.pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    while bench.kernel.observe(bench.run_dir(), None).monitor == Liveness::Alive {
        std::thread::yield_now();
    }
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    bench.kernel.sweep(bench.run_dir()).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}
