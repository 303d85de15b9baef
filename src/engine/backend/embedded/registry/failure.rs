//! What does a failed request mean for the person who asked? From status codes and faults to errors with remedies.
//!
//! Deliberately elsewhere: what is tried again before anybody is told (`exchange`).

use std::io::Read;

use serde::Deserialize;

use super::{
    transport::{Fault, Response, TransportError},
    url::Url,
};
use crate::{
    engine::domain::{Error, ErrorKind},
    text::SafeText,
};

/// Servers explain themselves in less than this.
const EXPLANATION_LIMIT: u64 = 16 << 10;
/// As much of it as fits a message.
const SHOWN: usize = 200;

#[derive(Deserialize)]
struct Explanation {
    #[serde(default)]
    errors: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The error for a request to `url` that got no answer.
pub fn of_transport(error: TransportError, url: &Url) -> Error {
    let host = url.authority();
    let (kind, reason, remedy) = match error.fault {
        Fault::Cancelled => return Error::cancelled(),
        Fault::Source => return of_source(error),
        Fault::UnknownHost => (
            ErrorKind::Unreachable,
            format!("no address is known for {host}: {error}"),
            "check the registry's name, and that this machine can resolve names (DNS, proxy)".to_owned(),
        ),
        Fault::Refused => (
            ErrorKind::Unreachable,
            format!("{host} cannot be reached: {error}"),
            "check the registry's name and port, the network, and HTTPS_PROXY and NO_PROXY".to_owned(),
        ),
        Fault::Tls => (
            ErrorKind::Unreachable,
            format!("no secure connection to {host}: {error}"),
            format!("install its certificate authority, or name {host} insecure in the config if it speaks plain http"),
        ),
        Fault::TimedOut => (
            ErrorKind::TimedOut,
            format!("{host} has sent nothing for too long"),
            "try again; what was already fetched is kept".to_owned(),
        ),
        Fault::Broken => (
            ErrorKind::Unreachable,
            format!("the connection to {host} broke: {error}"),
            "try again; what was already fetched is kept".to_owned(),
        ),
        Fault::Malformed => (
            ErrorKind::Protocol,
            format!("{host} does not answer as a registry does: {error}"),
            "check that a registry listens there".to_owned(),
        ),
        Fault::OutOfReach => (
            ErrorKind::Denied,
            format!("{}: {error}", url.without_query()),
            "name the registry by the address it is reached at, if you trust it".to_owned(),
        ),
    };
    Error::new(kind, safe(&reason)).remedy(remedy).caused_by(error)
}

/// Reading what was to be sent failed; the reader's own error is inside if it brought one.
fn of_source(error: TransportError) -> Error {
    match error.source.downcast::<Error>() {
        Ok(own) => own,
        Err(source) => Error::io("reading the blob to send", source),
    }
}

/// The error for an answer with a status that means failure. Reads the rest of the answer.
pub fn of_status(response: Response, url: &Url, registry: &str) -> Error {
    let status = response.status;
    let said = explanation(response);
    let reason = |what: String| if said.is_empty() { what } else { format!("{what}: {said}") };
    match status {
        401 => {
            Error::new(ErrorKind::Unauthorized, reason(format!("{registry} wants other credentials"))).remedy(format!(
                "log in with docker login {registry} or podman login {registry} (Wharf reads the same credentials), \
                 and check the repository's name: private and missing ones look alike"
            ))
        }
        403 => Error::new(ErrorKind::Denied, reason(format!("{registry} does not allow it")))
            .remedy("ask the owner of the repository for the right to do this, or log in as somebody who has it"),
        404 => Error::new(ErrorKind::NoSuchImage, reason(format!("{registry} does not have it")))
            .remedy("check the name and the tag; private repositories may need a login"),
        413 => Error::new(ErrorKind::Refused, reason(format!("{registry} finds it too large"))),
        429 => Error::new(ErrorKind::RateLimited, reason(format!("{registry} asks to slow down")))
            .remedy(format!("wait a while, or log in with docker login {registry}: known users often may do more")),
        408 | 500..=599 => Error::new(ErrorKind::Unreachable, reason(format!("{registry} fails with status {status}")))
            .remedy("the fault is the registry's; try again later"),
        _ => Error::new(ErrorKind::Protocol, reason(format!("{registry} answers with status {status}")))
            .on(url.without_query()),
    }
}

/// What the server says about it, in the form of the OCI distribution specification ("Error Codes").
fn explanation(response: Response) -> String {
    let mut text = Vec::new();
    // Without the explanation the status must do.
    let _ = response.body.take(EXPLANATION_LIMIT).read_to_end(&mut text);
    let Ok(explanation) = serde_json::from_slice::<Explanation>(&text) else { return String::new() };
    let first = explanation.errors.into_iter().next();
    let words = first.map(|item| if item.message.is_empty() { item.code } else { item.message });
    safe(words.unwrap_or_default().trim())
}

fn safe(text: &str) -> String {
    SafeText::from_untrusted(text).truncate_end(SHOWN).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Error {
        let response = Response { status, headers: Default::default(), body: Box::new(body.as_bytes()) };
        of_status(response, &"https://r.io/v2/a/manifests/1?sig=x".parse().unwrap(), "r.io")
    }

    #[test]
    fn every_status_has_its_kind_and_most_have_a_remedy() {
        for (status, kind) in [
            (401, ErrorKind::Unauthorized),
            (403, ErrorKind::Denied),
            (404, ErrorKind::NoSuchImage),
            (429, ErrorKind::RateLimited),
            (503, ErrorKind::Unreachable),
        ] {
            let error = answer(status, "");
            assert_eq!(error.kind(), kind, "{status}");
            assert!(error.remedy_text().is_some(), "{status}");
        }
        assert_eq!(answer(418, "").kind(), ErrorKind::Protocol);
    }

    #[test]
    fn the_servers_words_are_shown_made_safe() {
        let error = answer(404, "{\"errors\":[{\"code\":\"X\",\"message\":\"manifest \\u001b[31munknown\"}]}");
        assert!(error.to_string().starts_with("r.io does not have it: manifest "), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
        assert!(!answer(418, "{\"errors\":\"nonsense\"}").to_string().contains("sig=x"));
    }

    #[test]
    fn faults_name_the_host_and_what_to_check() {
        let url = "https://user.example/v2/?token=s3cret".parse().unwrap();
        for fault in [
            Fault::UnknownHost,
            Fault::Refused,
            Fault::Tls,
            Fault::TimedOut,
            Fault::Broken,
            Fault::Malformed,
            Fault::OutOfReach,
        ] {
            let error = of_transport(TransportError::new(fault, "why"), &url);
            assert!(error.to_string().contains("user.example"), "{error}");
            assert!(error.remedy_text().is_some(), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
        let cancelled = of_transport(TransportError::new(Fault::Cancelled, "x"), &url);
        assert_eq!(cancelled.kind(), ErrorKind::Cancelled);
    }
}
