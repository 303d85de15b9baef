//! Does a container under its monitor start, print, stop, die and vanish as promised?
//! Deliberately elsewhere: making one (`bench_container`), what it sees inside (`surroundings`), kills of our
//! own processes (`runtime_kills`).

use std::time::{Duration, Instant};

use wharf::engine::{
    backend::embedded::{
        kernel::{Kernel, Liveness},
        log_segments::{LogReader, LogStep},
    },
    domain::{
        AttachOptions, ErrorKind, ExecSpec, Flow, LogItem, LogOptions, ProcessExit, SessionInput, SessionOutput,
        Signal, Span, TerminalSize,
    },
};

use super::bench_container::{Bench, PATIENCE, collect};
use crate::support::{deadline::wait_until, need::needs_root};

#[test]
fn a_command_runs_prints_and_its_exit_is_recorded() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("echo out; echo err >&2; exit 7");
    assert_eq!(bench.run(), ("out\n".into(), "err\n".into(), ProcessExit::Code(7)));
    assert_eq!(bench.exit().code, Some(7));
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_command_that_is_not_there_is_127_and_leaves_nothing() {
    if !needs_root() {
        return;
    }
    for (args, kind) in [
        (&["no-such-program"][..], ErrorKind::CommandNotFound),
        (&["/bin/no-such-program"], ErrorKind::CommandNotFound),
        (&["/etc"], ErrorKind::CommandNotExecutable),
        (&["/etc/passwd"], ErrorKind::CommandNotExecutable),
    ] {
        let bench = Bench::new(args);
        let error = bench.launch().unwrap_err();
        assert_eq!(error.kind(), kind, "{args:?}: {error}");
        assert_eq!(bench.residue(), Vec::<String>::new(), "{args:?}");
    }
}

#[test]
fn a_start_whose_log_cannot_be_opened_never_began_and_says_why() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("touch /ran; sleep 1000");
    std::fs::remove_dir_all(bench.plan.container_dir.join("log")).ok(); // There may be none yet.
    std::fs::write(bench.plan.container_dir.join("log"), "").unwrap();
    let error = bench.launch().unwrap_err();
    assert!(error.to_string().contains("opening the log"), "{error}");
    assert_eq!(bench.kernel.observe(bench.run_dir(), None).init, Liveness::Dead);
    assert!(!bench.root().join("upper/ran").exists() && !bench.run_dir().join("state.json").exists());
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn what_a_killed_exec_left_is_in_nobodys_way() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    // Its directory is named by its number, which comes again.
    let next = std::process::Command::new("true").spawn().unwrap();
    for number in next.id()..next.id() + 300 {
        let left = bench.run_dir().join("exec").join(number.to_string());
        std::fs::create_dir_all(&left).unwrap();
        std::os::unix::fs::symlink("/dev/null", left.join("cgroup.procs")).unwrap();
    }
    drop(next.wait_with_output());
    let spec = ExecSpec { command: vec!["echo".into(), "fine".into()], ..ExecSpec::default() };
    let session = bench.kernel.exec(bench.run_dir(), &spec, PATIENCE).unwrap();
    assert_eq!(collect(session), ("fine\n".into(), String::new(), ProcessExit::Code(0)));
}

#[test]
fn processes_in_a_namespace_of_their_own_inside_are_listed_too() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("unshare -U -p -f sleep 4242");
    bench.launch().unwrap();
    let listed = || {
        let table = bench.kernel.processes(bench.run_dir()).unwrap();
        table.rows.iter().filter(|row| row.last().is_some_and(|command| command == "sleep 4242")).count()
    };
    wait_until("the inner process is listed", PATIENCE, || (listed() == 1).then_some(()));
}

#[test]
fn an_unknown_user_is_an_error_that_names_it() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["true"]);
    bench.plan.process.user = Some("ghost".into());
    let error = bench.launch().unwrap_err();
    assert!(error.reason().contains("ghost"), "{error}");
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn stop_sends_the_signal_and_waits_for_an_orderly_end() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    let mut session = bench.launch_attached();
    assert_eq!(session.output.receive().unwrap(), Some(SessionOutput::Stdout(b"ready\n".to_vec())));
    bench.kernel.stop(bench.run_dir(), Signal::TERM, Span::from_secs(10), PATIENCE).unwrap();
    assert_eq!(collect(session), ("bye\n".into(), String::new(), ProcessExit::Code(3)));
    assert_eq!(bench.exit().code, Some(3));
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn stop_kills_after_the_grace() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    let begun = Instant::now();
    bench.kernel.stop(bench.run_dir(), Signal::TERM, Duration::from_millis(200).into(), PATIENCE).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200) && begun.elapsed() < Duration::from_secs(3));
    assert_eq!(bench.exit().code, Some(137));
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn kill_does_not_wait_for_a_stop_that_is_under_way() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| bench.kernel.stop(bench.run_dir(), Signal::TERM, Span::from_secs(600), PATIENCE));
        while bench.state().is_some_and(|state| state.stopping_until.is_none()) {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(2));
        stop.join().unwrap().unwrap();
    });
}

