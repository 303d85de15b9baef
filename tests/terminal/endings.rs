//! Is the terminal as it was found however the interface ends or is stopped? Keys, signals, kills, a terminal that goes.
//! Deliberately elsewhere: panics (`panics.rs`).

use rustix::process::{Pid, Signal, kill_process};

use super::{assert_given_back, daemon, interface, ready, unread, wait_until_given_back};
use crate::support::{
    deadline::{PATIENCE, wait_until},
    screen::{Screen, Size},
};

fn send(screen: &Screen, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(screen.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Ends by a signal that can be heard; the guard has let go of the terminal too when this returns.
#[track_caller]
fn ends_well_by(signal: Signal) {
    let (mut screen, _daemon, _folder) = ready();
    send(&screen, signal);
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

/// Dies of a signal, whereupon the guard restores the terminal.
#[track_caller]
fn is_cleaned_up_after(signal: Signal) {
    let (mut screen, _daemon, _folder) = ready();
    assert!(!screen.is_cooked() && screen.left_set().contains(&"alternate screen"));
    send(&screen, signal);
    wait_until_given_back(&screen);
    // The terminal's end of file: nobody holds it any more, not the guard either.
    screen.wait_exit();
    assert_given_back(&screen);
}

#[track_caller]
fn wait_until_ours(screen: &Screen) {
    wait_until("the terminal to be taken again", PATIENCE, || {
        (screen.left_set().contains(&"alternate screen") && !screen.is_cooked()).then_some(())
    });
}

#[test]
fn q_leaves_nothing_behind() {
    let (mut screen, _daemon, _folder) = ready();
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let (mut screen, _daemon, _folder) = ready();
    screen.type_keys("ctrl-c");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

#[test]
fn sigterm_leaves_nothing_behind() {
    ends_well_by(Signal::TERM);
}

#[test]
fn sighup_leaves_nothing_behind() {
    ends_well_by(Signal::HUP);
}

#[test]
fn sigint_leaves_nothing_behind() {
    ends_well_by(Signal::INT);
}

#[test]
fn sigquit_leaves_nothing_behind() {
    ends_well_by(Signal::QUIT);
}

#[test]
fn the_guard_restores_everything_after_sigkill() {
    is_cleaned_up_after(Signal::KILL);
}

#[test]
fn the_guard_restores_everything_after_an_abort() {
    is_cleaned_up_after(Signal::ABORT);
}

#[test]
fn the_guard_restores_everything_after_a_crash() {
    // SIGSEGV would do as well, but the Rust runtime's handler takes one that nobody's memory caused for a mistake.
    is_cleaned_up_after(Signal::ILL);
}

#[test]
fn a_kill_before_the_first_picture_of_the_host_is_cleaned_up_too() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = format!("unix://{}/nobody.sock", folder.path().display());
    let (mut screen, _folder) = interface(&nobody, Size::STANDARD, &[]);
    wait_until_ours(&screen);
    send(&screen, Signal::KILL);
    wait_until_given_back(&screen);
    screen.wait_exit();
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_continuing_takes_it_again() {
    let (mut screen, _daemon, _folder) = ready();
    screen.type_keys("ctrl-z");
    wait_until_given_back(&screen);
    send(&screen, Signal::CONT);
    wait_until_ours(&screen);
    screen.wait_for("web");
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

#[test]
fn ctrl_z_in_a_flood_of_keys_gives_the_terminal_back_as_well() {
    let (mut screen, _daemon, _folder) = ready();
    // More behind it than may wait for the screen, in one read.
    screen.send(format!("\u{1a}{}", "j".repeat(3_000)).as_bytes());
    wait_until_given_back(&screen);
    send(&screen, Signal::CONT);
    wait_until_ours(&screen);
    screen.wait_for("web");
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

#[test]
fn sigtstp_gives_the_terminal_back_like_ctrl_z() {
    let (mut screen, _daemon, _folder) = ready();
    send(&screen, Signal::TSTP);
    wait_until_given_back(&screen);
    send(&screen, Signal::CONT);
    wait_until_ours(&screen);
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

#[test]
fn after_a_stop_that_nobody_announced_the_whole_screen_is_drawn_again() {
    let (mut screen, _daemon, _folder) = ready();
    send(&screen, Signal::STOP);
    let before = screen.output().len();
    send(&screen, Signal::CONT);
    wait_until("the screen to be cleared and drawn again", PATIENCE, || {
        let output = screen.output();
        let new = String::from_utf8_lossy(&output[before..]).into_owned();
        (new.contains("\u{1b}[2J") && new.contains("containers")).then_some(())
    });
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
}

#[test]
fn a_terminal_that_goes_away_ends_the_program() {
    let daemon = daemon();
    let (mut terminal, _folder) = unread(&daemon.url(), Size::STANDARD, &[]);
    terminal.read_bytes(200);
    terminal.close();
}

#[test]
fn a_terminal_that_goes_away_while_a_dialog_is_open_ends_the_program() {
    let daemon = daemon();
    let (mut terminal, _folder) = unread(&daemon.url(), Size::STANDARD, &[]);
    terminal.read_bytes(200);
    terminal.send(b":");
    terminal.read_bytes(20);
    terminal.close();
}

#[test]
fn the_second_ctrl_c_does_not_ask() {
    let (mut screen, _daemon, _folder) = ready();
    screen.send(&[3, 3]);
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}
