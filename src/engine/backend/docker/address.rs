//! Where may the daemon of this host be listening? Environment and default sockets, in the order they are tried.
//!
//! Deliberately elsewhere: dialling (`connection`), which host is meant (`domain::HostSpec`).

use std::{fmt, path::PathBuf};

use crate::engine::domain::{Error, ErrorKind, HostSpec, Result};

/// One place to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Tcp {
        /// Host and port as written; also the request's `Host` header.
        authority: String,
    },
    /// A named pipe of Windows.
    Pipe(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { authority } => write!(f, "tcp://{authority}"),
            Self::Pipe(path) => write!(f, "npipe://{}", path.replace('\\', "/")),
        }
    }
}

/// The places of `host`, best first. An address that somebody named is the only one tried: a daemon that was
/// meant is never replaced by one that happens to be there.
///
/// # Errors
/// `InvalidInput` or `Unsupported` when a named address cannot be used.
pub fn candidates(host: &HostSpec, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Address>> {
    let named = match host {
        HostSpec::Url(url) => Some((url.clone(), "--host")),
        HostSpec::Docker => variable("DOCKER_HOST").map(|url| (url, "DOCKER_HOST")),
        HostSpec::Podman => variable("CONTAINER_HOST").map(|url| (url, "CONTAINER_HOST")),
        HostSpec::Embedded => {
            return Err(Error::new(ErrorKind::Internal, "the embedded engine has no address"));
        }
    };
    if let Some((url, origin)) = named {
        let encrypted = *host == HostSpec::Docker && variable("DOCKER_TLS_VERIFY").is_some();
        return parse(&url, origin, encrypted).map(|address| vec![address]);
    }
    let home = variable("HOME").map(PathBuf::from);
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = match host {
        HostSpec::Podman => [
            runtime.map(|runtime| runtime.join("podman/podman.sock")),
            Some(PathBuf::from("/run/podman/podman.sock")),
            None,
        ],
        HostSpec::Docker | HostSpec::Url(_) | HostSpec::Embedded => [
            Some(PathBuf::from("/var/run/docker.sock")),
            home.map(|home| home.join(".docker/run/docker.sock")),
            runtime.map(|runtime| runtime.join("docker.sock")),
        ],
    };
    if cfg!(windows) {
        let pipe = if *host == HostSpec::Podman { "podman-machine-default" } else { "docker_engine" };
        return Ok(vec![Address::Pipe(format!(r"\\.\pipe\{pipe}"))]);
    }
    Ok(places.into_iter().flatten().map(Address::Unix).collect())
}

/// What a person can do when none of the places answered.
#[must_use]
pub fn remedy(host: &HostSpec, denied: bool) -> String {
    match (host, denied) {
        (HostSpec::Docker, true) => {
            "join the group that owns the socket (sudo usermod -aG docker $USER, then log in again), run as root, or \
             use a rootless daemon; the embedded engine (--host embedded) needs none of this"
        }
        (HostSpec::Docker, false) => {
            "start it (sudo systemctl start docker, or dockerd), set DOCKER_HOST, or leave out --host to use the \
             embedded engine"
        }
        (HostSpec::Podman, true) => "run as the user who owns the socket, or start your own: podman system service",
        (HostSpec::Podman, false) => {
            "start it (systemctl --user start podman.socket, or podman system service --time=0), or set CONTAINER_HOST"
        }
        (HostSpec::Url(_) | HostSpec::Embedded, true) => "ask for access to it, or choose another with --host",
        (HostSpec::Url(_) | HostSpec::Embedded, false) => "check the address and that the engine is up",
    }
    .to_owned()
}

fn parse(url: &str, origin: &str, encrypted: bool) -> Result<Address> {
    let refuse = |kind, why: &str| {
        Error::new(kind, format!("{origin} is {url}: {why}"))
            .remedy("use unix:///path/to.sock or tcp://host:port; over ssh, forward the socket: ssh -NL local.sock:/var/run/docker.sock HOST")
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| refuse(ErrorKind::InvalidInput, "it has no scheme"))?;
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Address::Unix(PathBuf::from(rest))),
        "unix" => Err(refuse(ErrorKind::InvalidInput, "a socket path must be absolute")),
        "tcp" | "http" if encrypted => {
            Err(refuse(ErrorKind::Unsupported, "TLS is asked for (DOCKER_TLS_VERIFY) and not supported"))
        }
        "tcp" | "http" => {
            let authority = rest.trim_end_matches('/');
            let parsed: Result<http::uri::Authority, _> = authority.parse();
            match parsed {
                Ok(parsed) if parsed.host().is_empty() || authority.contains('@') => {
                    Err(refuse(ErrorKind::InvalidInput, "it names no machine"))
                }
                Ok(parsed) if parsed.port().is_some() => Ok(Address::Tcp { authority: authority.to_owned() }),
                Ok(_) => Ok(Address::Tcp { authority: format!("{authority}:2375") }),
                Err(_) => Err(refuse(ErrorKind::InvalidInput, "it is not host:port")),
            }
        }
        "npipe" if cfg!(windows) => Ok(Address::Pipe(rest.replace('/', "\\"))),
        other => Err(refuse(ErrorKind::Unsupported, &format!("the scheme {other} is not supported"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: HostSpec, variables: &[(&str, &str)]) -> Result<Vec<String>> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        candidates(&host, &lookup).map(|addresses| addresses.iter().map(Address::to_string).collect())
    }

    #[cfg(unix)]
    #[test]
    fn without_variables_the_default_sockets_are_tried_in_order() {
        let home = [("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/7")];
        assert_eq!(
            found(HostSpec::Docker, &home).unwrap(),
            ["unix:///var/run/docker.sock", "unix:///home/a/.docker/run/docker.sock", "unix:///run/user/7/docker.sock"]
        );
        assert_eq!(
            found(HostSpec::Podman, &home).unwrap(),
            ["unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"]
        );
        assert_eq!(found(HostSpec::Podman, &[]).unwrap(), ["unix:///run/podman/podman.sock"]);
    }

    #[test]
    fn a_named_address_is_the_only_one() {
        let set = [("DOCKER_HOST", "tcp://box:2375"), ("CONTAINER_HOST", "unix:///p.sock")];
        assert_eq!(found(HostSpec::Docker, &set).unwrap(), ["tcp://box:2375"]);
        assert_eq!(found(HostSpec::Podman, &set).unwrap(), ["unix:///p.sock"]);
        assert_eq!(found(HostSpec::Url("http://[::1]:99/".into()), &set).unwrap(), ["tcp://[::1]:99"]);
        assert_eq!(found(HostSpec::Url("tcp://box".into()), &[]).unwrap(), ["tcp://box:2375"]);
    }

    #[test]
    fn what_cannot_be_dialled_is_refused_and_never_replaced() {
        for (url, kind) in [
            ("ssh://me@box", ErrorKind::Unsupported),
            ("https://box:2376", ErrorKind::Unsupported),
            ("box:2375", ErrorKind::InvalidInput),
            ("unix://relative.sock", ErrorKind::InvalidInput),
            ("tcp://", ErrorKind::InvalidInput),
            ("tcp://a b", ErrorKind::InvalidInput),
            ("tcp://user@box:1", ErrorKind::InvalidInput),
        ] {
            assert_eq!(found(HostSpec::Docker, &[("DOCKER_HOST", url)]).unwrap_err().kind(), kind, "{url}");
        }
        let tls = [("DOCKER_HOST", "tcp://box:2376"), ("DOCKER_TLS_VERIFY", "1")];
        assert_eq!(found(HostSpec::Docker, &tls).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
