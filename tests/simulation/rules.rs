//! By which system's rules are names changed while files are open? Linux lets everything go; Windows does not.
//!
//! | | Linux | Windows 10 1809 and later, NTFS | older Windows, FAT, most network shares |
//! |---|---|---|---|
//! | a directory with an open file below is renamed | yes | access denied | access denied |
//! | a directory takes an existing directory's name | if that is empty | access denied | access denied |
//! | a file takes an open file's name | yes | yes | access denied |
//! | an open file is deleted | its name goes at once | its name goes at once | its name goes with the last handle; until then nobody can open or take it |
//! | the same to a lock file, which we open without FILE_SHARE_DELETE | as above | sharing violation | sharing violation |
//! | a locked file is read through another handle | yes | lock violation | lock violation |
//!
//! Sources: rename(2), unlink(2), flock(2). \[MS-FSA\] 2.1.5.15.11 (renaming: a directory with open files below, section
//! 2.1.4.2, is refused, also with POSIX semantics) and 2.1.5.15.3 (disposition). `FILE_RENAME_INFORMATION` in Microsoft's
//! driver reference. Rust's `fs::rename` is MoveFileExW(MOVEFILE_REPLACE_EXISTING), and where that is denied
//! FileRenameInfoEx with FILE_RENAME_FLAG_POSIX_SEMANTICS (rust-lang/rust#131072 and after); its files are opened with
//! FILE_SHARE_READ | WRITE | DELETE. `File::try_lock` is LockFileEx over the whole file, which is mandatory.
//!
//! Stricter than what was read: with those semantics an empty directory might be replaced, and a name whose file is
//! being deleted might be told from a file one may not open. Looser: nobody else, such as a scanner, opens our files.
//! Wine renames directories with open files below, so it cannot check that row (`disk::tests` there checks the others).
//! Deliberately elsewhere: what is on the disk (`file_system`).

use std::{collections::BTreeMap, io};

use super::{file_system::Inode, random::Dice};

/// A system, as far as its names are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    #[default]
    Linux,
    Windows,
    OldWindows,
}

impl Rules {
    pub const ALL: [Self; 3] = [Self::Linux, Self::Windows, Self::OldWindows];

    /// Half of all seeds run by either system's rules. Drawn by itself: what else a seed means does not change.
    pub fn of_seed(seed: u64) -> Self {
        match Dice::new(seed ^ 0x0ca5_cade).below(4) {
            0 | 1 => Self::Linux,
            2 => Self::Windows,
            _ => Self::OldWindows,
        }
    }

    /// What `WHARF_SIM_RULES` says.
    pub fn asked_for() -> Option<Self> {
        Self::named(&std::env::var("WHARF_SIM_RULES").ok()?)
    }

    /// As a person writes it in `WHARF_SIM_RULES` and in `seeds.txt`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rules| rules.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::OldWindows => "old-windows",
        }
    }

    /// Whether an open file keeps the names of the directories above it.
    pub fn open_files_keep_names(self) -> bool {
        self != Self::Linux
    }
}

/// What others may do to the name of a file that somebody has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Everything, as the standard library opens files.
    All,
    /// Not delete it: locks.
    NoDelete,
}

/// Who has what open.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    open: BTreeMap<Inode, Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    all: usize,
    no_delete: usize,
}

impl Handles {
    pub fn opened(&mut self, inode: Inode, sharing: Sharing) {
        let counts = self.open.entry(inode).or_default();
        match sharing {
            Sharing::All => counts.all += 1,
            Sharing::NoDelete => counts.no_delete += 1,
        }
    }

    /// Whether that was the last handle. One of before a power cut is none any more.
    pub fn closed(&mut self, inode: Inode, sharing: Sharing) -> bool {
        let Some(counts) = self.open.get_mut(&inode) else { return false };
        match sharing {
            Sharing::All => counts.all = counts.all.saturating_sub(1),
            Sharing::NoDelete => counts.no_delete = counts.no_delete.saturating_sub(1),
        }
        let last = counts.all + counts.no_delete == 0;
        if last {
            self.open.remove(&inode);
        }
        last
    }

    pub fn is_open(&self, inode: Inode) -> bool {
        self.open.contains_key(&inode)
    }

    pub fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether somebody has it open and lets nobody delete it.
    pub fn is_kept(&self, inode: Inode) -> bool {
        self.open.get(&inode).is_some_and(|counts| counts.no_delete > 0)
    }

    pub fn forget(&mut self) {
        self.open.clear();
    }
}

pub fn access_denied() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "access denied")
}

pub fn sharing_violation() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "sharing violation")
}
