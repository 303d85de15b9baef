use super::*;

#[test]
fn a_helper_is_a_plain_word() {
    for name in ["", "../evil", "a/b", "a b", "A", "x.sh", "-\0", "é"] {
        let error = get(&["/bin".into()], name, "r.io").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{name}");
        assert!(error.reason().contains("may hold only"), "{error}");
    }
}

#[cfg(unix)]
mod with_scripts {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn helper(script: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\nread server\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let folders = vec![folder.path().to_owned()];
        (folder, folders)
    }

    /// Another test's fork may hold the freshly written script open for an instant.
    fn ask(script: &str) -> Result<Option<Credential>> {
        let (_folder, folders) = helper(script);
        loop {
            match get(&folders, "test", "r.io") {
                Err(error) if error.reason().contains("Text file busy") => {}
                other => return other,
            }
        }
    }

    #[test]
    fn helpers_give_passwords_and_identity_tokens() {
        let found = ask(r#"echo "{\"ServerURL\":\"$server\",\"Username\":\"$server\",\"Secret\":\"pw\"}""#).unwrap();
        assert_eq!(found, Some(Credential::Password { user: "r.io".into(), password: Secret::new("pw") }));
        let found = ask(r#"echo '{"Username":"<token>","Secret":"refresh"}'"#).unwrap();
        assert_eq!(found, Some(Credential::IdentityToken(Secret::new("refresh"))));
    }

    #[test]
    fn a_helper_without_the_credential_is_no_failure() {
        assert_eq!(ask("echo credentials not found in native keychain; exit 1").unwrap(), None);
        assert_eq!(ask(r#"echo '{"Username":"","Secret":""}'"#).unwrap(), None);
    }

    #[test]
    fn failures_are_told_without_the_secret() {
        let error = ask("echo 'key ring is locked'; exit 1").unwrap_err();
        assert!(error.reason().contains("key ring is locked"), "{error}");
        let error = ask("echo 'secret-but-not-json'").unwrap_err();
        assert!(!format!("{error:?}").contains("secret-but-not-json"), "{error:?}");
        let error = get(&[], "absent", "r.io").unwrap_err();
        assert!(error.reason().contains("not in PATH"), "{error}");
    }
}
