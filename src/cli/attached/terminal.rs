//! How is this process's own terminal made raw, and brought back whatever happens?
//!
//! Deliberately elsewhere: the full-screen interface's terminal (`ui::terminal`).

use std::io;

use crate::engine::domain::TerminalSize;

/// Raw mode on standard input, undone on drop.
#[derive(Debug)]
pub struct RawMode {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl RawMode {
    /// `None` when standard input is no terminal, or this system has no raw mode.
    ///
    /// # Errors
    /// When the terminal refuses.
    #[cfg(unix)]
    pub fn enter() -> io::Result<Option<Self>> {
        use rustix::termios::{OptionalActions, isatty, tcgetattr, tcsetattr};
        let stdin = io::stdin();
        if !isatty(&stdin) {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Drain, &raw)?;
        Ok(Some(Self { before }))
    }

    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn enter() -> io::Result<Option<Self>> {
        Ok(None)
    }
}

#[cfg(unix)]
impl Drop for RawMode {
    fn drop(&mut self) {
        // The terminal may have gone; then there is nothing to restore.
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Drain, &self.before);
    }
}

/// Whether standard input is a terminal.
#[must_use]
pub fn stdin_is_terminal() -> bool {
    io::IsTerminal::is_terminal(&io::stdin())
}

/// The size of the terminal on standard output, else on standard input.
#[must_use]
pub fn size() -> Option<TerminalSize> {
    #[cfg(unix)]
    {
        use rustix::termios::tcgetwinsize;
        // Neither being a terminal is no failure: there is no size then.
        let size = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).ok()?;
        (size.ws_col > 0).then_some(TerminalSize { columns: size.ws_col, rows: size.ws_row })
    }
    #[cfg(not(unix))]
    None
}
