//! How does a directory tree go, whatever is in it? By descriptors, never following a link, with bounded depth.
//!
//! Deliberately elsewhere: who may remove what, and when (`images`).

use std::{
    ffi::{CStr, CString},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{self, AtFlags, Dir, FileType, Mode, OFlags},
    io::Errno,
};

/// How deep descriptors are held; what lies deeper is moved up and removed after.
const DEPTH: usize = 32;

/// Removes `name` in `parent`, a tree or a single file; nothing there is fine.
///
/// # Errors
/// The kernel's; what could be removed is gone then.
pub(super) fn remove_tree(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    let mut moved = Moved { top: parent, name, count: 0, waiting: Vec::new() };
    remove(parent, name, 0, &mut moved)?;
    while let Some(next) = moved.waiting.pop() {
        remove(parent, &next, 0, &mut moved)?;
    }
    Ok(())
}

/// Directories moved up beside the tree because they lay too deep.
struct Moved<'a> {
    top: BorrowedFd<'a>,
    name: &'a CStr,
    count: u32,
    waiting: Vec<CString>,
}

fn remove(parent: BorrowedFd<'_>, name: &CStr, depth: usize, moved: &mut Moved<'_>) -> io::Result<()> {
    match remove_now(parent, name, depth, moved) {
        // Somebody else, who empties the same trash, was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn remove_now(parent: BorrowedFd<'_>, name: &CStr, depth: usize, moved: &mut Moved<'_>) -> io::Result<()> {
    match fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    match fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    if depth == DEPTH {
        let place = CString::new(format!(".{}.{}", moved.name.to_string_lossy(), moved.count))
            .expect("a C string holds no NUL byte");
        moved.count += 1;
        fs::renameat(parent, name, moved.top, &place)?;
        moved.waiting.push(place);
        return Ok(());
    }
    let directory = open_writable(parent, name)?;
    // A directory that changes while it is read may hide entries: read again until it can be removed.
    loop {
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                remove_entry(directory.as_fd(), &entry, depth, moved)?;
            }
        }
        match fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn remove_entry(
    directory: BorrowedFd<'_>,
    entry: &fs::DirEntry,
    depth: usize,
    moved: &mut Moved<'_>,
) -> io::Result<()> {
    if matches!(entry.file_type(), FileType::Directory | FileType::Unknown) {
        return remove(directory, entry.file_name(), depth + 1, moved);
    }
    match fs::unlinkat(directory, entry.file_name(), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens a directory for emptying it; an owner without root's rights first gives himself the bits he needs.
fn open_writable(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let stat = fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
    if !mode.contains(Mode::RWXU) && !rustix::process::geteuid().is_root() {
        // fchmodat(2) would follow a link, but `stat` saw a directory, and opening below refuses a link.
        fs::chmodat(parent, name, mode | Mode::RWXU, AtFlags::empty())?;
    }
    Ok(fs::openat(parent, name, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::{fs::File, sync::Barrier};

    use super::*;

    #[test]
    fn several_may_remove_one_tree_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let top = File::open(folder.path()).unwrap();
        for round in 0..20 {
            let name = CString::new(format!("tree{round}")).unwrap();
            let tree = folder.path().join(name.to_str().unwrap());
            for branch in 0..100 {
                std::fs::create_dir_all(tree.join(format!("{branch}/a/b"))).unwrap();
                std::fs::write(tree.join(format!("{branch}/a/file")), "").unwrap();
            }
            let begin = Barrier::new(4);
            std::thread::scope(|scope| {
                let removers = [0; 4].map(|_| {
                    scope.spawn(|| {
                        begin.wait();
                        remove_tree(top.as_fd(), &name)
                    })
                });
                for remover in removers {
                    remover.join().unwrap().unwrap();
                }
            });
            assert!(!tree.exists());
        }
    }
}
