//! What is left of the terminal when a part of the interface panics? Each kind of task and thread fails on purpose
//! (`WHARF_TEST_PANIC`, debug builds only), and so do the engine's own loops.
//! Deliberately elsewhere: being killed from outside (`endings.rs`), tasks of the engine (`tests/supervision`).

use super::{assert_given_back, audit, daemon, interface, unread};
use crate::{
    engine::fake_daemon::FakeDaemon,
    support::{
        command::{run_to_end, wharf_binary},
        deadline::PATIENCE,
        screen::{Screen, Size},
    },
};

/// The interface whose `part` is going to fail, and what must be kept meanwhile.
fn failing(part: &str) -> (Screen, (FakeDaemon, tempfile::TempDir)) {
    let daemon = daemon();
    let (screen, folder) = interface(&daemon.url(), Size::STANDARD, &[("WHARF_TEST_PANIC", part)]);
    (screen, (daemon, folder))
}

#[track_caller]
fn ends_and_says(mut screen: Screen, part: &str) {
    assert_eq!(screen.wait_exit().exit_code(), 1);
    assert_given_back(&screen);
    assert!(screen.text().contains(&format!("the {part} part failed on purpose")), "{}", screen.text());
    assert_eq!(audit::foreign(&screen.output(), audit::Writer::Screen), Vec::<String>::new());
}

/// What is left of it works as if nothing had happened.
#[track_caller]
fn quits(mut screen: Screen) {
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
    assert_given_back(&screen);
}

fn rename(screen: &Screen) {
    screen.type_keys(":,rename web db,enter");
}

#[test]
fn a_panic_of_the_loop_gives_the_terminal_back_and_is_said() {
    let (screen, _kept) = failing("loop");
    ends_and_says(screen, "loop");
}

#[test]
fn a_panic_while_drawing_gives_the_terminal_back_and_is_said() {
    let (screen, _kept) = failing("draw");
    ends_and_says(screen, "draw");
}

#[test]
fn a_panic_of_the_thread_that_reads_keys_ends_the_screen_instead_of_leaving_it_deaf() {
    let (screen, _kept) = failing("input");
    screen.wait_for("web");
    screen.type_keys("j");
    ends_and_says(screen, "input");
}

#[test]
fn a_panic_of_the_task_that_hears_signals_ends_the_screen_instead_of_leaving_it_unstoppable() {
    let (screen, _kept) = failing("signals");
    screen.wait_for("web");
    screen.resize(Size::WIDE);
    ends_and_says(screen, "signals");
}

#[test]
fn a_panic_of_a_task_that_asks_the_engine_is_a_notice_and_the_keys_go_on() {
    let (screen, _kept) = failing("question");
    screen.wait_for("web");
    screen.type_keys("2");
    screen.wait_for("a part of Wharf failed");
    screen.type_keys("?");
    screen.wait_for("esc closes");
    screen.type_keys("esc");
    quits(screen);
}

#[test]
fn a_panic_of_the_thread_that_writes_costs_a_frame_and_no_more() {
    let daemon = daemon();
    // So large that no frame fits into the kernel's buffer at once.
    let size = Size { columns: 300, rows: 90 };
    let (mut terminal, _folder) = unread(&daemon.url(), size, &[("WHARF_TEST_PANIC", "output")]);
    terminal.read_bytes(1);
    let screen = terminal.read_on(size);
    screen.type_keys("?");
    screen.wait_for("esc closes");
    screen.type_keys("esc");
    quits(screen);
}

#[test]
fn a_panic_of_an_actor_is_told_as_the_end_of_its_operation_and_the_next_one_works() {
    let (screen, _kept) = failing("actor");
    screen.wait_for("web");
    rename(&screen);
    screen.wait_for("its actor hit a defect in Wharf and was started anew");
    screen.type_keys("esc");
    screen.wait_until_gone("its actor hit");
    rename(&screen);
    screen.wait_for("renamed");
    quits(screen);
}

#[test]
fn a_panic_of_the_supervisor_is_said_and_opening_the_host_again_works() {
    let daemon = daemon();
    let environment = [("WHARF_TEST_PANIC", "supervisor"), ("DOCKER_HOST", &daemon.url())];
    let (screen, _folder) = interface("docker", Size::STANDARD, &environment);
    screen.wait_for("web");
    rename(&screen);
    screen.wait_for("press H");
    screen.type_keys("esc");
    screen.wait_for("the engine ended before the operation did");
    screen.type_keys("esc");
    screen.wait_until_gone("the engine ended");
    screen.type_keys("H");
    screen.wait_for("enter chooses");
    screen.type_keys("2,enter");
    screen.wait_until_gone("renaming");
    rename(&screen);
    screen.wait_for("renamed");
    quits(screen);
}

#[test]
fn a_headless_verb_says_that_a_loop_of_the_engine_failed_and_ends() {
    let daemon = daemon();
    for (part, words) in [("actor", "its actor hit a defect"), ("supervisor", "the engine ended before")] {
        let folder = tempfile::tempdir().unwrap();
        let mut verb = std::process::Command::new(wharf_binary());
        verb.args(["--host", &daemon.url(), "rename", "web", "db"]);
        verb.env("WHARF_TEST_PANIC", part).env("WHARF_ROOT", folder.path());
        let ended = run_to_end(verb, PATIENCE);
        assert_eq!(ended.code(), 1, "{ended}");
        assert!(ended.stderr.contains(words), "{ended}");
    }
}
