//! How does a test see the interface without a terminal? State, update, effects and view as they are; keys from a
//! script, the screen as text.
//!
//! Only the terminal itself is missing: raw bytes in and out are tested with the binary on a pseudo-terminal.
//! Deliberately elsewhere: the loop of the real program (`run`).

use std::{fmt::Write as _, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    OpenEngine, Settings,
    effect::Effect,
    effect_runner::EffectRunner,
    geometry::Size,
    input::{Key, KeyCode, Mouse, MouseKind, TerminalEvent},
    message::Message,
    picture::Picture,
    state::State,
    update::update,
    view,
};
use crate::engine::domain::{HostSpec, Inventory, LogItem, Timestamp};

/// Messages waiting; a test handles them as they come.
const QUEUE: usize = 256;

/// An interface on a screen in memory.
pub struct Stage {
    state: State,
    runner: EffectRunner,
    messages: mpsc::Receiver<Message>,
    picture: Picture,
    /// Fixed, so that ages and durations read the same every time; none is the real time.
    clock: Option<Timestamp>,
    /// Texts put into the clipboard.
    pub copied: Vec<String>,
    /// The interface has ended.
    pub ended: bool,
}

impl Stage {
    /// Opens the interface on a host; must be called inside a tokio runtime. Nothing is awaited yet.
    #[must_use]
    pub fn open(host: HostSpec, open: OpenEngine, columns: u16, rows: u16, settings: Settings) -> Self {
        let (sender, messages) = mpsc::channel(QUEUE);
        let size = Size { columns, rows };
        let state = State::new(host.clone(), size, settings, Timestamp::now());
        let mut runner = EffectRunner::new(open, sender);
        runner.open_host(host, state.facts.epoch);
        let (picture, copied) = (Picture::new(size), Vec::new());
        let mut stage = Self { state, runner, messages, picture, clock: None, copied, ended: false };
        stage.draw();
        stage
    }

    /// Stops the clock at a moment.
    pub fn stop_clock(&mut self, now: Timestamp) {
        self.clock = Some(now);
        self.state.facts.ages_at = now;
        self.state.facts.now = now;
        self.draw();
    }

    /// Shows a picture of a host as if it had been published just now.
    pub fn show(&mut self, inventory: Inventory) {
        let epoch = self.state.facts.epoch;
        self.handle(Message::Inventory { epoch, inventory: Arc::new(inventory) });
    }

    /// Shows lines in the open log as if the container had just printed them.
    pub fn print(&mut self, items: Vec<LogItem>) {
        let stream = self.state.detail.logs.stream;
        self.handle(Message::LogItems { stream, items });
    }

    /// Presses keys: names such as `enter`, `ctrl-d`, `shift-tab` or `f4` between blanks, anything else is typed
    /// letter by letter. A frame is drawn after each, as for a person who types slowly.
    pub fn press(&mut self, script: &str) {
        for word in script.split(' ').filter(|word| !word.is_empty()) {
            match word.parse::<Key>() {
                Ok(key) => self.press_key(key),
                Err(_) => word.chars().for_each(|letter| self.press_key(Key::char(letter))),
            }
        }
    }

    /// Presses keys without a frame between them, as when they were typed before the screen could change.
    pub fn press_ahead(&mut self, script: &str) {
        let frame = self.state.frame;
        for key in script.split(' ').filter_map(|word| word.parse().ok()) {
            self.update(Message::Terminal { event: TerminalEvent::Key(key), frame });
        }
        self.draw();
    }

    /// Types a text, blanks included.
    pub fn type_text(&mut self, text: &str) {
        text.chars().for_each(|letter| self.press_key(Key::char(letter)));
    }

    pub fn paste(&mut self, text: &str) {
        self.handle(Message::Terminal { event: TerminalEvent::Paste(text.to_owned()), frame: self.state.frame });
    }

    /// Clicks on a cell.
    pub fn click(&mut self, x: u16, y: u16) {
        let event = TerminalEvent::Mouse(Mouse { x, y, kind: MouseKind::Press });
        self.handle(Message::Terminal { event, frame: self.state.frame });
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = Size { columns, rows };
        self.picture = Picture::new(size);
        self.handle(Message::Terminal { event: TerminalEvent::Resize(size), frame: self.state.frame });
    }

    /// Handles what comes from the engine until the screen satisfies `holds`; returns the screen. The text of the
    /// last screen is the error when that takes longer than `patience`.
    ///
    /// # Errors
    /// The last screen.
    pub async fn wait_until(&mut self, patience: Duration, holds: impl Fn(&str) -> bool) -> Result<String, String> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let text = self.text();
            if holds(&text) {
                return Ok(text);
            }
            match tokio::time::timeout_at(deadline, self.messages.recv()).await {
                Ok(Some(message)) => self.handle(message),
                Ok(None) | Err(_) => return Err(text),
            }
        }
    }

    /// Handles everything that has arrived.
    pub fn settle(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.handle(message);
        }
    }

    /// The screen's rows, trailing blanks cut.
    #[must_use]
    pub fn text(&self) -> String {
        self.picture.rows().iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
    }

    /// The screen's rows followed by its runs of style, one a line: `row:column..end style`.
    #[must_use]
    pub fn styled(&self) -> String {
        let mut out = self.text();
        out.push_str("\n--- styles ---\n");
        for (row, start, end, style) in self.picture.style_runs() {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{row}:{start}..{end} {style}");
        }
        out
    }

    /// How many cells the last frame changed; none means that a terminal would get no byte.
    #[must_use]
    pub fn changed_cells(&self) -> usize {
        self.picture.changes().len()
    }

    /// The tick that ages wait for.
    pub fn minute_passes(&mut self) {
        self.handle(Message::Minute);
    }

    fn press_key(&mut self, key: Key) {
        // A capital letter arrives as itself; only terminals of old say more.
        debug_assert!(!matches!(key.code, KeyCode::Char('\n')));
        self.handle(Message::Terminal { event: TerminalEvent::Key(key), frame: self.state.frame });
    }

    fn handle(&mut self, message: Message) {
        self.update(message);
        self.draw();
    }

    fn update(&mut self, message: Message) {
        self.state.facts.now = self.clock.unwrap_or_else(Timestamp::now);
        for effect in update(&mut self.state, message) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::OpenHost(host) => self.runner.open_host(host, self.state.facts.epoch),
            Effect::Submit { submit, command } => self.runner.submit(submit, command),
            Effect::CancelOperation(operation) => self.runner.cancel(operation),
            Effect::FollowLogs { stream, container, options } => self.runner.follow_logs(stream, container, options),
            Effect::EndLogs => self.runner.end_logs(),
            Effect::Ask { query, question } => self.runner.ask(query, question),
            Effect::Resync => self.runner.resync(),
            Effect::Copy(text) => self.copied.push(text),
            Effect::After(wait, timer) => self.runner.after(wait, timer),
            Effect::Session(_) | Effect::Suspend | Effect::Redraw => {}
            Effect::Quit => self.ended = true,
        }
    }

    fn draw(&mut self) {
        let state = &self.state;
        let feedback = self.picture.draw(&state.theme, |canvas| view::draw(state, canvas));
        self.state.drawn(feedback);
    }
}
