//! Can anything be destroyed by keys that nobody meant, and can input wedge the screen? Pastes, type-ahead, garbage.
//! Deliberately elsewhere: which keys answer a question (`ui::dialogs::confirm`).

use super::{assert_given_back, daemon_that, interface, ready};
use crate::{
    engine::fake_daemon::FakeDaemon,
    support::{
        deadline::PATIENCE,
        screen::{Screen, Size},
    },
};

/// Everything a person could have meant by "yes", several times.
const YES: &str = "y\r\ny\r\nyes\r\n\ty\r\x1b[C\ry";

fn removals(daemon: &FakeDaemon) -> usize {
    daemon.asked().iter().filter(|asked| asked.method == "DELETE" || asked.target.contains("/kill")).count()
}

#[track_caller]
fn ends_with_q(mut screen: Screen) {
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

#[test]
fn a_paste_bomb_does_not_answer_a_question() {
    let (screen, daemon, _folder) = ready();
    screen.type_keys("ctrl-d");
    screen.wait_for("Stop and remove");
    screen.send(format!("\x1b[200~{YES}\x1b[201~").as_bytes());
    screen.type_keys("esc");
    screen.wait_until_gone("Stop and remove");
    assert_eq!(removals(&daemon), 0);
    ends_with_q(screen);
}

#[test]
fn keys_typed_before_the_question_was_seen_do_not_answer_it() {
    let (screen, daemon, _folder) = ready();
    // One write: the program reads all of it before it has drawn the question.
    screen.send(b"\x04\ty\ry");
    screen.wait_for("Stop and remove");
    screen.type_keys("esc");
    screen.wait_until_gone("Stop and remove");
    assert_eq!(removals(&daemon), 0);
    ends_with_q(screen);
}

#[test]
fn enter_alone_does_not_answer_a_question() {
    let (screen, daemon, _folder) = ready();
    screen.type_keys("ctrl-k");
    screen.wait_for("wharf kill");
    screen.type_keys("enter");
    screen.wait_until_gone("wharf kill");
    assert_eq!(removals(&daemon), 0);
    ends_with_q(screen);
}

#[test]
fn a_paste_into_a_list_presses_no_key() {
    let (screen, daemon, _folder) = ready();
    screen.send(b"\x1b[200~q\x04y\rs:rm web\r\x1b[201~");
    screen.wait_for("nothing takes text here");
    assert!(daemon.asked().iter().all(|asked| asked.method == "GET"));
    ends_with_q(screen);
}

#[test]
fn a_paste_of_several_lines_stays_one_line_on_the_command_line() {
    let (screen, daemon, _folder) = ready();
    screen.type_keys(":");
    screen.send(b"\x1b[200~rm -f web\rstop web\r\x1b[201~");
    screen.wait_for("rm -f web stop web");
    assert!(daemon.asked().iter().all(|asked| asked.method == "GET"));
    screen.type_keys("esc");
    screen.wait_until_gone("rm -f web");
    ends_with_q(screen);
}

#[test]
fn a_megabyte_of_paste_is_bounded_and_the_screen_lives() {
    let (screen, _daemon, _folder) = ready();
    screen.type_keys("p");
    screen.wait_for("does it");
    screen.send(b"\x1b[200~");
    screen.send("x".repeat(1 << 20).as_bytes());
    screen.send(b"\x1b[201~");
    screen.wait_for("xxxxxxxx");
    screen.type_keys("esc");
    screen.wait_until_gone("xxxxxxxx");
    ends_with_q(screen);
}

#[test]
fn escape_sequences_inside_a_paste_stay_text() {
    let (screen, _daemon, _folder) = ready();
    screen.type_keys("p");
    screen.wait_for("does it");
    screen.send(format!("\x1b[200~a{}b\x1b[201~", "\u{202e}\u{9b}31m\u{7}").as_bytes());
    screen.wait_for("› a");
    let foreign = super::audit::foreign(&screen.output(), super::audit::Writer::Screen);
    assert_eq!(foreign, Vec::<String>::new());
    screen.type_keys("esc");
    screen.wait_until_gone("does it");
    ends_with_q(screen);
}

#[test]
fn bytes_that_are_no_keys_neither_end_nor_wedge_the_screen() {
    let (screen, daemon, _folder) = ready();
    for garbage in
        [&b"\xff\xfe\x80"[..], b"\x1b[999;999;999;999u", b"\x1b[<0;9999;9999M", b"\x1b]0;x\x07", b"\x1b[M!!!", b"\0"]
    {
        screen.send(garbage);
    }
    screen.type_keys("esc,esc,esc,?");
    screen.wait_for("closes");
    screen.type_keys("esc");
    screen.wait_until_gone("closes");
    assert!(daemon.asked().iter().all(|asked| asked.method == "GET"));
    drop(screen);
}

#[test]
fn a_host_that_never_opens_a_session_stops_neither_the_screen_nor_the_way_out() {
    let (answer, answers) = std::sync::mpsc::channel::<()>();
    let answers = std::sync::Mutex::new(answers);
    let daemon = daemon_that(move |asked| {
        if asked.method == "POST" && asked.target.contains("/exec") {
            // Nobody ever sends: the end of the test frees whoever waits.
            let _ = answers.lock().unwrap().recv();
        }
        None
    });
    let (screen, _folder) = interface(&daemon.url(), Size::STANDARD, &[]);
    screen.wait_for("web");
    // What is typed ahead is for the session: an `s` here would stop the container.
    screen.type_keys("e,s,s");
    screen.wait_for("opening a session in web");
    screen.resize(Size::WIDE);
    screen
        .wait_until("the screen to be drawn wide", PATIENCE, |text| text.lines().any(|row| row.chars().count() > 100));
    screen.type_keys("esc");
    screen.wait_for("gave up opening the session");
    assert!(!daemon.asked().iter().any(|asked| asked.target.contains("/stop")), "{:?}", daemon.asked());
    ends_with_q(screen);
    drop(answer);
}
