//! What does this user's machine say about registries? Insecure hosts, certificates, proxies, places of credentials.
//!
//! Deliberately elsewhere: the config file itself (`cli`), reading credentials (`credentials`).

use std::{ffi::OsString, path::PathBuf, time::Duration};

use super::proxy::{Proxies, is_this_machine};
use super::url::{Scheme, Url};
use crate::engine::domain::EngineSettings;

/// A server that is silent for longer has gone.
const PROGRESS_DEADLINE: Duration = Duration::from_secs(30);

/// Read once and shared by all operations of a process.
#[derive(Clone)]
pub struct RegistrySettings {
    /// Registries (`host[:port]`) that may be spoken to without TLS. Never a default, never a wildcard.
    pub insecure: Vec<String>,
    /// PEM files with certificate authorities beside the system's.
    pub certificates: Vec<PathBuf>,
    pub proxies: Proxies,
    /// Docker's and Podman's credential files, the first that knows a registry wins.
    pub credential_files: Vec<PathBuf>,
    /// Absolute folders in which credential helpers are looked for.
    pub helper_folders: Vec<PathBuf>,
    /// A server that sends or takes not one byte for this long is given up. There is no limit on the whole.
    pub progress_deadline: Duration,
}

/// Nothing from the environment: no proxy, no credentials.
impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            insecure: Vec::new(),
            certificates: Vec::new(),
            proxies: Proxies::default(),
            credential_files: Vec::new(),
            helper_folders: Vec::new(),
            progress_deadline: PROGRESS_DEADLINE,
        }
    }
}

impl RegistrySettings {
    /// The settings of this process's environment, nothing insecure.
    pub fn of_this_process() -> Self {
        Self::from_variables(&|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    /// The rule itself. Credentials: `$DOCKER_CONFIG` or `~/.docker`, then `$REGISTRY_AUTH_FILE` or
    /// `$XDG_RUNTIME_DIR/containers/auth.json`, as docker-login(1) and containers-auth.json(5) say.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let home = folder("HOME").or_else(|| folder("USERPROFILE"));
        let docker = folder("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
        let podman = folder("REGISTRY_AUTH_FILE")
            .or_else(|| folder("XDG_RUNTIME_DIR").map(|runtime| runtime.join("containers").join("auth.json")));
        let path = variable("PATH").unwrap_or_default();
        Self {
            proxies: Proxies::from_variables(&|name| variable(name)?.into_string().ok()),
            credential_files: docker.map(|folder| folder.join("config.json")).into_iter().chain(podman).collect(),
            helper_folders: std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect(),
            ..Self::default()
        }
    }

    /// With what the config file says about registries.
    pub fn with_settings(mut self, settings: &EngineSettings) -> Self {
        self.insecure.extend(settings.insecure_registries.iter().cloned());
        self.certificates.extend(settings.registry_certificates.iter().cloned());
        self
    }

    /// Where `registry` answers: docker.io lives on another host, and TLS is left out only on this very machine and
    /// on hosts named insecure. `None` when the name is no authority.
    pub fn endpoint(&self, registry: &str, path: &str) -> Option<Url> {
        let host = match registry {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let secure = Url::of_registry(Scheme::Https, host, path)?;
        let plain = is_this_machine(&secure) || self.insecure.iter().any(|name| name.eq_ignore_ascii_case(registry));
        if plain { Url::of_registry(Scheme::Http, host, path) } else { Some(secure) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_hosts_named_insecure() {
        let settings = RegistrySettings { insecure: vec!["reg.lan:5000".into()], ..RegistrySettings::default() };
        for (registry, url) in [
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("ghcr.io", "https://ghcr.io/v2/"),
            ("localhost:5000", "http://localhost:5000/v2/"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000/v2/"),
            ("[::1]:5000", "http://[::1]:5000/v2/"),
            ("reg.lan:5000", "http://reg.lan:5000/v2/"),
            ("reg.lan", "https://reg.lan/v2/"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/"),
        ] {
            assert_eq!(settings.endpoint(registry, "/v2/").unwrap().to_string(), url);
        }
    }

    #[test]
    fn the_config_file_names_insecure_registries_and_certificates() {
        let engine = EngineSettings {
            insecure_registries: vec!["reg.lan:5000".into()],
            registry_certificates: vec!["/ca.pem".into()],
            ..EngineSettings::default()
        };
        let settings = RegistrySettings::default().with_settings(&engine);
        assert_eq!(settings.insecure, ["reg.lan:5000"]);
        assert_eq!(settings.certificates, [PathBuf::from("/ca.pem")]);
    }

    #[test]
    fn helpers_are_looked_for_in_absolute_folders_only() {
        // Relative entries of PATH would let the current folder name a helper.
        let absolute = if cfg!(windows) { r"C:\bin" } else { "/bin" };
        let path = std::env::join_paths([absolute, "relative", "."]).unwrap();
        let settings = RegistrySettings::from_variables(&|name| match name {
            "PATH" => Some(path.clone()),
            "HOME" => Some("/home/a".into()),
            "XDG_RUNTIME_DIR" => Some("/run/user/7".into()),
            _ => None,
        });
        assert_eq!(settings.helper_folders, [PathBuf::from(absolute)]);
        let found: Vec<_> = settings.credential_files.iter().map(|path| path.to_string_lossy()).collect();
        if cfg!(unix) {
            assert_eq!(found, ["/home/a/.docker/config.json", "/run/user/7/containers/auth.json"]);
        }
    }
}
