//! What does a container learn about names and addresses? `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`.
//!
//! Deliberately elsewhere: where they are mounted (`spec`).

use std::{fs, io, path::Path};

use crate::engine::domain::NetworkMode;

const LOCAL_NAMES: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
                           fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n\
                           ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
/// Where systemd-resolved lists the servers behind its local stub.
const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// Writes the three files into `dir`.
pub(super) fn write(dir: &Path, hostname: &str, network: NetworkMode) -> io::Result<()> {
    let hosts = match network {
        NetworkMode::Host => fs::read_to_string("/etc/hosts").unwrap_or_else(|_| LOCAL_NAMES.to_owned()), // None: ours.
        NetworkMode::None | NetworkMode::Default => LOCAL_NAMES.to_owned(),
    };
    let resolv = fs::read_to_string("/etc/resolv.conf").unwrap_or_default(); // None: no name servers.
    let behind_stub = || fs::read_to_string(RESOLVED).unwrap_or_else(|_| resolv.clone()); // Not systemd's stub: as it is.
    let resolv = if resolv.contains("nameserver 127.0.0.53") { behind_stub() } else { resolv };
    fs::write(dir.join("hosts"), hosts)?;
    fs::write(dir.join("hostname"), format!("{hostname}\n"))?;
    fs::write(dir.join("resolv.conf"), resolv)
}

/// The per-processor directories that Docker masks, as far as this machine has them.
pub(super) fn thermal_throttles() -> Vec<String> {
    let Ok(cpus) = fs::read_dir("/sys/devices/system/cpu") else { return Vec::new() }; // No sysfs: nothing to hide.
    cpus.filter_map(|entry| {
        let entry = entry.ok()?; // Gone while listing.
        let path = entry.path().join("thermal_throttle");
        let is_cpu = entry.file_name().to_str()?.strip_prefix("cpu")?.bytes().all(|byte| byte.is_ascii_digit());
        (is_cpu && path.is_dir()).then(|| path.to_string_lossy().into_owned())
    })
    .collect()
}
