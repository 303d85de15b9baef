//! How do frames reach the terminal, and how is it given back as it was found?
//!
//! A frame is one write, wrapped as a synchronised update, of only the cells that changed; no change is no write.
//! Deliberately elsewhere: reading keys (`terminal_input`), the process that restores after SIGKILL (`cli::guard`).

use std::{
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    feedback::Feedback,
    geometry::Size,
    output::{Output, Written},
    picture::Picture,
    settings::Mouse,
    theme::Theme,
    widgets::Canvas,
};
use crossterm::{cursor, event, queue, terminal};

/// DEC private mode 2026: the terminal shows the frame when it is complete.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Whether the terminal is ours. A panic hook cannot reach the [`Terminal`]; and leaving the alternate screen twice
/// would put the cursor back over what was said in between.
static OURS: AtomicBool = AtomicBool::new(false);

/// The screen while it is ours.
#[derive(Debug)]
pub struct Terminal {
    output: Output,
    picture: Picture,
    cursor: Option<(u16, u16)>,
    mouse: Mouse,
    /// What the terminal shows is unknown: the next frame clears it first.
    unknown: bool,
}

impl Terminal {
    /// Takes the terminal over: raw mode, alternate screen, mouse and paste reports.
    ///
    /// # Errors
    /// When standard input or output is no terminal.
    pub fn enter(size: Size, mouse: Mouse) -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let output = Output::of_this_process();
        let mut terminal = Self { output, picture: Picture::new(size), cursor: None, mouse, unknown: true };
        terminal.resize(size);
        terminal.write_entry()?;
        Ok(terminal)
    }

    /// The size that the terminal reports now.
    #[must_use]
    pub fn size() -> Option<Size> {
        #[cfg(unix)]
        {
            // Not crossterm's: that one starts programs when the terminal says 0. A terminal that does not tell is
            // treated by the caller.
            let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
            Some(Size { columns: size.ws_col, rows: size.ws_row })
        }
        #[cfg(not(unix))]
        terminal::size().ok().map(|(columns, rows)| Size { columns, rows })
    }

    pub fn resize(&mut self, size: Size) {
        self.picture.resize(size);
        self.forget();
    }

    /// What the terminal shows may be anything: draw it whole next time.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// Whether the last frame has been taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.output.is_ready()
    }

    /// Ends when the rest of a frame that did not fit has been taken.
    pub async fn ready(&self) {
        self.output.ready().await;
    }

    /// Draws one frame and writes what changed.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn present(
        &mut self,
        theme: &Theme,
        draw: impl FnOnce(Canvas<'_>) -> Feedback,
    ) -> io::Result<Option<Feedback>> {
        if !self.output.is_ready() {
            return Ok(None);
        }
        if self.unknown {
            self.picture.forget();
        }
        let feedback = self.picture.draw(theme, draw);
        let mut bytes = Vec::with_capacity(4096);
        bytes.extend_from_slice(BEGIN);
        if self.unknown {
            queue!(bytes, terminal::Clear(terminal::ClearType::All))?;
        }
        let changes = self.picture.changes();
        let changed = !changes.is_empty();
        if changed {
            if self.cursor.is_some() {
                queue!(bytes, cursor::Hide)?;
            }
            changes.write(&mut bytes)?;
        }
        let cursor_moved = self.cursor != feedback.cursor;
        match feedback.cursor {
            Some((x, y)) if changed || cursor_moved => queue!(bytes, cursor::MoveTo(x, y), cursor::Show)?,
            None if cursor_moved => queue!(bytes, cursor::Hide)?,
            Some(_) | None => {}
        }
        self.cursor = feedback.cursor;
        if changed || cursor_moved || self.unknown {
            self.unknown = false;
            bytes.extend_from_slice(END);
            match self.output.write(bytes)? {
                Written::Whole | Written::Partly => {}
            }
        }
        Ok(Some(feedback))
    }

    /// Puts a text into the clipboard of the person's own terminal (OSC 52), also over ssh.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        self.output.write(format!("\x1b]52;c;{encoded}\x07").into_bytes()).map(|_| ())
    }

    /// Gives the terminal back; entering again is [`Terminal::resume`].
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        if !OURS.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let written = self.output.write_patiently(&exit_sequences());
        let raw = terminal::disable_raw_mode();
        written.and(raw)
    }

    /// Writes a line on the terminal that was given back.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        self.output.write_patiently(format!("{line}\r\n").as_bytes())
    }

    /// Hears single keys on the terminal that was given back; what stands on it stays.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn listen(&mut self) -> io::Result<()> {
        // As much as this is to be undone by whoever ends us meanwhile.
        OURS.store(true, Ordering::Release);
        terminal::enable_raw_mode()
    }

    /// Takes the terminal again; the next frame draws it whole.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        self.write_entry()?;
        self.cursor = None;
        self.forget();
        Ok(())
    }

    fn write_entry(&mut self) -> io::Result<()> {
        OURS.store(true, Ordering::Release);
        let mut bytes = Vec::with_capacity(64);
        queue!(bytes, terminal::EnterAlternateScreen, cursor::Hide, event::EnableBracketedPaste)?;
        if self.mouse == Mouse::Used {
            queue!(bytes, event::EnableMouseCapture)?;
        }
        self.output.write(bytes).map(|_| ())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The terminal may be gone, which is one of the reasons to be here.
        let _ = self.suspend();
    }
}

/// What a panic hook can do without the terminal at hand.
pub fn restore_now() {
    if !OURS.swap(false, Ordering::AcqRel) {
        return;
    }
    // As above; and the message that follows is worth more than an error about it.
    let _ = io::stdout().write_all(&exit_sequences());
    let _ = io::stdout().flush();
    let _ = terminal::disable_raw_mode();
}

/// Undoes everything that [`Terminal::enter`] asked for.
#[must_use]
pub fn exit_sequences() -> Vec<u8> {
    let mut bytes = END.to_vec();
    queue!(
        bytes,
        event::DisableBracketedPaste,
        event::DisableMouseCapture,
        terminal::LeaveAlternateScreen,
        cursor::Show,
    )
    .expect("writing to a Vec cannot fail");
    bytes
}
