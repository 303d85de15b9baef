//! How does a prepared process become the container's program? The last step before and of execve.
//!
//! Runs inside libcontainer's child, with the container's root, user and capabilities. What goes wrong
//! is told to the monitor over a pipe in the engine's own words, because the exit code depends on it.
//! Deliberately elsewhere: everything before (`libcontainer`, by `spec`).

use std::{
    collections::HashMap,
    ffi::OsStr,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use libcontainer::{
    oci_spec::runtime::{Process, Spec},
    workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Access, access},
    pipe::{PipeFlags, pipe_with},
    process::{PidfdFlags, getpid, pidfd_open, set_parent_process_death_signal},
    termios::{Winsize, tcsetwinsize},
};

use super::{protocol::Failure, signals};
use crate::engine::domain::{Error, ErrorKind, TerminalSize};

/// Starts the program of a spec and reports why it could not.
#[derive(Clone)]
pub(super) struct WorkloadExecutor {
    report: Rc<OwnedFd>,
    /// The process that waits for it, whatever namespace either is in.
    keeper: Rc<OwnedFd>,
    terminal: Option<TerminalSize>,
}

/// The reading end of an executor's reports.
#[derive(Debug)]
pub(super) struct ExecReport(OwnedFd);

/// An executor of processes that this one waits for, and where its reports arrive. A program with a terminal finds it in the size given.
pub(super) fn with_report(terminal: Option<TerminalSize>) -> io::Result<(WorkloadExecutor, ExecReport)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let keeper = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok((WorkloadExecutor { report: Rc::new(write), keeper: Rc::new(keeper), terminal }, ExecReport(read)))
}

impl AsFd for ExecReport {
    /// Readable once a failure is reported.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl ExecReport {
    /// The failure reported so far, if any; does not wait.
    pub(super) fn take(&self) -> Option<Error> {
        self.read(Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    }

    /// Waits until the program runs (`None`) or could not be started. Every copy of the executor in
    /// this process must be gone.
    pub(super) fn wait(&self) -> Option<Error> {
        self.read(Some(&Timespec { tv_sec: 20, tv_nsec: 0 }))
    }

    fn read(&self, limit: Option<&Timespec>) -> Option<Error> {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut fds, limit) {
                Ok(1..) => {}
                Ok(0) | Err(_) => break, // Nothing there, or nobody to ask: nothing was reported.
            }
            match rustix::io::read(&self.0, &mut piece) {
                Ok(read @ 1..) => bytes.extend_from_slice(piece.get(..read).unwrap_or_default()),
                Ok(0) | Err(_) => break,
            }
        }
        let failure: Failure = serde_json::from_slice(&bytes).ok()?; // Empty: no failure.
        Some(failure.into())
    }
}

