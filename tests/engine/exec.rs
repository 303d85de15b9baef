//! Does one more process run beside a container's own, with its own output, user, terminal and exit code?
//! Deliberately elsewhere: the container's own process (`runtime`).

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use wharf::engine::{
    backend::embedded::kernel::{Kernel, ProcessSession},
    domain::{ErrorKind, ExecSpec, ProcessExit, SessionInput, SessionOutput, Signal, TerminalSize},
};

use super::bench_container::{Bench, PATIENCE, collect};
use crate::support::{
    deadline::{Deadline, wait_until},
    need::needs_root,
};

fn sleeping() -> Bench {
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    bench
}

fn command(words: &[&str]) -> ExecSpec {
    ExecSpec { command: words.iter().map(|word| (*word).to_owned()).collect(), ..ExecSpec::default() }
}

fn exec(bench: &Bench, spec: &ExecSpec) -> ProcessSession {
    bench.kernel.exec(bench.run_dir(), spec, PATIENCE).unwrap()
}

#[test]
fn it_prints_to_both_outputs_and_has_its_own_exit_code() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let spec = command(&["sh", "-c", "echo out; echo err >&2; exit 9"]);
    assert_eq!(collect(exec(&bench, &spec)), ("out\n".into(), "err\n".into(), ProcessExit::Code(9)));
    assert_eq!(fs::read_dir(bench.run_dir().join("exec")).unwrap().count(), 0);
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn a_command_that_is_not_there_is_127_and_one_that_cannot_run_126() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    for (word, kind) in [("ghost", ErrorKind::CommandNotFound), ("/etc/passwd", ErrorKind::CommandNotExecutable)] {
        let error = bench.kernel.exec(bench.run_dir(), &command(&[word]), PATIENCE).err().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn it_lives_in_the_same_walls() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let mut spec = command(&[
        "sh",
        "-c",
        "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; hostname; ls /proc/self/fd | wc -l; id; pwd; echo $COLOUR $TASTE $HOME",
    ]);
    spec.user = Some("web".into());
    spec.workdir = Some("/tmp".into());
    spec.env = vec!["TASTE=salt".parse().unwrap()];
    let (stdout, stderr, _) = collect(exec(&bench, &spec));
    let wanted = "CapEff:\t0000000000000000\nNoNewPrivs:\t0\nbench\n4\n\
                  uid=33(web) gid=34(web) groups=34(web),35(extra)\n/tmp\nblue salt /srv\n";
    assert_eq!((stdout.as_str(), stderr.as_str()), (wanted, ""));
}

#[test]
fn its_capabilities_and_control_group_are_the_containers() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let (stdout, ..) = collect(exec(
        &bench,
        &command(&["sh", "-c", "grep CapEff /proc/self/status; cat /proc/self/cgroup | grep -cv ':/$'"]),
    ));
    assert!(stdout.starts_with("CapEff:\t00000000a80425fb\n"), "{stdout}");
    assert!(
        stdout.ends_with("\n0\n") || stdout.ends_with("\n1\n"),
        "at its namespace's root everywhere it was put: {stdout}"
    );
}

#[test]
fn input_flows_and_ends() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let mut spec = command(&["wc", "-c"]);
    spec.interactive = true;
    let mut session = exec(&bench, &spec);
    for _ in 0..100 {
        session.input.send(SessionInput::Stdin(vec![b'x'; 5000])).unwrap();
    }
    session.input.send(SessionInput::Eof).unwrap();
    assert_eq!(collect(session), ("500000\n".into(), String::new(), ProcessExit::Code(0)));
}

#[test]
fn a_terminal_of_its_own_has_the_clients_size() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let mut spec = command(&["sh", "-c", "stty size; echo $TERM; read line; stty size"]);
    spec.tty = true;
    spec.interactive = true;
    spec.terminal = Some(TerminalSize { columns: 90, rows: 30 });
    let mut session = exec(&bench, &spec);
    let mut seen = String::new();
    while !seen.contains("xterm") {
        let Some(SessionOutput::Stdout(bytes)) = session.output.receive().unwrap() else { panic!("{seen:?}") };
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    session.input.send(SessionInput::Resize(TerminalSize { columns: 44, rows: 22 })).unwrap();
    session.input.send(SessionInput::Stdin(b"\n".to_vec())).unwrap();
    let (rest, _, exit) = collect(session);
    assert!(rest.contains("22 44"), "{seen:?} {rest:?}");
    assert_eq!(exit, ProcessExit::Code(0));
}

