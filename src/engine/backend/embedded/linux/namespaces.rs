//! How does a role of ours leave the host's namespaces: user ids, mounts, control groups, network?
//!
//! Deliberately elsewhere: the namespaces of the container itself, which libcontainer makes (`spec`).

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use rustix::{
    io::Errno,
    mount::{MountFlags, MountPropagationFlags, mount, mount_change},
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socket_with},
    process::{getegid, geteuid},
    thread::{UnshareFlags, unshare_unsafe},
};

use super::{ids::Ids, null_device::open_null};
use crate::engine::domain::{Error, ErrorKind, Result};

/// One line of a user namespace's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdRange {
    pub(super) inside: u32,
    pub(super) outside: u32,
    pub(super) count: u32,
}

/// Enters a new mount namespace in which nothing we mount is seen outside, while unmounts of the host
/// still come in (so that we never keep a device busy).
pub(super) fn leave_mounts() -> io::Result<()> {
    unshare(UnshareFlags::NEWNS)?;
    Ok(mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?)
}

/// Enters a new network namespace with loopback up: what `--network none` is.
pub(super) fn leave_network() -> io::Result<()> {
    unshare(UnshareFlags::NEWNET)?;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    send(&socket, &loopback_up(), SendFlags::empty())?;
    let mut answer = [0; 128];
    let (count, _) = rustix::net::recv(&socket, &mut answer, rustix::net::RecvFlags::empty())?;
    // nlmsgerr: header (16), then the negative error number.
    let code =
        answer.get(16..20).filter(|_| count >= 20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match code {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "rtnetlink answered nonsense")),
    }
}

/// RTM_NEWLINK for interface 1 with IFF_UP; rtnetlink(7).
fn loopback_up() -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend_from_slice(&32_u32.to_ne_bytes()); // length
    message.extend_from_slice(&16_u16.to_ne_bytes()); // RTM_NEWLINK
    message.extend_from_slice(&5_u16.to_ne_bytes()); // NLM_F_REQUEST | NLM_F_ACK
    message.extend_from_slice(&[0; 8]); // sequence, port
    message.extend_from_slice(&[0; 4]); // family, padding, type
    message.extend_from_slice(&1_i32.to_ne_bytes()); // index
    message.extend_from_slice(&1_u32.to_ne_bytes()); // flags: IFF_UP
    message.extend_from_slice(&1_u32.to_ne_bytes()); // change mask
    message
}

/// Enters a new user namespace and becomes its root. `map` maps ids from outside; without ranges the caller's own ids become 0.
pub(super) fn enter_user_namespace(ids: Ids, map: impl FnOnce() -> Result<()>) -> Result<()> {
    let failed = |error: io::Error| {
        let denied =
            matches!(Errno::from_io_error(&error), Some(Errno::PERM | Errno::ACCESS | Errno::NOSPC | Errno::USERS));
        let error = Error::io("entering a user namespace", error);
        if denied { error.remedy("wharf system info says how to allow user namespaces here") } else { error }
    };
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER).map_err(failed)?;
    match ids {
        Ids::Ranges => map()?,
        Ids::Single | Ids::All => {
            fs::write("/proc/self/setgroups", "deny").map_err(failed)?;
            fs::write("/proc/self/uid_map", format!("0 {uid} 1")).map_err(failed)?;
            fs::write("/proc/self/gid_map", format!("0 {gid} 1")).map_err(failed)?;
        }
    }
    Ok(())
}

/// Puts the control groups that this user namespace may see where the runtime looks for them: on
/// a version 1 host there would be none it may write.
pub(super) fn own_cgroups() -> io::Result<()> {
    unshare(UnshareFlags::NEWCGROUP)?;
    Ok(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MountFlags::empty(), None)?)
}

