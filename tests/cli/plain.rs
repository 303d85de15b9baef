//! What does the program say and with which code does it end, before any engine is asked?
//! Deliberately elsewhere: verbs on engines.

use std::process::Stdio;

use crate::support::{command::run_to_end, deadline::PATIENCE, store::Store};

#[test]
fn without_a_terminal_and_without_words_it_prints_help_and_ends_with_2() {
    let ended = Store::new().run::<&str>(&[]);
    assert_eq!(ended.code(), 2);
    assert!(ended.stdout.starts_with("The container manager in your terminal."), "{ended}");
}

#[test]
fn help_goes_to_stdout_and_ends_with_0() {
    let store = Store::new();
    assert!(store.ok(&["--help"]).contains("wharf demo"));
    assert!(store.ok(&["run", "--help"]).contains("--stop-timeout"));
    assert!(store.ok(&["help", "index", "create"]).contains("wharf index create"));
}

#[test]
fn usage_errors_end_with_2_or_with_dockers_125() {
    let store = Store::new();
    for (words, code) in [
        (["strat", "x"].as_slice(), 2),
        (&["ps", "--nope"], 2),
        (&["run", "--nope", "x"], 125),
        (&["create"], 125),
        (&["exec", "x"], 125),
        (&["--host", "ftp://x", "ps"], 2),
        (&["ui"], 2),
    ] {
        let ended = store.run(words);
        assert_eq!(ended.code(), code, "{words:?}: {ended}");
        assert!(ended.stderr.starts_with("wharf: ") && ended.stdout.is_empty(), "{words:?}: {ended}");
    }
}

#[test]
fn a_broken_config_file_names_its_line_and_an_unknown_key_only_warns() {
    let store = Store::new();
    let folder = store.root().join("config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "default_host = 7\n").unwrap();
    let ended = store.run(&["ps"]);
    assert_eq!(ended.code(), 2, "{ended}");
    assert!(ended.stderr.contains("config.toml, line 1: text in quotes is expected"), "{ended}");
    std::fs::write(folder.join("config.toml"), "color = true\ndefault_host = \"unix:///nowhere.sock\"\n").unwrap();
    let ended = store.run(&["ps"]);
    assert!(ended.stderr.contains("config.toml, line 1: nothing reads the key color"), "{ended}");
    assert_eq!(ended.code(), 1, "{ended}");
}

#[test]
fn a_script_with_wrong_lines_is_refused_as_a_whole() {
    let store = Store::new();
    let file = store.root().join("script");
    std::fs::write(&file, "ps\nstrat x\n\nrm 'x\nattach x\n").unwrap();
    let ended = store.run(&["script", file.to_str().unwrap()]);
    assert_eq!(ended.code(), 2, "{ended}");
    assert!(ended.stdout.is_empty(), "{ended}");
    for part in ["line 2: there is no verb \"strat\"", "line 4: a ' is not closed", "line 5: attach cannot stand"] {
        assert!(ended.stderr.contains(part), "{part}: {ended}");
    }
}

#[test]
fn a_reader_that_leaves_ends_it_quietly_with_141() {
    let store = Store::new();
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "{ \"$0\" --help; echo $? >&2; } | true"])
        .arg(crate::support::command::wharf_binary())
        .stdin(Stdio::null());
    command.env("WHARF_ROOT", store.root());
    let ended = run_to_end(command, PATIENCE);
    // The pipe's buffer may have taken the whole page before its reader left.
    assert!(["141\n", "0\n"].contains(&ended.stderr.as_str()), "{ended}");
}

#[test]
fn version_and_completions_need_no_engine() {
    let store = Store::new();
    assert_eq!(store.ok(&["version"]), concat!("wharf ", env!("CARGO_PKG_VERSION")));
    assert_eq!(store.ok(&["-V"]), concat!("wharf ", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        store.ok(&["version", "--format", "json"]),
        concat!("{\"v\":1,\"wharf\":\"", env!("CARGO_PKG_VERSION"), "\"}")
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(store.ok(&["completion", shell]).contains("__complete containers"), "{shell}");
    }
}
