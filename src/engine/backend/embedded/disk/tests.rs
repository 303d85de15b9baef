//! Does the real disk keep its promises?

use std::{fs, io::Write as _};

use super::*;

#[test]
fn a_replaced_file_is_whole_and_leaves_no_temporary_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    for bytes in [b"one".as_slice(), b"two, longer"] {
        RealDisk.write_durable(&path, bytes).unwrap();
        assert_eq!(RealDisk.read(&path).unwrap(), bytes);
    }
    RealDisk.write_atomic(&path, b"3").unwrap();
    assert_eq!(RealDisk.read(&path).unwrap(), b"3");
    assert_eq!(RealDisk.list(dir.path()).unwrap().len(), 1);
}

#[test]
fn exclusive_creation_has_one_winner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("web");
    RealDisk.create_exclusive(&path, b"a").unwrap();
    let second = RealDisk.create_exclusive(&path, b"b").unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(RealDisk.read(&path).unwrap(), b"a");
}

#[test]
fn a_temporary_file_disappears_unless_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut left = RealDisk.create_temporary(dir.path()).unwrap();
    left.write_all(b"x").unwrap();
    drop(left);
    assert!(RealDisk.list(dir.path()).unwrap().is_empty());
    let mut kept = RealDisk.create_temporary(dir.path()).unwrap();
    kept.write_all(b"y").unwrap();
    kept.commit(&dir.path().join("blob"), Sync::Yes).unwrap();
    let names: Vec<String> = RealDisk.list(dir.path()).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["blob"]);
}

#[test]
fn a_commit_into_a_missing_directory_fails_and_cleans_up() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealDisk.create_temporary(dir.path()).unwrap();
    let error = file.commit(&dir.path().join("no/blob"), Sync::No).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(RealDisk.list(dir.path()).unwrap().is_empty());
}

#[test]
fn appends_add_up_and_truncation_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("changes");
    RealDisk.truncate(&path, 0).unwrap();
    RealDisk.append(&path, b"a\n").unwrap();
    RealDisk.append(&path, b"b\n").unwrap();
    assert_eq!(RealDisk.read(&path).unwrap(), b"a\nb\n");
    RealDisk.truncate(&path, 0).unwrap();
    RealDisk.append(&path, b"c\n").unwrap();
    assert_eq!(RealDisk.read(&path).unwrap(), b"c\n");
}

#[test]
fn removing_a_tree_that_is_not_there_is_a_success() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    fs::create_dir_all(tree.join("a/b")).unwrap();
    RealDisk.remove_tree(&tree).unwrap();
    RealDisk.remove_tree(&tree).unwrap();
    assert!(!RealDisk.exists(&tree));
}

#[cfg(unix)]
#[test]
fn directories_are_private_and_shared_ones_are_refused_as_roots() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/data");
    RealDisk.claim_root(&root).unwrap();
    assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(RealDisk.claim_root(&root).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(RealDisk.claim_root(&file).unwrap_err().kind(), io::ErrorKind::NotADirectory);
}

#[test]
fn temporary_names_are_recognised() {
    assert!(is_temporary(&real::next_temporary()));
    assert!(!is_temporary("config.json"));
}

#[test]
fn a_partial_file_stays_until_it_is_committed_and_grows_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (partial, blob) = (dir.path().join("x.part"), dir.path().join("blob"));
    RealDisk.open_partial(&partial).unwrap().write_all(b"one ").unwrap();
    let mut follower = RealDisk.open(&partial).unwrap();
    let mut file = RealDisk.open_partial(&partial).unwrap();
    file.write_all(b"two").unwrap();
    file.commit(&blob, Sync::Yes).unwrap();
    assert!(!RealDisk.exists(&partial));
    let mut text = String::new();
    io::Read::read_to_string(&mut follower, &mut text).unwrap();
    assert_eq!(text, "one two");
    assert_eq!(RealDisk.read(&blob).unwrap(), b"one two");
}

/// Whether the rest of the engine may rely on what [`Disk::open_files_keep_names`] says; on Windows also under Wine.
#[test]
fn nobody_deletes_a_lock_that_is_held_where_open_files_keep_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let held = RealDisk.try_lock(&path, LockMode::Exclusive).unwrap().unwrap();
    assert_eq!(RealDisk.remove_file(&path).is_err(), RealDisk.open_files_keep_names());
    drop(held);
    assert_eq!(RealDisk.remove_file(&path).is_ok(), RealDisk.open_files_keep_names());
    assert!(!RealDisk.exists(&path));
}

#[test]
fn the_lock_of_what_is_gone_goes_with_it() {
    use crate::engine::backend::embedded::{lock, machine::Machine};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let machine = Machine::this();
    let holder = lock::Holder::this_process(&machine, crate::engine::domain::Verb::Remove, std::time::Duration::ZERO);
    let held = lock::try_lock(&RealDisk, &path, lock::Mode::Exclusive, &holder).unwrap().unwrap();
    lock::retire(&RealDisk, &path, held);
    assert!(!RealDisk.exists(&path));
}
