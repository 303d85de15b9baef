//! What must a machine have for a test to mean anything? Each `needs_*` finds it or says, in one line, why the
//! test is skipped; with `WHARF_TEST_STRICT=1` a missing thing fails the test instead, so that CI cannot pass
//! by skipping.
//! Deliberately elsewhere: starting engines and making images (`tests/lab`).

use std::{env, io::Write, net::TcpStream, time::Duration};

/// Where a Docker Engine API answers, e.g. `unix:///var/run/docker.sock`.
const DOCKER: &str = "WHARF_TEST_DOCKER";
/// Where Podman's Docker-compatible API answers.
const PODMAN: &str = "WHARF_TEST_PODMAN";
/// `host:port` of a registry that holds the lab's images.
const REGISTRY: &str = "WHARF_TEST_REGISTRY";

/// How a missing need ends the test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A printed skip.
    Soft,
    /// A failure.
    Strict,
}

impl Need {
    /// What `WHARF_TEST_STRICT` asks for.
    pub fn from_environment() -> Self {
        match env::var("WHARF_TEST_STRICT").as_deref() {
            Ok("1") => Self::Strict,
            _ => Self::Soft,
        }
    }

    /// Ends or skips the calling test because of `reason`.
    ///
    /// # Panics
    /// When the need is strict.
    pub fn missing(self, reason: &str) {
        assert!(self == Self::Soft, "WHARF_TEST_STRICT=1 and {reason}");
        say_skipped(reason);
    }
}

/// Whether this test process has user id 0.
pub fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::getuid().is_root();
    #[cfg(not(unix))]
    false
}

/// True as root.
pub fn needs_root() -> bool {
    if !is_root() {
        Need::from_environment().missing("it needs root");
    }
    is_root()
}

/// True as an ordinary user. As root the test is skipped even under `WHARF_TEST_STRICT=1`: `.ci/run` runs this
/// binary a second time as an ordinary user, with every test whose path holds `rootless`, and fails when that
/// pass runs none.
pub fn needs_user() -> bool {
    if is_root() {
        say_skipped("it needs an ordinary user; this is root");
    }
    !is_root()
}

/// The address of a Docker daemon that answers.
pub fn needs_docker() -> Option<String> {
    let candidates = candidates(DOCKER, &["unix:///var/run/docker.sock", &lab_socket("docker")]);
    first_answering("a Docker daemon", DOCKER, &candidates, "/_ping")
}

/// The address of a Podman service that answers.
pub fn needs_podman() -> Option<String> {
    let candidates = candidates(PODMAN, &[&lab_socket("podman"), "unix:///run/podman/podman.sock"]);
    first_answering("a Podman service", PODMAN, &candidates, "/_ping")
}

/// `host:port` of a registry on loopback that answers.
pub fn needs_registry() -> Option<String> {
    let candidates = candidates(REGISTRY, &["127.0.0.1:5000"]);
    first_answering("a registry", REGISTRY, &candidates, "/v2/")
}

/// The full reference of the lab's image `name:tag` in the registry of [`needs_registry`].
pub fn needs_image(name_and_tag: &str) -> Option<String> {
    let registry = needs_registry()?;
    let (name, tag) = name_and_tag.split_once(':').unwrap();
    let request = format!("/v2/{name}/manifests/{tag}");
    if answers(&registry, &request) {
        return Some(format!("{registry}/{name}:{tag}"));
    }
    Need::from_environment().missing(&format!("{registry} lacks {name_and_tag}: run tests/lab/images.sh"));
    None
}

/// One line on the real stderr: the test harness swallows what a passing test prints through the macros.
fn say_skipped(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // A closed stderr must not fail a test that is skipped anyway.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}

/// Where `tests/lab/engines.sh` puts the socket of an engine it starts.
fn lab_socket(engine: &str) -> String {
    format!("unix://{}/wharf-lab/{engine}.sock", env::temp_dir().display())
}

fn candidates(variable: &str, defaults: &[&str]) -> Vec<String> {
    match env::var(variable) {
        Ok(address) if !address.is_empty() => vec![address],
        _ => defaults.iter().map(|address| (*address).to_owned()).collect(),
    }
}

fn first_answering(what: &str, variable: &str, candidates: &[String], path: &str) -> Option<String> {
    let found = candidates.iter().find(|address| answers(address, path));
    if found.is_none() {
        let tried = candidates.join(", ");
        Need::from_environment().missing(&format!("{what} does not answer on {tried} (set {variable})"));
    }
    found.cloned()
}

/// Whether a GET of `path` is answered with status 200.
fn answers(address: &str, path: &str) -> bool {
    #[cfg(unix)]
    if let Some(socket) = address.strip_prefix("unix://") {
        let Ok(stream) = std::os::unix::net::UnixStream::connect(socket) else { return false };
        return bounded_get(stream, path, |stream, limit| stream.set_read_timeout(Some(limit)));
    }
    let Ok(stream) = TcpStream::connect(address) else { return false };
    bounded_get(stream, path, |stream, limit| stream.set_read_timeout(Some(limit)))
}

fn bounded_get<S: std::io::Read + Write>(
    mut stream: S,
    path: &str,
    limit: impl Fn(&S, Duration) -> std::io::Result<()>,
) -> bool {
    let accepted = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                    application/vnd.docker.distribution.manifest.v2+json, text/plain, application/json";
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: {accepted}\r\n\r\n");
    let asked = limit(&stream, Duration::from_secs(5)).and_then(|()| stream.write_all(request.as_bytes()));
    let mut status = [0; 12];
    asked.is_ok() && stream.read_exact(&mut status).is_ok() && status.ends_with(b" 200")
}
