//! What wakes the interface, and in which order does it react? Wait, update, run effects, draw once.
//!
//! Deliberately elsewhere: each of these steps (`update`, `effect_runner`, `view`, `terminal`).

use std::{
    collections::VecDeque,
    io,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    defects,
    effect::{Effect, SessionRequest},
    effect_runner::{EffectRunner, OpenEngine},
    facts::Epoch,
    fault::{self, Part},
    geometry::Size,
    input::{Key, KeyCode, Modifiers, TerminalEvent},
    message::Message,
    session::{self, Opened},
    signals::{self, Call, Signals},
    state::{NoticeTone, State},
    terminal::Terminal,
    terminal_input::{FrameCount, TerminalInput},
    update::update,
    view,
};
use crate::{
    engine::domain::{Error, ErrorKind, HostSpec, Result, Timestamp},
    text::SafeText,
};

/// Messages waiting for the loop. A full queue slows streams, never keys: those have their own.
const FACTS: usize = 64;
/// Keys waiting for the loop: more than anybody types while one frame is drawn.
const KEYS: usize = 256;
const CALLS: usize = 8;
/// What is handled before a frame must be drawn.
const BURST: usize = 16;
/// Facts alone never cause more frames than a screen shows.
const FRAME: Duration = Duration::from_millis(16);
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Everything the loop owns.
struct Loop {
    state: State,
    terminal: Terminal,
    runner: EffectRunner,
    input: Option<TerminalInput>,
    keys: mpsc::Receiver<Message>,
    facts: mpsc::Receiver<Message>,
    calls: mpsc::Receiver<Call>,
    /// Came among the keys that were forgotten, and are none.
    kept: VecDeque<Message>,
    opening: Option<Opening>,
    /// The session whose output is being read on the terminal that was given back.
    reading: Option<String>,
    frames: FrameCount,
    dirty: bool,
    drawn_at: Instant,
    minute: Instant,
    second: Instant,
    ended: bool,
}

/// A session on its way. Dropping it gives it up.
struct Opening {
    request: SessionRequest,
    task: AbortOnDropHandle<Result<Opened>>,
}

/// Runs until the person quits. The first frame is on the screen already.
///
/// # Errors
/// When the terminal is lost or threads cannot be made.
pub async fn run(
    state: State,
    terminal: Terminal,
    open: OpenEngine,
    defects: defects::Defects,
    signals: Signals,
) -> io::Result<()> {
    let (key_sender, keys) = mpsc::channel(KEYS);
    let (fact_sender, facts) = mpsc::channel(FACTS);
    let (call_sender, calls) = mpsc::channel(CALLS);
    let frames: FrameCount = Arc::new(AtomicU64::new(state.frame));
    let runner = EffectRunner::new(open, fact_sender.clone());
    let input = TerminalInput::start(key_sender.clone(), Arc::clone(&frames))?;
    let lost = key_sender.clone();
    let signals = tokio::spawn(async move {
        let heard = AssertUnwindSafe(signals.forward(key_sender, call_sender)).catch_unwind().await;
        if let Err(panic) = heard {
            // Nobody would hear SIGTERM any more. The loop may have ended already.
            let _ = lost.send(Message::TerminalLost(Some(defects::words(&*panic)))).await;
        }
    });
    let reports = tokio::spawn(defects.forward(fact_sender));
    let now = Instant::now();
    let mut this = Loop {
        state,
        terminal,
        runner,
        input: Some(input),
        keys,
        facts,
        calls,
        kept: VecDeque::new(),
        opening: None,
        reading: None,
        frames,
        dirty: false,
        drawn_at: now,
        minute: now + MINUTE,
        second: now + SECOND,
        ended: false,
    };
    let host: HostSpec = this.state.facts.inventory.host.clone();
    this.runner.open_host(host, Epoch::default());
    let result = this.turn_until_ended().await;
    signals.abort();
    reports.abort();
    let restored = this.terminal.suspend();
    this.runner.close().await;
    let failed = this.state.defect.take().map_or(Ok(()), |defect| Err(io::Error::other(defect)));
    result.and(restored).and(failed)
}

impl Loop {
    async fn turn_until_ended(&mut self) -> io::Result<()> {
        while !self.ended {
            self.wait().await?;
            for _ in 0..BURST {
                // Keys first: a flood of facts must not make a person wait.
                let next = self.keys.try_recv().or_else(|_| self.facts.try_recv());
                match next {
                    Ok(message) => self.handle(message).await?,
                    Err(_) => break, // Nothing waits, or nobody is left who sends.
                }
                if self.ended {
                    return Ok(());
                }
            }
            self.draw_if_due()?;
        }
        Ok(())
    }

