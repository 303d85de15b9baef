//! Are generated files what their generator would write today? Each has one line in `GENERATED`; with
//! `WHARF_REGENERATE=1` the check writes the files instead.
//! Deliberately elsewhere: the generators, which are part of the program or of its tests.

use std::{env, fs, path::Path};

use super::tree::Tree;

/// A file in the tree and what it ought to hold.
pub struct Generated {
    pub path: &'static str,
    pub make: fn() -> String,
}

/// Every generated file of the project.
pub const GENERATED: &[Generated] = &[];

/// The generated files that differ from what their generator gives.
pub fn stale(tree: &Tree, generated: &[Generated]) -> Vec<String> {
    let stale = generated.iter().filter(|file| tree.text(file.path) != Some((file.make)().as_str()));
    if env::var_os("WHARF_REGENERATE").is_some() {
        stale.for_each(rewrite);
        return Vec::new();
    }
    stale.map(|file| format!("{}: stale; run WHARF_REGENERATE=1 cargo test generated_files", file.path)).collect()
}

fn rewrite(file: &Generated) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file.path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, (file.make)()).unwrap();
}
