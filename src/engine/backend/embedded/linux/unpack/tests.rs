mod second_opinion;

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::*;
use crate::engine::backend::embedded::images::unpacker::{LayerPath, LowerLink};

struct Canary {
    base: TempDir,
}

impl Canary {
    /// A target directory beside a file that nobody may touch.
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("root")).unwrap();
        fs::create_dir(base.path().join("outside")).unwrap();
        fs::write(base.path().join("outside/secret"), "untouched").unwrap();
        Self { base }
    }

    fn root(&self) -> std::path::PathBuf {
        self.base.path().join("root")
    }

    fn unpack(&self, tar: &[u8]) -> io::Result<UnpackReport> {
        let limits = UnpackLimits { members: 10_000, bytes: 1 << 20 };
        let result = LayerUnpacker::new(privilege()).unpack(&mut &tar[..], &self.root(), &limits, &|_| {});
        assert_eq!(fs::read_to_string(self.base.path().join("outside/secret")).unwrap(), "untouched");
        assert_eq!(fs::read_dir(self.base.path().join("outside")).unwrap().count(), 1);
        assert_eq!(fs::read_dir(self.base.path()).unwrap().count(), 2);
        result
    }
}

fn privilege() -> Privilege {
    match rustix::process::geteuid().is_root() {
        true => Privilege::Root,
        false => Privilege::SingleUser,
    }
}

struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn add(mut self, kind: EntryType, path: &str, link: &str, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Directory { 0o750 } else { 0o640 });
        header.set_mtime(1_000_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(data.len() as u64);
        if matches!(kind, EntryType::Char | EntryType::Block) {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        }
        header.set_cksum();
        self.0.append(&header, data).unwrap();
        self
    }

    fn file(self, path: &str, data: &str) -> Self {
        self.add(EntryType::Regular, path, "", data.as_bytes())
    }

    fn dir(self, path: &str) -> Self {
        self.add(EntryType::Directory, path, "", b"")
    }

    fn symlink(self, path: &str, target: &str) -> Self {
        self.add(EntryType::Symlink, path, target, b"")
    }

    fn hard_link(self, path: &str, target: &str) -> Self {
        self.add(EntryType::Link, path, target, b"")
    }

    fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

fn is_whiteout(path: &Path) -> bool {
    let metadata = fs::symlink_metadata(path).unwrap();
    metadata.rdev() == 0 && metadata.mode() & 0o170_000 == 0o020_000
}

fn is_opaque(path: &Path) -> bool {
    let mut value = [0; 1];
    rustix::fs::getxattr(path, privilege().opaque_attribute(), &mut value).is_ok() && value == *b"y"
}

#[test]
fn an_ordinary_layer_arrives_with_modes_times_and_links() {
    let canary = Canary::new();
    let tar = Tar::new()
        .dir("./")
        .dir("etc/")
        .file("etc/hosts", "localhost")
        .hard_link("etc/again", "etc/hosts")
        .symlink("link", "etc/hosts")
        .add(EntryType::Fifo, "pipe", "", b"")
        .bytes();
    let report = canary.unpack(&tar).unwrap();
    let root = canary.root();
    assert_eq!(read(&root, "link"), "localhost");
    let (hosts, again) = (fs::metadata(root.join("etc/hosts")).unwrap(), fs::metadata(root.join("etc/again")).unwrap());
    assert_eq!(hosts.ino(), again.ino());
    assert_eq!((hosts.mode() & 0o7777, hosts.mtime()), (0o640, 1_000_000_000));
    let etc = fs::metadata(root.join("etc")).unwrap();
    assert_eq!((etc.mode() & 0o7777, etc.mtime()), (0o750, 1_000_000_000));
    assert_eq!(fs::symlink_metadata(root.join("link")).unwrap().mtime(), 1_000_000_000);
    assert_eq!((report.members, report.bytes), (6, 9));
    assert_eq!(report.root.unwrap().mode, 0o750);
    assert!(!report.is_contextual());
}

