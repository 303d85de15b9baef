//! Who are we to a registry? User names, passwords and tokens that never show themselves.
//!
//! Deliberately elsewhere: where they come from (`credentials`), when they are sent (`authenticator`).

use std::fmt;

use base64::Engine as _;

/// Text that must not be printed. The memory is overwritten when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// What a registry or its token server accepts as proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token, exchanged for short-lived ones (what helpers give under the user name `<token>`).
    IdentityToken(Secret),
    /// A bearer token to be sent as it is.
    RegistryToken(Secret),
}

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_bytes())
    }

    /// The secret itself: for requests only.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a secret is made from a string")
    }

    /// `user:password` as the `Authorization` header wants it.
    pub fn basic(user: &str, password: &Secret) -> Secret {
        let pair = Secret::new(format!("{user}:{}", password.expose()));
        Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair.expose())))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the compiler from dropping the store as dead.
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let credential = Credential::Password { user: "me".into(), password: Secret::new("hunter2") };
        assert!(!format!("{credential:?}").contains("hunter2"));
        assert_eq!(
            Secret::basic("Aladdin", &Secret::new("open sesame")).expose(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
    }
}