#[test]
fn a_paused_container_stands_still_and_can_be_killed() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    bench.kernel.pause(bench.run_dir(), PATIENCE).unwrap();
    assert!(bench.state().unwrap().paused);
    bench.kernel.unpause(bench.run_dir(), PATIENCE).unwrap();
    assert!(!bench.state().unwrap().paused);
    bench.kernel.pause(bench.run_dir(), PATIENCE).unwrap();
    bench.kernel.kill(bench.run_dir(), Signal::KILL, Duration::from_secs(5)).unwrap();
    assert_eq!(bench.exit().code, Some(137));
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn what_was_printed_is_in_the_log_and_followers_learn_of_the_end() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("echo one; echo two >&2; printf three");
    bench.run();
    let mut reader = LogReader::open(&bench.plan.container_dir.join("log"), &LogOptions::default()).unwrap();
    let mut lines = Vec::new();
    loop {
        match reader.next_step().unwrap() {
            LogStep::Item(LogItem::Entry(entry)) => lines.push(String::from_utf8(entry.bytes).unwrap()),
            LogStep::Item(LogItem::Missed { .. }) | LogStep::Finished => panic!("nothing is missing"),
            LogStep::AtEnd { run_ended } => {
                assert!(run_ended);
                break;
            }
        }
    }
    lines.sort();
    assert_eq!(lines, ["one", "three", "two"]);
}

#[test]
fn input_reaches_the_process_and_its_end_too() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["wc", "-c"]);
    bench.plan.process.interactive = true;
    let mut session = bench.launch_attached();
    let total = 300_000;
    for _ in 0..total / 1000 {
        session.input.send(SessionInput::Stdin(vec![b'x'; 1000])).unwrap();
    }
    session.input.send(SessionInput::Eof).unwrap();
    assert_eq!(collect(session), (format!("{total}\n"), String::new(), ProcessExit::Code(0)));
}

#[test]
fn a_terminal_has_the_size_of_its_client_and_follows_it() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell("stty size; read line; stty size; test -t 0 && echo terminal");
    bench.plan.process.tty = true;
    bench.plan.process.interactive = true;
    bench.plan.process.terminal = Some(TerminalSize { columns: 120, rows: 40 });
    let mut session = bench.launch_attached();
    let mut seen = String::new();
    while !seen.contains("40 120") {
        match session.output.receive().unwrap() {
            Some(SessionOutput::Stdout(bytes)) => seen.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} after {seen:?}"),
        }
    }
    session.input.send(SessionInput::Resize(TerminalSize { columns: 33, rows: 11 })).unwrap();
    session.input.send(SessionInput::Stdin(b"\n".to_vec())).unwrap();
    let (rest, _, exit) = collect(session);
    assert!(rest.contains("11 33") && rest.contains("terminal"), "{rest:?}");
    assert_eq!(exit, ProcessExit::Code(0));
}

#[test]
fn an_attached_viewer_that_never_reads_holds_up_nobody() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("yes | head -c 20000000; echo done >&2; sleep 1000");
    bench.launch().unwrap();
    let viewer = AttachOptions { stdin: false, flow: Flow::Viewer, terminal: None };
    let stalled = bench.kernel.attach(bench.run_dir(), &viewer, PATIENCE).unwrap();
    let mut reading = bench.kernel.attach(bench.run_dir(), &viewer, PATIENCE).unwrap();
    let begun = Instant::now();
    loop {
        match reading.output.receive().unwrap().unwrap() {
            SessionOutput::Stderr(bytes) if bytes.starts_with(b"done") => break,
            SessionOutput::Stdout(_) | SessionOutput::Stderr(_) | SessionOutput::Missed { .. } => {}
            SessionOutput::Exit(exit) => panic!("{exit:?}"),
        }
        assert!(begun.elapsed() < PATIENCE);
    }
    let begun = Instant::now();
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    drop(stalled);
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_lossless_client_that_stalls_loses_nothing_and_stops_no_other_verb() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("head -c 3000000 /dev/zero; echo end");
    let session = bench.launch_attached();
    let other = Bench::new(&["true"]);
    other.run();
    assert_eq!(bench.kernel.observe(bench.run_dir(), bench.state().as_ref()).init, Liveness::Alive);
    let (stdout, _, exit) = collect(session);
    assert_eq!((stdout.len(), exit), (3_000_004, ProcessExit::Code(0)));

    let flooding = Bench::shell("yes");
    let stalled = flooding.launch_attached();
    let begun = Instant::now();
    flooding.kernel.stop(flooding.run_dir(), Signal::TERM, Span::from_secs(0), PATIENCE).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(flooding.residue(), Vec::<String>::new());
    drop(stalled);
}

#[test]
fn waiting_ends_with_the_container_or_with_the_time() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    assert!(bench.kernel.wait(bench.run_dir(), PATIENCE).unwrap(), "nothing runs");
    bench.launch().unwrap();
    assert!(!bench.kernel.wait(bench.run_dir(), Duration::from_millis(50)).unwrap());
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert!(bench.kernel.wait(bench.run_dir(), PATIENCE).unwrap());
    assert_eq!(bench.kernel.kill(bench.run_dir(), Signal::TERM, PATIENCE).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn the_same_container_starts_again_with_its_changes() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("cat /root/mark 2>/dev/null || echo first; echo again > /root/mark");
    assert_eq!(bench.run().0, "first\n");
    assert_eq!(bench.run().0, "again\n");
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_second_monitor_for_a_running_container_is_refused() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    let error = bench.launch().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert_eq!(bench.kernel.observe(bench.run_dir(), bench.state().as_ref()).init, Liveness::Alive);
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
}
