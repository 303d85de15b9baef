//! On which engines do the command-line tests run? The embedded one in a store of the test's own, and a Docker daemon
//! when there is one; names are the test's own too.
//! Deliberately elsewhere: the flows (`life.rs`, `running.rs`, `scripts.rs`, `terminal.rs`).

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::support::{
    command::{Finished, run_to_end},
    need,
    screen::{Screen, Size},
    store::Store,
};

/// The longest any one line here may take.
const LINE: Duration = Duration::from_secs(60);

/// One engine with the lab's small image on it.
pub struct Bench {
    store: Store,
    host: String,
    pub image: String,
    prefix: String,
}

/// Runs `flow` on every engine this machine has.
#[track_caller]
pub fn on_each_engine(flow: impl Fn(&Bench)) {
    let Some(image) = need::needs_image("bb:1") else { return };
    // Naming one engine here makes working on it quicker.
    let only = std::env::var("WHARF_TEST_ENGINE").unwrap_or_default();
    if only != "docker" && need::needs_root() {
        flow(&Bench::new("embedded".to_owned(), &image));
    }
    if only != "embedded"
        && let Some(docker) = need::needs_docker()
    {
        flow(&Bench::new(docker, &image));
    }
}

impl Bench {
    fn new(host: String, image: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("wharf-cli-{}-{number}", std::process::id());
        let bench = Self { store: Store::new(), host, image: image.to_owned(), prefix };
        bench.ok(&["pull", "-q", image]);
        bench
    }

    /// A name nobody else uses.
    pub fn name(&self, word: &str) -> String {
        format!("{}-{word}", self.prefix)
    }

    pub fn is_embedded(&self) -> bool {
        self.host == "embedded"
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.store.command(words);
        command.env("WHARF_HOST", &self.host);
        command
    }

    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Finished {
        run_to_end(self.command(words), LINE)
    }

    /// Standard output of a line that must go well, without its last line end.
    #[track_caller]
    pub fn ok(&self, words: &[&str]) -> String {
        let ended = self.run(words);
        assert_eq!(ended.code(), 0, "{}: {words:?}: {ended}", self.host);
        ended.stdout.trim_end_matches('\n').to_owned()
    }

    /// A line that must end with `code`; gives everything it said.
    #[track_caller]
    pub fn ends_with(&self, code: i32, words: &[&str]) -> Finished {
        let ended = self.run(words);
        assert_eq!(ended.code(), code, "{}: {words:?}: {ended}", self.host);
        ended
    }

    pub fn screen(&self, words: &[&str]) -> Screen {
        let words = [&["--host", &self.host], words].concat();
        self.store.screen(&words, Size::STANDARD)
    }

    /// A shell line on a terminal, with this engine chosen.
    pub fn shell(&self, line: &str) -> Screen {
        let environment: Vec<(String, String)> = self
            .command(&[])
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned())))
            .collect();
        Screen::start("sh".as_ref(), &["-c", line], &environment, self.store.root(), Size::STANDARD)
    }

    /// The status word of a container.
    pub fn status(&self, name: &str) -> String {
        let listed = self.ok(&["ps", "-a", "--format", "json", "--filter", &format!("name={name}")]);
        let row: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap_or("null")).unwrap();
        row["status"].as_str().unwrap_or("gone").to_owned()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let listed = self.run(&["ps", "-aq", "--filter", &format!("name={}", self.prefix)]).stdout;
        let ids: Vec<&str> = listed.lines().collect();
        if !ids.is_empty() {
            self.run(&[&["rm", "-f", "-v"], ids.as_slice()].concat());
        }
    }
}
