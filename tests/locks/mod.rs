//! Does the one lock module exclude what it says it excludes, between real processes, on this system?
//!
//! Founding case 2: a "lock" whose flag made it shared, in a tool whose tests never tried to take it twice
//! (nerdctl#3284). Ten points, each with two real processes that answer each other; nothing sleeps. Linux, and Windows
//! by `tests/lab/windows.sh`. Deliberately elsewhere: the messages of whoever gives up (`lock/tests.rs`).

#[cfg(target_os = "linux")]
mod linux;
mod process;

use std::{path::PathBuf, time::Duration};

use tempfile::TempDir;
use wharf::engine::{
    backend::embedded::{
        disk::RealDisk,
        lock::{Holder, Mode, holder_of, is_free, is_gone, lock, try_lock},
        machine::Machine,
    },
    domain::Verb,
};

use self::process::{OtherProcess, open_descriptors};
use crate::support::deadline::{PATIENCE, wait_until};

fn lock_file() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    (dir, path)
}

fn holder() -> Holder {
    Holder::this_process(&Machine::this(), Verb::Stop, Duration::from_secs(60))
}

/// Point 1, for a holder that took the lock with this order; what went wrong.
fn excludes(order: &str) -> Result<(), String> {
    let (_dir, path) = lock_file();
    let (mut one, mut two) = (OtherProcess::start(&path), OtherProcess::start(&path));
    if one.ask(order) != "taken" {
        return Err("a free lock is not given out".to_owned());
    }
    for attempt in ["try exclusive", "try shared"] {
        let answer = two.ask(attempt);
        if answer != "refused" {
            return Err(format!("{attempt} beside an exclusive holder: {answer}"));
        }
    }
    match one.ask("release").as_str() {
        "released" if two.ask("try exclusive") == "taken" => Ok(()),
        _ => Err("a released lock is not free".to_owned()),
    }
}

#[test]
fn point_1_an_exclusive_holder_keeps_exclusive_and_shared_ones_out() {
    excludes("try exclusive").unwrap();
}

/// The original fault: everybody "held" the lock, because it was a shared one.
#[test]
fn twin_a_shared_lock_in_its_place_is_caught() {
    let caught = excludes("try shared").unwrap_err();
    assert!(caught.contains("beside an exclusive holder: taken"), "{caught}");
}

#[test]
fn point_2_shared_holders_enter_together_and_keep_exclusive_ones_out() {
    let (_dir, path) = lock_file();
    let mut others: Vec<OtherProcess> = (0..3).map(|_| OtherProcess::start(&path)).collect();
    assert_eq!(others[0].ask("try shared"), "taken");
    assert_eq!(others[1].ask("try shared"), "taken");
    assert_eq!(others[2].ask("try exclusive"), "refused");
    assert_eq!(others[0].ask("release"), "released");
    assert_eq!(others[2].ask("try exclusive"), "refused", "one reader is enough to keep a writer out");
    assert_eq!(others[1].ask("release"), "released");
    assert_eq!(others[2].ask("try exclusive"), "taken");
}

#[test]
fn point_3_a_waiter_enters_after_the_holder_left_and_not_before() {
    let (_dir, path) = lock_file();
    let (mut one, mut two) = (OtherProcess::start(&path), OtherProcess::start(&path));
    assert_eq!(one.ask("try exclusive"), "taken");
    assert_eq!(two.ask("try exclusive"), "refused");
    assert_eq!(two.ask("wait exclusive"), "waiting");
    assert_eq!(one.ask("note"), "noted");
    assert_eq!(one.ask("release"), "released");
    assert_eq!(two.answer(), "taken after \"released\"");
}

#[test]
fn point_4_the_lock_of_a_killed_holder_is_free() {
    let (_dir, path) = lock_file();
    let mut one = OtherProcess::start(&path);
    assert_eq!(one.ask("try exclusive"), "taken");
    one.kill();
    // The kernel has closed its descriptors before it lets us reap it; Windows takes a moment.
    wait_until("the dead holder's lock", PATIENCE, || is_free(&RealDisk, &path).then_some(()));
    assert!(try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().is_some());
}

