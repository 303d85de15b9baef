//! How does a test run the program? To its end, within a deadline, with both outputs kept.
//! Deliberately elsewhere: programs on a terminal (`screen.rs`).

use std::{
    fmt,
    io::Read,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use super::deadline::Deadline;

/// The program under test. `WHARF_TEST_BINARY` names another build of it, such as a copy that an ordinary
/// user may execute.
pub fn wharf_binary() -> PathBuf {
    std::env::var_os("WHARF_TEST_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_wharf")), PathBuf::from)
}

/// A program that has ended.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The exit code; a death by signal is 128 + its number, as a shell says it.
    pub fn code(&self) -> i32 {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
        }
        #[cfg(not(unix))]
        self.status.code().unwrap_or(-1)
    }

    /// Its standard output, when it ended well.
    ///
    /// # Panics
    /// When it did not; the message holds everything it said.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(self.status.success(), "{self}");
        self.stdout
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\nstdout: {}\nstderr: {}", self.code(), self.stdout, self.stderr)
    }
}

/// Runs `command` to its end and to the end of its output: a process it leaves behind must not hold its pipes.
///
/// # Panics
/// When that takes longer than `patience`; the program is killed first.
#[track_caller]
pub fn run_to_end(mut command: Command, patience: Duration) -> Finished {
    let shown = format!("{command:?}");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
    let stdout = read_in_background(child.stdout.take());
    let stderr = read_in_background(child.stderr.take());
    let deadline = Deadline::after(patience);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if deadline.passed() => give_up(&mut child, &shown, patience),
            None => deadline.pause(),
        }
    };
    while !(stdout.is_finished() && stderr.is_finished()) {
        assert!(!deadline.passed(), "{shown} ended ({status}) but something it left behind holds its output open");
        deadline.pause();
    }
    Finished { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn give_up(child: &mut Child, shown: &str, patience: Duration) -> ! {
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{shown} took longer than {patience:?} and was killed")
}

fn read_in_background<R: Read + Send + 'static>(source: Option<R>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        source.unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
