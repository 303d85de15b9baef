//! Which inputs are kept? The files of `corpus/TARGET/`: written by hand, or found once and kept since.
//!
//! Deliberately elsewhere: changing them (`mutate`), running them (`replay`).

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// An input and the file it stands in.
pub struct Input {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// The inputs of one target, by name.
pub fn inputs(target: &str) -> Vec<Input> {
    let files = sorted(&root().join(target));
    files.into_iter().map(|path| Input { bytes: fs::read(&path).unwrap(), path }).collect()
}

/// The names of all folders.
pub fn folders() -> Vec<String> {
    sorted(&root()).into_iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

fn root() -> PathBuf {
    // Where cargo runs the test, else where it was built.
    let project =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    project.join("tests/fuzz/corpus")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
