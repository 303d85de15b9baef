//! What can this machine do for containers, and what exactly would change that?
//!
//! Deliberately elsewhere: printing it (`cli`).

use std::fs;

use rustix::process::geteuid;

use super::{
    cgroup::{Mounts, Version},
    namespaces::{find_program, id_ranges},
    null_device::open_null,
};
use crate::engine::{
    backend::embedded::kernel::HostFacts,
    domain::{Feature, Support, SupportItem},
};

/// Everything at once; a dozen small reads.
pub(super) fn facts() -> HostFacts {
    let rootless = !geteuid().is_root();
    let cgroups = Mounts::read().unwrap_or_default(); // No /proc: nothing is available, and said so below.
    let mut items = Vec::new();
    items.extend(overlay());
    items.extend(null_device());
    items.extend(rootless.then(user_namespaces).flatten());
    items.extend(rootless.then(ranges).flatten());
    items.extend(limits(&cgroups, rootless));
    items.extend(outlives_logout(rootless));
    for feature in [Feature::Seccomp, Feature::AppArmor, Feature::BridgeNetwork] {
        items.push(missing(feature, "not in this version yet".to_owned(), None));
    }
    if cgroups.version() == Version::V2 || rootless {
        let reason = "device rules need control groups version 1 and root in this version";
        items.push(missing(Feature::DeviceRules, reason.to_owned(), None));
    }
    HostFacts {
        support: Support { items },
        rootless,
        memory_bytes: memory_bytes(),
        cpus: std::thread::available_parallelism().ok().map(std::num::NonZero::get), // Unknown: not shown.
        facts: facts_in_words(&cgroups, rootless),
    }
}

fn overlay() -> Option<SupportItem> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default(); // No /proc: unknown is missing.
    let available = known.lines().any(|line| line.split_whitespace().last() == Some("overlay"));
    (!available).then(|| {
        let reason = "this kernel has no overlay file system loaded".to_owned();
        missing(Feature::Overlay, reason, Some("modprobe overlay".to_owned()))
    })
}

/// Everything that runs is connected to it in some way.
fn null_device() -> Option<SupportItem> {
    let error = open_null().err()?; // It can be opened: nothing is missing.
    Some(missing(Feature::NullDevice, error.reason().to_owned(), error.remedy_text().map(str::to_owned)))
}

fn user_namespaces() -> Option<SupportItem> {
    let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned()); // Not on this kernel.
    let most = read("/proc/sys/user/max_user_namespaces");
    let clone = read("/proc/sys/kernel/unprivileged_userns_clone");
    let apparmor = read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    let (reason, fix) = if most.as_deref() == Some("0") {
        ("user namespaces are switched off", "sudo sysctl -w user.max_user_namespaces=15000")
    } else if clone.as_deref() == Some("0") {
        ("user namespaces are for root only here", "sudo sysctl -w kernel.unprivileged_userns_clone=1")
    } else if apparmor.as_deref() == Some("1") {
        (
            "AppArmor restricts user namespaces of programs without a profile",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )
    } else {
        return None;
    };
    Some(missing(Feature::UserNamespace, reason.to_owned(), Some(fix.to_owned())))
}

fn ranges() -> Option<SupportItem> {
    if id_ranges().is_some() {
        return None;
    }
    let user = std::env::var("USER").unwrap_or_else(|_| "$USER".to_owned()); // Unset: the shell fills it in.
    let (reason, fix) = if find_program("newuidmap").is_none() || find_program("newgidmap").is_none() {
        ("newuidmap and newgidmap are not installed", "sudo apt-get install uidmap".to_owned())
    } else {
        (
            "you have no ranges in /etc/subuid and /etc/subgid",
            format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"),
        )
    };
    Some(missing(Feature::IdRanges, format!("{reason}: containers have root as their only user"), Some(fix)))
}

fn limits(cgroups: &Mounts, rootless: bool) -> Vec<SupportItem> {
    let wanted = [
        (Feature::MemoryLimit, "memory", !rootless && cgroups.can_limit("memory")),
        (Feature::CpuLimit, "cpu", !rootless && cgroups.can_limit("cpu")),
        (Feature::PidsLimit, "pids", !rootless && cgroups.can_limit("pids")),
        (Feature::Pause, "freezer", cgroups.can_freeze()),
    ];
    let without = wanted.into_iter().filter(|(.., available)| !available);
    without
        .map(|(feature, controller, _)| {
            let reason = if rootless {
                format!("without root there is no {controller} control group of our own")
            } else {
                format!("there is no writable {controller} control group here")
            };
            let fix = if rootless {
                "run the container as root: sudo wharf"
            } else {
                "mount control groups on /sys/fs/cgroup"
            };
            missing(feature, reason, Some(fix.to_owned()))
        })
        .collect()
}

fn outlives_logout(rootless: bool) -> Option<SupportItem> {
    let systemd = std::path::Path::new("/run/systemd/system").is_dir();
    if !rootless || !systemd {
        return None;
    }
    let user = std::env::var("USER").unwrap_or_default(); // Unset: then no file is found either.
    let lingers = std::path::Path::new("/var/lib/systemd/linger").join(&user).exists();
    (!lingers).then(|| {
        let reason = "containers of a user may end with the last login".to_owned();
        missing(Feature::OutlivesLogout, reason, Some("loginctl enable-linger".to_owned()))
    })
}

fn facts_in_words(cgroups: &Mounts, rootless: bool) -> Vec<(String, String)> {
    let uname = rustix::system::uname();
    let groups = match cgroups.version() {
        Version::V1 => "version 1",
        Version::V2 => "version 2",
        Version::Absent => "none",
    };
    let mode = match (rootless, id_ranges().is_some()) {
        (false, _) => "root",
        (true, true) => "rootless with id ranges",
        (true, false) => "rootless, one id",
    };
    [
        ("kernel", uname.release().to_string_lossy().into_owned()),
        ("architecture", uname.machine().to_string_lossy().into_owned()),
        ("mode", mode.to_owned()),
        ("control groups", groups.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?; // No /proc: not shown.
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024) // Odd: not shown.
}

fn missing(feature: Feature, reason: String, fix: Option<String>) -> SupportItem {
    SupportItem { feature, available: false, reason: Some(reason), fix }
}
