//! Is an attached run like running the command itself? Its output, input, exit code and signals are ours.
//! Deliberately elsewhere: with a terminal (`terminal.rs`).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Stdio},
};

use super::bench::{Bench, on_each_engine};
use crate::support::deadline::{PATIENCE, wait_until};

fn lines(bench: &Bench, script: &str) -> Vec<String> {
    let words = ["run", "--rm", "--network", "none", bench.image.as_str(), "sh", "-c", script];
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn spawn(bench: &Bench, words: &[String]) -> Child {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = bench.command(&words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn output_and_exit_code_are_the_processs_own() {
    on_each_engine(|bench| {
        let run = ["run", "--rm", "--network", "none", bench.image.as_str()];
        assert_eq!(bench.ok(&[run.as_slice(), &["echo", "ok"]].concat()), "ok");
        let ended = bench.ends_with(3, &[run.as_slice(), &["sh", "-c", "echo out; echo err >&2; exit 3"]].concat());
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("out\n", "err\n"));
        bench.ends_with(127, &[run.as_slice(), &["/no/such/command"]].concat());
        bench.ends_with(126, &[run.as_slice(), &["/etc"]].concat());
        bench.ends_with(125, &["run", "--rm", "--network", "none", "--pull", "never", "wharf.invalid/none:1"]);
    });
}

#[test]
fn a_run_that_removes_itself_leaves_nothing_even_when_it_cannot_start() {
    on_each_engine(|bench| {
        for (name, command) in [("well", "true"), ("badly", "/no/such/command")] {
            let name = bench.name(name);
            bench.run(&["run", "--rm", "--network", "none", "--name", &name, &bench.image, command]);
            assert_eq!(bench.status(&name), "gone");
        }
    });
}

#[test]
fn every_byte_of_a_long_output_arrives() {
    on_each_engine(|bench| {
        let words = lines(bench, "seq 1 200000; seq 1 1000 >&2");
        let ended = bench.ends_with(0, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ended.stdout.lines().count(), 200_000);
        assert_eq!(ended.stdout.lines().last(), Some("200000"));
        assert_eq!(ended.stderr.lines().count(), 1_000);
    });
}

#[test]
fn standard_input_reaches_the_process_and_ends() {
    on_each_engine(|bench| {
        let mut words = lines(bench, "wc -c");
        words.insert(1, "-i".to_owned());
        let mut child = spawn(bench, &words);
        child.stdin.take().unwrap().write_all(&vec![b'x'; 300_000]).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stdout).trim(), "300000", "{ended:?}");
    });
}

#[test]
fn a_detached_run_prints_the_whole_id_and_wait_its_exit_code() {
    on_each_engine(|bench| {
        let name = bench.name("five");
        let id = bench.ok(&[
            "run",
            "-d",
            "--network",
            "none",
            "--name",
            &name,
            &bench.image,
            "sh",
            "-c",
            "sleep 0.2; exit 5",
        ]);
        assert_eq!(id.len(), 64, "{id}");
        assert_eq!(bench.ok(&["wait", &name]), "5");
        assert_eq!(bench.ok(&["wait", id.get(..12).unwrap()]), "5");
    });
}

#[test]
fn signals_are_passed_on_to_the_process() {
    on_each_engine(|bench| {
        let words = lines(bench, "trap 'exit 42' INT TERM; echo ready; while :; do sleep 0.1; done");
        for kind in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
            let mut child = spawn(bench, &words);
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n");
            signal(&child, kind);
            let status = wait_until("the run to end", PATIENCE, || child.try_wait().unwrap());
            assert_eq!(status.code(), Some(42));
        }
    });
}

#[test]
fn interrupting_an_exec_ends_it_on_every_engine() {
    on_each_engine(|bench| {
        let name = bench.name("entered");
        bench.ok(&["run", "-d", "--network", "none", "--name", &name, &bench.image, "sleep", "60"]);
        let words = ["exec", &name, "sh", "-c", "trap 'exit 42' INT; echo ready; while :; do sleep 0.1; done"];
        let mut child = spawn(bench, &words.map(str::to_owned));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        signal(&child, rustix::process::Signal::INT);
        let status = wait_until("the exec to end", PATIENCE, || child.try_wait().unwrap());
        // A daemon has no way to pass a signal to an exec; there the signal ends the client, as Docker's does.
        assert_eq!(status.code(), bench.is_embedded().then_some(42), "{status}");
    });
}

#[test]
fn interrupting_a_wait_ends_it_as_a_shell_expects() {
    use std::os::unix::process::ExitStatusExt as _;
    on_each_engine(|bench| {
        let name = bench.name("waited");
        bench.ok(&["run", "-d", "--network", "none", "--name", &name, &bench.image, "sleep", "60"]);
        let mut child = spawn(bench, &["stop".to_owned(), "-t".to_owned(), "50".to_owned(), name.clone()]);
        wait_until("the stop to be under way", PATIENCE, || {
            let caught = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let caught = caught.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
            (u64::from_str_radix(&caught, 16).unwrap() & 2 != 0).then_some(())
        });
        signal(&child, rustix::process::Signal::INT);
        let status = wait_until("the stop to end", PATIENCE, || child.try_wait().unwrap());
        assert_eq!(status.signal(), Some(2), "{status}");
    });
}

#[test]
fn a_reader_that_leaves_ends_the_run_and_its_container() {
    on_each_engine(|bench| {
        let name = bench.name("yes");
        let mut words = lines(bench, "yes");
        words.splice(1..1, ["--name".to_owned(), name.clone()]);
        let mut child = spawn(bench, &words);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "y\n");
        drop(output);
        let status = wait_until("the run to end", PATIENCE, || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(141), "{status}");
        assert_eq!(bench.status(&name), "gone");
    });
}
