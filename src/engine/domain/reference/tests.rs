//! Does an image name mean here what it means to Docker?

use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(input: &str) -> ImageReference {
    input.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(input: &str) -> String {
    input.parse::<ImageReference>().expect_err(input).to_string()
}

#[test]
fn short_names_stand_for_docker_io() {
    for (input, full, familiar) in [
        ("nginx", "docker.io/library/nginx", "nginx"),
        ("nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27"),
        ("user/app", "docker.io/user/app", "user/app"),
        ("docker.io/nginx", "docker.io/library/nginx", "nginx"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx", "nginx"),
        ("library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("localhost/app", "localhost/app", "localhost/app"),
        ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
        ("ghcr.io/o/r", "ghcr.io/o/r", "ghcr.io/o/r"),
        ("127.0.0.1:5000/bb:1", "127.0.0.1:5000/bb:1", "127.0.0.1:5000/bb:1"),
        ("[::1]:5000/bb:1", "[::1]:5000/bb:1", "[::1]:5000/bb:1"),
        ("Host/app", "Host/app", "Host/app"),
        ("a__b/c-----d.e_f", "docker.io/a__b/c-----d.e_f", "a__b/c-----d.e_f"),
    ] {
        let reference = parse(input);
        assert_eq!(reference.to_string(), full, "{input}");
        assert_eq!(reference.familiar(), familiar, "{input}");
        assert_eq!(parse(full), reference);
        assert_eq!(parse(familiar), reference);
    }
}

#[test]
fn tag_and_digest_may_stand_together() {
    let reference = parse(&format!("app:1@{DIGEST}"));
    assert_eq!(reference.tag().map(Tag::as_str), Some("1"));
    assert_eq!(reference.digest().map(ToString::to_string).as_deref(), Some(DIGEST));
    assert_eq!(reference.familiar(), format!("app:1@{DIGEST}"));
    assert_eq!(reference.clone().without_digest().familiar(), "app:1");
    assert_eq!(reference.familiar_name(), "app");
}

#[test]
fn latest_is_added_only_when_nothing_else_is_said() {
    assert_eq!(parse("app").with_default_tag().familiar(), "app:latest");
    assert_eq!(parse("app:1").with_default_tag().familiar(), "app:1");
    let pinned = format!("app@{DIGEST}");
    assert_eq!(parse(&pinned).with_default_tag().familiar(), pinned);
    assert_eq!(parse(&pinned).tag_or_latest().as_str(), "latest");
    assert_eq!(parse("app").with_tag("2").unwrap().familiar(), "app:2");
    assert!(parse("app").with_tag("no/slash").is_err());
}

#[test]
fn loopback_registries_are_recognised_whatever_the_port() {
    for input in ["localhost/a", "localhost:5000/a", "127.0.0.1:5000/a", "127.1.2.3/a", "[::1]/a", "[::1]:5000/a"] {
        assert!(parse(input).is_loopback_registry(), "{input}");
    }
    for input in ["a", "localhost.evil.com/a", "127.0.0.1.nip.io/a", "10.0.0.1:5000/a", "[2001:db8::1]/a"] {
        assert!(!parse(input).is_loopback_registry(), "{input}");
    }
}

#[test]
fn refusals_say_what_is_wrong() {
    for (input, why) in [
        ("", "empty"),
        ("Foo", "lowercase"),
        ("ghcr.io/Foo/bar", "lowercase"),
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "image id"),
        ("https://ghcr.io/a/b", "URL"),
        ("app:", "tag is empty"),
        ("app:-x", "tags are"),
        ("app:a:b", "tags are"),
        ("app@sha256:12", "64 digits"),
        ("app@", "':'"),
        ("a//b", "empty part"),
        ("/a", "empty part"),
        ("ghcr.io/", "missing"),
        ("a..b", "one '.'"),
        ("a___b", "one '.'"),
        ("-a", "begins and ends"),
        ("a_", "begins and ends"),
        ("ho st.io/a", "host name"),
        ("host:99999/a", "port"),
        ("host:/a", "port"),
        ("[::1/a", "IPv6"),
        ("999.1.1.1/a", "IPv4"),
        ("a b", "lowercase letters"),
        ("\x1b[2J", "lowercase"),
        ("../../etc/passwd", "host name"),
    ] {
        let message = refusal(input);
        assert!(message.contains(why), "{input}: {message}");
    }
    assert!(refusal(&format!("a/{}", "b".repeat(255))).contains("255"));
    assert!(refusal(&format!("a:{}", "b".repeat(129))).contains("128"));
    let error = "Foo".parse::<ImageReference>().unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("write foo"));
}

proptest! {
    #[test]
    fn what_parses_prints_a_form_that_parses_back(
        input in "(([a-z0-9.]{1,6}(:[0-9]{1,4})?|localhost|\\[::1\\])/)?[a-z0-9._/-]{1,12}(:[A-Za-z0-9_.-]{1,6})?"
    ) {
        if let Ok(reference) = input.parse::<ImageReference>() {
            prop_assert_eq!(&reference.to_string().parse::<ImageReference>().unwrap(), &reference);
            prop_assert_eq!(&reference.familiar().parse::<ImageReference>().unwrap(), &reference);
        }
    }

    #[test]
    fn no_input_panics(input in any::<String>()) {
        let _either = input.parse::<ImageReference>();
    }
}

#[test]
fn advice_about_capitals_is_a_reference_that_would_be_taken() {
    for (input, advice) in [
        ("Web", Some("write web")),
        ("localhost:5000/Team/App:1.0", Some("write localhost:5000/team/app:1.0")),
        ("Bad ref", None),
    ] {
        let error = input.parse::<ImageReference>().unwrap_err();
        assert_eq!(error.hint.as_deref().filter(|hint| *hint != FORM), advice, "{input}");
    }
    assert!("localhost:5000/team/app:1.0".parse::<ImageReference>().is_ok());
}
