//! What does a person see? The program on a real pseudo-terminal, an emulated screen in front of it, keys typed
//! into it.
//! Deliberately elsewhere: how keys are written (`keys.rs`).

use std::{
    ffi::OsStr,
    fmt::Write as _,
    io::{Read, Write},
    num::NonZeroU16,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::{
    deadline::{Deadline, PATIENCE},
    keys::presses,
};

/// Columns and rows of a terminal.
#[derive(Clone, Copy)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

impl Size {
    pub const STANDARD: Self = Self { columns: 80, rows: 24 };
    pub const WIDE: Self = Self { columns: 160, rows: 50 };
    pub const TINY: Self = Self { columns: 40, rows: 10 };

    fn pty(self) -> PtySize {
        PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 }
    }
}

/// What the emulator knows, changed by the reading thread alone.
struct Seen {
    parser: vt100::Parser,
    /// Everything the program ever wrote, for tests of the sequences themselves.
    output: Vec<u8>,
    ended: bool,
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

/// A program on a terminal. Dropping it kills the program.
pub struct Screen {
    master: Box<dyn MasterPty + Send>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    shared: Shared,
}

impl Screen {
    /// Starts `program args` on a new terminal with nothing but `environment` and `TERM` set.
    #[track_caller]
    pub fn start<S: AsRef<OsStr>>(
        program: &OsStr,
        args: &[S],
        environment: &[(String, String)],
        folder: &Path,
        size: Size,
    ) -> Self {
        Unread::start(program, args, environment, folder, size).read_on(size)
    }

    /// Whether lines are edited, echoed and end as they do in a shell: raw mode is over, or never was.
    #[cfg(unix)]
    pub fn is_cooked(&self) -> bool {
        is_cooked(&*self.master)
    }

    /// Presses the keys of a script such as `p,enter` (see `keys.rs`), each in a write of its own.
    pub fn type_keys(&self, script: &str) {
        presses(script).iter().for_each(|press| self.send(press));
    }

    /// Sends bytes as they are: a paste, a mouse report.
    pub fn send(&self, bytes: &[u8]) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(bytes).and_then(|()| writer.flush()).unwrap();
    }

    /// Waits until the screen shows `text`.
    ///
    /// # Panics
    /// When it does not within twenty seconds, or the program ends first; the message holds the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), PATIENCE, |screen| screen.contains(text));
    }

    /// Waits until the screen no longer shows `text`.
    #[track_caller]
    pub fn wait_until_gone(&self, text: &str) {
        self.wait_until(&format!("no {text:?}"), PATIENCE, |screen| !screen.contains(text));
    }

    /// Waits until the screen's text satisfies `holds`; returns that text.
    #[track_caller]
    pub fn wait_until(&self, what: &str, patience: Duration, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Deadline::after(patience);
        let mut seen = self.seen();
        loop {
            let text = seen.parser.screen().contents();
            if holds(&text) {
                return text;
            }
            assert!(!seen.ended, "the program ended before the screen showed {what}; last screen:\n{text}");
            assert!(!deadline.passed(), "waited {patience:?} in vain for {what} on this screen:\n{text}");
            seen = self.shared.1.wait_timeout(seen, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The text on the screen, rows joined by line ends, trailing blanks cut.
    pub fn text(&self) -> String {
        self.seen().parser.screen().contents()
    }

    /// The text followed by its style runs (`row:column..end style`), one a line: what a snapshot should keep.
    pub fn styled(&self) -> String {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let mut out = screen.contents();
        out.push_str("\n--- styles ---\n");
        for row in 0..screen.size().0.get() {
            for (start, end, style) in style_runs(screen, row) {
                writeln!(out, "{row}:{start}..{end} {style}").unwrap();
            }
        }
        out
    }

    /// Every byte the program wrote so far.
    pub fn output(&self) -> Vec<u8> {
        self.seen().output.clone()
    }

    /// What a terminal would still be set to, in words; empty when the program has put everything back.
    pub fn left_set(&self) -> Vec<&'static str> {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let modes = [
            ("alternate screen", screen.alternate_screen()),
            ("hidden cursor", screen.hide_cursor()),
            ("bracketed paste", screen.bracketed_paste()),
            ("mouse reports", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
            ("application keypad", screen.application_keypad()),
        ];
        modes.into_iter().filter_map(|(name, set)| set.then_some(name)).collect()
    }

    /// Changes the terminal's size; the program gets SIGWINCH.
    pub fn resize(&self, size: Size) {
        self.seen().parser.set_size(cells(size.rows), cells(size.columns));
        self.master.resize(size.pty()).unwrap();
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the program to end and for the last of its output.
    ///
    /// # Panics
    /// When it has not ended within twenty seconds.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Deadline::after(PATIENCE);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut seen = self.seen();
                while !seen.ended && !deadline.passed() {
                    seen = self.shared.1.wait_timeout(seen, deadline.left()).unwrap().0;
                }
                return status;
            }
            assert!(!deadline.passed(), "the program did not end; last screen:\n{}", self.text());
            deadline.pause();
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A waiter that gave up panicked with the lock held; what was seen is still true.
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both fail only when the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program on a terminal that nobody reads: what it writes waits in the kernel's buffer, which is small.
pub struct Unread {
    master: Box<dyn MasterPty + Send>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// What was read byte by byte.
    read: Vec<u8>,
}

impl Unread {
    /// As [`Screen::start`].
    #[track_caller]
    pub fn start<S: AsRef<OsStr>>(
        program: &OsStr,
        args: &[S],
        environment: &[(String, String)],
        folder: &Path,
        size: Size,
    ) -> Self {
        let pair = native_pty_system().openpty(size.pty()).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, reader, writer, child, read: Vec::new() }
    }

    /// Waits for so many bytes, read one at a time.
    #[track_caller]
    pub fn read_bytes(&mut self, count: usize) {
        for _ in 0..count {
            let mut byte = [0];
            self.reader.read_exact(&mut byte).unwrap();
            self.read.extend(byte);
        }
    }

    /// Types without looking.
    pub fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).and_then(|()| self.writer.flush()).unwrap();
    }

    /// Starts to read for good.
    pub fn read_on(self, size: Size) -> Screen {
        let Self { master, reader, writer, child, read } = self;
        let writer = Arc::new(Mutex::new(writer));
        let mut parser = vt100::Parser::new(cells(size.rows), cells(size.columns), 0);
        parser.process(&read);
        let seen = Seen { parser, output: read, ended: false };
        let shared: Shared = Arc::new((Mutex::new(seen), Condvar::new()));
        let (seen_by_reader, answers) = (Arc::clone(&shared), Arc::clone(&writer));
        std::thread::spawn(move || read_all(reader, &seen_by_reader, &answers));
        Screen { master, writer, child, shared }
    }

    /// Closes the terminal, as when a window or a connection goes, and returns how the program ended.
    ///
    /// # Panics
    /// When it has not ended within twenty seconds.
    #[track_caller]
    pub fn close(self) -> ExitStatus {
        let Self { master, reader, writer, child, .. } = self;
        drop((writer, reader, master));
        ended(child)
    }

    /// How the program ends while nobody reads.
    #[track_caller]
    pub fn wait_exit(self) -> ExitStatus {
        ended(self.child)
    }
}

