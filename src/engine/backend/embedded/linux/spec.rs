//! What is a container, in the words of the OCI runtime specification? From a plan to `config.json`.
//!
//! The defaults are Docker's: 14 capabilities, its mounts, masked and read-only paths, device rules.
//! Deliberately elsewhere: carrying it out (`monitor`), limits that cannot be set (`warnings` there).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{ids::Ids, user::User};
use crate::engine::{
    backend::embedded::launch::{LaunchPlan, ResolvedMount},
    domain::{Cpus, MountKind, NetworkMode, Size},
};

/// What the monitor found out before it wrote the spec.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) user: &'a User,
    pub(super) rootfs: &'a Path,
    /// Where `hosts`, `hostname` and `resolv.conf` are.
    pub(super) etc: &'a Path,
    pub(super) cgroup: &'a str,
    /// The network namespace to join; `None` is the host's.
    pub(super) network: Option<PathBuf>,
    pub(super) ids: Ids,
    pub(super) limits: Limits,
    /// `/sys/devices/system/cpu/cpuN/thermal_throttle` of this machine.
    pub(super) thermal: Vec<String>,
}

/// The limits that this machine lets us set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) memory: Option<Size>,
    pub(super) cpus: Option<Cpus>,
    pub(super) pids: Option<u32>,
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
/// The scheduler period that a cpu limit is a share of, in microseconds.
const CPU_PERIOD_US: u64 = 100_000;

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
            "resources": resources(found),
            "maskedPaths": masked,
            "readonlyPaths": READ_ONLY,
        },
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
    let mut mounts = vec![
        fixed("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        fixed("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        fixed("/dev/pts", "devpts", "devpts", pts),
        sys,
        fixed("/sys/fs/cgroup", "cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
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

fn resources(found: &Surroundings<'_>) -> Value {
    let mut resources = json!({});
    let Some(map) = resources.as_object_mut() else { return resources };
    if found.ids == Ids::All {
        map.insert("devices".to_owned(), devices());
    }
    if let Some(memory) = found.limits.memory {
        // As much swap again as memory, which is what Docker does when only memory is named.
        let limit = i64::try_from(memory.bytes()).unwrap_or(i64::MAX);
        map.insert("memory".to_owned(), json!({"limit": limit, "swap": limit.saturating_mul(2)}));
    }
    if let Some(cpus) = found.limits.cpus {
        map.insert("cpu".to_owned(), json!({"quota": cpus.quota_us(CPU_PERIOD_US), "period": CPU_PERIOD_US}));
    }
    if let Some(pids) = found.limits.pids {
        map.insert("pids".to_owned(), json!({"limit": pids}));
    }
    resources
}

/// Nothing, then null, zero, full, random, urandom, tty, console, ptmx and pseudo-terminals; and
/// making (not opening) any node.
fn devices() -> Value {
    let allow = |kind: &str, major: Option<i64>, minor: Option<i64>, access: &str| {
        let mut rule = json!({"allow": true, "type": kind, "access": access});
        if let (Some(map), Some(major)) = (rule.as_object_mut(), major) {
            map.insert("major".to_owned(), major.into());
        }
        if let (Some(map), Some(minor)) = (rule.as_object_mut(), minor) {
            map.insert("minor".to_owned(), minor.into());
        }
        rule
    };
    let mut rules = vec![json!({"allow": false, "access": "rwm"})];
    rules.extend(["c", "b"].map(|kind| allow(kind, None, None, "m")));
    let known = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)];
    rules.extend(known.map(|(major, minor)| allow("c", Some(major), Some(minor), "rwm")));
    rules.push(allow("c", Some(136), None, "rwm"));
    Value::Array(rules)
}
