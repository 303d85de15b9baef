//! Which files does a rule look at? The project's own text files, or a small tree made up by a test.
//! Deliberately elsewhere: what is asked of them.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

/// Text files by their path from the project's root, `/` between folders.
#[derive(Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The project as it is on disk, without build output and hidden folders other than `.ci` and `.config`.
    pub fn of_this_project() -> Self {
        // Where cargo runs the test, else where it was built.
        let root =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = root.as_path();
        let mut tree = Self::default();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                tree.add_or_descend(root, path, &mut folders);
            }
        }
        tree
    }

    /// A tree of these files.
    pub fn made_up(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files }
    }

    /// The content of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust files below one of `folders`, each written with a `/` at its end.
    pub fn rust_below<'a>(&'a self, folders: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted = |path: &str| path.ends_with(".rs") && folders.iter().any(|folder| path.starts_with(folder));
        self.all().filter(move |(path, _)| wanted(path))
    }

    fn add_or_descend(&mut self, root: &Path, path: PathBuf, folders: &mut Vec<PathBuf>) {
        let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let hidden = relative.starts_with('.') && !relative.starts_with(".c");
        if hidden || relative == "target" || relative.ends_with("/target") || path.is_symlink() {
            return;
        }
        if path.is_dir() {
            folders.push(path);
        } else if let Ok(text) = fs::read_to_string(&path) {
            self.files.insert(relative, text);
        }
    }
}
