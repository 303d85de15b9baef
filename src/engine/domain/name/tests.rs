//! Are names, labels and variables read as Docker reads them, and are secrets kept out of errors?

use proptest::prelude::*;

use super::*;

#[test]
fn names_follow_dockers_grammar() {
    for input in ["web", "db-1", "job_2026.01", "0a", "A.b", &"x".repeat(128)] {
        let name: ContainerName = input.parse().unwrap();
        assert_eq!(name.to_string(), input);
        assert_eq!(input.parse::<VolumeName>().unwrap().as_str(), input);
    }
    assert_eq!("/web".parse::<ContainerName>().unwrap().as_str(), "web");
    assert_eq!("a".parse::<ContainerName>().unwrap().as_str(), "a");
}

#[test]
fn bad_names_are_refused_with_the_reason() {
    for (input, why) in [
        ("", "empty"),
        ("/", "empty"),
        ("-web", "begin"),
        (".hidden", "begin"),
        ("a b", "letters"),
        ("../etc", "letters"),
        ("wéb", "letters"),
        ("a/b", "letters"),
        ("web\x1b[2J", "letters"),
    ] {
        let error = input.parse::<ContainerName>().unwrap_err().to_string();
        assert!(error.contains(why), "{input}: {error}");
    }
    assert!("x".repeat(129).parse::<ContainerName>().is_err());
    assert!("/data".parse::<VolumeName>().is_err());
    assert!("d".parse::<VolumeName>().unwrap_err().to_string().contains("two"));
}

#[test]
fn random_names_are_names_and_depend_only_on_the_seed() {
    for seed in (0..200).chain([u64::MAX]) {
        let name = ContainerName::random(seed);
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert_eq!(name, ContainerName::random(seed));
    }
}

#[test]
fn labels_split_at_the_first_equals_sign() {
    let label: Label = "com.example.rule=a=b".parse().unwrap();
    assert_eq!((label.key.as_str(), label.value.as_str()), ("com.example.rule", "a=b"));
    assert_eq!(label.to_string().parse(), Ok(label));
    assert_eq!("bare".parse::<Label>().unwrap().value, "");
    assert!("=x".parse::<Label>().is_err() && "".parse::<Label>().is_err());
}

#[test]
fn variables_are_set_or_inherited() {
    let set: EnvEntry = "PATH=/bin:/usr/bin".parse().unwrap();
    assert_eq!(set, EnvEntry::Set(EnvVar { key: "PATH".into(), value: "/bin:/usr/bin".into() }));
    let inherit: EnvEntry = "HOME".parse().unwrap();
    assert_eq!(inherit.key(), "HOME");
    let resolved = inherit.clone().resolve(|key| Some(format!("<{key}>"))).unwrap();
    assert_eq!(resolved.to_string(), "HOME=<HOME>");
    assert_eq!(inherit.resolve(|_| None), None);
    assert_eq!("A=".parse::<EnvVar>().unwrap().value, "");
    assert!("A".parse::<EnvVar>().is_err() && "=x".parse::<EnvEntry>().is_err());
}

#[test]
fn errors_about_variables_never_repeat_values() {
    for input in ["=hunter2", "KEY=hunter2\0"] {
        let error = input.parse::<EnvEntry>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let error = parse_env_file("A B=hunter2").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[test]
fn env_files_are_taken_literally_line_by_line() {
    let text = "\u{feff}# comment\r\n\r\n  A=1 # not a comment\r\nB=\"quoted\"\nHOME\n\t#x\nC=a=b ";
    let entries: Vec<String> = parse_env_file(text).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(entries, ["A=1 # not a comment", "B=\"quoted\"", "HOME", "C=a=b "]);
}

#[test]
fn a_bad_env_file_line_is_named_by_number() {
    let error = parse_env_file("A=1\n\nB C=2\n").unwrap_err().to_string();
    assert_eq!(error, r#"invalid environment variable "B C": line 3: there is white space in the name"#);
    assert!(parse_env_file("=1").unwrap_err().why.starts_with("line 1: "));
}

proptest! {
    #[test]
    fn entries_round_trip(input in "[^=\\x00]{1,8}(=[^\\x00]{0,8})?") {
        let entry: EnvEntry = input.parse().unwrap();
        prop_assert_eq!(entry.to_string(), input);
    }

    #[test]
    fn no_env_file_panics(text in any::<String>()) {
        let _either = parse_env_file(&text);
    }
}
