//! Does any layer touch anything outside its directory? Unpacked for real, beside a tree that nobody may change.
//!
//! Deliberately elsewhere: reading the archive alone (`unpack::fuzz`).

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, symlink},
    path::{Path, PathBuf},
};

use wharf::engine::backend::embedded::{
    images::unpacker::{UnpackLimits, Unpacker as _},
    linux::unpack::{LayerUnpacker, Privilege},
};

use super::store_files::scratch;

const BLOCK: usize = 512;
const LIMITS: UnpackLimits = UnpackLimits { members: 300, bytes: 1 << 20 };

/// An archive, its checksums put right first, applied to an empty directory and completed from a layer below; root
/// does it as root or, for inputs of odd length, as a single user would.
pub fn tar_apply(input: &[u8]) {
    let archive = with_checksums(input);
    let privilege = match rustix::process::geteuid().is_root() && input.len().is_multiple_of(2) {
        true => Privilege::Root,
        false => Privilege::SingleUser,
    };
    scratch(|folder| {
        let (root, lower) = (folder.join("root"), folder.join("lower"));
        plant(folder);
        let before = fingerprint(folder);
        let unpacker = LayerUnpacker::new(privilege);
        let outcome = unpacker.unpack(&mut archive.as_slice(), &root, &LIMITS, &|_| {});
        assert_eq!(fingerprint(folder), before, "unpacking changed something outside its root");
        if let Ok(report) = outcome {
            assert!(report.members <= LIMITS.members && report.bytes <= LIMITS.bytes);
            check_inside(&root, !contains(input, b".wh."));
            // That a link leads nowhere is an answer too.
            drop(unpacker.complete(&root, &[lower], &report));
            assert_eq!(fingerprint(folder), before, "completing changed something outside its root");
        }
        unpacker.remove(&root).unwrap();
        assert!(!root.exists());
        assert_eq!(fingerprint(folder), before, "removing changed something outside its root");
    });
}

/// What archives want to reach: a secret, a directory, links to both, and a layer below.
fn plant(folder: &Path) {
    for directory in ["root", "outside", "outside/dir", "lower", "lower/a", "lower/etc"] {
        fs::create_dir(folder.join(directory)).unwrap();
    }
    for file in ["outside/secret", "lower/a/file", "lower/etc/passwd"] {
        fs::write(folder.join(file), "untouched").unwrap();
    }
    symlink("../outside", folder.join("lower/out")).unwrap();
    symlink("../../outside/secret", folder.join("lower/a/link")).unwrap();
}

#[derive(Debug, PartialEq, Eq)]
struct Fact {
    identity: (u64, u64),
    mode: u32,
    owner: (u32, u32),
    /// A hard link from inside would raise it.
    links: u64,
    size: u64,
    modified: (i64, i64),
    content: Vec<u8>,
}

/// Everything below `folder` but `root`.
fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, Fact> {
    let mut facts = BTreeMap::new();
    let mut waiting: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    while let Some(path) = waiting.pop() {
        if path == folder.join("root") {
            continue;
        }
        let found = fs::symlink_metadata(&path).unwrap();
        let content = if found.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if found.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        let fact = Fact {
            identity: (found.dev(), found.ino()),
            mode: found.mode(),
            owner: (found.uid(), found.gid()),
            links: found.nlink(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            content,
        };
        facts.insert(path, fact);
    }
    facts
}

/// No whiteout's name becomes a file, and an archive that names no whiteout hides nothing of the layers below, by
/// devices or by attributes.
fn check_inside(root: &Path, hides_nothing: bool) {
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap_or_default();
        assert!(!name.starts_with(".wh."), "{path:?} is a file");
        if hides_nothing {
            assert!(!(found.file_type().is_char_device() && found.rdev() == 0), "{path:?} is a whiteout");
        }
        if !found.is_dir() {
            continue;
        }
        for attribute in ["trusted.overlay.opaque", "user.overlay.opaque"] {
            let mut value = [0; 8];
            let is_there = rustix::fs::lgetxattr(&path, attribute, &mut value).is_ok();
            assert!(!(hides_nothing && is_there), "{path:?} has {attribute}");
        }
        // Without root's rights some directories cannot be looked into; removing them is checked elsewhere.
        let Ok(entries) = fs::read_dir(&path) else { continue };
        waiting.extend(entries.map(|entry| entry.unwrap().path()));
    }
}

fn contains(input: &[u8], word: &[u8]) -> bool {
    input.windows(word.len()).any(|window| window == word)
}

/// The archive with every header's checksum made true: else no change would get past the first block.
fn with_checksums(input: &[u8]) -> Vec<u8> {
    let mut archive = input.to_vec();
    let mut at = 0;
    while let Some(block) = archive.get_mut(at..at + BLOCK) {
        let octal = |field: &[u8]| {
            let digits = field.iter().filter(|byte| (b'0'..=b'7').contains(*byte));
            digits.fold(0_usize, |value, digit| value.saturating_mul(8).saturating_add(usize::from(digit - b'0')))
        };
        let size = octal(&block[124..136]);
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        at = at.saturating_add(BLOCK).saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
    }
    archive
}
