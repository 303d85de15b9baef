//! Does every line a person may type become what Docker's users expect, or a refusal that helps?

use std::{io, path::Path};

use super::*;
use crate::engine::{
    cli_line,
    domain::{
        Command as EngineCommand, ContainerSpec, EnvVar, Force, MountKind, NetworkMode, PullPolicy, ReadOnly,
        RemoveOptions, Signal, Size, Span, StopOptions,
    },
};

fn read_file(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("vars") => Ok("# one\nFROM_FILE=1\nBOTH=file\nHOME\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

fn parsed(line: &str) -> Result<Invocation, UsageError> {
    let around = Surroundings {
        now: Timestamp::from_unix_seconds(1_000_000),
        variable: &|name| (name == "HOME").then(|| "/home/a".to_owned()),
        read_file: &read_file,
    };
    parse(split_words(line).unwrap().into_iter().map(Into::into).collect(), &around)
}

fn request(line: &str) -> Request {
    parsed(line).unwrap_or_else(|error| panic!("{line}: {error}")).request
}

fn refusal(line: &str) -> UsageError {
    match parsed(line) {
        Ok(invocation) => panic!("{line} became {invocation:?}"),
        Err(error) => error,
    }
}

fn spec(line: &str) -> ContainerSpec {
    let request = request(line);
    if let Request::Run(run) = request {
        return *run.spec;
    }
    let Request::Change(mut changes) = request else { panic!("{line} became {request:?}") };
    let EngineCommand::Create(spec) = changes.remove(0).command else { panic!("{line} became {changes:?}") };
    *spec
}

#[test]
fn every_verb_has_a_unique_name_and_arguments_that_clap_accepts() {
    let mut names: Vec<&str> = verbs().map(|entry| entry.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    command_tree().debug_assert();
    for entry in verbs() {
        standalone(entry).debug_assert();
    }
}

#[test]
fn every_example_of_the_help_parses() {
    for entry in verbs() {
        for example in entry.examples.iter().filter(|example| !example.contains(['|', '>', '<', '('])) {
            let words = split_words(example).unwrap();
            assert!(parse_line(words).is_ok(), "{example}: {:?}", parsed(example));
        }
    }
}

#[test]
fn global_flags_stand_before_or_after_the_verb() {
    for line in
        ["--host docker --format json ps -q", "ps --host=docker --format=json -q", "-q ps --host docker --format json"]
    {
        let invocation = parsed(line).unwrap();
        assert_eq!(invocation.verb, "ps", "{line}");
        let wanted = Globals { host: Some("docker".into()), format: Format::Json, quiet: true, ..Globals::default() };
        assert_eq!(invocation.globals, wanted, "{line}");
    }
}

#[test]
fn no_verb_at_all_is_the_screen() {
    assert_eq!(request(""), Request::Screen);
    let invocation = parsed("--host podman").unwrap();
    assert_eq!((invocation.globals.host.as_deref(), invocation.request), (Some("podman"), Request::Screen));
}

#[test]
fn run_takes_dockers_flags() {
    let line = "run -it --rm --name web -h box -w /w -u 1:2 -e A=1 -e HOME -l k=v -v /srv:/www:ro -v data:/d \
                --tmpfs /t --read-only -m 512m --cpus 1.5 --pids-limit 99 --network none --stop-signal INT \
                --stop-timeout 3 --pull never --entrypoint sh alpine -c 'echo -e hi'";
    let spec = spec(line);
    assert_eq!(spec.image, "alpine");
    assert_eq!(spec.command, ["-c", "echo -e hi"]);
    assert_eq!(spec.entrypoint.as_deref(), Some(["sh".to_owned()].as_slice()));
    assert!(spec.interactive && spec.tty && spec.auto_remove && spec.read_only);
    assert_eq!(spec.hostname.as_deref(), Some("box"));
    assert_eq!(spec.env[1], EnvVar { key: "HOME".into(), value: "/home/a".into() });
    assert_eq!(spec.mounts.len(), 3);
    assert_eq!(spec.mounts[0].read_only, ReadOnly::Yes);
    assert!(matches!(spec.mounts[2].kind, MountKind::Tmpfs { .. }));
    assert_eq!(spec.memory, Some(Size::from_mib(512)));
    assert_eq!((spec.pids_limit, spec.network, spec.pull), (Some(99), NetworkMode::None, PullPolicy::Never));
    assert_eq!((spec.stop_signal, spec.stop_timeout), (Some(Signal::INT), Some(Span::from_secs(3))));
}

#[test]
fn words_after_the_image_belong_to_the_command() {
    let spec = spec("run alpine ls -l --host x -d --help");
    assert_eq!(spec.command, ["ls", "-l", "--host", "x", "-d", "--help"]);
    let Request::Exec { container, spec } = request("exec -i web sh -c 'exit 7' -t") else { panic!() };
    assert_eq!((container.as_str(), spec.interactive, spec.tty), ("web", true, false));
    assert_eq!(spec.command, ["sh", "-c", "exit 7", "-t"]);
}

#[test]
fn the_double_dash_may_stand_before_image_or_container() {
    assert_eq!(spec("run -- alpine ls").image, "alpine");
}

#[test]
fn a_later_variable_wins_over_an_earlier_one_and_over_the_file() {
    let spec = spec("create --env-file vars -e BOTH=flag -e UNSET_HERE alpine");
    let shown: Vec<String> = spec.env.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["FROM_FILE=1", "BOTH=file", "HOME=/home/a", "BOTH=flag"]);
}

#[test]
fn an_empty_entrypoint_resets_it() {
    assert_eq!(spec("create --entrypoint '' alpine").entrypoint, Some(Vec::new()));
    assert_eq!(spec("create alpine").entrypoint, None);
}

#[test]
fn ports_and_bridge_networks_are_refused_with_the_reason() {
    for line in ["run -p 80:80 nginx", "run --network bridge nginx"] {
        let error = refusal(line);
        assert!(error.message.contains("bridge networks are not available yet"), "{}", error.message);
        assert_eq!(error.exit_code, 125);
    }
}

#[test]
fn several_names_become_one_change_each() {
    let Request::Change(changes) = request("rm -f -v a b") else { panic!() };
    assert_eq!(changes.iter().map(|change| change.target.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let options = RemoveOptions { force: Force::Yes, volumes: true };
    assert_eq!(changes[1].command, EngineCommand::Remove { container: "b".into(), options });
    let Request::Change(changes) = request("stop -t 1 -s INT a") else { panic!() };
    let options = StopOptions { signal: Some(Signal::INT), grace: Some(Span::from_secs(1)) };
    assert_eq!(changes[0].command, EngineCommand::Stop { container: "a".into(), options });
}

#[test]
fn what_does_not_parse_says_what_to_write_instead() {
    for (line, part, hint, code) in [
        ("strat web", "there is no verb \"strat\"", "did you mean wharf start?", 2),
        ("d", "there is no verb \"d\"", "did you mean wharf demo?", 2),
        ("x", "there is no verb \"x\"", "wharf --help", 2),
        ("stop -t x a", "does not begin with a number", "1m30s", 2),
        ("rename a", "required arguments were not provided: <NAME>", "write wharf rename <CONTAINER> <NAME>", 2),
        ("ps --foo", "unexpected argument '--foo' found", "write wharf ps", 2),
        ("kill -s", "--signal", "--help", 2),
        ("run --network bridge x", "--network bridge", "--network host", 125),
        ("ls", "there is no verb \"ls\"", "wharf ps", 2),
        ("prune", "prune needs another word", "wharf prune containers or wharf prune images", 2),
        ("ps --format '{{.ID}}'", "templates", "wharf ps --format json | jq", 2),
        ("images --format '{{.ID}}'", "templates", "wharf images --format json", 2),
        ("ps --format yaml", "no format \"yaml\"", "table or json", 2),
        ("inspect -f x web", "templates", "wharf inspect NAME | jq", 2),
        ("wait --for ever web", "\"ever\"", "running, exited or removed", 2),
        ("kill -s NOPE web", "no such signal", "TERM", 2),
        ("ps --filter colour=red", "\"colour\"", "status", 2),
        ("run -m lots alpine", "--memory: invalid size", "", 125),
        ("run --nope alpine", "--nope", "", 125),
        ("run --restart=always alpine", "Docker's \"--restart\" is not available yet", "--help", 125),
        ("create", "IMAGE", "", 125),
        ("exec web", "needs a command", "wharf exec -it web sh", 125),
        ("stop", "CONTAINER", "", 2),
        ("pull UPPER", "invalid image reference", "", 2),
        ("script --jobs 0 x", "--jobs", "", 2),
    ] {
        let error = refusal(line);
        assert!(error.message.contains(part), "{line}: {}", error.message);
        assert!(error.hint.clone().unwrap_or_default().contains(hint), "{line}: {:?}", error.hint);
        assert_eq!(error.exit_code, code, "{line}");
    }
}

#[test]
fn hostile_words_are_quoted_harmlessly() {
    let error = parse_line(["\u{1b}[2Jx"]).unwrap_err();
    assert!(!error.message.contains('\u{1b}'), "{:?}", error.message);
    let error = parse_line(["ps", "--\u{1b}[2J"]).unwrap_err();
    assert!(!error.message.contains('\u{1b}'), "{:?}", error.message);
}

#[test]
fn help_lists_every_verb_and_explains_each() {
    let Request::Help(page) = request("--help") else { panic!() };
    for entry in verbs().filter(|entry| entry.group != Group::Hidden) {
        assert!(page.contains(entry.about), "{}", entry.name);
        let Request::Help(own) = request(&format!("{} --help", entry.name)) else { panic!("{}", entry.name) };
        assert!(own.contains(&format!("wharf {}", entry.name)), "{own}");
        assert_eq!(request(&format!("help {}", entry.name)), Request::Help(own));
    }
}

#[test]
fn the_line_a_command_prints_reads_back_as_the_same_command() {
    let lines = [
        "create --name a -e 'A=b c' -v /srv:/www:ro --tmpfs /t -m 64m --cpus 0.5 --network none alpine sh -c 'x \"y\"'",
        "create --entrypoint '' --label a=b --pull always -u 1 -w /w --read-only --stop-timeout 3 alpine",
        "start a",
        "stop -t 3 -s INT a",
        "restart a",
        "kill -s HUP a",
        "kill a",
        "pause a",
        "unpause a",
        "rm -f -v a",
        "rename a b",
        "pull --platform linux/arm64 alpine",
        "push 127.0.0.1:5000/app:1",
        "tag alpine 127.0.0.1:5000/app:1",
        "rmi -f alpine",
        "index create -t 127.0.0.1:5000/a:1 -t 127.0.0.1:5000/a:2 127.0.0.1:5000/b:1",
    ];
    for line in lines {
        let Request::Change(changes) = request(line) else { panic!("{line}") };
        let printed = cli_line(&changes[0].command);
        let Request::Change(again) = request(printed.strip_prefix("wharf ").unwrap()) else { panic!("{printed}") };
        assert_eq!(again[0].command, changes[0].command, "{printed}");
    }
    let run = EngineCommand::Run(Box::new(spec("run -d --rm --name x alpine true")));
    let printed = cli_line(&run);
    assert_eq!(request(printed.strip_prefix("wharf ").unwrap()), request("run -d --rm --name x alpine true"));
    assert_eq!(
        request(cli_line(&EngineCommand::PruneImages { unused: true }).strip_prefix("wharf ").unwrap()),
        Request::PruneImages { unused: true, ask: Ask::No }
    );
}
