//! Can a name, a label, a log line, an error or an answer reach the terminal as anything but visible text? Every text
//! that a container, an image, a registry or a daemon can supply, in the interface, in verbs and in errors.
//! Deliberately elsewhere: how text is made safe (`text::safe_text`), the audit itself (`audit.rs`).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
};

use serde_json::{Value, json};

use super::{HOSTILE, ID, audit, daemon_that, inspected, interface, listed};
use crate::{
    engine::fake_daemon::{Answer, Asked, FakeDaemon},
    support::{
        command::wharf_binary,
        screen::{Screen, Size},
    },
};

#[track_caller]
fn assert_ours(screen: &Screen, writer: audit::Writer) {
    assert_eq!(audit::foreign(&screen.output(), writer), Vec::<String>::new(), "{}", screen.text());
}

/// The interface over a daemon whose every text is hostile; `keys` lead to what `shown` is on.
#[track_caller]
fn on_the_screen(keys: &[&str], shown: &str) {
    let daemon = hostile_daemon();
    let (screen, _folder) = interface(&daemon.url(), Size::WIDE, &[]);
    screen.wait_for("END");
    keys.iter().for_each(|keys| screen.type_keys(keys));
    screen.wait_for(shown);
    assert_ours(&screen, audit::Writer::Screen);
}

/// A verb over the same daemon, on a terminal.
#[track_caller]
fn said_by(words: &[&str], shown: &str) {
    let daemon = hostile_daemon();
    let url = daemon.url();
    let words: Vec<&str> = ["--host", &url].into_iter().chain(words.iter().copied()).collect();
    said_without_a_host(&words, shown);
}

#[track_caller]
fn said_without_a_host(words: &[&str], shown: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display().to_string();
    let environment = [("WHARF_ROOT", root.clone()), ("HOME", root), ("LANG", "C.UTF-8".to_owned())];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let mut screen = Screen::start(wharf_binary().as_os_str(), words, &environment, folder.path(), Size::WIDE);
    screen.wait_exit();
    assert!(screen.text().contains(shown), "{}", screen.text());
    assert_ours(&screen, audit::Writer::Verb);
}

/// Every text is hostile; what changes things fails with a hostile message.
fn hostile_daemon() -> FakeDaemon {
    daemon_that(|asked| Some(hostile_answer(asked)).flatten())
}

fn hostile_answer(asked: &Asked) -> Option<Answer> {
    let path = asked.target.split('?').next().unwrap_or_default();
    let ok = |value: Value| Some(Answer::Json(200, value.to_string()));
    if asked.method != "GET" {
        return Some(Answer::Json(500, json!({"message": HOSTILE}).to_string()));
    }
    match path {
        path if path.ends_with("/containers/json") => {
            let mut entry = listed("web", HOSTILE);
            entry["Command"] = json!(HOSTILE);
            entry["Labels"] = json!({HOSTILE: HOSTILE});
            entry["Status"] = json!(HOSTILE);
            let nameless = json!({"Id": "b".repeat(64), "Names": [format!("/{HOSTILE}")], "Image": HOSTILE,
                "State": HOSTILE, "Status": HOSTILE, "Created": 1, "Command": HOSTILE});
            ok(json!([entry, nameless]))
        }
        path if path.ends_with("/images/json") => ok(json!([{"Id": format!("sha256:{}", "a".repeat(64)),
            "RepoTags": [format!("evil/{HOSTILE}:1"), "good:1"], "RepoDigests": [], "Created": 1, "Size": 1,
            "Labels": {HOSTILE: HOSTILE}, "Containers": 1}])),
        path if path.ends_with("/history") => ok(
            json!([{"Id": HOSTILE, "Created": 1, "CreatedBy": HOSTILE, "Size": 1, "Comment": HOSTILE, "Tags": [HOSTILE]}]),
        ),
        path if path.ends_with("/top") => ok(json!({"Titles": ["PID", HOSTILE], "Processes": [["1", HOSTILE]]})),
        path if path.ends_with("/info") => {
            ok(json!({"NCPU": 2, "MemTotal": 1, "Name": HOSTILE, "OperatingSystem": HOSTILE}))
        }
        path if path.ends_with("/version") => ok(json!({"Version": HOSTILE, "ApiVersion": "1.41", "Os": HOSTILE})),
        path if path.ends_with("/logs") => Some(Answer::Pieces(vec![log_line(1, HOSTILE), log_line(2, HOSTILE)])),
        path if path.contains(&format!("/containers/{ID}")) || path.contains("/containers/web") => {
            let mut object = inspected("/web");
            object["Config"]["Env"] = json!([format!("TEXT={HOSTILE}"), "DB_PASSWORD=hunter2"]);
            object["Config"]["Labels"] = json!({HOSTILE: HOSTILE});
            object["Config"]["Cmd"] = json!([HOSTILE]);
            object["Config"]["Hostname"] = json!(HOSTILE);
            object["State"]["Error"] = json!(HOSTILE);
            ok(object)
        }
        _ => None,
    }
}

