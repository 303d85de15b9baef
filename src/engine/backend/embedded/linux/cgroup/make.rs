//! How are a container's control groups made, limited and shown? Before its first process is in them.
//!
//! Done here and not by the runtime from the spec, because every join the runtime does costs the wait that
//! `birth` avoids. Deliberately elsewhere: where the groups are and what can be asked of them (the parent).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::mount::mount_bind;

use super::{Cgroup, Home, USED, Version};
use crate::engine::{
    backend::embedded::linux::rootfs::make_dir,
    domain::{Cpus, Size},
};

/// The scheduler period that a cpu limit is a share of, in microseconds.
const CPU_PERIOD_US: u64 = 100_000;

/// The version 2 controllers that a container's limits and numbers need.
const ENABLED: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];

/// What a container may open: making (not opening) any node; null, zero, full, random, urandom, tty, console,
/// ptmx and pseudo-terminals. Docker's list, as the version 1 controller takes it.
const DEVICES: [&str; 11] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

/// The limits that this machine lets us set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Limits {
    pub(in super::super) memory: Option<Size>,
    pub(in super::super) cpus: Option<Cpus>,
    pub(in super::super) pids: Option<u32>,
}

impl Cgroup {
    /// Makes the directories and, on version 1, forbids devices. What is there already is taken over.
    pub(in super::super) fn make(&self) -> io::Result<()> {
        for home in &self.homes {
            match self.version {
                Version::V1 => {
                    make_dir(&home.dir, 0o755)?;
                    if home.has("cpuset") {
                        // Without its own sets a group takes nobody in.
                        for file in ["cpuset.cpus", "cpuset.mems"] {
                            fs::write(home.dir.join(file), fs::read(home.point.join(file))?)?;
                        }
                    }
                    if home.has("devices") {
                        forbid_devices(home)?;
                    }
                }
                Version::V2 | Version::Absent => {
                    enable_controllers(&home.point);
                    make_dir(&home.dir, 0o755)?;
                }
            }
        }
        Ok(())
    }

    /// Sets the limits, once what starts the container is out of the group and before the container runs.
    pub(in super::super) fn limit(&self, limits: &Limits) -> io::Result<()> {
        if let Some(memory) = limits.memory {
            let bytes = memory.bytes().min(i64::MAX as u64 / 2);
            // As much swap again as memory, which is what Docker does when only memory is named. A kernel
            // may count no swap, and has no file for it then.
            match self.version {
                Version::V1 => {
                    self.set("memory", "memory.limit_in_bytes", &bytes.to_string())?;
                    if_there(self.set("memory", "memory.memsw.limit_in_bytes", &(bytes * 2).to_string()))?;
                }
                Version::V2 | Version::Absent => {
                    self.set("memory", "memory.max", &bytes.to_string())?;
                    if_there(self.set("memory", "memory.swap.max", &bytes.to_string()))?;
                }
            }
        }
        if let Some(cpus) = limits.cpus {
            let quota = cpus.quota_us(CPU_PERIOD_US);
            match self.version {
                Version::V1 => {
                    self.set("cpu", "cpu.cfs_period_us", &CPU_PERIOD_US.to_string())?;
                    self.set("cpu", "cpu.cfs_quota_us", &quota.to_string())?;
                }
                Version::V2 | Version::Absent => self.set("cpu", "cpu.max", &format!("{quota} {CPU_PERIOD_US}"))?,
            }
        }
        if let Some(pids) = limits.pids {
            self.set("pids", "pids.max", &pids.to_string())?;
        }
        Ok(())
    }

    /// On version 1, lays out at `at` what the container will see as `/sys/fs/cgroup`: its own groups and no
    /// others. For a mount namespace of the caller's own; `at` is in memory.
    pub(super) fn lay_out(&self, at: &Path) -> io::Result<()> {
        make_dir(at, 0o755)?;
        for home in &self.homes {
            let Some(name) = home.point.file_name() else { continue }; // Mounted on the root: not a hierarchy of its own.
            let shown = at.join(name);
            make_dir(&shown, 0o755)?;
            mount_bind(&home.dir, &shown)?;
            // Controllers mounted together are found by each one's name, too.
            for controller in USED.iter().filter(|controller| home.has(controller) && *name != ***controller) {
                match std::os::unix::fs::symlink(name, at.join(controller)) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn set(&self, controller: &str, file: &str, value: &str) -> io::Result<()> {
        let found = match self.version {
            Version::V1 => self.homes.iter().find(|home| home.has(controller)),
            Version::V2 | Version::Absent => self.homes.first(),
        };
        write_existing(&found.ok_or(io::ErrorKind::NotFound)?.dir.join(file), value)
    }
}

fn forbid_devices(home: &Home) -> io::Result<()> {
    write_existing(&home.dir.join("devices.deny"), "a")?;
    let mut allow = fs::OpenOptions::new().write(true).open(home.dir.join("devices.allow"))?;
    // The controller takes one rule per write.
    DEVICES.iter().try_for_each(|rule| io::Write::write_all(&mut allow, rule.as_bytes()))
}

/// Lets the groups below `point` use what a container needs. What is enabled already is not touched, as
/// each change moves every process below.
fn enable_controllers(point: &Path) {
    let words = |file: &str| -> Vec<String> {
        // Unreadable: nothing is known, so nothing is done.
        let text = fs::read_to_string(point.join(file)).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    };
    let (there, enabled) = (words("cgroup.controllers"), words("cgroup.subtree_control"));
    for name in there.iter().filter(|name| ENABLED.contains(&name.as_str()) && !enabled.contains(name)) {
        // Refused in a group that has processes of its own: a limit that needs it then fails, and says so.
        let _ = fs::write(point.join("cgroup.subtree_control"), format!("+{name}"));
    }
}

/// Writes a file of the kernel's, which must not be made.
pub(super) fn write_existing(path: &PathBuf, value: &str) -> io::Result<()> {
    io::Write::write_all(&mut fs::OpenOptions::new().write(true).open(path)?, value.as_bytes())
}

fn if_there(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
