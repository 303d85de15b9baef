//! What must hold for published ports, mounts and platforms?
//!
//! Deliberately elsewhere: names (`names`).

use wharf::engine::domain::{Mount, MountKind, Platform, Protocol, PublishedPort, parse_publish};

use super::names::{complained, round_trip};

pub fn ports(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    round_trip::<PublishedPort>(&text);
    round_trip::<Protocol>(&text);
    for port in complained(parse_publish(&text)).into_iter().flatten().take(50) {
        assert!(port.container_port > 0 && port.host_port != Some(0), "{port}");
        assert_eq!(port.to_string().parse(), Ok(port));
    }
}

/// Mounts in all three spellings: targets are absolute and clean, so that none covers the root or climbs out of it.
pub fn mounts(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    drop(round_trip::<Mount>(&text));
    let spellings = [Mount::from_volume_flag(&text), Mount::from_mount_flag(&text), Mount::from_tmpfs_flag(&text)];
    for mount in spellings.into_iter().filter_map(complained) {
        let target = mount.target.to_str().unwrap();
        let clean =
            target.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
        assert!(clean && !target.contains('\0'), "{target:?}");
        if let MountKind::Bind { source } = &mount.kind {
            assert!(source.is_absolute(), "{source:?}");
        }
        assert_eq!(mount.to_string().parse(), Ok(mount));
    }
}

/// Platforms: reading its own name changes none, and every one matches itself.
pub fn platform(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Some(platform) = round_trip::<Platform>(&text) else { return };
    assert!(platform.matches(&platform) || platform.preference(&platform).is_none());
    assert_eq!(platform.preference(&platform).unwrap_or(0), 0, "{platform} prefers another to itself");
}
