//! Who looks on badly? A program whose output is never read, read a byte at a time, or that stands still.
//! Deliberately elsewhere: what that must not do to anybody (`stalled`).

use std::{
    io::Read,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::deadline::{Deadline, PATIENCE, wait_until};

/// How it looks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    NeverReads,
    OneByteASecond,
    Stopped,
}

pub const MANNERS: [Manner; 3] = [Manner::NeverReads, Manner::OneByteASecond, Manner::Stopped];

/// A viewer of a flood that prints nothing for so long cannot.
const QUIET: Duration = Duration::from_millis(500);
/// No pipe holds less.
const PIPE: u64 = 4096;

/// A running viewer. Dropping it kills it.
pub struct Viewer {
    child: Child,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    what: String,
}

impl Viewer {
    /// Starts `command` and returns once it has joined and shows the first of what it looks at.
    #[track_caller]
    pub fn start(mut command: Command, manner: Manner) -> Self {
        let what = format!("{command:?} {manner:?}");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut viewer = Self { child, stdout, stderr, what };
        wait_until(&format!("output of {}", viewer.what), PATIENCE, || (viewer.unread() > 0).then_some(()));
        match manner {
            Manner::NeverReads => {}
            Manner::OneByteASecond => viewer.read_slowly(),
            Manner::Stopped => viewer.signal(Signal::STOP),
        }
        viewer
    }

    /// What it printed and nobody read.
    fn unread(&self) -> u64 {
        self.stdout.as_ref().map_or(0, |stdout| rustix::io::ioctl_fionread(stdout).unwrap())
    }

    /// Waits until it can print no more.
    #[track_caller]
    pub fn wait_until_full(&self) {
        let mut last = (0, Instant::now());
        wait_until(&format!("{} to be stuck", self.what), PATIENCE, || {
            let unread = self.unread();
            if unread != last.0 {
                last = (unread, Instant::now());
            }
            (unread >= PIPE && last.1.elapsed() >= QUIET).then_some(())
        });
    }

    fn read_slowly(&mut self) {
        let mut stdout = self.stdout.take().unwrap();
        std::thread::spawn(move || {
            // Ends with the viewer, at the end of its output.
            while matches!(stdout.read(&mut [0]), Ok(1)) {
                let second = Deadline::after(Duration::from_secs(1));
                while !second.passed() {
                    second.pause();
                }
            }
        });
    }

    /// Goes on and is read from now on, until it says `marker` on standard error.
    #[track_caller]
    pub fn resume_until(&mut self, marker: &str) {
        self.signal(Signal::CONT);
        let mut stdout = self.stdout.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let mut stderr = self.stderr.take().unwrap();
        let (sender, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut piece) {
                if sender.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut all = Vec::new();
        wait_until(&format!("{marker:?} from {}", self.what), PATIENCE, || {
            all.extend(said.try_iter().flatten());
            String::from_utf8_lossy(&all).contains(marker).then_some(())
        });
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
