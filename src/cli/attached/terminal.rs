//! How is this process's own terminal made raw, and brought back whatever happens?
//!
//! Deliberately elsewhere: the full-screen interface's terminal (`ui::terminal`), the process that restores after
//! SIGKILL (`cli::guard`).

use std::io;

#[cfg(unix)]
use crate::cli::guard::Guard;
use crate::engine::domain::TerminalSize;

#[cfg(unix)]
const CTRL_C: u8 = 0x03;
#[cfg(unix)]
const CTRL_Q: u8 = 0x11;
/// `_POSIX_VDISABLE`: no key has the meaning.
#[cfg(unix)]
const DISABLED: u8 = 0;
/// What a program in the container may have asked the terminal for, undone when we were killed and it lost its terminal:
/// bracketed paste, mouse reports, keypad and cursor keys, the alternate screen, a hidden cursor, colours. Mode 47 rather
/// than 1049, which would move the cursor also where there was no alternate screen.
#[cfg(unix)]
const LAST_WORDS: &[u8] =
    b"\x1b[?2004l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1l\x1b>\x1b[?47l\x1b[?25h\x1b[0m";

/// Raw mode on standard input, undone on drop, and by a guard when this process is killed.
#[derive(Debug)]
pub struct RawMode {
    #[cfg(unix)]
    before: rustix::termios::Termios,
    #[cfg(unix)]
    _guard: Option<Guard>,
}

impl RawMode {
    /// `None` when standard input is no terminal, or this system has no raw mode.
    ///
    /// # Errors
    /// When the terminal refuses.
    #[cfg(unix)]
    pub fn enter() -> io::Result<Option<Self>> {
        Self::change(rustix::termios::Termios::make_raw)
    }

    /// Lines are typed and echoed as usual, but the keys that leave come through at once and send no signal: Ctrl-C
    /// and Ctrl-Q end a line like Enter does, and Ctrl-D no longer ends the input.
    ///
    /// # Errors
    /// When the terminal refuses.
    #[cfg(unix)]
    pub fn enter_lines() -> io::Result<Option<Self>> {
        use rustix::termios::{InputModes, LocalModes, SpecialCodeIndex};
        Self::change(|modes| {
            modes.input_modes.remove(InputModes::IXON);
            modes.local_modes.remove(LocalModes::ISIG);
            modes.special_codes[SpecialCodeIndex::VEOL] = CTRL_Q;
            modes.special_codes[SpecialCodeIndex::VEOL2] = CTRL_C;
            modes.special_codes[SpecialCodeIndex::VEOF] = DISABLED;
        })
    }

    #[cfg(unix)]
    fn change(change: impl FnOnce(&mut rustix::termios::Termios)) -> io::Result<Option<Self>> {
        use rustix::termios::{OptionalActions, isatty, tcgetattr, tcsetattr};
        let stdin = io::stdin();
        if !isatty(&stdin) {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut changed = before.clone();
        change(&mut changed);
        let guard = Guard::start(rustix::stdio::stdin(), LAST_WORDS);
        tcsetattr(&stdin, OptionalActions::Drain, &changed)?;
        Ok(Some(Self { before, _guard: guard }))
    }

    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn enter() -> io::Result<Option<Self>> {
        Ok(None)
    }

    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn enter_lines() -> io::Result<Option<Self>> {
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