    /// Waits for whatever comes first and handles it.
    async fn wait(&mut self) -> io::Result<()> {
        if let Some(message) = self.kept.pop_front() {
            return self.handle(message).await;
        }
        let feedback = &self.state.feedback;
        let (ages, seconds) = (feedback.shows_ages, feedback.shows_seconds);
        let due = self.drawn_at + FRAME;
        let dirty = self.dirty && self.reading.is_none();
        let drawable = dirty && self.terminal.is_ready();
        tokio::select! {
            biased;
            Some(message) = self.keys.recv() => self.handle(message).await,
            Some(call) = self.calls.recv() => self.call(call),
            result = opened(&mut self.opening), if self.opening.is_some() => self.session(result).await,
            Some(message) = self.facts.recv() => self.handle(message).await,
            () = self.terminal.ready(), if dirty && !drawable => Ok(()),
            () = sleep_until(due), if drawable => Ok(()),
            () = sleep_until(self.second), if seconds => {
                self.second = Instant::now() + SECOND;
                self.handle(Message::Second).await
            }
            () = sleep_until(self.minute), if ages => {
                self.minute = Instant::now() + MINUTE;
                self.handle(Message::Minute).await
            }
        }
    }

    async fn handle(&mut self, message: Message) -> io::Result<()> {
        self.dirty = true;
        if let (Some(_), Message::Terminal { event, .. }) = (&self.opening, &message) {
            self.event_while_opening(event);
            return Ok(());
        }
        if let (Some(_), Message::Terminal { event, .. }) = (&self.reading, &message) {
            // Enter is Ctrl-J where it was typed before the terminal was raw.
            let ways = [Key::plain(KeyCode::Enter), Key::ctrl('j'), Key::plain(KeyCode::Esc), Key::ctrl('c')];
            return match event {
                TerminalEvent::Key(key) if ways.contains(key) => self.come_back().await,
                TerminalEvent::Key(_)
                | TerminalEvent::Mouse(_)
                | TerminalEvent::Paste(_)
                | TerminalEvent::Resize(_) => Ok(()),
            };
        }
        if matches!(message, Message::Inventory { .. }) {
            fault::point(Part::Loop);
        }
        if matches!(message, Message::Terminal { .. }) {
            // A person waits for the answer.
            self.drawn_at = Instant::now().checked_sub(FRAME).unwrap_or(self.drawn_at);
        }
        self.state.facts.now = Timestamp::now();
        for effect in update(&mut self.state, message) {
            self.perform(effect).await?;
        }
        Ok(())
    }