#[test]
fn paths_that_climb_out_are_refused_by_name() {
    for path in ["../x", "a/../../x", "/../x", "..", "a/../../../etc/x"] {
        let error = Canary::new().unpack(&Tar::new().file(path, "evil").bytes()).unwrap_err();
        assert!(error.to_string().contains("leads out of the image"), "{path}: {error}");
    }
    for path in ["/abs", "//abs", "./abs", "b/../abs"] {
        let canary = Canary::new();
        canary.unpack(&Tar::new().file(path, "kept inside").bytes()).unwrap();
        assert_eq!(read(&canary.root(), "abs"), "kept inside");
    }
}

#[test]
fn writing_through_a_symbolic_link_stays_inside() {
    let canary = Canary::new();
    let outside = canary.base.path().join("outside");
    let tar = Tar::new().symlink("up", "../outside").symlink("abs", outside.to_str().unwrap());
    for tar in [
        Tar(tar.0).symlink("deep", "up/../../outside").bytes(),
        Tar::new().symlink("up", "../outside").file("up/secret", "evil").bytes(),
        Tar::new().symlink("up", outside.to_str().unwrap()).file("up/secret", "evil").bytes(),
        Tar::new().symlink("a", "../outside/secret").file("a", "replaces the link").bytes(),
        Tar::new().symlink("p", "/proc/self/root").file("p/tmp/evil", "evil").bytes(),
        Tar::new().symlink("p", "/proc/self/cwd").file("p/evil", "evil").bytes(),
        Tar::new().dir("d/").symlink("d/up", "../../outside").dir("d/up/secret").bytes(),
        Tar::new().symlink("d", "../outside").hard_link("stolen", "d/secret").bytes(),
        Tar::new().hard_link("stolen", "../outside/secret").bytes(),
        Tar::new().symlink("d", "../outside").add(EntryType::Regular, "d/.wh..wh..opq", "", b"").bytes(),
        Tar::new().symlink("d", "../outside").add(EntryType::Regular, "d/.wh.secret", "", b"").bytes(),
    ] {
        // Refused or kept inside: the canary checks what matters.
        drop(canary.unpack(&tar));
        fs::remove_dir_all(canary.root()).unwrap();
        fs::create_dir(canary.root()).unwrap();
    }
}

#[test]
fn a_directory_swapped_for_a_link_no_longer_takes_files() {
    let canary = Canary::new();
    let tar = Tar::new().dir("d/").file("d/a", "1").symlink("d", "../outside").file("d/secret", "evil").bytes();
    drop(canary.unpack(&tar)); // The link leads nowhere inside the root.
    let canary = Canary::new();
    let tar = Tar::new().dir("real/").dir("d/").file("d/a", "1").symlink("d", "real").file("d/b", "2").bytes();
    canary.unpack(&tar).unwrap();
    assert_eq!(read(&canary.root(), "real/b"), "2");
    assert!(!canary.root().join("real/a").exists());
}

#[test]
fn the_last_member_of_a_name_wins() {
    let canary = Canary::new();
    let tar = Tar::new()
        .file("a", "first")
        .file("a", "second")
        .dir("b/")
        .file("b/inside", "x")
        .file("b", "now a file")
        .file("c", "file")
        .dir("c/")
        .dir("c/")
        .file("c/inside", "kept")
        .bytes();
    canary.unpack(&tar).unwrap();
    assert_eq!(read(&canary.root(), "a"), "second");
    assert_eq!(read(&canary.root(), "b"), "now a file");
    assert_eq!(read(&canary.root(), "c/inside"), "kept");
}

