//! Does README.md show the screens as they are? The two blocks of text are the compared pictures; with
//! `WHARF_REGENERATE=1` the test writes them instead.
//! Deliberately elsewhere: how the pictures are taken (`pictures.rs`).

use std::{fs, path::Path};

/// The size a block shows, and the picture that says it.
const PICTURES: [(&str, &str); 2] = [("80x24", "containers_80x24"), ("160x50", "containers_160x50")];

#[test]
fn the_readme_shows_the_screens_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("README.md");
    let before = fs::read_to_string(&path).unwrap();
    let mut after = before.clone();
    for (size, name) in PICTURES {
        let snapshot = fs::read_to_string(root.join(format!("tests/ui/snapshots/{name}.snap"))).unwrap();
        let picture = snapshot.split("\n---\n").nth(1).and_then(|body| body.split("\n--- styles ---").next()).unwrap();
        // A row made to try hostile text would puzzle a reader.
        let rows: Vec<&str> = picture.lines().filter(|row| !row.contains(" evil ")).collect();
        let place = after.find(&format!("at {size}")).unwrap_or_else(|| panic!("README.md has no screen at {size}"));
        let start = place + after[place..].find("```text\n").unwrap() + "```text\n".len();
        let end = start + after[start..].find("```").unwrap();
        after.replace_range(start..end, &format!("{}\n", rows.join("\n")));
    }
    if std::env::var_os("WHARF_REGENERATE").is_some() {
        fs::write(&path, after).unwrap();
    } else {
        assert!(before == after, "stale: run WHARF_REGENERATE=1 cargo test the_readme_shows");
    }
}
