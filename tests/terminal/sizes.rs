//! Does any size do, also none, and any change of it?
//! Deliberately elsewhere: what is left out at which width (`ui::sizes`).

use super::{assert_given_back, daemon, interface, ready};
use crate::support::{
    deadline::PATIENCE,
    screen::{Screen, Size},
};

#[track_caller]
fn is_whole_at_standard_size(mut screen: Screen) {
    screen.resize(Size::STANDARD);
    screen.wait_until("the footer in the last row", PATIENCE, |text| {
        text.contains("web")
            && text.lines().count() == 24
            && text.lines().last().is_some_and(|row| row.contains("help"))
    });
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

/// Starts on a terminal of that size and grows to the usual one.
#[track_caller]
fn starts_at(columns: u16, rows: u16) {
    let daemon = daemon();
    let (screen, _folder) = interface(&daemon.url(), Size { columns, rows }, &[]);
    is_whole_at_standard_size(screen);
}

#[test]
fn a_terminal_that_says_it_has_no_size_gets_a_screen_once_it_has() {
    starts_at(0, 0);
}

#[test]
fn a_terminal_of_one_cell_is_no_reason_to_fail() {
    starts_at(1, 1);
}

#[test]
fn a_terminal_of_one_row_is_no_reason_to_fail() {
    starts_at(500, 1);
}

#[test]
fn a_terminal_of_one_column_is_no_reason_to_fail() {
    starts_at(1, 200);
}

#[test]
fn a_storm_of_sizes_ends_in_the_right_picture() {
    let (screen, _daemon, _folder) = ready();
    for step in 0..200_u16 {
        screen.resize(Size { columns: step * 7 % 190, rows: step * 5 % 60 });
    }
    is_whole_at_standard_size(screen);
}

#[test]
fn every_dialog_lives_through_a_storm_of_sizes() {
    let (screen, _daemon, _folder) = ready();
    let dialogs = [
        ("?", "esc closes"),
        ("c", "create a container"),
        ("p", "such as alpine"),
        ("R", "rename web"),
        ("ctrl-d", "Stop and remove"),
        ("ctrl-k", "no chance to end"),
        ("H", "enter chooses"),
        (":,zz", ":zz"),
    ];
    for (keys, shown) in dialogs {
        screen.type_keys(keys);
        for (columns, rows) in [(1, 1), (0, 0), (20, 3), (300, 2), (2, 90), (80, 24)] {
            screen.resize(Size { columns, rows });
        }
        screen.wait_for(shown);
        screen.type_keys("esc");
        screen.wait_until_gone(shown);
    }
    is_whole_at_standard_size(screen);
}

#[test]
fn a_size_changed_while_stopped_is_the_size_afterwards() {
    let (screen, _daemon, _folder) = ready();
    screen.type_keys("ctrl-z");
    super::wait_until_given_back(&screen);
    screen.resize(Size::WIDE);
    let pid = rustix::process::Pid::from_raw(i32::try_from(screen.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    screen.wait_until("fifty rows", PATIENCE, |text| text.lines().count() == 50 && text.contains("web"));
    is_whole_at_standard_size(screen);
}
