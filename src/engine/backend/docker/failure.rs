//! What does a refusal of the daemon mean? Status codes to error kinds; its text is kept for people only.
//!
//! Deliberately elsewhere: what to do about it (each verb looks at the object again before it believes a refusal).

use http::StatusCode;
use serde::Deserialize;

use crate::engine::domain::{Error, ErrorKind};

/// Longest daemon text that is kept.
const LONGEST: usize = 4096;

/// What a request was about: decides what 404 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Container,
    Image,
    /// The daemon itself.
    Host,
}

/// The error for an answer that is not a success.
#[must_use]
pub fn of_status(status: StatusCode, body: &[u8], about: About) -> Error {
    let text = message(body).unwrap_or_else(|| format!("the daemon answered {status}"));
    let kind = match (status.as_u16(), about) {
        (404, About::Container) => ErrorKind::NoSuchContainer,
        (404, About::Image) => ErrorKind::NoSuchImage,
        (400, _) => ErrorKind::InvalidInput,
        (401, _) => ErrorKind::Unauthorized,
        (403, _) => ErrorKind::Denied,
        (409, _) => ErrorKind::Refused,
        (429, _) => ErrorKind::RateLimited,
        (404 | 501, _) => ErrorKind::Unsupported,
        (503, _) => ErrorKind::Busy,
        (500..=599, _) => in_the_daemon(&text),
        (_, _) => ErrorKind::Protocol,
    };
    if kind == ErrorKind::NoSpace {
        return Error::new(kind, text).remedy("free some space on the daemon's machine");
    }
    Error::new(kind, text)
}

/// Errors that come inside a stream which began as a success carry no code but their text.
#[must_use]
pub fn in_stream(text: &str, about: About) -> Error {
    let short = cut(text).to_owned();
    let lower = short.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let kind = if says(&["unauthorized", "authentication required", "no basic auth"]) {
        ErrorKind::Unauthorized
    } else if says(&["denied"]) {
        ErrorKind::Denied
    } else if says(&["not found", "manifest unknown", "name unknown", "does not exist"]) && about == About::Image {
        ErrorKind::NoSuchImage
    } else if says(&["toomanyrequests", "too many requests"]) {
        ErrorKind::RateLimited
    } else if says(&["no matching manifest"]) {
        ErrorKind::PlatformMismatch
    } else if says(&["connection refused", "no such host", "i/o timeout", "pinging container registry"]) {
        ErrorKind::Unreachable
    } else {
        in_the_daemon(&lower)
    };
    Error::new(kind, short)
}

/// A failure inside the daemon: there is no code that tells a full disk from the rest.
fn in_the_daemon(text: &str) -> ErrorKind {
    if text.contains("no space left on device") || text.contains("disk quota exceeded") {
        ErrorKind::NoSpace
    } else {
        ErrorKind::Io
    }
}

/// Docker's `message` field; Podman adds `cause` and `response` beside it.
fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let text = match serde_json::from_slice::<Message>(body) {
        Ok(Message { message }) => message,
        // Proxies and old daemons answer in plain text.
        Err(_) => String::from_utf8_lossy(body.get(..LONGEST).unwrap_or(body)).trim().to_owned(),
    };
    (!text.is_empty()).then(|| cut(&text).to_owned())
}

fn cut(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_decides_the_kind_and_the_text_is_kept() {
        let of = |code: u16, about| of_status(StatusCode::from_u16(code).unwrap(), br#"{"message":"why"}"#, about);
        assert_eq!(of(404, About::Container).kind(), ErrorKind::NoSuchContainer);
        assert_eq!(of(404, About::Image).kind(), ErrorKind::NoSuchImage);
        assert_eq!(of(409, About::Container).kind(), ErrorKind::Refused);
        assert_eq!(of(500, About::Container).kind(), ErrorKind::Io);
        assert_eq!(of(418, About::Host).kind(), ErrorKind::Protocol);
        assert_eq!(of(500, About::Container).reason(), "why");
    }

    #[test]
    fn bodies_that_are_no_json_are_kept_short() {
        let long = "é".repeat(LONGEST);
        let error = of_status(StatusCode::BAD_GATEWAY, long.as_bytes(), About::Host);
        assert!(error.reason().len() <= LONGEST && error.reason().starts_with("éé"));
        assert_eq!(
            of_status(StatusCode::BAD_GATEWAY, b"", About::Host).reason(),
            "the daemon answered 502 Bad Gateway"
        );
        let podman = br#"{"cause":"no such container","message":"no container with name","response":404}"#;
        assert_eq!(of_status(StatusCode::NOT_FOUND, podman, About::Container).reason(), "no container with name");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let body = br#"{"message":"write /x: no space left on device"}"#;
        assert_eq!(of_status(StatusCode::INTERNAL_SERVER_ERROR, body, About::Image).kind(), ErrorKind::NoSpace);
    }
}
