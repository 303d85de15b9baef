//! What people call containers and volumes, and the labels and variables they give them.
//! Ids are in `id`; whether a name is free is the store's question.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::parse::{ParseError, serde_as_string};

mod words;

/// A letter or digit, then letters, digits, `_`, `.` and `-`; 1 to 128 in all. Docker wants two at least, Podman does
/// not; a host that refuses one letter says so itself. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerName(Arc<str>);

/// The same grammar for volumes, at least two: one letter could be a drive. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VolumeName(Arc<str>);

/// `key=value`, or `key` for an empty value, as after `--label`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    pub key: String,
    pub value: String,
}

/// `KEY=VALUE`. Values may be secrets: they are printed where configuration is printed, never in errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvVar {
    pub key: String,
    pub value: String,
}

/// What stands after `-e` or on a line of an env file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EnvEntry {
    Set(EnvVar),
    /// `KEY` alone: taken from the caller's environment, left out when unset there.
    Inherit(String),
}

impl ContainerName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A friendly `adjective_noun` drawn by `seed`; on a clash the caller tries the next seed.
    pub fn random(seed: u64) -> Self {
        Self(words::pair(seed).into())
    }
}

impl VolumeName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerName {
    type Err = ParseError;

    /// Docker's API writes names with a `/` in front; it is dropped.
    fn from_str(input: &str) -> Result<Self, ParseError> {
        let name = input.strip_prefix('/').unwrap_or(input);
        check_name(name).map(|()| Self(name.into())).map_err(|why| {
            ParseError::new("container name", input, why).with_hint("names look like web, db-1 or job_2026.01")
        })
    }
}

impl FromStr for VolumeName {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let checked = match input.len() {
            1 => Err("names have at least two characters"),
            _ => check_name(input),
        };
        checked.map(|()| Self(input.into())).map_err(|why| {
            ParseError::new("volume name", input, why)
                .with_hint("to mount a directory of this machine give its absolute path")
        })
    }
}

impl FromStr for Label {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let (key, value) = input.split_once('=').unwrap_or((input, ""));
        if key.trim().is_empty() {
            return Err(ParseError::new("label", input, "the key is missing").with_hint("labels look like key=value"));
        }
        if input.contains('\0') {
            return Err(ParseError::new("label", key, "it contains a NUL character"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

impl FromStr for EnvVar {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        match input.parse()? {
            EnvEntry::Set(variable) => Ok(variable),
            EnvEntry::Inherit(key) => Err(env_error(&key, "there is no '=' after the name")),
        }
    }
}

impl FromStr for EnvEntry {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let (key, value) = match input.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (input, None),
        };
        if key.is_empty() {
            return Err(env_error("=", "the name is missing").with_hint("variables look like KEY=VALUE"));
        }
        if input.contains('\0') {
            return Err(env_error(key, "it contains a NUL character"));
        }
        let key = key.to_owned();
        Ok(match value {
            Some(value) => Self::Set(EnvVar { key, value: value.to_owned() }),
            None => Self::Inherit(key),
        })
    }
}

impl EnvEntry {
    pub fn key(&self) -> &str {
        match self {
            Self::Set(variable) => &variable.key,
            Self::Inherit(key) => key,
        }
    }

    /// The variable to set, asking `lookup` for one that is inherited; `None` when it is unset there.
    pub fn resolve(self, lookup: impl FnOnce(&str) -> Option<String>) -> Option<EnvVar> {
        match self {
            Self::Set(variable) => Some(variable),
            Self::Inherit(key) => lookup(&key).map(|value| EnvVar { key, value }),
        }
    }
}

/// Docker's env files: one entry a line, taken literally (no quotes, no expansion); blank lines and lines
/// beginning with `#` are skipped, white space before a name is dropped, inside a name refused.
///
/// # Errors
/// The first line that is no entry, named by its number; values are not repeated.
pub fn parse_env_file(text: &str) -> Result<Vec<EnvEntry>, ParseError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // Editors on Windows write a byte order mark.
    let lines = (1_usize..).zip(text.lines()).map(|(number, line)| (number, line.trim_start()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let key = line.split('=').next().unwrap_or_default();
            let entry = match key.contains(char::is_whitespace) {
                true => Err(env_error(key, "there is white space in the name")),
                false => line.parse::<EnvEntry>(),
            };
            entry.map_err(|error| ParseError { why: format!("line {number}: {}", error.why), ..error })
        })
        .collect()
}

macro_rules! display_name {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}
display_name!(ContainerName, VolumeName);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl fmt::Display for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl fmt::Display for EnvEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(variable) => variable.fmt(f),
            Self::Inherit(key) => f.write_str(key),
        }
    }
}

serde_as_string!(ContainerName, VolumeName, Label, EnvVar, EnvEntry);

fn env_error(key: &str, why: &str) -> ParseError {
    ParseError::new("environment variable", key, why)
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > 128 {
        return Err("names have at most 128 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
        return Err("names are letters, digits, '_', '.' and '-'");
    }
    if name.starts_with(['_', '.', '-']) {
        return Err("names begin with a letter or a digit");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
