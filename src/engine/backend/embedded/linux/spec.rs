//! What is a container, in the words of the OCI runtime specification? From a plan to `config.json`.
//!
//! The defaults are Docker's: 14 capabilities, its mounts, masked and read-only paths.
//! Deliberately elsewhere: carrying it out (`monitor`), limits and device rules (`cgroup`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{ids::Ids, user::User};
use crate::engine::{
    backend::embedded::launch::{LaunchPlan, ResolvedMount},
    domain::{MountKind, NetworkMode},
};

/// What the monitor found out before it wrote the spec.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) user: &'a User,
    pub(super) rootfs: &'a Path,
    /// Where `hosts`, `hostname` and `resolv.conf` are.
    pub(super) etc: &'a Path,
    /// The control group to name to the runtime.
    pub(super) cgroup: &'a Path,
    /// Where the container's own control groups are laid out, if there are several.
    pub(super) cgroup_view: Option<&'a Path>,
    /// The network namespace to join; `None` is the host's.
    pub(super) network: Option<PathBuf>,
    pub(super) ids: Ids,
    /// `/sys/devices/system/cpu/cpuN/thermal_throttle` of this machine.
    pub(super) thermal: Vec<String>,
}

/// Docker's default capabilities.
pub(super) const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];
const MASKED_POWER: &str = "/sys/devices/virtual/powercap";
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The whole `config.json`.
pub(super) fn build(plan: &LaunchPlan, found: &Surroundings<'_>) -> Value {
    let mut namespaces = vec![
        json!({"type": "pid"}),
        json!({"type": "ipc"}),
        json!({"type": "uts"}),
        json!({"type": "mount"}),
        json!({"type": "cgroup"}),
    ];
    if let Some(network) = &found.network {
        namespaces.push(json!({"type": "network", "path": network}));
    }
    let masked: Vec<&str> =
        MASKED.into_iter().chain([MASKED_POWER]).chain(found.thermal.iter().map(String::as_str)).collect();
    json!({
        "ociVersion": "1.2.0",
        "process": {
            "terminal": plan.process.tty,
            "user": {"uid": found.user.uid, "gid": found.user.gid, "additionalGids": found.user.groups},
            "args": plan.process.args,
            "env": environment(plan, found.user),
            "cwd": plan.process.workdir,
            "capabilities": {"bounding": CAPABILITIES, "effective": CAPABILITIES, "permitted": CAPABILITIES},
            "noNewPrivileges": false,
        },
        "root": {"path": found.rootfs, "readonly": plan.read_only},
        "hostname": plan.hostname,
        "mounts": mounts(plan, found),
        "linux": {
            "cgroupsPath": found.cgroup,
            "namespaces": namespaces,
            "maskedPaths": masked,
            "readonlyPaths": READ_ONLY,
        },
    })
}

/// What a further process needs of a `spec`: its namespaces and what the first one was. The rest is done by then, and its
/// paths lead nowhere outside the monitor's mount namespace.
pub(super) fn for_joining(mut spec: Value) -> Value {
    let mut take = |pointer: &str| spec.pointer_mut(pointer).map(Value::take).unwrap_or_default();
    json!({
        "ociVersion": take("/ociVersion"),
        "process": take("/process"),
        // The runtime wants one that is there, and does not go there.
        "root": {"path": "/"},
        "linux": {"namespaces": take("/linux/namespaces")},
    })
}

/// The image's and the user's variables, and the few every container has.
fn environment(plan: &LaunchPlan, user: &User) -> Vec<String> {
    let mut env = plan.process.env.clone();
    let mut add = |key: &str, entry: String| {
        if !env.iter().any(|known| known.split('=').next() == Some(key)) {
            env.push(entry);
        }
    };
    add("PATH", DEFAULT_PATH.to_owned());
    add("HOSTNAME", format!("HOSTNAME={}", plan.hostname));
    if plan.process.tty {
        add("TERM", "TERM=xterm".to_owned());
    }
    add("HOME", format!("HOME={}", user.home));
    env
}

fn mounts(plan: &LaunchPlan, found: &Surroundings<'_>) -> Vec<Value> {
    // Without id ranges there is no group tty.
    let pts: &[&str] = match found.ids {
        Ids::All | Ids::Ranges => &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        Ids::Single => &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    };
    let fixed = |target: &str, kind: &str, source: &str, options: &[&str]| json!({"destination": target, "type": kind, "source": source, "options": options});
    let bind = |name: &str| {
        let target = format!("/etc/{name}");
        json!({"destination": target, "type": "bind", "source": found.etc.join(name), "options": ["rbind", "rprivate"]})
    };
    // A new sysfs belongs to a network namespace; without one of our own, only real root may mount it.
    let sys = if found.ids != Ids::All && plan.network == NetworkMode::Host {
        fixed("/sys", "bind", "/sys", &["rbind", "nosuid", "noexec", "nodev", "ro"])
    } else {
        fixed("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"])
    };
    let cgroups = match found.cgroup_view {
        Some(view) => json!({
            "destination": "/sys/fs/cgroup",
            "type": "bind",
            "source": view,
            "options": ["rbind", "rprivate", "ro", "nosuid", "noexec", "nodev", "rro", "rnosuid", "rnoexec", "rnodev"],
        }),
        None => fixed("/sys/fs/cgroup", "cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
    };
    let mut mounts = vec![
        fixed("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        fixed("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        fixed("/dev/pts", "devpts", "devpts", pts),
        sys,
        cgroups,
        fixed("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        fixed("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
        bind("resolv.conf"),
        bind("hostname"),
        bind("hosts"),
    ];
    let mut asked: Vec<&ResolvedMount> = plan.mounts.iter().collect();
    asked.sort_by_key(|mount| mount.mount.target.components().count());
    mounts.retain(|known| !asked.iter().any(|mount| known.get("destination") == Some(&json!(mount.mount.target))));
    mounts.extend(asked.into_iter().map(asked_mount));
    mounts
}

fn asked_mount(asked: &ResolvedMount) -> Value {
    let mode = if asked.mount.read_only.is_yes() { "ro" } else { "rw" };
    match &asked.mount.kind {
        MountKind::Bind { .. } | MountKind::Volume { .. } => json!({
            "destination": asked.mount.target,
            "type": "bind",
            "source": asked.source,
            "options": ["rbind", "rprivate", mode],
        }),
        MountKind::Tmpfs { size, mode: permissions } => {
            let mut options = vec!["nosuid".to_owned(), "nodev".to_owned(), "noexec".to_owned(), mode.to_owned()];
            options.extend(size.map(|size| format!("size={}", size.bytes())));
            options.push(format!("mode={:o}", permissions.unwrap_or(0o1777)));
            json!({"destination": asked.mount.target, "type": "tmpfs", "source": "tmpfs", "options": options})
        }
    }
}
