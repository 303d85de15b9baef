//! With which code does the program end?
//!
//! Deliberately elsewhere: usage errors, which carry their own code (`grammar::UsageError`).

use crate::engine::domain::{ErrorKind, ProcessExit, Signal};

/// How one invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(u8),
    /// A signal asked for the end: it is raised again after cleaning up, so that shells see it.
    Signal(Signal),
}

impl Exit {
    pub const DONE: Self = Self::Code(0);
    /// At least one target failed.
    pub const FAILED: Self = Self::Code(1);
    /// The engine failed before there was a process whose code could be passed on.
    pub const ENGINE_FAILED: Self = Self::Code(125);
    /// `wait --timeout` ran out.
    pub const TIMED_OUT: Self = Self::Code(124);
    /// Nobody reads our output any more: 128 + SIGPIPE.
    pub const BROKEN_PIPE: Self = Self::Code(141);

    /// The code a shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => u8::try_from(signal.exit_code()).unwrap_or(u8::MAX),
        }
    }

    /// One verb on several targets: the first that is not zero counts.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        if self == Self::DONE { next } else { self }
    }

    /// What `run` and `exec` pass on. A process whose end nobody saw counts as an engine failure.
    #[must_use]
    pub fn of_process(exit: ProcessExit) -> Self {
        match exit {
            ProcessExit::Code(code) => u8::try_from(code).map_or(Self::ENGINE_FAILED, Self::Code),
            ProcessExit::Unknown => Self::ENGINE_FAILED,
        }
    }

    /// A failure of `run`, `create` or `exec`, in Docker's codes.
    #[must_use]
    pub fn of_start_failure(kind: ErrorKind) -> Self {
        kind.command_code().map_or(Self::ENGINE_FAILED, Self::Code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_pass_their_own_code_on() {
        assert_eq!(Exit::of_process(ProcessExit::Code(0)).code(), 0);
        assert_eq!(Exit::of_process(ProcessExit::Code(7)).code(), 7);
        assert_eq!(Exit::of_process(ProcessExit::Code(137)).code(), 137);
        assert_eq!(Exit::of_process(ProcessExit::Unknown).code(), 125);
    }

    #[test]
    fn failed_starts_have_dockers_codes() {
        assert_eq!(Exit::of_start_failure(ErrorKind::CommandNotFound).code(), 127);
        assert_eq!(Exit::of_start_failure(ErrorKind::CommandNotExecutable).code(), 126);
        assert_eq!(Exit::of_start_failure(ErrorKind::NoSuchImage).code(), 125);
    }

    #[test]
    fn the_first_failure_of_several_targets_counts() {
        assert_eq!(Exit::DONE.and(Exit::FAILED).and(Exit::DONE), Exit::FAILED);
        assert_eq!(Exit::Signal(Signal::INT).code(), 130);
    }
}
