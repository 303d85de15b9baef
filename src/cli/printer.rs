//! Who writes to standard output and standard error? Only this: data to the one, talk to the other.
//!
//! Deliberately elsewhere: what the rows of each verb hold (`verbs`), the JSON objects (`json`), output of
//! attached processes, which flows through `printer::stream`.

pub mod live;
pub mod stream;
pub mod table;
pub mod wording;

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use self::live::LiveArea;
use super::{
    grammar::{Format, UsageError},
    json::ErrorRow,
};
use crate::{
    engine::domain::Error,
    text::{SafeText, escape_for_terminal},
};

/// Data is written in pieces of at least this size when nobody waits for single lines.
const PIECE: usize = 1 << 16;
/// A script line's output beyond this is cut: results are for reading, not for bulk data.
const CAPTURE_MAX: usize = 1 << 20;

/// The one owner of both outputs, or of a script line's captured ones.
#[derive(Debug)]
pub struct Printer {
    sink: Sink,
    pub format: Format,
    pub quiet: bool,
    color: bool,
    out: Vec<u8>,
    live: LiveArea,
    /// Standard output's reader has gone.
    gone: bool,
}

#[derive(Debug)]
enum Sink {
    Process { out_is_terminal: bool },
    Captured(Captured),
}

/// What a script line printed.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub truncated: bool,
    /// The failures that were told of.
    pub errors: Vec<ErrorRow>,
    pub settled: Vec<Settled>,
}

/// How a change that went well went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// There was nothing to do.
    Already,
}

/// Which of the two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Out,
    Err,
}

