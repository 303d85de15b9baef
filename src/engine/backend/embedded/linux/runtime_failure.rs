//! What does an error of libcontainer say to a person? Its whole chain, because the reason is at the end.
//!
//! Deliberately elsewhere: failures of the container's own program (`executor`).

use crate::engine::domain::{Error, ErrorKind};

/// What it adds about its own tidying. It tidies what we make and remove ourselves, so that never works.
const TIDYING: &str = ". error during cleanup: ";

/// `error` with all its causes, each said once.
pub(super) fn runtime_failure(doing: &str, error: &dyn std::error::Error) -> Error {
    let said = error.to_string();
    let mut text = format!("{doing}: {}", said.split(TIDYING).next().unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runtime_could_not_tidy_is_not_told() {
        let error = std::io::Error::other("no such thing. error during cleanup: could not delete /run/decoy");
        let told = runtime_failure("creating the container", &error);
        assert_eq!(told.to_string(), "creating the container: no such thing");
    }
}