#[test]
fn signals_reach_it() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let mut session =
        exec(&bench, &command(&["sh", "-c", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done"]));
    assert_eq!(session.output.receive().unwrap(), Some(SessionOutput::Stdout(b"ready\n".to_vec())));
    session.input.send(SessionInput::Signal(Signal::USR1)).unwrap();
    assert_eq!(collect(session).2, ProcessExit::Code(5));
}

/// Types into the process from a thread of its own until it takes no more; returns once that is so.
fn stuff(session: &ProcessSession) {
    let mut input = session.input.second();
    let typed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&typed);
    std::thread::spawn(move || {
        // Ends with the session.
        while input.send(SessionInput::Stdin(b"x\n".repeat(8 << 10))).is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut last = (0, Instant::now());
    wait_until("input that the process does not take", PATIENCE, || {
        let now = typed.load(Ordering::Relaxed);
        if now != last.0 {
            last = (now, Instant::now());
        }
        (now > 8 && last.1.elapsed() > Duration::from_millis(300)).then_some(())
    });
}

#[test]
fn signals_and_sizes_pass_input_that_it_does_not_read() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let script = "trap 'stty size; exit 5' USR1; echo ready; while :; do sleep 0.05; done";
    for tty in [false, true] {
        let mut spec = command(&["sh", "-c", script]);
        (spec.interactive, spec.tty) = (true, tty);
        let mut session = exec(&bench, &spec);
        assert!(matches!(session.output.receive().unwrap(), Some(SessionOutput::Stdout(_))));
        stuff(&session);
        session.input.send(SessionInput::Resize(TerminalSize { columns: 44, rows: 22 })).unwrap();
        session.input.send(SessionInput::Signal(Signal::USR1)).unwrap();
        let (stdout, _, exit) = collect(session);
        assert_eq!(exit, ProcessExit::Code(5));
        assert_eq!(stdout.contains("22 44"), tty, "{stdout:?}");
    }
}

#[test]
fn whoever_is_attached_signals_past_input_that_the_container_does_not_read() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell("trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done");
    bench.plan.process.interactive = true;
    let mut session = bench.launch_attached();
    assert_eq!(session.output.receive().unwrap(), Some(SessionOutput::Stdout(b"ready\n".to_vec())));
    stuff(&session);
    session.input.send(SessionInput::Signal(Signal::USR1)).unwrap();
    assert_eq!(collect(session).2, ProcessExit::Code(5));
}

#[test]
fn an_asker_that_stops_reading_does_not_keep_the_container_from_ending() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let stalled = exec(&bench, &command(&["sh", "-c", "while :; do echo flood; done"]));
    let begun = Instant::now();
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(bench.residue(), Vec::<String>::new());
    drop(stalled);
}

#[test]
fn a_detached_one_goes_on_alone() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    let mut spec = command(&["sh", "-c", "sleep 0.1; touch /tmp/done"]);
    spec.detach = true;
    let mut session = exec(&bench, &spec);
    assert_eq!(session.output.receive().unwrap(), None);
    let made = bench.plan.rootfs.upper.join("tmp/done");
    let begun = Instant::now();
    while !made.exists() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}

#[test]
fn nothing_runs_in_a_container_that_is_paused_or_over() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    bench.kernel.pause(bench.run_dir(), PATIENCE).unwrap();
    let error = bench.kernel.exec(bench.run_dir(), &command(&["true"]), PATIENCE).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    let error = bench.kernel.exec(bench.run_dir(), &command(&["true"]), PATIENCE).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[test]
fn a_descendant_that_keeps_its_output_open_is_not_waited_for() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    for (left, tty) in [("while :; do echo x; sleep 0.05; done", false), ("yes", false), ("yes", true)] {
        let mut spec = command(&["sh", "-c", &format!("trap '' HUP; echo first; ({left}) & exit 3")]);
        spec.tty = tty;
        let begun = Instant::now();
        let (stdout, _, exit) = collect(exec(&bench, &spec));
        assert_eq!(exit, ProcessExit::Code(3), "{left}");
        assert!(stdout.starts_with("first"), "{left}: {stdout:?}");
        // What a pipe holds and what was sent on meanwhile, not what could be had in the time.
        assert!(stdout.len() < 8 << 20, "{left}: {} bytes", stdout.len());
        assert!(begun.elapsed() < PATIENCE / 2, "{left}: {:?}", begun.elapsed());
    }
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
}

#[test]
fn a_slow_reader_gets_all_that_it_printed_before_its_end() {
    if !needs_root() {
        return;
    }
    let bench = sleeping();
    // Ends once the pipe takes the last bytes, with all the buffers before it full.
    let script =
        "i=0; while [ $i -lt 6 ]; do dd if=/dev/zero bs=65536 count=20 2>/dev/null; i=$((i+1)); done; echo; echo end";
    let mut session = exec(&bench, &command(&["sh", "-c", script]));
    let (mut stdout, deadline) = (Vec::new(), Deadline::after(PATIENCE));
    let exit = loop {
        deadline.pause();
        match session.output.receive().unwrap() {
            Some(SessionOutput::Stdout(bytes)) => stdout.extend(bytes),
            Some(SessionOutput::Exit(exit)) => break exit,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(exit, ProcessExit::Code(0));
    assert_eq!(stdout.len(), 6 * 20 * 65536 + 5);
    assert!(stdout.ends_with(b"\nend\n"));
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
}
