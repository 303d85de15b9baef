//! Where are a container's control groups, and how are they frozen, killed, asked and removed?
//!
//! Both versions, through plain files. Deliberately elsewhere: making them and setting limits (`make`),
//! and how a container's first process gets into them (`birth`).

mod birth;
mod make;

use std::{
    fs, io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{process, signals};
use crate::engine::domain::Signal;

pub(super) use birth::{Birthplace, Born, born, put_decoy};
pub(super) use make::Limits;

/// Where the control groups of this machine are mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mounts {
    /// Version 1 hierarchies: controller names and mount point.
    v1: Vec<(Vec<String>, PathBuf)>,
    v2: Option<PathBuf>,
}

impl Mounts {
    /// As `/proc/self/mountinfo` says now.
    pub(super) fn read() -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    pub(super) fn parse(mountinfo: &str) -> Self {
        let mut mounts = Self::default();
        for line in mountinfo.lines() {
            let Some((left, right)) = line.split_once(" - ") else { continue };
            let Some(point) = left.split(' ').nth(4).map(PathBuf::from) else { continue };
            let mut right = right.split(' ');
            match right.next() {
                Some("cgroup") => {
                    let options = right.nth(1).unwrap_or_default();
                    mounts.v1.push((options.split(',').map(str::to_owned).collect(), point));
                }
                Some("cgroup2") => {
                    // Mounted over the place of the others, it hides them.
                    mounts.v1.retain(|(_, hidden)| !hidden.starts_with(&point));
                    mounts.v2 = Some(point);
                }
                Some(_) | None => {}
            }
        }
        mounts
    }

    /// Version 2 alone, version 1 (perhaps with an empty version 2 beside it), or nothing.
    pub(super) fn version(&self) -> Version {
        match (self.v1.is_empty(), &self.v2) {
            (true, Some(_)) => Version::V2,
            (true, None) => Version::Absent,
            (false, _) => Version::V1,
        }
    }

    fn v1_controller(&self, controller: &str) -> Option<&Path> {
        self.v1.iter().find(|(names, _)| names.iter().any(|name| name == controller)).map(|(_, point)| point.as_path())
    }

    /// Whether this process may limit `controller` (v1 and v2 name) for groups below the root.
    pub(super) fn can_limit(&self, controller: &str) -> bool {
        match self.version() {
            Version::V1 => self.v1_controller(controller).is_some_and(is_writable_dir),
            Version::V2 => self.v2.as_ref().is_some_and(|point| {
                let has = fs::read_to_string(point.join("cgroup.controllers"))
                    .is_ok_and(|names| names.split_whitespace().any(|name| name == controller));
                has && is_writable_dir(point)
            }),
            Version::Absent => false,
        }
    }

    /// Whether processes of a group can be frozen.
    pub(super) fn can_freeze(&self) -> bool {
        match self.version() {
            Version::V1 => self.v1_controller("freezer").is_some_and(is_writable_dir),
            Version::V2 => self.v2.as_ref().is_some_and(|point| is_writable_dir(point)),
            Version::Absent => false,
        }
    }
}

/// Which generation of control groups a machine uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
    Absent,
}

/// The control groups of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cgroup {
    version: Version,
    /// Every directory that is ours alone.
    dirs: Vec<PathBuf>,
    /// Those of them that a container's processes are in.
    homes: Vec<Home>,
    freezer: Option<PathBuf>,
    memory: Option<PathBuf>,
}

/// A directory that a container's processes are in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Home {
    /// What limits and counts here; version 2 does not say.
    controllers: Vec<String>,
    /// The mount point of the hierarchy.
    point: PathBuf,
    dir: PathBuf,
}

impl Home {
    fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }
}

/// The version 1 controllers that limit, count, freeze or guard a container. Joining the others would cost
/// time at each start and change nothing.
const USED: [&str; 8] = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"];

impl Cgroup {
    /// The directories that the group `path` (absolute within each hierarchy) has on this machine,
    /// whether they exist or not.
    pub(super) fn locate(mounts: &Mounts, path: &str) -> Self {
        let below = |point: &Path| point.join(path.trim_start_matches('/'));
        match mounts.version() {
            Version::V1 => Self {
                version: Version::V1,
                dirs: mounts.v1.iter().map(|(_, point)| below(point)).chain(mounts.v2.as_deref().map(below)).collect(),
                homes: mounts
                    .v1
                    .iter()
                    .filter(|(names, _)| names.iter().any(|name| USED.contains(&name.as_str())))
                    .map(|(names, point)| Home { controllers: names.clone(), point: point.clone(), dir: below(point) })
                    .collect(),
                freezer: mounts.v1_controller("freezer").map(below),
                memory: mounts.v1_controller("memory").map(below),
            },
            Version::V2 | Version::Absent => {
                let dir = mounts.v2.as_deref().map(below);
                let home = |point: &PathBuf| Home { controllers: Vec::new(), point: point.clone(), dir: below(point) };
                Self {
                    version: Version::V2,
                    dirs: dir.iter().cloned().collect(),
                    homes: mounts.v2.iter().map(home).collect(),
                    freezer: dir.clone(),
                    memory: dir,
                }
            }
        }
    }

    /// Whether freezing can work: the container's processes are in a group of their own.
    pub(super) fn can_freeze(&self) -> bool {
        self.freezer.as_ref().is_some_and(|dir| dir.join(self.freeze_file()).exists())
    }