#[test]
fn whiteouts_hide_what_is_below_and_nothing_of_their_own_layer() {
    let canary = Canary::new();
    let tar = Tar::new()
        .file("gone/.wh.file", "")
        .dir("opaque/")
        .file("opaque/.wh..wh..opq", "")
        .file("opaque/new", "x")
        .file("both", "kept")
        .file(".wh.both", "")
        .dir("dir/")
        .file("dir/a", "1")
        .file(".wh.dir", "")
        .file(".wh.late", "")
        .dir("late/")
        .file(".wh.later", "")
        .file("later/x", "y")
        .bytes();
    let report = canary.unpack(&tar).unwrap();
    let root = canary.root();
    assert!(is_whiteout(&root.join("gone/file")));
    assert!(is_opaque(&root.join("opaque")) && read(&root, "opaque/new") == "x");
    assert_eq!(read(&root, "both"), "kept");
    assert!(is_opaque(&root.join("dir")) && read(&root, "dir/a") == "1");
    assert!(is_opaque(&root.join("late")) && is_opaque(&root.join("later")));
    assert_eq!(report.implied, [LayerPath(b"gone".to_vec()), LayerPath(b"later".to_vec())]);
}

#[test]
fn names_that_misuse_whiteouts_are_refused() {
    for path in [".wh.", "a/.wh..", ".wh...", ".wh..wh.plnk", "a/.wh.b/c"] {
        let error = Canary::new().unpack(&Tar::new().file(path, "").bytes()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{path}: {error}");
    }
}

#[test]
fn attributes_of_the_overlay_and_foreign_namespaces_are_left_out() {
    let canary = Canary::new();
    let capability: &[u8] = &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let with_newline: &[u8] = b"line\nbreak\0nul";
    let tar = Tar::new()
        .pax(&[
            ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.trusted.other", b"y"),
            ("SCHILY.xattr.user.note", with_newline),
        ])
        .dir("d/")
        .pax(&[("SCHILY.xattr.security.capability", capability)])
        .file("d/ping", "")
        .bytes();
    canary.unpack(&tar).unwrap();
    let directory = canary.root().join("d");
    let mut value = [0; 64];
    for name in ["trusted.overlay.opaque", "user.overlay.opaque", "trusted.other"] {
        assert!(rustix::fs::getxattr(&directory, name, &mut value).is_err(), "{name}");
    }
    if let Ok(length) = rustix::fs::getxattr(&directory, "user.note", &mut value) {
        assert_eq!(&value[..length], with_newline);
    }
    if privilege() == Privilege::Root {
        let length = rustix::fs::getxattr(directory.join("ping"), "security.capability", &mut value).unwrap();
        assert_eq!(&value[..length], capability);
    }
}

#[test]
fn devices_need_root_and_never_make_a_whiteout() {
    let canary = Canary::new();
    let report = canary.unpack(&Tar::new().add(EntryType::Char, "null", "", b"").bytes()).unwrap();
    assert_eq!(canary.root().join("null").exists(), privilege() == Privilege::Root);
    assert_eq!(report.skipped.is_empty(), privilege() == Privilege::Root);
    let mut zero = Tar::new().add(EntryType::Char, "zero", "", b"").bytes();
    let mut header = Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&zero[..512]);
    header.set_device_major(0).unwrap();
    header.set_device_minor(0).unwrap();
    header.set_cksum();
    zero[..512].copy_from_slice(header.as_bytes());
    let report = canary.unpack(&zero).unwrap();
    assert!(!canary.root().join("zero").exists());
    assert_eq!(report.skipped, ["\"zero\""]);
}

#[test]
fn hard_links_wait_for_their_targets_and_then_ask_the_layers_below() {
    let lower = Canary::new();
    lower.unpack(&Tar::new().dir("usr/").file("usr/tool", "from below").bytes()).unwrap();
    fs::set_permissions(lower.root().join("usr"), fs::Permissions::from_mode(0o711)).unwrap();
    let canary = Canary::new();
    let tar = Tar::new().hard_link("early", "late").file("late", "x").hard_link("usr/alias", "usr/tool").bytes();
    let report = canary.unpack(&tar).unwrap();
    let (early, late) = (canary.root().join("early"), canary.root().join("late"));
    assert_eq!(fs::metadata(early).unwrap().ino(), fs::metadata(late).unwrap().ino());
    let link = LowerLink { at: LayerPath(b"usr/alias".to_vec()), target: LayerPath(b"usr/tool".to_vec()) };
    assert_eq!(report.links, [link]);
    let unpacker = LayerUnpacker::new(privilege());
    for _ in 0..2 {
        unpacker.complete(&canary.root(), &[lower.root()], &report).unwrap();
        assert_eq!(read(&canary.root(), "usr/alias"), "from below");
        assert_eq!(fs::metadata(canary.root().join("usr")).unwrap().mode() & 0o7777, 0o711);
    }
    let error = unpacker.complete(&canary.root(), &[], &report).unwrap_err();
    assert!(error.to_string().contains("no layer has"), "{error}");
}

