//! Is the config file read as its example says, and are its faults named by line?

use std::path::Path;

use super::*;
use crate::engine::domain::{LogRetention, Size};

fn loaded(text: &str) -> Result<Loaded, UsageError> {
    read(text, Path::new("config.toml"))
}

#[test]
fn a_full_file_sets_everything() {
    let text = r#"
default_host = "lab"
insecure_registries = ["10.0.0.7:5000"]
[hosts]
lab = "tcp://10.0.0.2:2375"
[logs]
max_size = "1m"
max_files = 2
[ui]
theme = "light"
keymap = "k9s"
mouse = false
[ui.keys]
remove = ["ctrl-d", "delete"]
quit = "q"
"#;
    let Loaded { settings, warnings } = loaded(text).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(settings.hosts["lab"], HostSpec::Url("tcp://10.0.0.2:2375".into()));
    assert_eq!(settings.engine.logs, LogRetention { file_size: Size::from_mib(1), files: 2 });
    assert_eq!(settings.engine.insecure_registries, ["10.0.0.7:5000"]);
    assert_eq!(settings.screen.keys["remove"], ["ctrl-d", "delete"]);
    assert_eq!(choose_host(&Globals::default(), None, &settings).unwrap(), settings.hosts["lab"]);
}

#[test]
fn an_unknown_key_is_a_warning_with_its_line() {
    let loaded = loaded("default_host = \"docker\"\n\ncolour = 1\n[ui]\nfont = 2\n").unwrap();
    assert_eq!(
        loaded.warnings,
        ["config.toml, line 3: nothing reads the key colour", "config.toml, line 5: nothing reads the key ui.font"]
    );
}

#[test]
fn a_broken_file_names_the_line() {
    let error = loaded("a = 1\nb = \n").unwrap_err();
    assert!(error.message.starts_with("config.toml, line 2: "), "{}", error.message);
    let error = loaded("\n[logs]\nmax_size = \"lots\"").unwrap_err();
    assert!(error.message.starts_with("config.toml, line 3: invalid size"), "{}", error.message);
    let error = loaded("[hosts]\nx = \"ftp://y\"").unwrap_err();
    assert!(error.message.contains("line 2"), "{}", error.message);
    assert!(error.hint.is_some());
    assert_eq!(error.exit_code, 2);
}

#[test]
fn the_flag_goes_before_the_variable_and_the_variable_before_the_file() {
    let settings = Settings { default_host: Some("podman".into()), ..Settings::default() };
    let flag = Globals { host: Some("docker".into()), ..Globals::default() };
    assert_eq!(choose_host(&flag, Some("podman".into()), &settings).unwrap(), HostSpec::Docker);
    assert_eq!(choose_host(&Globals::default(), Some("docker".into()), &settings).unwrap(), HostSpec::Docker);
    assert_eq!(choose_host(&Globals::default(), Some(String::new()), &settings).unwrap(), HostSpec::Podman);
    assert_eq!(choose_host(&Globals::default(), None, &Settings::default()).unwrap(), HostSpec::Embedded);
    let wrong = Globals { host: Some("ssh://x".into()), ..Globals::default() };
    assert!(choose_host(&wrong, None, &settings).unwrap_err().message.starts_with("--host: "));
}

#[test]
fn the_example_file_names_every_setting_and_parses_with_its_comments_taken_away() {
    let example = include_str!("../../../assets/config.toml");
    assert_eq!(loaded(example).unwrap(), Loaded::default());
    let settings: String = example
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    let loaded = loaded(&settings).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.settings.engine.logs, LogRetention::default());
    assert_eq!(loaded.settings.hosts.len(), 2);
}
