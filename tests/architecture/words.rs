//! Does anything say what it must not? Prints outside the printer, unfinished work, sleeping tests, paths of one
//! machine.
//! Deliberately elsewhere: what clippy sees better (`Cargo.toml`, section lints).

use super::{
    paths::{code_only, is_unit_test},
    tree::Tree,
};

/// The files that own standard output and standard error.
const PRINTERS: [&str; 2] = ["src/cli/printer.rs", "src/cli/printer/"];
/// The one place in tests that may pause a thread.
const WAITING: &str = "tests/support/deadline.rs";

/// Print macros outside the printer.
pub fn prints(tree: &Tree) -> Vec<String> {
    let elsewhere = |path: &str| !PRINTERS.iter().any(|printer| path.starts_with(printer)) && !is_unit_test(path);
    let sources = tree.rust_below(&["src/"]).filter(|(path, _)| elsewhere(path));
    saying(sources, &["print!(", "println!(", "eprint!(", "eprintln!(", "dbg!("], "only the printer prints")
}

/// Work put off, tests switched off, and lints allowed without a reason.
pub fn unfinished(tree: &Tree) -> Vec<String> {
    let sources = tree.rust_below(&["src/", "tests/", "benches/"]);
    let marks = ["todo!(", "unimplemented!(", "#[ignore", "#[allow(", "#![allow(", "unwrap_unchecked("];
    saying(sources, &marks, "finish it, or use #[expect(lint, reason = \"...\")]")
}

/// Sleeps in tests, where a value with a deadline should be awaited.
pub fn sleeping_tests(tree: &Tree) -> Vec<String> {
    let tests = tree.rust_below(&["tests/", "src/"]);
    let tests = tests.filter(|(path, _)| *path != WAITING && (path.starts_with("tests/") || is_unit_test(path)));
    saying(tests, &["thread::sleep(", "time::sleep(", "park_timeout("], "wait for a value with support::deadline")
}

/// Absolute paths that exist on one developer's machine only.
pub fn machine_paths(tree: &Tree) -> Vec<String> {
    // Written in halves, or this file would name them.
    let marks = [["/wo", "rk/"], ["/tmp/", "w/"], ["/Us", "ers/"], ["/home/", "runner"]].map(|halves| halves.concat());
    let mut violations = Vec::new();
    for (path, text) in tree.all().filter(|(path, _)| *path != "Cargo.lock") {
        for (number, line) in text.lines().enumerate() {
            let hit = marks.iter().find(|mark| starts_path(line, mark));
            violations.extend(hit.map(|mark| format!("{path}:{}: names {mark}", number + 1)));
        }
    }
    violations
}

/// Whether `mark` occurs where a path begins: `overlay/wo` + `rk/` is a folder of somebody else's tree.
fn starts_path(line: &str, mark: &str) -> bool {
    let part_of_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '}' | ')' | '*');
    line.match_indices(mark).any(|(at, _)| !line[..at].ends_with(part_of_path))
}

fn saying<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>, marks: &[&str], instead: &str) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in sources {
        let code = code_only(text);
        for (number, line) in code.lines().enumerate() {
            let hit = marks.iter().find(|mark| starts_word(line, mark));
            violations.extend(hit.map(|mark| format!("{path}:{}: {mark}: {instead}", number + 1)));
        }
    }
    violations
}

/// Whether `mark` occurs in `line` where a word begins, so that `eprintln!(` is not found as `println!(`.
fn starts_word(line: &str, mark: &str) -> bool {
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_word = mark.starts_with(char::is_alphabetic);
    line.match_indices(mark).any(|(at, _)| !(is_word && line[..at].ends_with(in_word)))
}