/// The ids that `user` may use besides its own, from `/etc/subuid` and `/etc/subgid`, if the helpers
/// that map them are installed.
pub(super) fn id_ranges() -> Option<(Vec<IdRange>, Vec<IdRange>)> {
    let helpers = ["newuidmap", "newgidmap"].iter().all(|name| find_program(name).is_some());
    let uid = geteuid().as_raw();
    let name = user_name(uid);
    let read = |path: &str| -> Vec<(u32, u32)> {
        let text = fs::read_to_string(path).unwrap_or_default(); // No file: no ranges.
        parse_ranges(&text, name.as_deref(), uid)
    };
    let uids = read("/etc/subuid");
    let gids = read("/etc/subgid");
    (helpers && !uids.is_empty() && !gids.is_empty()).then(|| (lay_out(uid, &uids), lay_out(getegid().as_raw(), &gids)))
}

/// Which ids a container of whoever runs this program has. Ask before entering a user namespace.
pub(super) fn own_ids() -> Ids {
    if geteuid().is_root() {
        Ids::All
    } else if id_ranges().is_some() {
        Ids::Ranges
    } else {
        Ids::Single
    }
}

/// Runs the setuid helpers for process `pid`, which waits in its new user namespace.
pub(super) fn map_ranges(pid: u32, ranges: &(Vec<IdRange>, Vec<IdRange>)) -> Result<()> {
    for (helper, ranges) in [("newuidmap", &ranges.0), ("newgidmap", &ranges.1)] {
        let program = find_program(helper).unwrap_or_else(|| helper.into());
        let mut command = Command::new(&program);
        command.arg(pid.to_string()).stdin(open_null()?).stdout(open_null()?).stderr(Stdio::piped());
        for range in ranges {
            command.args([range.inside, range.outside, range.count].map(|number| number.to_string()));
        }
        let output = command.output().map_err(|error| not_run(&program, error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::new(ErrorKind::Denied, format!("{helper} refused: {said}"))
                .remedy("check that /etc/subuid and /etc/subgid give you ranges that nobody else has"));
        }
    }
    Ok(())
}

fn not_run(program: &Path, error: io::Error) -> Error {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    let error = Error::io(format_args!("running {}", program.display()), error);
    if denied { error.remedy(format!("sudo chmod u+s,a+x {}", program.display())) } else { error }
}

/// Our own id becomes root, the ranges follow one another from 1 on.
fn lay_out(own: u32, ranges: &[(u32, u32)]) -> Vec<IdRange> {
    let mut inside = 1;
    let mut laid = vec![IdRange { inside: 0, outside: own, count: 1 }];
    for (outside, count) in ranges {
        laid.push(IdRange { inside, outside: *outside, count: *count });
        inside = inside.saturating_add(*count);
    }
    laid
}

pub(super) fn parse_ranges(text: &str, name: Option<&str>, uid: u32) -> Vec<(u32, u32)> {
    let owned = |owner: &str| Some(owner) == name || owner.parse() == Ok(uid);
    text.lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let first = fields.next()?.parse().ok()?; // A damaged line gives nothing.
            let count = fields.next()?.parse().ok()?; // Likewise.
            (owned(owner) && count > 0).then_some((first, count))
        })
        .collect()
}

fn user_name(uid: u32) -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?; // None: numbers still work.
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Where a program is on our own PATH.
pub(super) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|candidate| candidate.is_file())
}

pub(super) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: unsafe only for CLONE_FILES, which is never among `flags`: every caller names namespaces.
    Ok(unsafe { unshare_unsafe(flags) }?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_belong_to_a_name_or_a_number() {
        let text = "ann:100000:65536\nbob:200000:10\n1000:300000:5\n\nbroken\nann:x:1\n";
        assert_eq!(parse_ranges(text, Some("ann"), 1000), [(100_000, 65_536), (300_000, 5)]);
        assert_eq!(parse_ranges(text, None, 7), []);
    }

    #[test]
    fn our_own_id_is_root_and_the_ranges_follow() {
        let laid = lay_out(1000, &[(100_000, 10), (300_000, 5)]);
        let inside: Vec<_> = laid.iter().map(|range| (range.inside, range.outside, range.count)).collect();
        assert_eq!(inside, [(0, 1000, 1), (1, 100_000, 10), (11, 300_000, 5)]);
    }
}
