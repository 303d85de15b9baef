//! What is wrong with a command line, and what should it have been?
//!
//! Deliberately elsewhere: showing it (`cli::printer`), failures of the work itself (`engine::domain::Error`).

use std::fmt;

use crate::{
    engine::domain::ParseError,
    text::{SafeText, escape_for_terminal},
};

/// A command line that asks for nothing we know. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    /// Safe to print; may have several lines.
    pub message: String,
    pub hint: Option<String>,
    /// 2, or Docker's 125 for the verbs whose other codes belong to the container's process.
    pub exit_code: u8,
}

/// The exit code of a command line that does not parse.
pub const USAGE: u8 = 2;
/// The same for `run`, `create` and `exec`, as Docker has it.
pub const USAGE_OF_RUN: u8 = 125;

impl UsageError {
    /// What stands in the message may come from anywhere: it is made safe here.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { message: escape_for_terminal(&message).into_owned(), hint: None, exit_code: USAGE }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A value of `flag` that does not parse.
    #[must_use]
    pub fn of_flag(flag: &str, error: ParseError) -> Self {
        Self { message: format!("{flag}: {error}"), hint: error.hint, exit_code: USAGE }
    }

    /// Quotes what was typed, escaped.
    #[must_use]
    pub fn quote(typed: &str) -> String {
        format!("\"{}\"", SafeText::from_untrusted(typed))
    }
}

impl From<ParseError> for UsageError {
    fn from(error: ParseError) -> Self {
        Self { message: error.to_string(), hint: error.hint, exit_code: USAGE }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UsageError {}
