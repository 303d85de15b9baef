//! Who gives the terminal back when this program is killed outright? A tiny process that waits for our end.
//!
//! It is our own binary in the role `__guard`, in a session of its own so that neither Ctrl-C nor job control
//! reach it, and it holds nothing but the terminal and a pipe. Deliberately elsewhere: every other way to end
//! (`terminal`, `defects`).

/// The word that `main` looks for.
pub const ROLE: &str = "__guard";

#[cfg(unix)]
pub use self::unix::{Guard, run};

#[cfg(not(unix))]
pub use self::other::Guard;

#[cfg(unix)]
mod unix {
    use std::{
        io::{self, Read as _, Write as _},
        process::{Child, ChildStdin, Command, ExitCode, Stdio},
    };

    use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, tcgetattr, tcsetattr};

    use super::{super::terminal, ROLE};

    /// The guarding process as its charge sees it.
    #[derive(Debug)]
    pub struct Guard {
        child: Child,
        pipe: ChildStdin,
    }

    impl Guard {
        /// Starts it; none when that fails, for it is a precaution.
        #[must_use]
        pub fn start() -> Option<Self> {
            let program = std::env::current_exe().ok()?;
            let mut command = Command::new(program);
            command.arg(ROLE).stdin(Stdio::piped()).stdout(Stdio::inherit()).stderr(Stdio::null());
            command.env_clear();
            let mut child = command.spawn().ok()?;
            let pipe = child.stdin.take()?;
            Some(Self { child, pipe })
        }

        /// Sends it away: the terminal has been given back.
        pub fn dismiss(mut self) {
            // It may have been killed; then it is away already.
            let _ = self.pipe.write_all(b"q");
            drop(self.pipe);
            let _ = self.child.wait();
        }
    }

    /// The role itself: waits for the end of the pipe.
    #[must_use]
    pub fn run() -> ExitCode {
        // Failing means that we lead a session already, which is as good.
        let _ = rustix::process::setsid();
        let mut word = [0];
        match io::stdin().read(&mut word) {
            Ok(1) => ExitCode::SUCCESS,
            Ok(_) | Err(_) => {
                restore();
                ExitCode::SUCCESS
            }
        }
    }

    /// Turns on what raw mode turned off, as `stty sane` does, and undoes what the screen asked for.
    fn restore() {
        let out = io::stdout();
        if let Ok(mut modes) = tcgetattr(&out) {
            modes.input_modes |= InputModes::ICRNL | InputModes::IXON | InputModes::BRKINT;
            modes.output_modes |= OutputModes::OPOST;
            modes.local_modes |= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
            // The terminal may be gone as well.
            let _ = tcsetattr(&out, OptionalActions::Now, &modes);
        }
        let mut out = out.lock();
        // As above.
        let _ = out.write_all(&terminal::exit_sequences());
        let _ = out.flush();
    }
}

#[cfg(not(unix))]
mod other {
    /// Consoles restore themselves.
    #[derive(Debug)]
    pub struct Guard;

    impl Guard {
        #[must_use]
        pub fn start() -> Option<Self> {
            None
        }

        pub fn dismiss(self) {}
    }
}