#[track_caller]
fn ended(mut child: Box<dyn Child + Send + Sync>) -> ExitStatus {
    let deadline = Deadline::after(PATIENCE);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if deadline.passed() {
            // Ends only the program under test, by its own handle.
            let _ = child.kill();
            panic!("the program did not end");
        }
        deadline.pause();
    }
}

#[cfg(unix)]
fn is_cooked(master: &dyn MasterPty) -> bool {
    use rustix::termios::{InputModes, LocalModes, OutputModes, tcgetattr};
    let terminal = std::fs::File::open(master.tty_name().unwrap()).unwrap();
    let modes = tcgetattr(&terminal).unwrap();
    modes.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN)
        && modes.input_modes.contains(InputModes::ICRNL)
        && modes.output_modes.contains(OutputModes::OPOST)
}

fn read_all(mut reader: Box<dyn Read + Send>, shared: &Shared, answers: &Mutex<Box<dyn Write + Send>>) {
    let mut buffer = [0; 1 << 16];
    // The master end fails with EIO once the last writer is gone: that is its end of file.
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        let chunk = &buffer[..count];
        answer_questions(chunk, answers);
        let mut seen = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.parser.process(chunk);
        seen.output.extend_from_slice(chunk);
        shared.1.notify_all();
    }
    shared.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
    shared.1.notify_all();
}

/// A program may ask a terminal where the cursor is, or what it is; silence would make it wait.
fn answer_questions(chunk: &[u8], answers: &Mutex<Box<dyn Write + Send>>) {
    for (question, answer) in [("\x1b[6n", "\x1b[1;1R"), ("\x1b[c", "\x1b[?62;22c"), ("\x1b[?u", "")] {
        if chunk.windows(question.len()).any(|window| window == question.as_bytes()) {
            // A program that ended meanwhile needs no answer.
            let _ = answers.lock().unwrap().write_all(answer.as_bytes());
        }
    }
}

fn style_runs(screen: &vt100::Screen, row: u16) -> Vec<(u16, u16, String)> {
    let mut runs: Vec<(u16, u16, String)> = Vec::new();
    for column in 0..screen.size().1.get() {
        let style = screen.cell(row, column).map(style_of).unwrap_or_default();
        match runs.last_mut() {
            Some((_, end, last)) if *last == style => *end = column + 1,
            _ => runs.push((column, column + 1, style)),
        }
    }
    runs.retain(|(_, _, style)| !style.is_empty());
    runs
}

fn style_of(cell: &vt100::Cell) -> String {
    let flags = [
        (cell.bold(), "bold"),
        (cell.dim(), "dim"),
        (cell.italic(), "italic"),
        (cell.underline(), "underline"),
        (cell.inverse(), "reverse"),
    ];
    let mut words: Vec<String> = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word.to_owned()).collect();
    words.extend(colour_word("fg", cell.fgcolor()));
    words.extend(colour_word("bg", cell.bgcolor()));
    words.join(" ")
}

fn colour_word(ground: &str, colour: vt100::Color) -> Option<String> {
    match colour {
        vt100::Color::Default => None,
        vt100::Color::Idx(index) => Some(format!("{ground}={index}")),
        vt100::Color::Rgb(red, green, blue) => Some(format!("{ground}=#{red:02x}{green:02x}{blue:02x}")),
    }
}

/// A terminal without a row or a column is emulated with one; what the program is told stays as asked.
fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN)
}
