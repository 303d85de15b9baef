//! Do GNU tar and Python's tarfile see the same members in the corpus's archives as we do? Where readers disagree, one
//! of them can be shown a layer that another has approved (RUSTSEC-2025-0111).
//! Deliberately elsewhere: the reader of the `tar` crate, asked for every changed archive too (`unpack::fuzz`).

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use wharf::engine::backend::embedded::linux::unpack::fuzz::paths;

use super::corpus;

/// Names of an archive's members as its reader tells them, a slash at the end left out.
type Listing = Vec<String>;

const PYTHON: &str = r#"
import json, sys, tarfile
found = {}
for path in sys.argv[1:]:
    try:
        with tarfile.open(path, "r:") as archive:
            found[path] = [member.name.encode("utf-8", "surrogateescape").decode("latin-1") for member in archive]
    except Exception:
        pass
print(json.dumps(found))
"#;

#[test]
fn archives_that_are_read_are_read_as_gnu_tar_and_python_read_them() {
    let archives = corpus::inputs("tar_members");
    let python = listed_by_python(&archives);
    let mut compared = 0;
    let mut disagreements = Vec::new();
    for archive in &archives {
        let name = archive.path.file_name().unwrap().to_str().unwrap();
        let Some(ours) = paths(&archive.bytes) else { continue };
        let ours: Listing = ours.iter().map(|path| shown(path)).collect();
        let python = python
            .get(archive.path.to_str().unwrap())
            .map(|list| list.iter().map(|path| without_slash(path)).collect());
        let theirs = [("GNU tar", listed_by_gnu_tar(&archive.bytes)), ("Python", python)];
        for (reader, theirs) in
            theirs.into_iter().filter_map(|(reader, list): (_, Option<Listing>)| Some((reader, list?)))
        {
            compared += 1;
            if ours != theirs {
                disagreements.push(format!("{name}: {reader} sees {theirs:?}, we see {ours:?}"));
            }
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    assert!(compared > archives.len() / 2, "only {compared} comparisons of {} archives", archives.len());
}

/// `None` where it refuses the archive or complains.
fn listed_by_gnu_tar(archive: &[u8]) -> Option<Listing> {
    let mut command = Command::new("tar");
    command.args(["--list", "--file=-", "--quoting-style=literal", "--absolute-names"]).env("LC_ALL", "C");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It may stop reading early: that is one of its answers.
    let _ = child.stdin.take().unwrap().write_all(archive);
    let output = child.wait_with_output().unwrap();
    let lines = output.stdout.split_inclusive(|byte| *byte == b'\n');
    let names = lines.map(|line| shown(line.strip_suffix(b"\n").unwrap_or(line)));
    output.status.success().then(|| names.collect())
}

fn listed_by_python(archives: &[corpus::Input]) -> BTreeMap<String, Listing> {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON]).args(archives.iter().map(|archive| &archive.path));
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every byte as the letter of its number.
fn shown(path: &[u8]) -> String {
    without_slash(&path.iter().map(|byte| char::from(*byte)).collect::<String>())
}

fn without_slash(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}
