//! What did the person write down for all times? `config.toml`, read into settings with everything resolved.
//!
//! Deliberately elsewhere: where the file is (`engine::Locations`), flags of one command line (`grammar`).

mod toml_file;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::grammar::{Globals, UsageError};
use crate::engine::{
    Locations,
    domain::{EngineSettings, HostSpec},
};

/// Everything the file may say, with defaults filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub default_host: Option<String>,
    /// Names for hosts.
    pub hosts: BTreeMap<String, HostSpec>,
    pub engine: EngineSettings,
    pub screen: ScreenSettings,
}

/// What the full-screen interface reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScreenSettings {
    pub theme: Option<String>,
    pub keymap: Option<String>,
    pub mouse: Option<bool>,
    /// `action = "key"` or `action = ["key", ...]`.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Named hosts to choose from, filled in when the screen opens.
    pub hosts: BTreeMap<String, HostSpec>,
    /// `--no-color`.
    pub no_color: bool,
    /// The engine's own, for hosts that the screen opens.
    pub engine: EngineSettings,
}

/// Settings and what was odd about their file, one line each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<String>,
}

/// Reads the file named by `--config`, else the default one, which need not be there.
///
/// # Errors
/// When it cannot be read, is no TOML, or holds a value that makes no sense; with the line.
pub fn load(globals: &Globals, locations: &Locations) -> Result<Loaded, UsageError> {
    let (path, named): (PathBuf, bool) = match &globals.config {
        Some(path) => (path.clone(), true),
        None => (locations.config.join("config.toml"), false),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => read(&text, &path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => Ok(Loaded::default()),
        // Somebody else's directory is no reason to refuse work: it may be root's.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && !named => Ok(Loaded::default()),
        Err(error) => Err(UsageError::new(format!("cannot read {}: {error}", path.display()))
            .hint("check the path and its permissions")),
    }
}

fn read(text: &str, path: &Path) -> Result<Loaded, UsageError> {
    toml_file::read(text)
        .map_err(|problem| {
            let place = problem.line.map_or_else(String::new, |line| format!(", line {line}"));
            let error = UsageError::new(format!("{}{place}: {}", path.display(), problem.message));
            UsageError { hint: problem.hint, ..error }
        })
        .map(|(settings, warnings)| Loaded {
            settings,
            warnings: warnings
                .into_iter()
                .map(|(line, text)| format!("{}, line {line}: {text}", path.display()))
                .collect(),
        })
}

/// The host a command line goes to: `--host`, else `WHARF_HOST`, else the file's, else the embedded one.
///
/// # Errors
/// When it is neither a known word, a name of the file nor a URL that is understood.
pub fn choose_host(globals: &Globals, variable: Option<String>, settings: &Settings) -> Result<HostSpec, UsageError> {
    let (word, origin) = match (&globals.host, variable.filter(|value| !value.is_empty()), &settings.default_host) {
        (Some(word), _, _) => (word.clone(), "--host"),
        (None, Some(word), _) => (word, "WHARF_HOST"),
        (None, None, Some(word)) => (word.clone(), "default_host"),
        (None, None, None) => return Ok(HostSpec::Embedded),
    };
    if let Some(host) = settings.hosts.get(&word) {
        return Ok(host.clone());
    }
    word.parse().map_err(|error| {
        let usage = UsageError::of_flag(origin, error);
        match settings.hosts.is_empty() {
            true => usage,
            false => {
                let known: Vec<&str> = settings.hosts.keys().map(String::as_str).collect();
                let hint = usage.hint.clone().unwrap_or_default();
                usage.hint(format!("{hint}, or a name from the config file: {}", known.join(", ")))
            }
        }
    })
}

#[cfg(test)]
mod tests;
