//! How does a test run a machine and cut its power? QEMU as a child process; what the machine prints comes line by line.
//! Deliberately elsewhere: making kernel and disk (`tests/lab/vm.sh`), what is run in it (beside this file).

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{deadline::Deadline, need::Need};

/// Booting takes 6 s of an idle processor, and several times that on a busy one.
pub const BOOT: Duration = Duration::from_secs(300);
/// What every script begins with.
const FIRST: &str = "export WHARF_ROOT=/var/wharf; cd /tmp; echo; echo @up\n";
const SECTOR: usize = 512;

/// A machine that is off.
pub struct Machine {
    made: PathBuf,
    own: TempDir,
}

impl Machine {
    /// A machine with a disk of its own.
    pub fn new() -> Option<Self> {
        let Some(made) = std::env::var_os("WHARF_TEST_VM").map(PathBuf::from) else {
            Need::from_environment().missing("WHARF_TEST_VM names no machine: tests/lab/vm.sh makes one");
            return None;
        };
        let own = tempfile::tempdir().unwrap();
        let copied =
            Command::new("cp").arg("--sparse=always").arg(made.join("disk")).arg(own.path().join("disk")).status();
        assert!(copied.unwrap().success());
        Some(Self { made, own })
    }

    /// Switches it on; it runs the shell script and then turns itself off.
    pub fn boot(&self, script: &str) -> Running {
        let mut text = format!("{FIRST}{script}\n").into_bytes();
        text.resize(text.len().next_multiple_of(SECTOR), b'\n');
        let second = self.own.path().join("script");
        fs::write(&second, text).unwrap();
        let drive = |path: PathBuf, more: &str| format!("file={},format=raw,if=virtio{more}", path.display());
        let mut machine = Command::new("qemu-system-x86_64")
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"])
            .args(["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"])
            .args(["-append", "console=ttyS0 quiet panic=-1"])
            .arg("-kernel")
            .arg(self.made.join("kernel"))
            .arg("-initrd")
            .arg(self.made.join("initrd"))
            .args(["-drive", &drive(self.own.path().join("disk"), "")])
            .args(["-drive", &drive(second, ",readonly=on")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let mut serial = BufReader::new(machine.stdout.take().unwrap());
        thread::spawn(move || {
            let mut line = Vec::new();
            // A line that the cut broke off has no end: nobody was told.
            while serial.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) && line.ends_with(b"\n") {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                if sender.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Running { machine, lines }
    }
}

/// A machine that is on.
pub struct Running {
    machine: Child,
    lines: Receiver<String>,
}

impl Running {
    /// What it prints up to and without the line `wanted`.
    ///
    /// # Panics
    /// When it goes off or prints no such line in time.
    pub fn until(&self, wanted: &str, patience: Duration) -> Vec<String> {
        let deadline = Deadline::after(patience);
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) if line == wanted => return before,
                Ok(line) => before.push(line),
                Err(error) => panic!("waited for {wanted} ({error}) after\n{}", before.join("\n")),
            }
        }
    }

    /// Lets it go on for a while, then cuts its power; what it printed meanwhile.
    pub fn cut_after(mut self, wait: Duration) -> Vec<String> {
        let deadline = Deadline::after(wait);
        let mut printed = Vec::new();
        loop {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) => printed.push(line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("it went off by itself:\n{}", printed.join("\n")),
            }
        }
        self.machine.kill().unwrap();
        self.machine.wait().unwrap();
        printed.extend(self.lines.iter());
        printed
    }

    /// Waits until it has turned itself off; what it printed.
    pub fn off(mut self, patience: Duration) -> Vec<String> {
        let deadline = Deadline::after(patience);
        let mut printed = Vec::new();
        loop {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(line) => printed.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", printed.join("\n")),
            }
        }
        self.machine.wait().unwrap();
        printed
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be off already; a test that fails must not leave it on.
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}
