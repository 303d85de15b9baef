use super::*;

fn file(json: &str) -> CredentialFile {
    serde_json::from_str(json).unwrap()
}

fn found(json: &str, registry: &str, repository: &str) -> Option<Credential> {
    in_file(&file(json), &RegistrySettings::default(), registry, repository).unwrap()
}

fn password(user: &str, password: &str) -> Option<Credential> {
    Some(Credential::Password { user: user.into(), password: Secret::new(password) })
}

#[test]
fn docker_hub_is_found_under_its_old_key() {
    let json = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "bWU6cHc6eA=="}}}"#;
    assert_eq!(found(json, "docker.io", "library/nginx"), password("me", "pw:x"));
    assert_eq!(found(json, "ghcr.io", "a/b"), None);
}

#[test]
fn hosts_are_found_with_and_without_scheme_and_version() {
    for key in ["reg:5000", "http://reg:5000", "https://reg:5000/v2/", "https://reg:5000/"] {
        let json = format!(r#"{{"auths": {{"{key}": {{"username": "u", "password": "p"}}}}}}"#);
        assert_eq!(found(&json, "reg:5000", "a"), password("u", "p"), "{key}");
        assert_eq!(found(&json, "reg", "a"), None, "{key}");
    }
}

#[test]
fn the_longest_key_that_covers_the_repository_wins() {
    let json = r#"{"auths": {
        "quay.io": {"username": "all", "password": "1"},
        "quay.io/team": {"username": "team", "password": "2"},
        "quay.io/team/app": {"username": "app", "password": "3"}}}"#;
    for (repository, user, secret) in
        [("team/app", "app", "3"), ("team/app/x", "app", "3"), ("team/b", "team", "2"), ("teams", "all", "1")]
    {
        assert_eq!(found(json, "quay.io", repository), password(user, secret), "{repository}");
    }
}

#[test]
fn tokens_come_before_passwords() {
    let json = r#"{"auths": {"r.io": {"auth": "bWU6cHc=", "identitytoken": "refresh"}}}"#;
    assert_eq!(found(json, "r.io", "a"), Some(Credential::IdentityToken(Secret::new("refresh"))));
}

#[test]
fn entries_without_a_credential_are_no_credential() {
    for entry in ["{}", r#"{"auth": ""}"#, r#"{"auth": "!!!"}"#, r#"{"auth": "bm9jb2xvbg=="}"#] {
        assert_eq!(found(&format!(r#"{{"auths": {{"r.io": {entry}}}}}"#), "r.io", "a"), None, "{entry}");
    }
}

#[test]
fn missing_and_empty_files_are_fine_and_broken_ones_name_the_place_but_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |name: &str| RegistrySettings {
        credential_files: vec![folder.path().join(name)],
        ..RegistrySettings::default()
    };
    std::fs::write(folder.path().join("empty"), " \n").unwrap();
    std::fs::write(folder.path().join("broken"), r#"{"auths": {"r.io": "s3cret-word"}}"#).unwrap();
    assert_eq!(find(&settings("absent"), "r.io", "a").unwrap(), None);
    assert_eq!(find(&settings("empty"), "r.io", "a").unwrap(), None);
    let error = find(&settings("broken"), "r.io", "a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("line 1") && !shown.contains("s3cret-word"), "{shown}");
}
