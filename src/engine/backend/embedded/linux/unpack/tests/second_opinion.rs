//! Do hostile and damaged archives get us out of the root, or to another reading than GNU tar's?

use super::*;

/// What GNU tar lists of an archive: the second opinion on every header.
fn listed_by_gnu_tar(tar: &[u8]) -> Option<Vec<String>> {
    let mut child = std::process::Command::new("tar")
        .args(["--list", "--file=-", "--quoting-style=literal"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It may stop reading early: that is one of its answers.
    let _ = child.stdin.take().unwrap().write_all(tar);
    let output = child.wait_with_output().unwrap();
    let list = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    output.status.success().then_some(list)
}

fn listed_by_us(tar: &[u8]) -> io::Result<Vec<String>> {
    let mut archive = archive::Archive::new(tar);
    let mut list = Vec::new();
    while let Some(entry) = archive.next_entry()? {
        list.push(String::from_utf8_lossy(&entry.path).into_owned());
    }
    Ok(list)
}

fn every_kind_of_member() -> Vec<u8> {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(140));
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(4);
    tar.append_data(&mut header, &long, &b"long"[..]).unwrap();
    Tar(tar)
        .pax(&[("path", b"by/record"), ("size", b"3")])
        .add(EntryType::Regular, "short", "", b"abc")
        .dir("d/")
        .file("d/f", &"x".repeat(1500))
        .symlink("s", "d/f")
        .hard_link("h", "d/f")
        .file("end", "")
        .bytes()
}

#[test]
fn gnu_tar_sees_the_same_members() {
    let tar = every_kind_of_member();
    assert_eq!(listed_by_us(&tar).unwrap(), listed_by_gnu_tar(&tar).unwrap());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// One changed byte may make an archive unreadable to either; what both read, they read alike.
    #[test]
    fn a_damaged_archive_is_refused_or_read_as_gnu_tar_reads_it(at in 0_usize..8_000, byte in proptest::prelude::any::<u8>()) {
        let mut tar = every_kind_of_member();
        let at = at % tar.len();
        tar[at] = byte;
        if let (Ok(ours), Some(theirs)) = (listed_by_us(&tar), listed_by_gnu_tar(&tar)) {
            proptest::prop_assert_eq!(ours, theirs, "byte {} is {}", at, byte);
        }
    }

    #[test]
    fn noise_is_never_unpacked_and_never_panics(noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..3_000)) {
        let canary = Canary::new();
        // Whatever it says: the canary checks what matters.
        drop(canary.unpack(&noise));
    }

    #[test]
    fn no_chain_of_links_and_names_leads_out(
        members in proptest::collection::vec((0_u8..4, path(), path()), 1..12)
    ) {
        let canary = Canary::new();
        let tar = members.iter().fold(Tar::new(), |tar, (kind, path, target)| match kind {
            0 => tar.file(path, "evil"),
            1 => tar.dir(path),
            2 => tar.symlink(path, target),
            _ => tar.hard_link(path, target),
        });
        drop(canary.unpack(&tar.bytes()));
    }
}

/// Few names, so that they meet; many ways up.
fn path() -> impl proptest::strategy::Strategy<Value = String> {
    let part = proptest::sample::select(vec!["a", "b", "..", ".", "outside", "secret", "", ".wh.a", ".wh..wh..opq"]);
    proptest::strategy::Strategy::prop_map(proptest::collection::vec(part, 1..5), |parts| parts.join("/"))
}