/// A line as the daemon multiplexes it, with its time.
fn log_line(stream: u8, text: &str) -> Vec<u8> {
    let line = format!("2026-01-01T00:00:00.000000000Z {text}\n").into_bytes();
    let length = u32::try_from(line.len()).unwrap().to_be_bytes();
    [&[stream, 0, 0, 0][..], &length, &line].concat()
}

#[test]
fn names_images_commands_and_states_in_the_list() {
    on_the_screen(&[], "END");
}

#[test]
fn log_lines_of_both_streams() {
    on_the_screen(&["enter"], "owned");
}

#[test]
fn environment_labels_and_errors_in_the_inspect_tree() {
    on_the_screen(&["2", "tab", "*"], "Labels");
}

#[test]
fn environment_and_labels_in_their_tab_and_no_secret() {
    let daemon = hostile_daemon();
    let (screen, _folder) = interface(&daemon.url(), Size::WIDE, &[]);
    screen.wait_for("END");
    screen.type_keys("4");
    screen.wait_for("DB_PASSWORD");
    assert!(!screen.text().contains("hunter2"));
    screen.type_keys("tab,v");
    screen.wait_for("hunter2");
    assert_ours(&screen, audit::Writer::Screen);
}

#[test]
fn no_secret_in_the_inspect_tree_until_asked_for() {
    let daemon = hostile_daemon();
    let (screen, _folder) = interface(&daemon.url(), Size::WIDE, &[]);
    screen.wait_for("END");
    screen.type_keys("2");
    screen.wait_for("Env");
    screen.type_keys("tab,*");
    screen.wait_for("DB_PASSWORD=");
    assert!(!screen.text().contains("hunter2"), "{}", screen.text());
    screen.type_keys("v");
    screen.wait_for("DB_PASSWORD=hunter2");
    assert_ours(&screen, audit::Writer::Screen);
}

#[test]
fn processes_of_a_container() {
    on_the_screen(&["3"], "as of");
}

#[test]
fn names_and_layers_of_images() {
    on_the_screen(&["m", "enter"], "layers");
}

#[test]
fn the_daemons_own_name_and_version_in_the_header() {
    on_the_screen(&["?"], "esc closes");
}

#[test]
fn a_daemons_refusal_in_a_dialog_and_among_the_operations() {
    on_the_screen(&["s"], "cannot stop");
    on_the_screen(&["s", "esc", "o"], "OPERATION");
}

#[test]
fn ps_on_a_terminal() {
    said_by(&["ps", "-a"], "owned");
}

#[test]
fn images_and_history_on_a_terminal() {
    said_by(&["images"], "good");
    said_by(&["history", "good:1"], "owned");
}

#[test]
fn top_on_a_terminal() {
    said_by(&["top", "web"], "END");
}

#[test]
fn inspect_on_a_terminal() {
    said_by(&["inspect", "web"], "Hostname");
}

#[test]
fn a_daemons_refusal_on_a_terminal() {
    said_by(&["stop", "web"], "END");
    said_by(&["rm", "-f", "web"], "END");
}

#[test]
fn what_a_person_typed_is_repeated_as_text() {
    said_by(&["stop", HOSTILE], "END");
    said_without_a_host(&[HOSTILE], "END");
    said_without_a_host(&["ps", &format!("--{HOSTILE}")], "owned");
    said_without_a_host(&["--host", HOSTILE, "ps"], "owned");
    said_without_a_host(&["pull", HOSTILE], "owned");
}

#[test]
fn a_registrys_error_body_on_a_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test's process: the listener has no other end.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                line.clear();
            }
            let body = json!({"errors": [{"code": HOSTILE, "message": HOSTILE, "detail": HOSTILE}]}).to_string();
            // A client that hangs up has its own reasons.
            let _ = write!(
                reader.get_mut(),
                "HTTP/1.1 400 X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    said_without_a_host(&["pull", &format!("{address}/team/app:1")], "END");
}
