//! Which credential does this user have for a registry? Reads what `docker login` and `podman login` left behind.
//!
//! Deliberately elsewhere: running helpers (`credential_helper`), using the credential (`authenticator`).

use std::{collections::BTreeMap, io, path::Path};

use base64::Engine as _;
use serde::Deserialize;

use super::{
    credential_helper,
    secret::{Credential, Secret},
    settings::RegistrySettings,
};
use crate::engine::{
    backend::registry_access::Login,
    domain::{Error, ErrorKind, ImageReference, Result},
};

/// Files larger than this are not credential files.
const FILE_LIMIT: u64 = 4 << 20;
/// The key under which Docker has kept Docker Hub's credential since its first days.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// Docker's `config.json` and Podman's `auth.json`, as far as they concern registries. No `Debug`: it holds secrets.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CredentialFile {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

/// The credential for `repository` on `registry`, from the first file that has one. A file that is not there is no
/// error; nor is having no credential.
///
/// # Errors
/// `InvalidInput` when a file cannot be understood, `Unauthorized` when a helper fails.
pub fn find(settings: &RegistrySettings, registry: &str, repository: &str) -> Result<Option<Credential>> {
    for path in &settings.credential_files {
        let Some(file) = read(path)? else { continue };
        if let Some(found) = in_file(&file, settings, registry, repository)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The same for a daemon that logs in itself.
///
/// # Errors
/// As [`find`].
pub fn login(settings: &RegistrySettings, reference: &ImageReference) -> Result<Option<Login>> {
    let found = find(settings, reference.registry(), reference.repository())?;
    Ok(found.map(|credential| match credential {
        Credential::Password { user, password } => Login::Password { user, password: password.expose().to_owned() },
        Credential::IdentityToken(token) => Login::IdentityToken(token.expose().to_owned()),
        Credential::RegistryToken(token) => Login::RegistryToken(token.expose().to_owned()),
    }))
}

fn read(path: &Path) -> Result<Option<CredentialFile>> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::io(format!("reading {}", path.display()), error)),
    };
    if size > FILE_LIMIT {
        return Err(unusable(path, "it is too large for a credential file".into()));
    }
    let bytes = std::fs::read(path).map_err(|error| Error::io(format!("reading {}", path.display()), error))?;
    parse(&bytes).map_err(|why| unusable(path, why))
}

fn unusable(path: &Path, why: String) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
        .on(path.display())
        .remedy("mend the file, or log in again with docker login or podman login")
}

/// `None` for an empty file. The error is a sentence without a word of the file.
fn parse(bytes: &[u8]) -> Result<Option<CredentialFile>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    // Only the place: serde's own message quotes the text, which may be a password.
    serde_json::from_slice(bytes)
        .map(Some)
        .map_err(|error| format!("not a credential file (line {}, column {})", error.line(), error.column()))
}

/// What a fuzzer checks of the bytes of a credential file: a credential or none, and no secret in a complaint.
#[cfg(feature = "fuzzing")]
pub fn lookup(bytes: &[u8], registry: &str, repository: &str) -> Result<Option<Credential>, String> {
    let Some(file) = parse(bytes)? else { return Ok(None) };
    in_file(&file, &RegistrySettings::default(), registry, repository).map_err(|error| format!("{error:?}"))
}

fn in_file(
    file: &CredentialFile,
    settings: &RegistrySettings,
    registry: &str,
    repository: &str,
) -> Result<Option<Credential>> {
    let hosts = hosts(registry);
    let helper = hosts.iter().find_map(|host| file.cred_helpers.get(*host));
    if let Some(helper) = helper.or(file.creds_store.as_ref()).filter(|helper| !helper.is_empty()) {
        let server = if registry == "docker.io" { HUB_KEY } else { registry };
        if let Some(found) = credential_helper::get(&settings.helper_folders, helper, server)? {
            return Ok(Some(found));
        }
    }
    // Podman keeps credentials for parts of a registry: the longest key that covers the repository wins.
    let mut part = repository;
    loop {
        let scoped = hosts.iter().find_map(|host| file.auths.get(&format!("{host}/{part}")));
        if let Some(found) = scoped.and_then(credential) {
            return Ok(Some(found));
        }
        match part.rsplit_once('/') {
            Some((shorter, _)) => part = shorter,
            None => break,
        }
    }
    let whole = file.auths.iter().filter(|(key, _)| hosts.contains(&host_of_key(key)));
    Ok(whole.filter_map(|(_, entry)| credential(entry)).next())
}

/// The names under which credentials for `registry` are kept.
fn hosts(registry: &str) -> Vec<&str> {
    match registry {
        "docker.io" => vec!["index.docker.io", "docker.io", "registry-1.docker.io"],
        other => vec![other],
    }
}

/// Old keys are addresses: `https://index.docker.io/v1/` is for `index.docker.io`. Keys with any other path are for a
/// part of a registry.
fn host_of_key(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    match bare.split_once('/') {
        Some((host, "" | "v1" | "v1/" | "v2" | "v2/")) => host,
        Some(_) | None => bare,
    }
}

fn credential(entry: &Entry) -> Option<Credential> {
    if !entry.identitytoken.is_empty() {
        return Some(Credential::IdentityToken(Secret::new(&entry.identitytoken)));
    }
    if !entry.registrytoken.is_empty() {
        return Some(Credential::RegistryToken(Secret::new(&entry.registrytoken)));
    }
    if !entry.auth.is_empty() {
        // Docker pads with NUL bytes what older versions wrote.
        let decoded = base64::engine::general_purpose::STANDARD.decode(entry.auth.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, password) = text.trim_end_matches('\0').split_once(':')?;
        return Some(Credential::Password { user: user.to_owned(), password: Secret::new(password) });
    }
    (!entry.username.is_empty())
        .then(|| Credential::Password { user: entry.username.clone(), password: Secret::new(&entry.password) })
}

#[cfg(test)]
mod tests;
