//! Where does a test keep its containers? In a store of its own, which must be empty of everything when the
//! test ends, or the test fails with the list of what is left.
//! Deliberately elsewhere: what counts as left behind (`residue.rs`).

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    command::{Finished, run_to_end, wharf_binary},
    deadline::{Deadline, PATIENCE},
    residue::{entries, name_of, residue_of},
    screen::{Screen, Size},
};

/// How long a store may take to become clean after its last container is removed.
const SETTLING: Duration = Duration::from_secs(5);

/// A `WHARF_ROOT` of one test, removed on drop.
pub struct Store {
    folder: tempfile::TempDir,
}

impl Store {
    /// An empty store in a new temporary folder. Its path is short: Unix socket paths are.
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// An empty store in a new folder of `parent`.
    pub fn below(parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-t").tempdir_in(parent).unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    /// The folder that `WHARF_ROOT` names.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The program, ready to run `args` on this store, with an environment that a developer's own settings
    /// cannot reach.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(wharf_binary());
        command.env_clear().envs(self.environment()).args(args).stdin(Stdio::null()).current_dir(self.root());
        command
    }

    /// Runs `wharf args` to its end.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Finished {
        run_to_end(self.command(args), Duration::from_secs(60))
    }

    /// Runs `wharf args`, which must succeed, and returns its standard output without the last line end.
    #[track_caller]
    pub fn ok<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        self.run(args).success().trim_end_matches('\n').to_owned()
    }

    /// The terminal UI, or any verb, on a terminal of `size`.
    #[track_caller]
    pub fn screen<S: AsRef<OsStr>>(&self, args: &[S], size: Size) -> Screen {
        Screen::start(wharf_binary().as_os_str(), args, &self.environment(), self.root(), size)
    }

    /// Removes every container by force and returns what is left after at most five seconds, one line each.
    pub fn clean(&self) -> Vec<String> {
        let ids = self.container_ids();
        let listed = run_to_end(self.command(&["ps", "-a", "-q"]), PATIENCE).stdout;
        let listed: Vec<&str> = listed.lines().collect();
        if !listed.is_empty() {
            let removed = run_to_end(self.command(&[&["rm", "-f"], listed.as_slice()].concat()), PATIENCE);
            if !removed.status.success() {
                return vec![format!("rm -f of {listed:?}: {removed}")];
            }
        }
        let deadline = Deadline::after(SETTLING);
        loop {
            let left = residue_of(self.root(), &ids);
            if left.is_empty() || deadline.passed() {
                return left;
            }
            deadline.pause();
        }
    }

    fn container_ids(&self) -> Vec<String> {
        let folder: PathBuf = self.root().join("data/containers");
        entries(&folder).iter().map(|path| name_of(path)).collect()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let home = self.root().join("home").display().to_string();
        let root = self.root().display().to_string();
        [("PATH", path), ("HOME", home), ("WHARF_ROOT", root), ("LANG", "C.UTF-8".to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A store that was never used has nothing to clean.
        if entries(&self.root().join("data")).is_empty() && entries(&self.root().join("run")).is_empty() {
            return;
        }
        let already_failing = std::thread::panicking();
        let cleaned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.clean()));
        let left = cleaned.unwrap_or_else(|_| vec!["cleaning did not end, see above".to_owned()]);
        assert!(already_failing || left.is_empty(), "left behind by this test:\n  {}", left.join("\n  "));
    }
}