    async fn perform(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::OpenHost(host) => self.runner.open_host(host, self.state.facts.epoch),
            Effect::Submit { submit, command } => self.runner.submit(submit, command),
            Effect::CancelOperation(operation) => self.runner.cancel(operation),
            Effect::FollowLogs { stream, container, options } => self.runner.follow_logs(stream, container, options),
            Effect::EndLogs => self.runner.end_logs(),
            Effect::Ask { query, question } => self.runner.ask(query, question),
            Effect::Resync => self.runner.resync(),
            Effect::Copy(text) => self.terminal.copy(&text)?,
            Effect::Session(request) => self.open_session(request),
            Effect::After(wait, timer) => self.runner.after(wait, timer),
            Effect::Suspend => self.stop()?,
            Effect::Redraw => {
                let size = Terminal::size().unwrap_or(self.state.size);
                self.resize(size);
            }
            Effect::Quit => self.ended = true,
        }
        Ok(())
    }

    fn call(&mut self, call: Call) -> io::Result<()> {
        match call {
            Call::Stop => self.stop(),
            Call::Continue => {
                // Whoever had the terminal meanwhile may have changed its modes.
                self.reading = None;
                self.retake()
            }
            Call::Resize => {
                // Also when the size is the old one again: what was outside meanwhile is lost.
                let size = Terminal::size().unwrap_or(self.state.size);
                self.resize(size);
                Ok(())
            }
        }
    }

    fn resize(&mut self, size: Size) {
        self.state.size = size;
        self.terminal.resize(size);
        self.dirty = true;
    }

    /// Ctrl-Z: the terminal goes back to the shell until the job is continued.
    fn stop(&mut self) -> io::Result<()> {
        self.pause_input();
        self.terminal.suspend()?;
        signals::stop_here();
        self.reading = None;
        self.retake()?;
        if let Some(input) = &mut self.input {
            input.resume();
        }
        Ok(())
    }

    /// A session is opened while the screen goes on: its host may never answer.
    fn open_session(&mut self, request: SessionRequest) {
        let Some(engine) = self.runner.engine().cloned() else { return };
        let name = SafeText::from_untrusted(&request.name);
        self.state.note(NoticeTone::Plain, format!("opening a session in {name}; esc gives up"));
        let (wanted, size) = (request.clone(), self.state.size);
        let task = tokio::spawn(async move { session::open(&engine, &wanted, size).await });
        self.opening = Some(Opening { request, task: AbortOnDropHandle::new(task) });
    }

    /// What is typed now is meant for the session, and nobody is there yet to take it.
    fn event_while_opening(&mut self, event: &TerminalEvent) {
        let interrupt = Key { code: KeyCode::Char('c'), modifiers: Modifiers::Ctrl };
        let gives_up = |key: &Key| key.code == KeyCode::Esc || *key == interrupt;
        match event {
            TerminalEvent::Key(key) if gives_up(key) => {
                self.opening = None;
                self.state.note(NoticeTone::Plain, "gave up opening the session");
            }
            TerminalEvent::Resize(size) => self.resize(*size),
            TerminalEvent::Key(_) | TerminalEvent::Mouse(_) | TerminalEvent::Paste(_) => {}
        }
    }

    /// exec and attach: the terminal is the container's until the session ends.
    async fn session(&mut self, opened: Result<Opened>) -> io::Result<()> {
        let Some(Opening { request, .. }) = self.opening.take() else { return Ok(()) };
        self.state.notice = None;
        // An error is shown on our own screen.
        let result = match opened {
            Err(error) => Err(error),
            Ok(opened) => {
                self.pause_input();
                self.terminal.suspend()?;
                self.terminal.say(&session::announcement(&request, &opened))?;
                let result = session::join(opened, &request).await;
                if let Ok(Some(words)) = &result {
                    self.terminal.listen()?;
                    // It may have ended in the middle of a line.
                    self.terminal.say(&format!("\r\n{words}"))?;
                    if let Some(input) = &mut self.input {
                        input.resume();
                    }
                    self.reading = Some(request.name);
                    return Ok(());
                }
                self.retake()?;
                if let Some(input) = &mut self.input {
                    input.resume();
                }
                result.map(drop)
            }
        };
        self.session_ended(request.name, result).await
    }

    /// The output of a session has been read.
    async fn come_back(&mut self) -> io::Result<()> {
        let Some(name) = self.reading.take() else { return Ok(()) };
        self.retake()?;
        self.session_ended(name, Ok(())).await
    }

    async fn session_ended(&mut self, name: String, result: Result<()>) -> io::Result<()> {
        self.state.facts.now = Timestamp::now();
        for effect in update(&mut self.state, Message::SessionEnded { name, result }) {
            self.perform(effect).await?;
        }
        self.dirty = true;
        Ok(())
    }

    /// The terminal is ours again, whatever size it has now.
    fn retake(&mut self) -> io::Result<()> {
        self.terminal.resume()?;
        let size = Terminal::size().unwrap_or(self.state.size);
        self.resize(size);
        Ok(())
    }

    fn pause_input(&mut self) {
        // What was typed before the terminal changes hands was for us.
        let (keys, kept) = (&mut self.keys, &mut self.kept);
        let mut forget = || {
            while let Ok(message) = keys.try_recv() {
                if !matches!(message, Message::Terminal { .. }) {
                    kept.push_back(message);
                }
            }
        };
        match &mut self.input {
            Some(input) => input.pause(forget),
            None => forget(),
        }
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        let is_early = Instant::now() < self.drawn_at + FRAME && !self.state_is_quiet();
        if !self.dirty || self.reading.is_some() || is_early {
            return Ok(());
        }
        if self.terminal.is_ready() {
            // Counted before it is written: a key that answers what is seen must not be older than it.
            self.frames.store(self.state.frame + 1, Ordering::Release);
        }
        let state = &self.state;
        if let Some(feedback) = self.terminal.present(&state.theme, |canvas| view::draw(state, canvas))? {
            self.state.drawn(feedback);
            self.dirty = false;
            self.drawn_at = Instant::now();
        }
        Ok(())
    }

    /// Nothing else waits to be handled, so this frame is the newest there can be.
    fn state_is_quiet(&self) -> bool {
        self.keys.is_empty() && self.facts.is_empty() && self.drawn_at.elapsed() >= FRAME
    }
}

/// How opening a session ended.
async fn opened(opening: &mut Option<Opening>) -> Result<Opened> {
    match opening {
        Some(opening) => match (&mut opening.task).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::new(ErrorKind::Internal, "opening the session hit a defect in Wharf")),
        },
        None => std::future::pending().await,
    }
}

/// Tells about settings that could not be used.
pub fn note_problems(state: &mut State, problems: &[String]) {
    if let Some(first) = problems.first() {
        let more = problems.len() - 1;
        let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        state.note(NoticeTone::Bad, format!("{}{rest}", SafeText::from_untrusted(first)));
    }
}