impl WorkloadExecutor {
    /// Whether nobody will ever say "go". A pidfd is readable once its process has ended, pidfd_open(2).
    fn is_alone(&self) -> bool {
        let mut keeper = [PollFd::new(&*self.keeper, PollFlags::IN)];
        matches!(poll(&mut keeper, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }

    fn report(&self, error: &Error) {
        let text = serde_json::to_vec(&Failure::from(error)).unwrap_or_default();
        // The monitor reports a plain failure when it cannot read ours.
        let _ = rustix::io::write(&*self.report, &text);
    }
}

impl Executor for WorkloadExecutor {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        // From here until execve this process waits for its monitor, and must not outlive it.
        let leash = set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
        leash.map_err(|error| ExecutorValidationError::ArgValidationError(error.to_string()))?;
        // The signal comes for an end after this call only, and a parent outside our namespace has no number here.
        if self.is_alone() {
            return Err(ExecutorValidationError::ArgValidationError("the monitor went away".to_owned()));
        }
        program(spec).map(|_| ()).map_err(|error| {
            self.report(&error);
            ExecutorValidationError::ArgValidationError(error.to_string())
        })
    }

    /// The environment is given to execve; this process keeps its own until then.
    fn setup_envs(&self, _envs: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let (path, process) = program(spec).map_err(|error| {
            self.report(&error);
            ExecutorError::Other(error.to_string())
        })?;
        let args = process.args().as_deref().unwrap_or_default();
        let mut command = Command::new(&path);
        command.env_clear().args(args.iter().skip(1));
        if let Some(name) = args.first() {
            command.arg0(name);
        }
        command.envs(environment(process));
        if let Some(size) = self.terminal {
            let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
            // Without a terminal there is no size to set.
            let _ = tcsetwinsize(rustix::stdio::stdin(), size);
        }
        let unleashed = set_parent_process_death_signal(None);
        unleashed.map_err(|error| ExecutorError::Other(error.to_string()))?;
        signals::reset_all();
        let error = exec_failure(&path, &command.exec());
        self.report(&error);
        Err(ExecutorError::Other(error.to_string()))
    }
}

fn environment(process: &Process) -> impl Iterator<Item = (&OsStr, &OsStr)> {
    let entries = process.env().as_deref().unwrap_or_default();
    entries.iter().filter_map(|entry| entry.split_once('=')).map(|(key, value)| (key.as_ref(), value.as_ref()))
}

/// The program file, as execvp(3) would find it.
fn program(spec: &Spec) -> Result<(PathBuf, &Process), Error> {
    let process = spec.process().as_ref().ok_or_else(no_command)?;
    let name = process.args().as_deref().and_then(<[String]>::first).ok_or_else(no_command)?;
    if name.contains('/') {
        return check(Path::new(name), name).map(|()| (PathBuf::from(name), process));
    }
    let path =
        environment(process).filter(|(key, _)| *key == "PATH").last().map_or_else(Default::default, |(_, path)| path);
    let mut refused = None;
    for dir in std::env::split_paths(path) {
        let candidate = if dir.as_os_str().is_empty() { Path::new("./").join(name) } else { dir.join(name) };
        match check(&candidate, name) {
            Ok(()) => return Ok((candidate, process)),
            Err(error) if error.kind() == ErrorKind::CommandNotExecutable => refused = Some(error),
            Err(_) => {} // Not here: the next directory.
        }
    }
    Err(refused.unwrap_or_else(|| {
        Error::new(ErrorKind::CommandNotFound, format!("exec: {name:?}: executable file not found in $PATH"))
            .remedy("check the spelling, or run a command that the image has")
    }))
}

fn check(path: &Path, name: &str) -> Result<(), Error> {
    let metadata = std::fs::metadata(path).map_err(|error| exec_failure(Path::new(name), &error))?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::CommandNotExecutable, format!("exec: {name:?}: is a directory")));
    }
    access(path, Access::EXEC_OK).map_err(|error| exec_failure(Path::new(name), &error.into()))
}

fn exec_failure(path: &Path, error: &io::Error) -> Error {
    let shown = path.display().to_string();
    let number = error.raw_os_error();
    if matches!(number, Some(libc::ENOENT | libc::ENOTDIR)) {
        Error::new(ErrorKind::CommandNotFound, format!("exec: {shown:?}: no such file or directory"))
            .remedy("check the path; a script also needs the interpreter of its first line")
    } else if number == Some(libc::EACCES) {
        Error::new(ErrorKind::CommandNotExecutable, format!("exec: {shown:?}: permission denied"))
            .remedy("make the file executable for the container's user")
    } else if number == Some(libc::ENOEXEC) {
        Error::new(ErrorKind::CommandNotExecutable, format!("exec: {shown:?}: exec format error"))
            .remedy("the file is for another platform, or a script without #!")
    } else {
        Error::new(ErrorKind::CommandNotExecutable, format!("exec: {shown:?}: {error}"))
    }
}

fn no_command() -> Error {
    Error::new(ErrorKind::InvalidInput, "no command specified").remedy("name a command after the image")
}

#[cfg(test)]
mod tests {
    use rustix::process::Pid;

    use super::*;

    #[test]
    fn a_prepared_process_knows_whether_anybody_waits_for_it() {
        let (mut executor, _report) = with_report(None).unwrap();
        assert!(!executor.is_alone());
        let mut child = Command::new("true").spawn().unwrap();
        let gone = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let keeper = pidfd_open(gone, PidfdFlags::empty()).unwrap();
        child.wait().unwrap();
        executor.keeper = Rc::new(keeper);
        assert!(executor.is_alone());
        let refused = executor.validate(&Spec::default()).unwrap_err();
        // The test's own process must not hang by a leash.
        set_parent_process_death_signal(None).unwrap();
        assert!(refused.to_string().contains("went away"), "{refused}");
    }
}