    /// Freezes or thaws. Freezing waits a little until every process has stopped.
    pub(super) fn set_frozen(&self, frozen: Frozen) -> io::Result<()> {
        let dir = self.freezer.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let (value, reached) = match (self.version, frozen) {
            (Version::V1, Frozen::Yes) => ("FROZEN", "FROZEN"),
            (Version::V1, Frozen::No) => ("THAWED", "THAWED"),
            (Version::V2 | Version::Absent, Frozen::Yes) => ("1", "frozen 1"),
            (Version::V2 | Version::Absent, Frozen::No) => ("0", "frozen 0"),
        };
        let state_file = match self.version {
            Version::V1 => "freezer.state",
            Version::V2 | Version::Absent => "cgroup.events",
        };
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            fs::write(dir.join(self.freeze_file()), value)?;
            if fs::read_to_string(dir.join(state_file))?.lines().any(|line| line == reached) {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "some processes do not stop"));
            }
            // Version 1 tells nobody when it has frozen, and may want to be told again.
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether the group is frozen now.
    pub(super) fn is_frozen(&self) -> bool {
        let Some(dir) = &self.freezer else { return false };
        match self.version {
            Version::V1 => fs::read_to_string(dir.join("freezer.state")).is_ok_and(|state| state.trim() != "THAWED"),
            Version::V2 | Version::Absent => {
                fs::read_to_string(dir.join("cgroup.freeze")).is_ok_and(|state| state.trim() == "1")
            }
        }
    }

    /// How often the kernel killed a process here because memory ran out.
    pub(super) fn oom_kills(&self) -> u64 {
        let file = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 | Version::Absent => "memory.events",
        };
        let Some(text) = self.memory.as_ref().and_then(|dir| fs::read_to_string(dir.join(file)).ok()) else {
            return 0; // No memory controller: nothing of it killed anybody.
        };
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok()).unwrap_or(0)
    }

    /// The host's numbers of every process in the group.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for dir in &self.dirs {
            let Ok(text) = fs::read_to_string(dir.join("cgroup.procs")) else { continue }; // Not in this hierarchy.
            found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether anybody is in the group, also where their numbers cannot be seen: in another PID namespace.
    pub(super) fn is_populated(&self) -> bool {
        let says = |dir: &PathBuf, file: &str, wanted: fn(&str) -> bool| {
            // Not in this hierarchy.
            fs::read_to_string(dir.join(file)).is_ok_and(|text| text.lines().any(wanted))
        };
        let populated = |dir: &PathBuf| match self.version {
            Version::V1 => says(dir, "pids.current", |count| count != "0"),
            Version::V2 | Version::Absent => says(dir, "cgroup.events", |line| line == "populated 1"),
        };
        self.dirs.iter().any(populated) || !self.processes().is_empty()
    }

    /// Kills every process in the group. Each is looked up again first, so that a number which was given to
    /// somebody else meanwhile is left alone.
    pub(super) fn kill(&self) {
        for pid in self.processes() {
            // Who cannot be looked at now keeps the group, and its removal says so.
            if let Ok(Some(process)) = process::identify(pid).and_then(|identity| process::open(&identity)) {
                // It may have ended meanwhile.
                let _ = signals::send(process.as_fd(), Signal::KILL);
            }
        }
    }

    /// Removes the directories, waiting up to `within` for processes that are still ending. What is not
    /// there is done already; one that resists keeps none of the others.
    pub(super) fn remove(&self, within: Duration) -> io::Result<()> {
        let until = Instant::now() + within;
        let mut result = Ok(());
        for dir in &self.dirs {
            if let Err(error) = remove_waiting(dir, until) {
                result = Err(error);
            }
        }
        result
    }

    fn freeze_file(&self) -> &'static str {
        match self.version {
            Version::V1 => "freezer.state",
            Version::V2 | Version::Absent => "cgroup.freeze",
        }
    }
}

/// Whether a group's processes stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frozen {
    Yes,
    No,
}

fn remove_waiting(dir: &Path, until: Instant) -> io::Result<()> {
    loop {
        match remove_tree(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                // Version 1 tells nobody when the last process has left a group.
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
}

/// A control group directory goes with `rmdir`, children first; its files are not ours to delete.
fn remove_tree(dir: &Path) -> io::Result<()> {
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
        result => return result,
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}

fn is_writable_dir(dir: &Path) -> bool {
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
33 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 24 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 24 0:31 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
42 24 0:36 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    #[test]
    fn version_one_wins_when_both_are_mounted() {
        let mounts = Mounts::parse(HYBRID);
        assert_eq!(mounts.version(), Version::V1);
        let cgroup = Cgroup::locate(&mounts, "/wharf/x");
        assert_eq!(cgroup.freezer.as_deref(), Some(Path::new("/sys/fs/cgroup/freezer/wharf/x")));
        assert_eq!(cgroup.dirs.len(), 4);
        assert_eq!(cgroup.homes.len(), 3, "nobody joins the empty hierarchy beside them");
    }

    #[test]
    fn version_two_alone_has_one_directory() {
        let mounts = Mounts::parse("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
        assert_eq!(mounts.version(), Version::V2);
        assert_eq!(Cgroup::locate(&mounts, "/wharf/x").dirs, [Path::new("/sys/fs/cgroup/wharf/x")]);
        assert_eq!(Mounts::parse("").version(), Version::Absent);
        let over = format!("{HYBRID}50 24 0:36 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        assert_eq!(Mounts::parse(&over).version(), Version::V2);
    }
}
