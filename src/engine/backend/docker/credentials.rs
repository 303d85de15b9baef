//! Which credential goes with a pull or a push through the daemon? What `docker login` left behind.
//!
//! The daemon is handed the credential with each request (`X-Registry-Auth`) and keeps none. Deliberately elsewhere:
//! the embedded engine's own registry client.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose};
use serde_json::{Value, json};

use crate::engine::domain::{Error, ErrorKind, ImageReference, Result};

/// The key of Docker Hub in the file.
const HUB: &str = "https://index.docker.io/v1/";

/// The header's value; an empty credential when there is none, which some daemons insist on.
///
/// # Errors
/// `InvalidInput` when the file cannot be understood, `Unauthorized` when a credential helper fails.
pub async fn header(reference: &ImageReference) -> Result<String> {
    let registry = reference.registry().to_owned();
    let found = tokio::task::spawn_blocking(move || find(&registry, file())).await;
    let credential = found.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))??;
    Ok(general_purpose::URL_SAFE.encode(credential.unwrap_or_else(|| json!({})).to_string()))
}

fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    folder.or_else(|| home.map(|home| home.join(".docker"))).map(|folder| folder.join("config.json"))
}

fn find(registry: &str, file: Option<PathBuf>) -> Result<Option<Value>> {
    let Some(path) = file else { return Ok(None) };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format!("reading {}", path.display()), error)),
    };
    let config: Value = serde_json::from_slice(&text).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, format!("{} is no JSON", path.display()))
            .remedy("mend the file, or log in again with docker login")
    })?;
    let keys = if registry == "docker.io" { vec![HUB, "docker.io", "index.docker.io"] } else { vec![registry] };
    let helper = keys
        .iter()
        .find_map(|key| config.pointer("/credHelpers")?.get(*key)?.as_str())
        .or_else(|| config.get("credsStore").and_then(Value::as_str))
        .filter(|helper| !helper.is_empty());
    if let Some(helper) = helper {
        return keys.iter().find_map(|key| ask(helper, key).transpose()).transpose();
    }
    let auths = config.get("auths").and_then(Value::as_object);
    let entry = auths.into_iter().flatten().find(|(key, _)| keys.contains(&key.as_str()) || host_of(key) == registry);
    Ok(entry.and_then(|(_, entry)| of_entry(entry, registry)))
}

/// `https://registry.example/v1/` is written for `registry.example` by old clients.
fn host_of(key: &str) -> &str {
    let host = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    host.split('/').next().unwrap_or_default()
}

fn of_entry(entry: &Value, registry: &str) -> Option<Value> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Some(json!({"identitytoken": token, "serveraddress": registry}));
    }
    let decoded = text("auth").and_then(|auth| general_purpose::STANDARD.decode(auth).ok());
    let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) = match &pair {
        Some(pair) => pair.split_once(':')?,
        None => (text("username")?, text("password")?),
    };
    let password = password.trim_end_matches('\0');
    Some(json!({"username": user, "password": password, "serveraddress": registry}))
}

/// One question to a credential helper; `None` when it has nothing for `server`.
fn ask(helper: &str, server: &str) -> Result<Option<Value>> {
    let failed = |why: String| {
        Error::new(ErrorKind::Unauthorized, format!("the credential helper docker-credential-{helper} {why}"))
            .remedy("install it, or remove it from credsStore and credHelpers in ~/.docker/config.json")
    };
    if !helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(Error::new(ErrorKind::InvalidInput, "the name of the credential helper is no program name"));
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that has already ended says why in its exit status.
        let _ = stdin.write_all(server.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(format!("failed: {error}")))?;
    if !output.status.success() {
        // Helpers say "credentials not found" with status 1 and nothing that could be told apart from it.
        return Ok(None);
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| failed("did not answer in JSON".into()))?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(match text("Username").as_str() {
        "<token>" => json!({"identitytoken": text("Secret"), "serveraddress": server}),
        user => json!({"username": user, "password": text("Secret"), "serveraddress": server}),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, registry: &str) -> Result<Option<Value>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        find(registry, Some(path))
    }

    #[test]
    fn a_login_is_found_by_its_registry() {
        let config = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjOnJldA=="},"box:5000":{"username":"u","password":"p"},
            "https://old.example/v1/":{"identitytoken":"t"}}}"#;
        let hub = found(config, "docker.io").unwrap().unwrap();
        assert_eq!((hub["username"].as_str(), hub["password"].as_str()), (Some("me"), Some("sec:ret")));
        assert_eq!(found(config, "box:5000").unwrap().unwrap()["username"], "u");
        assert_eq!(found(config, "old.example").unwrap().unwrap()["identitytoken"], "t");
        assert!(found(config, "other").unwrap().is_none());
    }

    #[test]
    fn odd_files_are_told_and_never_shown() {
        assert_eq!(found("secret{", "box").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(!found("secret{", "box").unwrap_err().to_string().contains("secret{"));
        assert!(found("{}", "box").unwrap().is_none());
        assert!(found(r#"{"auths":{"box":{"auth":"%%%"}}}"#, "box").unwrap().is_none());
        assert!(find("box", Some("/nowhere/config.json".into())).unwrap().is_none());
        assert_eq!(found(r#"{"credsStore":"../evil"}"#, "box").unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