#[test]
fn point_5_a_second_taker_in_the_same_process_is_refused() {
    let (_dir, path) = lock_file();
    let mut one = OtherProcess::start(&path);
    assert_eq!(one.ask("try exclusive"), "taken");
    assert_eq!(one.ask("try exclusive"), "refused");
    assert_eq!(one.ask("try shared"), "refused");
    // Closing the second descriptor must not have released the first, as it would with fcntl locks.
    assert!(!is_free(&RealDisk, &path));
}

#[test]
fn point_6_a_program_that_the_holder_started_does_not_keep_its_lock() {
    let (_dir, path) = lock_file();
    let mut one = OtherProcess::start(&path);
    assert_eq!(one.ask("try exclusive"), "taken");
    assert_eq!(one.ask("start another"), "started");
    one.kill();
    wait_until("the dead holder's lock", PATIENCE, || is_free(&RealDisk, &path).then_some(()));
    let grandchild: u32 = one.ask("pid").parse().unwrap();
    assert_ne!(grandchild, std::process::id(), "the program it started lives on and answers");
}

#[test]
fn point_8_a_lock_file_that_went_away_gives_no_second_lock() {
    let dir = tempfile::tempdir().unwrap();
    let object = dir.path().join("object");
    std::fs::create_dir(&object).unwrap();
    let path = object.join("lock");
    let mut one = OtherProcess::start(&path);
    assert_eq!(one.ask("try exclusive"), "taken");
    let mut two = OtherProcess::start(&path);
    assert_eq!(two.ask("wait exclusive"), "waiting");
    // How a removal ends: the object's directory leaves its place while its lock is held.
    let moved = std::fs::rename(&object, dir.path().join("trash"));
    assert_eq!(one.ask("release"), "released");
    match moved {
        Ok(()) => assert_eq!(two.answer(), "gone"),
        // Windows renames no directory with open files in it: the removal waits, and nobody gets in twice.
        Err(_) => assert_eq!(two.answer(), "taken after \"\""),
    }
}

#[test]
fn point_9_failures_leave_no_descriptor_open_and_do_not_panic() {
    let (dir, path) = lock_file();
    let held = try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().unwrap();
    let missing = dir.path().join("gone").join("lock");
    // Other tests of this process open and close files too: the smallest difference seen is the true one.
    let leaked = (0..20).filter_map(|_| {
        let before = open_descriptors()?;
        for _ in 0..50 {
            assert!(try_lock(&RealDisk, &path, Mode::Exclusive, &holder()).unwrap().is_none());
            assert!(try_lock(&RealDisk, &path, Mode::Shared, &holder()).unwrap().is_none());
            assert!(try_lock(&RealDisk, &missing, Mode::Exclusive, &holder()).is_err());
            assert!(try_lock(&RealDisk, dir.path(), Mode::Exclusive, &holder()).is_err());
            assert!(is_gone(&lock(&Machine::this(), &missing, Mode::Exclusive, &holder(), PATIENCE).unwrap_err()));
        }
        Some(open_descriptors()?.saturating_sub(before))
    });
    assert!(leaked.min().unwrap_or(0) < 50, "a failed attempt leaves its descriptor open");
    drop(held);
    assert!(is_free(&RealDisk, &path));
}

#[test]
fn point_10_a_directory_is_no_lock_file() {
    let (dir, _) = lock_file();
    assert!(try_lock(&RealDisk, dir.path(), Mode::Exclusive, &holder()).is_err());
    assert!(lock(&Machine::this(), dir.path(), Mode::Shared, &holder(), PATIENCE).is_err());
}

#[test]
fn whoever_gives_up_names_the_other_process_and_its_verb() {
    let (_dir, path) = lock_file();
    let (mut one, mut two) = (OtherProcess::start(&path), OtherProcess::start(&path));
    let pid = one.ask("pid");
    assert_eq!(one.ask("try exclusive"), "taken");
    let complaint = two.ask("impatient");
    // Windows keeps a locked file from being read: then nobody can be named.
    let named =
        complaint.contains(&format!("process {pid} is busy with it (rename")) || holder_of(&RealDisk, &path).is_none();
    assert!(named, "{complaint}");
    assert!(cfg!(windows) || holder_of(&RealDisk, &path).is_some());
}
