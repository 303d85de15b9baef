//! What must hold for names: images, digests, containers, volumes, labels, variables, hosts, ids?
//!
//! Deliberately elsewhere: amounts and times (`amounts`), ports, mounts and platforms (`places`).

use std::{fmt::Display, str::FromStr};

use wharf::engine::domain::{
    ContainerId, ContainerName, Digest, EnvEntry, EnvVar, HostSpec, ImageReference, Label, ParseError, Signal, Tag,
    VolumeName, parse_env_file,
};

use super::oracle::{Lines, assert_only_prints};

/// Parses; a complaint is safe to show, a value prints a text that means the same value, also as JSON.
pub fn round_trip<T>(text: &str) -> Option<T>
where
    T: FromStr<Err = ParseError>
        + Display
        + PartialEq
        + std::fmt::Debug
        + serde::Serialize
        + serde::de::DeserializeOwned,
{
    let value = complained(text.parse::<T>())?;
    let printed = value.to_string();
    assert_eq!(printed.parse::<T>().as_ref(), Ok(&value), "{text:?} prints as {printed:?}");
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    Some(value)
}

/// Complaints are one short line, safe to show.
pub fn complained<T>(outcome: Result<T, ParseError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            assert_only_prints(&error.to_string(), Lines::One);
            error.hint.iter().for_each(|hint| assert_only_prints(hint, Lines::One));
            None
        }
    }
}

pub fn image_reference(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    drop(round_trip::<Tag>(&text));
    let Some(reference) = round_trip::<ImageReference>(&text) else { return };
    assert_eq!(reference.familiar().parse().as_ref(), Ok(&reference), "the short form means another image");
    assert!(reference.repository().split('/').all(|part| !part.is_empty() && part != ".." && part != "."));
    assert!(!reference.registry().is_empty() && !reference.registry().contains('/'));
    assert_only_prints(&reference.to_string(), Lines::One);
    let tagged = reference.clone().with_default_tag();
    assert!(tagged.tag().is_some() || tagged.digest().is_some());
    assert_eq!(tagged.clone().with_default_tag(), tagged);
    assert!(!reference.is_loopback_registry() || !reference.registry().starts_with("docker.io"));
}

pub fn digest(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(digest) = round_trip::<Digest>(&text) {
        assert_eq!(digest.to_string(), text, "two texts for one digest");
        assert!(digest.hex().bytes().all(|byte| byte.is_ascii_hexdigit()), "a digest is a file's name: {digest}");
    }
    assert!(Digest::sha256_of(input).is_of(input));
}

pub fn object_names(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let is_file_name =
        |name: &str| !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != "..";
    if let Some(name) = round_trip::<ContainerName>(&text) {
        assert!(is_file_name(name.as_str()), "{name}");
    }
    if let Some(name) = round_trip::<VolumeName>(&text) {
        assert!(is_file_name(name.as_str()), "{name}");
    }
    if let Some(id) = round_trip::<ContainerId>(&text) {
        assert!(id.to_string().bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
    if let Some(signal) = round_trip::<Signal>(&text) {
        assert!(!signal.to_string().is_empty());
    }
    drop((complained(text.parse::<Label>()), complained(text.parse::<EnvVar>()), complained(text.parse::<EnvEntry>())));
}

pub fn hosts(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(host) = complained(text.parse::<HostSpec>()) {
        assert_eq!(host.to_string().parse(), Ok(host));
    }
}

/// An env file: every variable has a name, and none holds what execve(2) cannot pass on.
pub fn env_file(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for entry in complained(parse_env_file(&text)).into_iter().flatten() {
        match entry {
            EnvEntry::Set(EnvVar { key, value }) => {
                assert!(!key.is_empty() && !key.contains(['=', '\0']) && !value.contains('\0'), "{key:?}={value:?}");
            }
            EnvEntry::Inherit(key) => assert!(!key.is_empty() && !key.contains(['=', '\0']), "{key:?}"),
        }
    }
}
