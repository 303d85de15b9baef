use super::*;

fn ping(pairs: &[(&'static str, &'static str)]) -> header::HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (header::HeaderName::from_static(name), header::HeaderValue::from_static(value)))
        .collect()
}

#[test]
fn docker_and_podman_are_told_apart_by_the_ping() {
    let docker = Daemon::of_ping(&ping(&[
        ("api-version", "1.41"),
        ("server", "Docker/20.10.24+dfsg1 (linux)"),
        ("date", "Sat, 21 Nov 2026 09:36:02 GMT"),
    ]))
    .unwrap();
    assert_eq!((docker.kind, docker.version.as_str()), (HostKind::Docker, "20.10.24+dfsg1"));
    assert_eq!((docker.api, docker.seconds), (ApiVersion(1, 41), 1_795_253_762));
    let podman =
        Daemon::of_ping(&ping(&[("api-version", "1.41"), ("server", "Libpod/4.3.1 (linux)"), ("date", "?")])).unwrap();
    assert_eq!((podman.kind, podman.version.as_str(), podman.seconds), (HostKind::Podman, "4.3.1", 0));
}

#[test]
fn the_version_is_the_older_of_both_sides() {
    for minor in 24..=60 {
        let offered: &'static str = Box::leak(format!("1.{minor}").into_boxed_str());
        let daemon = Daemon::of_ping(&ping(&[("api-version", offered)])).unwrap();
        assert_eq!(daemon.api, ApiVersion(1, minor.min(53)));
    }
    assert_eq!(Daemon::of_ping(&ping(&[("api-version", "1.23")])).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(Daemon::of_ping(&ping(&[("server", "nginx")])).unwrap_err().kind(), ErrorKind::Protocol);
}
