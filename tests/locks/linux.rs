//! How do children of a lock's holder behave on Linux, where a descriptor can outlive its process?
//!
//! Deliberately elsewhere: what holds on every system (`mod.rs`).

use std::{
    fs::File,
    os::fd::AsRawFd as _,
    path::Path,
    process::{Command, Stdio},
};

use rustix::{
    fs::{CWD, FileType, Mode as FileMode, OFlags, mknodat, open},
    io::{FdFlags, fcntl_getfd, fcntl_setfd},
    process::{Pid, Signal, kill_process},
};
use wharf::engine::backend::embedded::{
    disk::RealDisk,
    lock::{Lock, is_free},
};

use super::{lock_file, process::OtherProcess};
use crate::support::{
    command::wharf_binary,
    deadline::{PATIENCE, wait_until},
    need::needs_root,
};

/// Point 7: what the kernel does with a descriptor that a child shares, and why helpers close theirs.
#[test]
fn a_child_forked_without_exec_keeps_the_lock_of_its_dead_parent() {
    let (_dir, path) = lock_file();
    let mut holder = OtherProcess::start(&path);
    assert_eq!(holder.ask("try exclusive"), "taken");
    let child = pid(&holder.ask("fork"));
    holder.kill();
    assert!(
        !is_free(&RealDisk, &path),
        "the kernel has changed its mind: the helpers need not close descriptors any more"
    );
    kill_process(child, Signal::KILL).unwrap();
    wait_until("the lock to be free with its last descriptor", PATIENCE, || is_free(&RealDisk, &path).then_some(()));
}

#[test]
fn our_helper_closes_a_lock_that_reached_it_before_anything_else() {
    let (_dir, path) = lock_file();
    let mut holder = OtherProcess::start(&path);
    assert_eq!(holder.ask("try exclusive"), "taken");
    let helper = pid(&holder.ask("leak into the helper"));
    holder.kill();
    wait_until("the helper to let go", PATIENCE, || is_free(&RealDisk, &path).then_some(()));
    assert!(Path::new("/proc").join(helper.to_string()).exists(), "it lives, and holds nothing");
    kill_process(helper, Signal::KILL).unwrap();
}

/// Point 10, as far as one machine goes: NFS without a lock daemon answers `ENOLCK`, which is an error as any other.
#[test]
fn a_lock_on_a_read_only_file_system_is_an_error_and_not_a_lock() {
    if !needs_root() {
        return;
    }
    let (dir, _) = lock_file();
    let script = "mount -t tmpfs -o ro none \"$0\" && exec \"$@\"";
    let inside = dir.path().join("lock");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(dir.path());
    let mut other = OtherProcess::start_within(command, &inside);
    assert_eq!(other.ask("try exclusive"), "failed ReadOnlyFilesystem");
    assert_eq!(other.ask("try shared"), "failed ReadOnlyFilesystem");
}

/// For the other process: a child that shares every descriptor and never executes anything.
pub fn fork_a_child_that_waits() -> String {
    // SAFETY: the child calls nothing but `pause`, which needs neither locks nor memory.
    let child = unsafe { libc::fork() };
    if child == 0 {
        loop {
            // SAFETY: as above.
            unsafe { libc::pause() };
        }
    }
    child.to_string()
}

/// For the other process: `wharf __monitor` with our lock among its descriptors, waiting for orders that never come.
pub fn start_helper_that_inherits(held: &[Lock]) -> String {
    assert_eq!(held.len(), 1);
    let path = std::env::var_os("WHARF_TEST_LOCK_FILE").unwrap();
    let same = |fd: &str| std::fs::read_link(format!("/proc/self/fd/{fd}")).is_ok_and(|target| target == path);
    let names = std::fs::read_dir("/proc/self/fd").unwrap();
    let fds: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let number: i32 = fds.iter().find(|fd| same(fd)).unwrap().parse().unwrap();
    // SAFETY: `held` keeps the descriptor open for as long as this function runs.
    let lock = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    fcntl_setfd(lock, fcntl_getfd(lock).unwrap() - FdFlags::CLOEXEC).unwrap();
    let fifo = Path::new(&path).with_extension("orders");
    mknodat(CWD, &fifo, FileType::Fifo, FileMode::RUSR | FileMode::WUSR, 0).unwrap();
    // Open for both: it never ends.
    let orders = File::from(open(&fifo, OFlags::RDWR | OFlags::CLOEXEC, FileMode::empty()).unwrap());
    assert!(orders.as_raw_fd() > 2);
    let mut helper = Command::new(wharf_binary());
    helper.arg("__monitor").stdin(orders).stdout(Stdio::null()).stderr(Stdio::null());
    helper.spawn().unwrap().id().to_string()
}

fn pid(answer: &str) -> Pid {
    Pid::from_raw(answer.parse().unwrap()).unwrap()
}
