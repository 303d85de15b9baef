//! What does a terminal that reads slowly, or not at all, hold up? Its own frames and nothing else.
//! Deliberately elsewhere: containers whose output nobody reads (`streams`).

use super::{assert_given_back, audit, daemon, unread};
use crate::support::{
    deadline::{PATIENCE, wait_until},
    screen::Size,
};

/// No frame of this size fits into the kernel's buffer.
const LARGE: Size = Size { columns: 300, rows: 90 };

#[test]
fn a_terminal_that_reads_byte_by_byte_gets_whole_frames_in_the_end() {
    let daemon = daemon();
    let (mut terminal, _folder) = unread(&daemon.url(), LARGE, &[]);
    terminal.read_bytes(700);
    terminal.send(b"?");
    terminal.read_bytes(700);
    terminal.send(b"\x1b[B\x1b[B");
    terminal.read_bytes(700);
    let mut screen = terminal.read_on(LARGE);
    screen.wait_for("esc closes");
    screen.type_keys("esc");
    screen.wait_until_gone("esc closes");
    screen.wait_for("web");
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
    assert_eq!(audit::foreign(&screen.output(), audit::Writer::Screen), Vec::<String>::new());
}

#[test]
fn a_terminal_that_never_reads_does_not_keep_q_from_ending_the_program() {
    let daemon = daemon();
    let (mut terminal, _folder) = unread(&daemon.url(), LARGE, &[]);
    wait_until("the host to be asked", PATIENCE, || (!daemon.asked().is_empty()).then_some(()));
    terminal.send(b"q");
    terminal.wait_exit();
}

#[test]
fn a_terminal_that_never_reads_does_not_keep_commands_from_the_host() {
    let daemon = daemon();
    let (mut terminal, _folder) = unread(&daemon.url(), LARGE, &[]);
    wait_until("the host to be asked", PATIENCE, || {
        daemon.asked().iter().any(|asked| asked.target.contains("containers/json")).then_some(())
    });
    // The list is known when its events are followed.
    wait_until("a rename that nobody can see", PATIENCE, || {
        terminal.send(b"\x1b\x1b:rename web other\r");
        daemon.asked().iter().any(|asked| asked.target.contains("/rename")).then_some(())
    });
    terminal.send(b"\x03\x03");
    terminal.wait_exit();
}

#[test]
fn a_terminal_that_stops_reading_in_a_frame_can_go_away() {
    let daemon = daemon();
    let (mut terminal, _folder) = unread(&daemon.url(), LARGE, &[]);
    terminal.read_bytes(100);
    terminal.close();
}
