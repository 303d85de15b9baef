//! What must hold for any layer before a file is made? Each function checks one input.
//!
//! Deliberately elsewhere: what a layer does to a disk, which needs no inside view, the inputs and who runs them
//! (`tests/fuzz`).

use std::io::{self, BufRead, BufReader, Read as _};

use super::{
    archive::{Archive, Entry, EntryKind},
    place::{Place, Target},
};

/// Members looked at; an archive of nothing but headers holds one per 512 bytes.
const MEMBERS: usize = 4096;

/// A tar stream: the same members and data however it arrives, sizes that add up, and where the reader of the `tar`
/// crate sees a plain archive too, the same paths.
pub fn members(input: &[u8]) {
    let (whole, failed) = listed(input);
    let (pieces, failed_too) = listed(BufReader::with_capacity(7, input));
    assert_eq!((&pieces, failed_too), (&whole, failed), "read in pieces of 7 bytes");
    for (entry, data) in &whole {
        let told = entry.extents.as_ref().map_or(entry.size, |_| entry.stored());
        assert!(*data <= told.max(entry.stored()), "{entry:?} gave {data} bytes");
        assert!(*data <= input.len() as u64);
        assert!(entry.kind == EntryKind::File || entry.size == 0, "{entry:?} has data");
        assert!(entry.mode <= 0o7777);
    }
    if !failed && let Some(theirs) = second_opinion(input) {
        let ours: Vec<&[u8]> = whole.iter().map(|(entry, _)| entry.path.as_slice()).collect();
        assert_eq!(ours, theirs.iter().map(Vec::as_slice).collect::<Vec<_>>(), "another reader sees other paths");
    }
}

/// The path of every member; `None` for an archive that is refused.
#[must_use]
pub fn paths(input: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (members, refused) = listed(input);
    (!refused).then(|| members.into_iter().map(|(entry, _)| entry.path).collect())
}

/// Every member with how many bytes of data it gave, and whether the archive was refused in the end.
fn listed(input: impl BufRead) -> (Vec<(Entry, u64)>, bool) {
    let mut archive = Archive::new(input);
    let mut found = Vec::new();
    while found.len() < MEMBERS {
        match archive.next_entry() {
            Ok(Some(entry)) => match io::copy(&mut archive.by_ref(), &mut io::sink()) {
                Ok(data) => found.push((entry, data)),
                Err(_) => return (found, true),
            },
            Ok(None) => return (found, false),
            Err(_) => return (found, true),
        }
    }
    (found, false)
}

/// What the `tar` crate's own iterator lists; `None` where it refuses, and for what it knows not to know: holes, whose
/// paths it leaves made up.
fn second_opinion(input: &[u8]) -> Option<Vec<Vec<u8>>> {
    if input.windows(b"GNU.sparse".len()).any(|window| window == b"GNU.sparse") {
        return None;
    }
    let mut archive = tar::Archive::new(input);
    let mut paths = Vec::new();
    for entry in archive.entries().ok()?.take(MEMBERS) {
        let entry = entry.ok()?;
        // Global records describe no member.
        if entry.header().entry_type().is_pax_global_extensions() {
            continue;
        }
        paths.push(entry.path_bytes().into_owned());
    }
    Some(paths)
}

/// A member's path: what it becomes is clean, stays inside, and is itself when read again.
pub fn places(input: &[u8]) {
    let clean = |path: &[u8]| {
        path.is_empty()
            || path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b"..") && !part.contains(&0))
    };
    let Ok(target) = Target::of(input) else { return };
    match target {
        Target::Root => {}
        Target::Opaque(directory) => assert!(clean(&directory), "{directory:?}"),
        Target::Make(place) => {
            assert!(clean(&place.path()) && !place.name.is_empty(), "{place:?}");
            assert!(!place.name.starts_with(b".wh."), "a whiteout would be made as a file: {place:?}");
            assert_eq!(Target::of(&place.path()).ok(), Some(Target::Make(place)));
        }
        Target::Whiteout(place) => {
            assert!(clean(&place.path()) && !place.name.is_empty() && !place.name.contains(&b'/'), "{place:?}");
            assert_eq!(Place::of(&place.path()).ok().flatten(), Some(place));
        }
    }
}
