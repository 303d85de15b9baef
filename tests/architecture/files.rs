//! Has every file its right shape? Length, first line, a name that says something, and a way to it from a test
//! binary.
//! Deliberately elsewhere: what a file imports (`imports.rs`) and says (`words.rs`).

use std::collections::BTreeSet;

use super::{paths::is_unit_test, tree::Tree};

/// Lines a source file may have at most.
const LONGEST: usize = 450;
/// Names that answer no question.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "helpers", "common", "manager", "misc", "data"];

/// Sources longer than 450 lines.
pub fn too_long(tree: &Tree) -> Vec<String> {
    let sources = tree.rust_below(&["src/", "tests/", "benches/"]);
    let counted = sources.map(|(path, text)| (path, text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > LONGEST);
    long.map(|(path, lines)| format!("{path}: {lines} lines, at most {LONGEST}: split it by noun")).collect()
}

/// Sources whose first line is not a `//!` sentence. Unit tests beside a source answer that source's question.
pub fn without_question(tree: &Tree) -> Vec<String> {
    let sources = tree.rust_below(&["src/", "tests/", "benches/"]);
    let sources = sources.filter(|(path, _)| !(path.starts_with("src/") && is_unit_test(path)));
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let silent =
        sources.filter(|(_, text)| first_line(text).split_whitespace().count() < 3 || !text.starts_with("//! "));
    silent.map(|(path, _)| format!("{path}: the first line must say, after //!, which question it answers")).collect()
}

/// Sources and folders named after nothing.
pub fn nameless(tree: &Tree) -> Vec<String> {
    let empty = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part));
    let sources = tree.rust_below(&["src/", "tests/"]).filter(|(path, _)| empty(path));
    sources.map(|(path, _)| format!("{path}: name it by its noun")).collect()
}

/// Test files that no binary of a `Cargo.toml` reaches through `mod` lines.
pub fn forgotten_tests(tree: &Tree) -> Vec<String> {
    let manifests = tree.all().filter_map(|(path, text)| Some((path.strip_suffix("Cargo.toml")?, text)));
    let roots = manifests.flat_map(|(folder, manifest)| {
        let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
        paths.map(move |path| format!("{folder}{path}"))
    });
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let roots: Vec<String> = roots.filter(|path| path.starts_with("tests/")).collect();
    let mut waiting = roots.clone();
    while let Some(path) = waiting.pop() {
        let Some(text) = tree.text(&path) else { continue };
        let beside = roots.contains(&path) || path.ends_with("/mod.rs");
        waiting.extend(declared_modules(text).flat_map(|name| homes(&path, &name, beside)));
        reached.insert(path);
    }
    let forgotten = tree.rust_below(&["tests/"]).filter(|(path, _)| !reached.contains(*path));
    forgotten.map(|(path, _)| format!("{path}: no `mod` line leads here from a test binary: it never runs")).collect()
}

fn declared_modules(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    })
}

/// Where the module `name` declared in `parent` may live: `beside` it, or in a folder of its name.
fn homes(parent: &str, name: &str, beside: bool) -> [String; 2] {
    let (folder, file) = parent.rsplit_once('/').unwrap_or(("", parent));
    let folder = if beside { folder.to_owned() } else { format!("{folder}/{}", file.trim_end_matches(".rs")) };
    [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]
}
