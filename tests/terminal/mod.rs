//! Does the terminal survive us, and we the terminal? The real binary on a real pseudo-terminal: panics, kills, stops,
//! lost and slow terminals, sizes, pastes, and every text that somebody else may supply.
//!
//! Covers the failure classes "log floods and slow terminals", "escape and bidi injection", "raw mode left behind",
//! "stop, continue, hang-up, terminal gone, odd sizes", "blocked output", "paste bombs and type-ahead" and "secrets
//! shown". Nothing here needs root or an engine: hosts are scripted daemons on sockets of their own.
//! Deliberately elsewhere: what is on the screen (`ui::pictures`), sessions in containers (`cli::terminal`).

#![cfg(unix)]

mod audit;
mod endings;
mod injection;
mod panics;
mod sizes;
mod slow;
mod typing;

use serde_json::{Value, json};

use crate::{
    engine::fake_daemon::{Answer, Asked, FakeDaemon},
    support::{
        command::wharf_binary,
        deadline::{PATIENCE, wait_until},
        screen::{Screen, Size, Unread},
    },
};

/// A little of everything that a terminal obeys: colours, title, clipboard, C1, reset, backspace, DCS, text direction,
/// invisible letters, a line of its own.
const HOSTILE: &str = "\u{1b}[31mRED\u{1b}]0;owned\u{7}\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{1b}c\u{8}\u{1b}Pq#0\u{1b}\\\
                       \u{202e}live\u{2066}\u{200b}\u{feff}\r\u{1b}[2J\u{1b}[8mEND";

/// The one container of [`daemon`].
const ID: &str = "21c5779a813c5c694664e6123543c03b3a0bc36abf0877090c805d5c213ab951";

/// A host with one running container called `web`, that does whatever it is asked.
fn daemon() -> FakeDaemon {
    daemon_that(|_| None)
}

/// The same, but for what `answer` answers.
fn daemon_that(answer: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> FakeDaemon {
    FakeDaemon::new("1.41", move |asked| answer(asked).unwrap_or_else(|| ordinary(asked)))
}

fn ordinary(asked: &Asked) -> Answer {
    let path = asked.target.split('?').next().unwrap_or_default();
    let path = path.trim_start_matches('/').split_once('/').map_or(path, |(_, rest)| rest);
    match (asked.method.as_str(), path) {
        ("GET", "containers/json") => Answer::Json(200, json!([listed("web", "bb:1")]).to_string()),
        ("GET", "images/json") => Answer::Json(200, "[]".to_owned()),
        ("GET", "info") => Answer::Json(200, json!({"NCPU": 2, "MemTotal": 1 << 30, "Name": "host"}).to_string()),
        ("GET", "version") => Answer::Json(200, json!({"Version": "20.10.24", "ApiVersion": "1.41"}).to_string()),
        ("GET", path) if path.ends_with("/logs") || path == "events" => Answer::Pieces(Vec::new()),
        ("GET", path) if path.ends_with("/json") => Answer::Json(200, inspected("/web").to_string()),
        ("GET", _) => Answer::Json(404, json!({"message": "page not found"}).to_string()),
        _ => Answer::Json(204, String::new()),
    }
}

fn listed(name: &str, image: &str) -> Value {
    json!({"Id": ID, "Names": [format!("/{name}")], "Image": image, "State": "running", "Status": "Up 3 minutes",
        "Created": 1_700_000_000, "Command": "sleep 1", "Labels": {}, "Ports": []})
}

fn inspected(name: &str) -> Value {
    json!({"Id": ID, "Name": name, "Created": "2026-01-01T00:00:00Z", "Image": format!("sha256:{}", "a".repeat(64)),
        "State": {"Status": "running", "Running": true, "Pid": 7, "ExitCode": 0, "StartedAt": "2026-01-01T00:00:00Z"},
        "Config": {"Image": "bb:1", "Cmd": ["sleep", "1"], "Env": [], "Labels": {}, "Tty": false},
        "HostConfig": {"NetworkMode": "none"}})
}

/// The interface on a host, with nothing set but what it needs, and nobody reading its terminal.
fn unread(host: &str, size: Size, environment: &[(&str, &str)]) -> (Unread, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display().to_string();
    let fixed = [("WHARF_ROOT", root.as_str()), ("HOME", root.as_str()), ("LANG", "C.UTF-8"), ("RUST_BACKTRACE", "0")];
    let environment: Vec<_> =
        fixed.iter().chain(environment).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let terminal = Unread::start(wharf_binary().as_os_str(), &["--host", host], &environment, folder.path(), size);
    (terminal, folder)
}

/// The same on an emulated screen.
fn interface(host: &str, size: Size, environment: &[(&str, &str)]) -> (Screen, tempfile::TempDir) {
    let (terminal, folder) = unread(host, size, environment);
    (terminal.read_on(size), folder)
}

/// The interface with the container on the screen.
fn ready() -> (Screen, FakeDaemon, tempfile::TempDir) {
    let daemon = daemon();
    let (screen, folder) = interface(&daemon.url(), Size::STANDARD, &[]);
    screen.wait_for("web");
    (screen, daemon, folder)
}

/// Waits until nothing is left of our modes, on the emulated screen and in the kernel.
#[track_caller]
fn wait_until_given_back(screen: &Screen) {
    wait_until("the terminal to be given back", PATIENCE, || {
        (screen.left_set().is_empty() && screen.is_cooked()).then_some(())
    });
}

/// Asserts that the terminal is as it was found.
#[track_caller]
fn assert_given_back(screen: &Screen) {
    assert_eq!(screen.left_set(), Vec::<&str>::new());
    assert!(screen.is_cooked(), "the terminal is still raw");
}
