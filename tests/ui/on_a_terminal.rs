//! Does the binary keep its manners on a real terminal, and give it back whatever happens?
//! Deliberately elsewhere: what is on the screen (`pictures`).

#![cfg(unix)]

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    command::wharf_binary,
    deadline::{PATIENCE, wait_until},
    screen::{Screen, Size},
};

/// The interface on a host that nobody answers for: its terminal manners need no engine.
fn open(size: Size) -> (Screen, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("WHARF_ROOT".to_owned(), folder.path().display().to_string())];
    let host = format!("unix://{}/nobody.sock", folder.path().display());
    let screen = Screen::start(wharf_binary().as_os_str(), &["--host", &host], &environment, folder.path(), size);
    screen.wait_for("wharf");
    (screen, folder)
}

fn send(screen: &Screen, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(screen.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn quitting_leaves_the_terminal_as_it_was() {
    let (mut screen, _folder) = open(Size::STANDARD);
    screen.wait_for("help");
    screen.type_keys("esc,q");
    assert!(screen.wait_exit().success());
    assert_eq!(screen.left_set(), Vec::<&str>::new());
}

#[test]
fn terminate_and_hang_up_leave_the_terminal_as_it_was() {
    for signal in [Signal::TERM, Signal::HUP] {
        let (mut screen, _folder) = open(Size::STANDARD);
        send(&screen, signal);
        screen.wait_exit();
        assert_eq!(screen.left_set(), Vec::<&str>::new(), "{signal:?}");
    }
}

#[test]
fn a_killed_interface_leaves_the_terminal_to_its_guard() {
    let (screen, _folder) = open(Size::STANDARD);
    // The guard is started after the first frame; the answer of the host comes later still.
    screen.wait_for("H ");
    send(&screen, Signal::KILL);
    wait_until("the guard to restore the terminal", PATIENCE, || screen.left_set().is_empty().then_some(()));
}

#[test]
fn stopping_gives_the_terminal_back_and_continuing_takes_it_again() {
    let (mut screen, _folder) = open(Size::STANDARD);
    screen.wait_for("help");
    screen.type_keys("esc,ctrl-z");
    wait_until("the terminal to be given back", PATIENCE, || screen.left_set().is_empty().then_some(()));
    send(&screen, Signal::CONT);
    wait_until("the terminal to be taken again", PATIENCE, || {
        screen.left_set().contains(&"alternate screen").then_some(())
    });
    screen.wait_for("wharf");
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_eq!(screen.left_set(), Vec::<&str>::new());
}

#[test]
fn sizes_may_change_while_it_runs() {
    let (mut screen, _folder) = open(Size::STANDARD);
    for size in [Size::TINY, Size::WIDE, Size { columns: 1, rows: 1 }, Size { columns: 0, rows: 0 }, Size::STANDARD] {
        screen.resize(size);
    }
    screen.wait_until("the footer in the last row", Duration::from_secs(20), |text| {
        text.lines().count() >= 24 && text.lines().last().is_some_and(|row| row.contains("help"))
    });
    screen.type_keys("esc,q");
    assert!(screen.wait_exit().success());
}

#[test]
fn the_first_frame_does_not_wait_for_the_host() {
    let (screen, _folder) = open(Size::WIDE);
    let output = screen.output();
    let text = String::from_utf8_lossy(&output);
    assert!(text.contains("connecting") || text.contains("wharf"), "{text}");
}

#[test]
fn a_terminal_without_a_cursor_gets_a_sentence_instead() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("TERM".to_owned(), "dumb".to_owned())];
    let mut screen = Screen::start(wharf_binary().as_os_str(), &["ui"], &environment, folder.path(), Size::STANDARD);
    assert_eq!(screen.wait_exit().exit_code(), 2);
    assert!(screen.text().contains("TERM=dumb"), "{}", screen.text());
}

#[test]
fn without_colour_no_colour_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let environment =
        [("WHARF_ROOT".to_owned(), folder.path().display().to_string()), ("NO_COLOR".to_owned(), "1".to_owned())];
    let host = format!("unix://{}/nobody.sock", folder.path().display());
    let screen =
        Screen::start(wharf_binary().as_os_str(), &["--host", &host], &environment, folder.path(), Size::STANDARD);
    screen.wait_for("no answer");
    let styled = screen.styled();
    assert!(!styled.contains("fg=") && !styled.contains("bg="), "{styled}");
}
