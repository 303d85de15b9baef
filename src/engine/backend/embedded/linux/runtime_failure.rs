//! What does an error of libcontainer say to a person? Its whole chain, because the reason is at the end.
//!
//! Deliberately elsewhere: failures of the container's own program (`executor`).

use crate::engine::domain::{Error, ErrorKind};

/// `error` with all its causes, each said once.
pub(super) fn runtime_failure(doing: &str, error: &dyn std::error::Error) -> Error {
    let mut text = format!("{doing}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    Error::new(ErrorKind::Io, text)
}
