//! How does the client get in? By challenge: basic, bearer, refresh tokens; and to whom it never shows a secret.

use std::{fs, path::Path};

use wharf::engine::{backend::embedded::registry::RegistrySettings, domain::ErrorKind};

use super::{noise, operation, operation_with};
use crate::support::registry::{Login, TestRegistry};

/// Settings whose credential file says so about `host`.
fn known(folder: &Path, host: &str, entry: &str) -> RegistrySettings {
    let path = folder.join("config.json");
    fs::write(&path, format!(r#"{{"auths": {{"{host}": {entry}}}}}"#)).unwrap();
    RegistrySettings { credential_files: vec![path], ..RegistrySettings::default() }
}

#[test]
fn basic_credentials_are_shown_only_after_a_challenge() {
    let folder = tempfile::tempdir().unwrap();
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    let settings = known(folder.path(), &registry.host(), r#"{"auth": "bWU6cHc="}"#);
    let name = format!("{}/a:1", registry.host());
    operation_with(settings.clone()).manifest(&name).unwrap();
    assert_eq!(registry.authorizations().len(), 0, "nobody asked");
    registry.demand(Login::Basic { user: "me", password: "pw" });
    let operation = operation_with(settings);
    operation.manifest(&name).unwrap();
    registry.forget_requests();
    operation.manifest(&name).unwrap();
    assert_eq!(registry.requests().len(), 1, "the second time it is shown at once");
}

#[test]
fn a_token_is_fetched_once_and_used_until_it_is_refused() {
    let registry = TestRegistry::start();
    let digest = registry.put_blob("a", &noise(10));
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    registry.demand(Login::Bearer { realm: None, user: None, refresh: None });
    let operation = operation();
    let name = format!("{}/a:1", registry.host());
    operation.manifest(&name).unwrap();
    operation.blob(&name, &digest, 10).unwrap();
    assert_eq!(registry.count("GET", "/token"), 1);
    registry.expire_tokens();
    operation.blob(&name, &digest, 10).unwrap();
    assert_eq!(registry.count("GET", "/token"), 2, "one new token for one challenge");
}

#[test]
fn the_password_goes_to_the_token_server_and_the_token_to_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, tokens) = (TestRegistry::start(), TestRegistry::start());
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    registry.demand(Login::Bearer {
        realm: Some(format!("http://{}/token", tokens.host())),
        user: Some(("me", "pw")),
        refresh: None,
    });
    tokens.demand(Login::Bearer { realm: None, user: Some(("me", "pw")), refresh: None });
    let settings = known(folder.path(), &registry.host(), r#"{"username": "me", "password": "pw"}"#);
    // The token of another server is not known here, so the request ends unauthorized, which is not the point.
    let error = operation_with(settings).manifest(&format!("{}/a:1", registry.host())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(tokens.authorizations().iter().all(|shown| shown.starts_with("Basic ")));
    assert_eq!(tokens.authorizations().len(), 1);
    assert!(registry.authorizations().iter().all(|shown| shown.starts_with("Bearer ")));
    assert_eq!(registry.authorizations().len(), 1);
    let asked = tokens.requests().remove(0).path;
    assert!(asked.contains("service=test") && asked.contains("scope=repository:a:pull"), "{asked}");
}

#[test]
fn a_refresh_token_is_exchanged_in_a_form_and_never_in_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    registry.demand(Login::Bearer { realm: None, user: Some(("x", "y")), refresh: Some("r3fresh") });
    let settings = known(folder.path(), &registry.host(), r#"{"identitytoken": "r3fresh"}"#);
    operation_with(settings).manifest(&format!("{}/a:1", registry.host())).unwrap();
    assert_eq!(registry.count("POST", "/token"), 1);
    assert!(registry.requests().iter().all(|request| !request.path.contains("r3fresh")));
}

#[test]
fn wrong_or_missing_credentials_are_told_with_what_to_do_and_without_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    let name = format!("{}/a:1", registry.host());
    for login in [
        Login::Basic { user: "me", password: "right" },
        Login::Bearer { realm: None, user: Some(("me", "right")), refresh: None },
    ] {
        registry.demand(login);
        let settings = known(folder.path(), &registry.host(), r#"{"username": "me", "password": "wr0ng"}"#);
        for error in [operation_with(settings).manifest(&name), operation().manifest(&name)].map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error:?}");
            assert!(error.remedy_text().unwrap().contains("docker login"), "{error:?}");
            assert!(!format!("{error:?} {error}").contains("wr0ng"), "{error:?}");
        }
    }
}

#[test]
fn a_realm_that_is_no_web_address_is_refused() {
    let registry = TestRegistry::start();
    registry.put_image("a", "1", "amd64", &[b"layer"]);
    registry.demand(Login::Bearer { realm: Some("file:///etc/passwd".into()), user: None, refresh: None });
    let error = operation().manifest(&format!("{}/a:1", registry.host())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
}
