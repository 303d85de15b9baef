//! Which credential goes with a pull or a push through the daemon? The login of this user, in the daemon's own form.
//!
//! The daemon is handed the credential with each request (`X-Registry-Auth`) and keeps none. Deliberately elsewhere:
//! where logins are kept (`embedded::registry`, asked through `RegistryAccess`).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose};
use serde_json::{Value, json};

use crate::engine::{
    backend::registry_access::{Login, RegistryAccess},
    domain::{Error, ErrorKind, ImageReference, Result},
};

/// The header's value; an empty credential when there is none, which some daemons insist on.
///
/// # Errors
/// As `RegistryAccess::login`.
pub async fn header(access: &Arc<RegistryAccess>, reference: &ImageReference) -> Result<String> {
    let (access, asked) = (Arc::clone(access), reference.clone());
    let found = tokio::task::spawn_blocking(move || (access.login)(&asked)).await;
    let login = found.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))??;
    Ok(general_purpose::URL_SAFE.encode(as_json(login.as_ref(), reference.registry()).to_string()))
}

/// Docker Engine API, "Authentication".
fn as_json(login: Option<&Login>, registry: &str) -> Value {
    match login {
        None => json!({}),
        Some(Login::Password { user, password }) => {
            json!({"username": user, "password": password, "serveraddress": registry})
        }
        Some(Login::IdentityToken(token)) => json!({"identitytoken": token, "serveraddress": registry}),
        Some(Login::RegistryToken(token)) => json!({"registrytoken": token, "serveraddress": registry}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_takes_the_daemons_form() {
        let password = Login::Password { user: "me".into(), password: "sec:ret".into() };
        let shown = as_json(Some(&password), "box:5000");
        assert_eq!(shown, json!({"username": "me", "password": "sec:ret", "serveraddress": "box:5000"}));
        assert_eq!(as_json(Some(&Login::IdentityToken("t".into())), "box")["identitytoken"], "t");
        assert_eq!(as_json(None, "box"), json!({}));
        assert!(!format!("{password:?}").contains("sec:ret"));
    }
}
