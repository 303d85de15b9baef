//! What a person means by an image name: registry, repository, tag and digest, by Docker's rules
//! (the grammar of the `distribution/reference` project). Talking to registries is elsewhere.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use super::digest::Digest;
use super::parse::{ParseError, serde_as_string};

const WHAT: &str = "image reference";
const DEFAULT_REGISTRY: &str = "docker.io";
const LEGACY_REGISTRY: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
const MAX_NAME: usize = 255;

/// `registry/repository[:tag][@digest]`. Short names stand for docker.io, one-word names for its
/// `library/`. `Display` is the full form, [`ImageReference::familiar`] the one people type. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageReference {
    registry: Arc<str>,
    repository: Arc<str>,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

/// Up to 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// `latest`: what Docker takes when nothing is said.
    pub fn latest() -> Self {
        Self("latest".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Tag {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error = |why| Err(ParseError::new("tag", input, why));
        if input.is_empty() {
            return error("the tag is empty");
        }
        if input.len() > 128 {
            return error("tags have at most 128 characters");
        }
        if input.starts_with(['.', '-']) || !input.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return error("tags are letters, digits, '_', '.' and '-', beginning with a letter, a digit or '_'");
        }
        Ok(Self(input.into()))
    }
}

impl ImageReference {
    /// Host and optional port: `docker.io`, `localhost:5000`, `[::1]:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry, `library/` included: `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// As Docker prints it: without `docker.io/` and `library/` (`nginx:1.27`, `user/app`, `ghcr.io/a/b`).
    pub fn familiar(&self) -> String {
        let mut text = self.familiar_name();
        self.push_suffix(&mut text);
        text
    }

    /// [`ImageReference::familiar`] without tag and digest: the REPOSITORY column.
    pub fn familiar_name(&self) -> String {
        if &*self.registry != DEFAULT_REGISTRY {
            return self.name();
        }
        let short = match self.repository.strip_prefix(OFFICIAL) {
            Some(official) if !official.contains('/') => official,
            _ => &*self.repository,
        };
        // `docker.io/r.example/x` without its registry would be an image of another registry.
        let means_the_same = split_registry(short) == (DEFAULT_REGISTRY, short) && !is_id(short);
        if means_the_same { short.to_owned() } else { self.name() }
    }

    /// Registry and repository, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Adds `latest` when neither a tag nor a digest says which image is meant.
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(Tag::latest());
        }
        self
    }

    /// The same repository under another tag; a digest stays.
    ///
    /// # Errors
    /// When `tag` is not a tag.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, ParseError> {
        self.tag = Some(tag.parse()?);
        Ok(self)
    }

    /// The same reference pinned to `digest`; a tag stays.
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    pub fn without_digest(mut self) -> Self {
        self.digest = None;
        self
    }

    pub fn tag_or_latest(&self) -> Tag {
        self.tag.clone().unwrap_or_else(Tag::latest)
    }

    /// Whether the registry is this very machine, where plain http is fine: `localhost`, 127.0.0.0/8, `::1`.
    pub fn is_loopback_registry(&self) -> bool {
        let host = host_of(&self.registry);
        let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn push_suffix(&self, text: &mut String) {
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag.as_str());
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(&digest.to_string());
        }
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.name();
        self.push_suffix(&mut text);
        f.pad(&text)
    }
}

/// What a reference looks like, for people.
const FORM: &str = "write name:tag, registry.example.com/name:tag, or name@sha256: and 64 digits";

impl FromStr for ImageReference {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error = |why: &str| ParseError::new(WHAT, input, why).with_hint(FORM);
        if input.is_empty() {
            return Err(error("it is empty"));
        }
        if is_id(input) {
            return Err(error("64 hexadecimal digits are an image id, not a name"));
        }
        if input.contains("://") {
            return Err(error("it is a URL").with_hint("leave out the scheme: registry.example.com/app:1"));
        }
        let (rest, digest) = match input.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse::<Digest>().map_err(|e| e.within(WHAT, input).with_hint(FORM))?))
            }
            None => (input, None),
        };
        let name = rest;
        let (registry, rest) = split_registry(name);
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag.parse::<Tag>().map_err(|e| e.within(WHAT, input).with_hint(FORM))?)),
            None => (rest, None),
        };
        check_registry(registry).map_err(error)?;
        check_path(path).map_err(|why| {
            let lower = path.to_ascii_lowercase();
            match check_path(&lower) {
                Ok(()) => {
                    let start = name.len() - rest.len();
                    let before = input.get(..start).unwrap_or_default();
                    let after = input.get(start + path.len()..).unwrap_or_default();
                    error("repository names are lowercase").with_hint(format!("write {before}{lower}{after}"))
                }
                // Not the capitals alone are wrong: the same in small letters would be refused, too.
                Err(_) => error(why),
            }
        })?;
        let repository: Arc<str> = match registry == DEFAULT_REGISTRY && !path.contains('/') {
            true => [OFFICIAL, path].concat().into(),
            false => path.into(),
        };
        if registry.len() + 1 + repository.len() > MAX_NAME {
            return Err(error("names have at most 255 characters"));
        }
        Ok(Self { registry: registry.into(), repository, tag, digest })
    }
}

serde_as_string!(ImageReference, Tag);

/// Docker's rule: the part before the first `/` is a registry when it has a dot, a colon or an upper-case
/// letter, or is `localhost`.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((LEGACY_REGISTRY, path)) => (DEFAULT_REGISTRY, path),
        Some((first, path))
            if first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (first, path)
        }
        Some(_) | None => (DEFAULT_REGISTRY, name),
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The host of `host[:port]`, brackets of an IPv6 address included.
fn host_of(registry: &str) -> &str {
    match registry.find(']') {
        Some(end) => registry.get(..=end).unwrap_or(registry),
        None if registry.starts_with('[') => registry,
        None => registry.split(':').next().unwrap_or(registry),
    }
}

fn check_registry(registry: &str) -> Result<(), &'static str> {
    let host = host_of(registry);
    match registry.get(host.len()..).unwrap_or_default() {
        "" => {}
        port => match port.strip_prefix(':').map(str::parse::<u16>) {
            Some(Ok(1..)) if !port.contains('+') => {}
            _ => return Err("the registry's port is a number from 1 to 65535"),
        },
    }
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').map(str::parse::<Ipv6Addr>);
        return if matches!(address, Some(Ok(_))) {
            Ok(())
        } else {
            Err("the registry is not an IPv6 address in brackets")
        };
    }
    let label_is_fine = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let digits_only = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if digits_only
        && host.split('.').all(|part| !part.is_empty())
        && host.parse::<Ipv4Addr>().is_err()
        && host.contains('.')
    {
        return Err("the registry is not a valid IPv4 address");
    }
    if host.split('.').all(label_is_fine) { Ok(()) } else { Err("the registry is not a host name") }
}

/// Components of `[a-z0-9]+`, joined inside by one `.`, one or two `_` or any number of `-`.
fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("the repository name is missing");
    }
    for component in path.split('/') {
        if component.is_empty() {
            return Err("there is an empty part between two '/'");
        }
        if !component.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')) {
            return Err("repository names are lowercase letters, digits, '.', '_', '-' and '/'");
        }
        if component.starts_with(['.', '_', '-']) || component.ends_with(['.', '_', '-']) {
            return Err("every part of a repository name begins and ends with a letter or a digit");
        }
        let separators = component.split(|c: char| c.is_ascii_alphanumeric()).filter(|s| !s.is_empty());
        if !separators.into_iter().all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-')) {
            return Err("between letters and digits stands one '.', one or two '_', or dashes");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