#[test]
fn a_layer_larger_than_its_blob_can_hold_is_refused() {
    let limits = |members, bytes| UnpackLimits { members, bytes };
    let tar = Tar::new().file("a", "12345").file("b", "12345").bytes();
    for (limits, fits) in [(limits(2, 10), true), (limits(1, 10), false), (limits(2, 9), false)] {
        let canary = Canary::new();
        let unpacker = LayerUnpacker::new(privilege());
        let result = unpacker.unpack(&mut &tar[..], &canary.root(), &limits, &|_| {});
        assert_eq!(result.is_ok(), fits, "{limits:?}");
    }
}

#[test]
fn truncated_archives_and_wrong_checksums_fail_and_members_are_counted() {
    let tar = Tar::new().file("a", &"x".repeat(2000)).file("b", "y").bytes();
    for cut in [100, 700, 2000, 2900, 3000, 3100] {
        let error = Canary::new().unpack(&tar[..cut]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}: {error}");
    }
    let mut flipped = tar.clone();
    flipped[3] ^= 1;
    assert!(Canary::new().unpack(&flipped).unwrap_err().to_string().contains("checksum"));
    let canary = Canary::new();
    let last = AtomicU64::new(0);
    let tell = |count| last.store(count, Ordering::Relaxed);
    let limits = UnpackLimits::for_blob(1 << 20);
    LayerUnpacker::new(privilege()).unpack(&mut &tar[..], &canary.root(), &limits, &tell).unwrap();
    assert_eq!(last.into_inner(), 2);
}

#[test]
fn long_names_fractions_of_seconds_and_holes_survive() {
    let canary = Canary::new();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(140));
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o600);
    tar.append_data(&mut header, &long, &b"long"[..]).unwrap();
    let mut tar = Tar(tar);
    let map = "2\n0\n3\n1048576\n2\n";
    let mut data = map.as_bytes().to_vec();
    data.resize(512, 0);
    data.extend_from_slice(b"abcde");
    tar = tar
        .pax(&[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"holes"),
            ("GNU.sparse.realsize", b"2097152"),
            ("mtime", b"1234567890.123456789"),
        ])
        .add(EntryType::Regular, "GNUSparseFile.0/holes", "", &data);
    canary.unpack(&tar.bytes()).unwrap();
    assert_eq!(read(&canary.root(), &long), "long");
    let holes = canary.root().join("holes");
    let metadata = fs::metadata(&holes).unwrap();
    assert_eq!((metadata.len(), metadata.mtime(), metadata.mtime_nsec()), (2 << 20, 1_234_567_890, 123_456_789));
    assert!(metadata.blocks() * 512 < 1 << 20, "holes stay holes");
    let bytes = fs::read(&holes).unwrap();
    assert_eq!((&bytes[..4], &bytes[1_048_576..1_048_579]), (&b"abc\0"[..], &b"de\0"[..]));
}

#[test]
fn very_deep_trees_are_removed_without_running_out_of_descriptors() {
    let canary = Canary::new();
    let mut path = canary.root();
    for _ in 0..300 {
        path.push("d");
        fs::create_dir(&path).unwrap();
    }
    fs::File::create(path.join("f")).unwrap().write_all(b"x").unwrap();
    symlink("../outside", canary.root().join("link")).unwrap();
    LayerUnpacker::new(privilege()).remove(&canary.root()).unwrap();
    assert_eq!(fs::read_dir(canary.base.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(canary.base.path().join("outside")).unwrap().count(), 1);
}