impl Printer {
    /// The printer of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let err_is_terminal = io::stderr().is_terminal();
        let out_is_terminal = io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            sink: Sink::Process { out_is_terminal },
            format: Format::Table,
            quiet: false,
            color: err_is_terminal && !dumb && !refused,
            out: Vec::new(),
            live: LiveArea::new(err_is_terminal && !dumb),
            gone: false,
        }
    }

    /// A printer that keeps everything, for a line of a script.
    #[must_use]
    pub fn capturing(format: Format) -> Self {
        Self {
            sink: Sink::Captured(Captured::default()),
            format,
            quiet: false,
            color: false,
            out: Vec::new(),
            live: LiveArea::new(false),
            gone: false,
        }
    }

    pub fn no_color(&mut self) {
        self.color = false;
    }

    #[must_use]
    pub fn is_captured(&self) -> bool {
        match &self.sink {
            Sink::Captured(_) => true,
            Sink::Process { .. } => false,
        }
    }

    /// Whether a person looks at standard output.
    #[must_use]
    pub fn out_is_terminal(&self) -> bool {
        match &self.sink {
            Sink::Process { out_is_terminal, .. } => *out_is_terminal,
            Sink::Captured(_) => false,
        }
    }

    /// Whether standard output's reader has gone: streams end then.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    // -- data ------------------------------------------------------------------------------------

    /// One line of data from outside, made safe.
    pub fn line(&mut self, text: &str) {
        let text = SafeText::from_untrusted(text);
        self.push(text.as_bytes());
        self.push(b"\n");
    }

    /// Lines of our own making whose outside parts are safe already.
    pub fn text(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// Several lines from outside: as they are into a pipe, made safe on a terminal.
    pub fn block(&mut self, text: &str) {
        if self.out_is_terminal() {
            let safe = escape_for_terminal(text);
            self.push(safe.as_bytes());
        } else {
            self.push(text.as_bytes());
        }
    }

    /// One object of the versioned schema on a line of its own.
    pub fn json<T: Serialize>(&mut self, value: &T) {
        match serde_json::to_string(value) {
            Ok(line) => {
                self.block(&line);
                self.push(b"\n");
            }
            Err(error) => self.complain(&format!("cannot write a result as JSON: {error}"), None),
        }
    }

    /// Bytes of a log or a process, as they are.
    pub fn bytes(&mut self, channel: Channel, bytes: &[u8]) {
        match channel {
            Channel::Out => self.push(bytes),
            Channel::Err => {
                self.flush();
                self.push_err(bytes);
            }
        }
    }

    // -- talk ------------------------------------------------------------------------------------

    /// A failure with its remedy.
    pub fn error(&mut self, error: &Error) {
        if let Sink::Captured(captured) = &mut self.sink {
            captured.errors.push(ErrorRow::from(error));
        }
        self.complain(&error.to_string(), error.remedy_text());
    }

    /// A command line that asks for nothing we know; its text is safe already and may have several lines.
    pub fn usage(&mut self, error: &UsageError) {
        // Words of the command line are repeated in it; clap makes some of them safe, not all.
        self.say("wharf: ", "31", &escape_for_terminal(&error.message));
        if let Some(hint) = &error.hint {
            self.say("  hint: ", "2", &SafeText::from_untrusted(hint));
        }
    }

    /// Something the person should know although it went well.
    pub fn warning(&mut self, text: &str) {
        self.say("warning: ", "33", &SafeText::from_untrusted(text));
    }

    /// A remark for people; not printed with `-q`.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            self.say("", "", &SafeText::from_untrusted(text));
        }
    }

    /// A failure of our own.
    pub fn complain(&mut self, text: &str, remedy: Option<&str>) {
        self.say("wharf: ", "31", &escape_for_terminal(text));
        if let Some(remedy) = remedy {
            self.say("  hint: ", "2", &SafeText::from_untrusted(remedy));
        }
    }

    /// Asks a question and reads the answer's line from standard input.
    pub fn ask(&mut self, question: &str) -> String {
        self.flush();
        self.push_err(question.as_bytes());
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(_) => answer.trim().to_owned(),
            Err(_) => String::new(), // An answer that cannot be read is no consent.
        }
    }

    /// Notes how a change went, for the result of a script line.
    pub fn settled(&mut self, settled: Settled) {
        if let Sink::Captured(captured) = &mut self.sink {
            captured.settled.push(settled);
        }
    }

    // -- progress --------------------------------------------------------------------------------

    /// Shows how far the running operations are, in place of what was shown before.
    pub fn progress(&mut self, operations: &[live::Running<'_>]) {
        if self.quiet || self.is_captured() {
            return;
        }
        let text = self.live.show(operations);
        if !text.is_empty() {
            self.write_err(text.as_bytes());
        }
    }

    fn erase_progress(&mut self) {
        let erase = self.live.erase();
        if !erase.is_empty() {
            self.write_err(erase.as_bytes());
        }
    }

    // -- ending ----------------------------------------------------------------------------------

    /// Writes what is held back.
    pub fn flush(&mut self) {
        self.erase_progress();
        let out = std::mem::take(&mut self.out);
        if !out.is_empty() && !self.gone {
            self.write_out(&out);
        }
    }

    /// What a capturing printer kept.
    #[must_use]
    pub fn into_captured(mut self) -> Captured {
        self.flush();
        match self.sink {
            Sink::Captured(captured) => captured,
            Sink::Process { .. } => Captured::default(),
        }
    }

    fn say(&mut self, label: &str, color: &str, text: &str) {
        self.flush();
        let line = match self.color && !color.is_empty() {
            true => format!("\x1b[{color}m{label}\x1b[0m{text}\n"),
            false => format!("{label}{text}\n"),
        };
        self.push_err(line.as_bytes());
    }

    fn push(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        if self.out.len() >= PIECE {
            self.flush();
        }
    }

    fn push_err(&mut self, bytes: &[u8]) {
        self.erase_progress();
        self.write_err(bytes);
    }

    fn write_out(&mut self, bytes: &[u8]) {
        match &mut self.sink {
            Sink::Process { .. } => {
                let mut out = io::stdout().lock();
                if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
                    self.gone = true;
                }
            }
            Sink::Captured(captured) => captured.keep(Channel::Out, bytes),
        }
    }

    fn write_err(&mut self, bytes: &[u8]) {
        match &mut self.sink {
            Sink::Process { .. } => {
                // Nobody is left to tell when standard error itself cannot be written.
                let _ = io::stderr().lock().write_all(bytes);
            }
            Sink::Captured(captured) => captured.keep(Channel::Err, bytes),
        }
    }
}

impl Captured {
    fn keep(&mut self, channel: Channel, bytes: &[u8]) {
        let kept = match channel {
            Channel::Out => &mut self.out,
            Channel::Err => &mut self.err,
        };
        let room = CAPTURE_MAX.saturating_sub(kept.len());
        self.truncated |= bytes.len() > room;
        kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}
