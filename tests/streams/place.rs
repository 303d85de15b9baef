//! Where do these tests run their containers, and how do they watch what a program prints while it prints?
//! Deliberately elsewhere: the store and what must not be left in it (`tests/support`).

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
};

use crate::support::{
    deadline::PATIENCE,
    need::{needs_image, needs_root},
    store::Store,
};

/// A store of the embedded engine with the lab's small image in it.
pub struct Place {
    store: Store,
    image: String,
}

impl Place {
    /// `None`: skipped, and said why.
    pub fn new() -> Option<Self> {
        let image = needs_root().then(|| needs_image("bb:1")).flatten()?;
        let store = Store::new();
        store.ok(&["pull", "-q", &image]);
        Some(Self { store, image })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Starts a container named `name` that runs a shell script.
    #[track_caller]
    pub fn start(&self, name: &str, script: &str) {
        self.store.ok(&["run", "-d", "--network", "none", "--name", name, &self.image, "sh", "-c", script]);
    }

    /// `wharf run` in the foreground, not started yet.
    pub fn foreground(&self, name: &str, script: &str) -> Command {
        self.store.command(&["run", "--network", "none", "--name", name, &self.image, "sh", "-c", script])
    }

    /// Where the container's record and log are.
    #[track_caller]
    pub fn container_dir(&self, name: &str) -> PathBuf {
        self.store.root().join("data/containers").join(self.id(name))
    }

    /// Where its monitor is to be found while it runs.
    #[track_caller]
    pub fn run_dir(&self, name: &str) -> PathBuf {
        self.store.root().join("run/c").join(self.id(name))
    }

    #[track_caller]
    fn id(&self, name: &str) -> String {
        self.store.ok(&["ps", "-aq", "--no-trunc", "--filter", &format!("name={name}")])
    }

    /// The ids of the container's monitor and of its first process.
    pub fn pids(&self, name: &str) -> (u32, u32) {
        let text = fs::read(self.run_dir(name).join("state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let pid = |role: &str| u32::try_from(state[role]["pid"].as_u64().unwrap()).unwrap();
        (pid("monitor"), pid("init"))
    }
}

/// A program whose output is read line by line as it comes. Dropping it kills it.
pub struct Listener {
    child: Child,
    lines: Receiver<String>,
}

impl Listener {
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line, within the usual patience; `None` at the end of the output.
    #[track_caller]
    pub fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("neither a line nor the end within {PATIENCE:?}"),
        }
    }

    /// Everything up to the end.
    #[track_caller]
    pub fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.line()).collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
