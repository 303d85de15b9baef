//! Who does a container's process run as? `user[:group]` looked up in the container's own files.
//!
//! The rules are Docker's: a number needs no entry; groups from `/etc/group` join unless a group was
//! named. Deliberately elsewhere: mapping ids to the host (`namespaces`).

use super::{ids::Ids, rootfs::Rootfs};
use crate::engine::domain::{Error, ErrorKind, Result};

/// The ids and home of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

/// Looks `wanted` up; nothing wanted is user 0.
pub(super) fn resolve(rootfs: &Rootfs, wanted: Option<&str>) -> Result<User> {
    let read =
        |path| rootfs.read(path).map_err(|error| Error::io(format_args!("reading {path} of the container"), error));
    let passwd = read("etc/passwd")?.unwrap_or_default();
    let group = read("etc/group")?.unwrap_or_default();
    lookup(&passwd, &group, wanted.unwrap_or_default())
}

impl User {
    /// Refuses a user that the namespace lacks; leaves out groups that it cannot have.
    pub(super) fn within(self, ids: Ids) -> Result<Self> {
        match ids {
            Ids::All | Ids::Ranges => Ok(self),
            Ids::Single if (self.uid, self.gid) == (0, 0) => Ok(Self { groups: Vec::new(), ..self }),
            Ids::Single => {
                let reason =
                    format!("user {} does not exist here: without id ranges a container has only root", self.uid);
                Err(Error::new(ErrorKind::Unsupported, reason)
                    .remedy("give yourself a range in /etc/subuid and /etc/subgid and install newuidmap"))
            }
        }
    }
}

pub(super) fn lookup(passwd: &str, group: &str, wanted: &str) -> Result<User> {
    let (wanted_user, wanted_group) = match wanted.split_once(':') {
        Some((user, group)) => (user, group),
        None => (wanted, ""),
    };
    let wanted_user = if wanted_user.is_empty() { "0" } else { wanted_user };
    let number = wanted_user.parse::<u32>().ok(); // Not a number: a name.
    let entry = passwd.lines().filter_map(PasswdEntry::parse).find(|entry| match number {
        Some(uid) => entry.uid == uid,
        None => entry.name == wanted_user,
    });
    let uid = match (&entry, number) {
        (Some(entry), _) => entry.uid,
        (None, Some(uid)) => uid,
        (None, None) => return Err(unknown("user", wanted_user, "/etc/passwd")),
    };
    let name = entry.as_ref().map(|entry| entry.name);
    let home = entry.as_ref().map(|entry| entry.home).filter(|home| !home.is_empty()).unwrap_or("/").to_owned();
    if wanted_group.is_empty() {
        let gid = entry.as_ref().map_or(0, |entry| entry.gid);
        // The own group is among them, so that dropping it does not open what a negative right closed (CVE-2022-36109).
        let mut groups = vec![gid];
        for found in group.lines().filter_map(GroupEntry::parse) {
            if name.is_some_and(|name| found.members.split(',').any(|member| member == name))
                && !groups.contains(&found.gid)
            {
                groups.push(found.gid);
            }
        }
        return Ok(User { uid, gid, groups, home });
    }
    let number = wanted_group.parse::<u32>().ok(); // Not a number: a name.
    let found = group.lines().filter_map(GroupEntry::parse).find(|entry| entry.name == wanted_group);
    let gid = match (found, number) {
        (Some(found), _) => found.gid,
        (None, Some(gid)) => gid,
        (None, None) => return Err(unknown("group", wanted_group, "/etc/group")),
    };
    Ok(User { uid, gid, groups: vec![gid], home })
}

fn unknown(what: &str, name: &str, file: &str) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("unable to find {what} {name}: no matching entries in {file} of the container"),
    )
    .remedy(format!("use a number, or an image whose {file} has {name}"))
}

struct PasswdEntry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> PasswdEntry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?; // A damaged line is no entry.
        let gid = fields.next()?.parse().ok()?; // Likewise.
        let home = fields.nth(1).unwrap_or_default();
        Some(Self { name, uid, gid, home })
    }
}

struct GroupEntry<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> GroupEntry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?; // A damaged line is no entry.
        Some(Self { name, gid, members: fields.next().unwrap_or_default().trim_end() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34:web:/srv:/bin/false\n";
    const GROUP: &str = "root:x:0:root\nwheel:x:10:root,web\nweb:x:34:\nextra:x:35:web\n";

    fn found(wanted: &str) -> (u32, u32, Vec<u32>, String) {
        let user = lookup(PASSWD, GROUP, wanted).unwrap();
        (user.uid, user.gid, user.groups, user.home)
    }

    #[test]
    fn nobody_named_is_root_with_its_groups() {
        assert_eq!(found(""), (0, 0, vec![0, 10], "/root".into()));
    }

    #[test]
    fn a_name_brings_its_group_its_groups_and_its_home() {
        assert_eq!(found("web"), (33, 34, vec![34, 10, 35], "/srv".into()));
        assert_eq!(found("33"), (33, 34, vec![34, 10, 35], "/srv".into()));
    }

    #[test]
    fn a_named_group_replaces_all_groups() {
        assert_eq!(found("web:wheel"), (33, 10, vec![10], "/srv".into()));
        assert_eq!(found("web:77"), (33, 77, vec![77], "/srv".into()));
        assert_eq!(found(":wheel"), (0, 10, vec![10], "/root".into()));
    }

    #[test]
    fn a_number_without_entry_is_fine_and_a_name_without_entry_is_not() {
        assert_eq!(found("4711"), (4711, 0, vec![0], "/".into()));
        let error = lookup(PASSWD, GROUP, "ghost").unwrap_err();
        assert!(error.reason().contains("ghost"), "{error}");
        assert!(lookup(PASSWD, GROUP, "web:ghosts").is_err());
    }
}
