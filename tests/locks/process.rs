//! How does a test make another process take a lock? This test binary started again, told what to do line by line.
//!
//! Each order is answered by one line, so nobody sleeps and nobody guesses. Deliberately elsewhere: what must hold
//! (`mod.rs`).

use std::{
    env,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use wharf::engine::{
    backend::embedded::{
        disk::RealDisk,
        lock::{Holder, Lock, Mode, is_gone, lock, try_lock},
        machine::Machine,
    },
    domain::{ErrorKind, Verb},
};

/// Set in the processes that [`OtherProcess::start`] makes: the lock file they are about.
const ROLE: &str = "WHARF_TEST_LOCK_FILE";
/// Before every answer: the test harness prints on the same stream.
const ANSWER: &str = "lock: ";

/// A process that holds at most one lock and does as it is told.
pub struct OtherProcess {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl OtherProcess {
    pub fn start(path: &Path) -> Self {
        Self::spawn(itself(path))
    }

    /// As [`Self::start`], by a program that prepares the ground and then executes the rest of its arguments.
    #[cfg(target_os = "linux")]
    pub fn start_within(mut ground: Command, path: &Path) -> Self {
        let itself = itself(path);
        ground.arg(itself.get_program()).args(itself.get_args()).env(ROLE, path);
        Self::spawn(ground)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, orders, answers }
    }

    /// Gives one order and returns the answer.
    #[track_caller]
    pub fn ask(&mut self, order: &str) -> String {
        self.tell(order);
        self.answer()
    }

    pub fn tell(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }

    /// The next answer; blocks until there is one.
    #[track_caller]
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the other process ended");
            if let Some((_, answer)) = line.split_once(ANSWER) {
                return answer.trim_end().to_owned();
            }
        }
    }

    /// Ends it as the kernel's out-of-memory killer would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        // End of file on its orders ends it, and everybody it left behind with the same input.
        self.orders = None;
        // It may have been killed before.
        let _ = self.child.wait();
    }
}

fn itself(path: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    let this_test = "locks::process::the_other_process";
    command.args(["--exact", this_test, "--nocapture", "--test-threads=1"]).env(ROLE, path);
    command
}

/// Not a test of its own: the other side of the tests in `mod.rs`.
#[test]
fn the_other_process() {
    let Some(path) = env::var_os(ROLE).map(PathBuf::from) else { return };
    let mut held = Vec::new();
    for order in std::io::stdin().lock().lines() {
        answer(&obey(&order.unwrap(), &path, &mut held));
    }
}

fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ANSWER}{text}").unwrap();
    out.flush().unwrap();
}

#[expect(clippy::zombie_processes, reason = "what it starts is to outlive it")]
fn obey(order: &str, path: &Path, held: &mut Vec<Lock>) -> String {
    let holder = Holder::this_process(&Machine::this(), Verb::Rename, Duration::from_secs(60));
    match order {
        "try exclusive" => tried(try_lock(&RealDisk, path, Mode::Exclusive, &holder), held),
        "try shared" => tried(try_lock(&RealDisk, path, Mode::Shared, &holder), held),
        "wait exclusive" => {
            answer("waiting");
            match lock(&Machine::this(), path, Mode::Exclusive, &holder, Duration::from_secs(60)) {
                Ok(lock) => {
                    held.push(lock);
                    // What the holder wrote while it was alone is what we find.
                    format!(
                        "taken after {:?}",
                        std::fs::read_to_string(path.with_extension("note")).unwrap_or_default()
                    )
                }
                Err(error) if is_gone(&error) => "gone".to_owned(),
                Err(error) => format!("failed {:?}", error.kind()),
            }
        }
        "impatient" => match lock(&Machine::this(), path, Mode::Exclusive, &holder, Duration::ZERO) {
            Ok(_) => "taken".to_owned(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Busy);
                error.to_string()
            }
        },
        "note" => {
            std::fs::write(path.with_extension("note"), "released").unwrap();
            "noted".to_owned()
        }
        "release" => {
            held.clear();
            "released".to_owned()
        }
        "pid" => std::process::id().to_string(),
        // With our own input and output: it lives as long as the test wants, whatever becomes of us.
        "start another" => {
            itself(path).spawn().unwrap();
            "started".to_owned()
        }
        #[cfg(target_os = "linux")]
        "fork" => super::linux::fork_a_child_that_waits(),
        #[cfg(target_os = "linux")]
        "leak into the helper" => super::linux::start_helper_that_inherits(held),
        _ => panic!("no such order: {order}"),
    }
}

fn tried(outcome: std::io::Result<Option<Lock>>, held: &mut Vec<Lock>) -> String {
    match outcome {
        Ok(Some(lock)) => {
            held.push(lock);
            "taken".to_owned()
        }
        Ok(None) => "refused".to_owned(),
        Err(error) => format!("failed {:?}", error.kind()),
    }
}

/// The number of open descriptors of this process; `None` where it cannot be told.
pub fn open_descriptors() -> Option<usize> {
    let _one = File::open("/proc/self/fd").ok()?;
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}
