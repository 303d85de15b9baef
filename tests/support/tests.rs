//! Do the helpers themselves work, and fail when they should?

use std::{
    ffi::OsStr,
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    time::Duration,
};

use super::{
    command::run_to_end,
    deadline::wait_until,
    keys::presses,
    need::{Need, is_root, needs_docker, needs_image, needs_podman, needs_registry, needs_root, needs_user},
    residue::residue_of,
    screen::{Screen, Size},
    store::Store,
};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn shell_screen(script: &str, size: Size) -> Screen {
    let path = std::env::var("PATH").unwrap_or_default();
    Screen::start(OsStr::new("sh"), &["-c", script], &[("PATH".to_owned(), path)], &std::env::temp_dir(), size)
}

fn fails(test: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(test)).is_err()
}

#[test]
fn a_missing_need_is_a_skip_unless_it_is_strict() {
    Need::Soft.missing("the test of skipping skips on purpose");
    assert!(fails(|| Need::Strict.missing("this one fails on purpose")));
}

#[test]
fn waiting_returns_the_value_and_fails_at_the_deadline() {
    let mut looks = 0;
    let third = wait_until("the third look", Duration::from_secs(5), || {
        looks += 1;
        (looks == 3).then_some(looks)
    });
    assert_eq!(third, 3);
    assert!(fails(|| wait_until("nothing", Duration::from_millis(20), || None)));
}

#[test]
fn a_finished_program_keeps_its_outputs_and_its_code() {
    let finished = run_to_end(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(10));
    assert_eq!((finished.code(), finished.stdout.as_str(), finished.stderr.as_str()), (3, "out\n", "err\n"));
    assert!(fails(|| drop(finished.success())));
    assert_eq!(run_to_end(shell("kill -9 $$"), Duration::from_secs(10)).code(), 137);
}

#[test]
fn a_program_that_does_not_end_or_leaves_its_pipes_open_is_reported() {
    assert!(fails(|| drop(run_to_end(shell("exec sleep 60"), Duration::from_millis(100)))));
    assert!(fails(|| drop(run_to_end(shell("sleep 3 & exit 0"), Duration::from_millis(300)))));
}

#[test]
fn key_scripts_become_what_a_terminal_sends() {
    let joined = |script: &str| presses(script).concat();
    assert_eq!(joined("p,enter"), b"p\r");
    assert_eq!(joined("'enter',comma,f5,f12"), b"enter,\x1b[15~\x1b[24~");
    assert_eq!(joined("ctrl-c,ctrl-d,alt-x,up"), b"\x03\x04\x1bx\x1b[A");
    assert_eq!(presses("/web,esc").len(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_and_a_name_that_stay_behind_are_found() {
    let store = Store::new();
    assert_eq!(residue_of(store.root(), &[]), Vec::<String>::new());
    std::fs::create_dir_all(store.root().join("data/names/ghost")).unwrap();
    let mut left_behind = shell("exec sleep 60").env("WHARF_ROOT", store.root()).spawn().unwrap();
    let found = wait_until("both leaks", Duration::from_secs(5), || {
        let left = residue_of(store.root(), &[]);
        (left.len() == 2 && left.iter().any(|line| line.contains("sleep"))).then_some(left)
    });
    left_behind.kill().unwrap();
    left_behind.wait().unwrap();
    std::fs::remove_dir_all(store.root().join("data")).unwrap();
    assert!(found.iter().any(|line| line.contains("ghost")), "{found:?}");
    assert_eq!(residue_of(store.root(), &[]), Vec::<String>::new());
}

#[test]
fn a_store_knows_its_program_and_hides_the_settings_of_its_caller() {
    let store = Store::new();
    let command = store.command(&["ps"]);
    let names: Vec<_> = command.get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["HOME", "LANG", "PATH", "WHARF_ROOT"]);
}

#[test]
fn a_screen_shows_text_and_styles_takes_keys_and_follows_its_size() {
    let script =
        "printf 'plain \\033[1;31mred\\033[0m\\r\\n'; read line; echo got $line; read line; stty size; read line";
    let mut screen = shell_screen(script, Size::STANDARD);
    screen.wait_for("plain red");
    assert!(screen.styled().contains("0:6..9 bold fg=1"), "{}", screen.styled());
    screen.type_keys("abc,enter");
    screen.wait_for("got abc");
    screen.resize(Size::TINY);
    screen.type_keys("enter");
    screen.wait_for("10 40");
    screen.type_keys("enter");
    assert!(screen.wait_exit().success());
    assert!(fails(|| screen.wait_for("what never comes")));
    screen.wait_until_gone("what never came");
}

#[test]
fn a_terminal_left_in_disorder_is_told_apart_from_one_put_back() {
    let mut tidy = shell_screen("printf '\\033[?1049h\\033[?25l\\033[?25h\\033[?1049l'", Size::WIDE);
    tidy.wait_exit();
    assert_eq!(tidy.left_set(), Vec::<&str>::new());
    let mut untidy = shell_screen("printf '\\033[?1049h\\033[?25l\\033[?2004h\\033[?1000h'", Size::WIDE);
    untidy.wait_exit();
    assert_eq!(untidy.left_set(), ["alternate screen", "hidden cursor", "bracketed paste", "mouse reports"]);
    assert!(untidy.output().starts_with(b"\x1b[?1049h"));
    assert!(untidy.pid() > 0);
}

#[test]
fn the_program_under_test_starts_plain_and_on_a_terminal() {
    let store = Store::new();
    assert_eq!(store.run(&["--version"]).code(), 0);
    let version = store.ok(&["--version"]);
    let mut screen = store.screen(&["--version"], Size::STANDARD);
    assert!(screen.wait_exit().success());
    assert!(screen.text().starts_with(&version), "{}", screen.text());
}

#[test]
fn what_the_lab_offers_is_found_where_it_is_said_to_be() {
    assert_eq!((needs_root(), needs_user()), (is_root(), !is_root()));
    let addresses = [needs_docker(), needs_podman()];
    assert!(addresses.iter().flatten().all(|address| address.contains("://")), "{addresses:?}");
    if let Some((registry, image)) = needs_registry().zip(needs_image("bb:1")) {
        assert_eq!(image, format!("{registry}/bb:1"));
    }
}

#[test]
fn rootless_tests_run_as_an_ordinary_user_only() {
    assert_eq!(needs_user(), !is_root());
}
