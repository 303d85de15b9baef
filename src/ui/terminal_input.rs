//! How do keys come in? A thread of its own reads the terminal and sends events, and can be paused.
//!
//! It sleeps in the kernel until there is something to read; nothing is polled. Deliberately elsewhere: what the
//! events mean (`input`, `keymap`).

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

#[cfg(not(unix))]
use crossterm::event::{self, Event, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
#[cfg(unix)]
use rustix::event::Timespec;
use tokio::sync::mpsc;

use super::message::Message;
#[cfg(unix)]
use super::{
    fault::{self, Part},
    key_bytes::Decoder,
};
#[cfg(not(unix))]
use super::{
    geometry::Size,
    input::{Key, KeyCode, Modifiers, Mouse, MouseKind, TerminalEvent},
};

/// Counts frames drawn, so that an event knows what was on the screen when it was read.
pub type FrameCount = Arc<AtomicU64>;

/// The reading thread.
#[derive(Debug)]
pub struct TerminalInput {
    #[cfg(unix)]
    control: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl TerminalInput {
    /// # Errors
    /// When no thread or socket can be made.
    pub fn start(messages: mpsc::Sender<Message>, frames: FrameCount) -> std::io::Result<Self> {
        let (control, theirs) = std::os::unix::net::UnixStream::pair()?;
        let thread = std::thread::Builder::new().name("terminal input".to_owned());
        thread.spawn(move || {
            let reading = AssertUnwindSafe(|| read(&theirs, &messages, &frames));
            // A screen that hears no key is no use, however the reading ended. The loop may have ended already.
            let panic = std::panic::catch_unwind(reading).err();
            let _ = messages.blocking_send(Message::TerminalLost(panic.map(|panic| super::defects::words(&*panic))));
        })?;
        Ok(Self { control })
    }

    /// Returns when the thread has stopped reading; keys are somebody else's then. It may be waiting for room for what
    /// it has read already: `make_room` takes that away.
    pub fn pause(&mut self, mut make_room: impl FnMut()) {
        use std::io::{ErrorKind, Read as _, Write as _};
        // A thread that has ended reads nothing either, here and below.
        let _ = self.control.write_all(b"p");
        let _ = self.control.set_read_timeout(Some(MAKING_ROOM));
        loop {
            make_room();
            match self.control.read(&mut [0]) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Ok(_) | Err(_) => break,
            }
        }
    }

    pub fn resume(&mut self) {
        use std::io::Write as _;
        // As above.
        let _ = self.control.write_all(b"r");
    }
}

/// A thread that stands in front of a full queue is met again after this.
#[cfg(unix)]
const MAKING_ROOM: std::time::Duration = std::time::Duration::from_millis(5);
/// How long the rest of an escape sequence may take; after that Esc was meant. Slow lines send them in pieces.
#[cfg(unix)]
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// The same for the end of a paste.
#[cfg(unix)]
const PASTE_REST: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

#[cfg(unix)]
fn read(control: &std::os::unix::net::UnixStream, messages: &mpsc::Sender<Message>, frames: &FrameCount) {
    use std::io::{Read as _, Write as _};

    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
    };
    let mut control = control;
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    let mut buffer = [0; 4096];
    loop {
        let stdin = rustix::stdio::stdin();
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&control, PollFlags::IN)];
        let patience = match (decoder.is_waiting(), decoder.is_pasting()) {
            (_, true) => Some(&PASTE_REST),
            (true, false) => Some(&REST),
            (false, false) => None,
        };
        match poll(&mut waiting, patience) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        let [keys, orders] = waiting.map(|descriptor| descriptor.revents());
        if !orders.is_empty() {
            let mut order = [0];
            let paused = control.read_exact(&mut order).is_ok() && control.write_all(b"k").is_ok();
            if !paused || control.read_exact(&mut order).is_err() {
                return;
            }
            continue;
        }
        if keys.contains(PollFlags::IN) {
            match rustix::io::read(stdin, &mut buffer) {
                Ok(0) => return,
                Ok(count) => decoder.feed(buffer.get(..count).unwrap_or_default(), &mut events),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(_) => return,
            }
        } else if keys.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        } else {
            decoder.give_up(&mut events);
        }
        for event in events.drain(..) {
            fault::point(Part::Input);
            let frame = frames.load(Ordering::Acquire);
            if messages.blocking_send(Message::Terminal { event, frame }).is_err() {
                return;
            }
        }
    }
}

#[cfg(not(unix))]
impl TerminalInput {
    /// # Errors
    /// When no thread can be made.
    pub fn start(messages: mpsc::Sender<Message>, frames: FrameCount) -> std::io::Result<Self> {
        let thread = std::thread::Builder::new().name("terminal input".to_owned());
        thread.spawn(move || {
            while let Ok(found) = event::read() {
                let Some(event) = translate(&found) else { continue };
                let frame = frames.load(Ordering::Acquire);
                if messages.blocking_send(Message::Terminal { event, frame }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {})
    }

    pub fn pause(&mut self, _make_room: impl FnMut()) {}

    pub fn resume(&mut self) {}
}

/// Our own value for what crossterm read; none for what means nothing here.
#[cfg(not(unix))]
fn translate(event: &Event) -> Option<TerminalEvent> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) => translate_key(*key).map(TerminalEvent::Key),
        Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseKind::Press,
                MouseEventKind::ScrollUp => MouseKind::ScrollUp,
                MouseEventKind::ScrollDown => MouseKind::ScrollDown,
                MouseEventKind::Down(MouseButton::Right | MouseButton::Middle)
                | MouseEventKind::Up(_)
                | MouseEventKind::Drag(_)
                | MouseEventKind::Moved
                | MouseEventKind::ScrollLeft
                | MouseEventKind::ScrollRight => return None,
            };
            Some(TerminalEvent::Mouse(Mouse { x: mouse.column, y: mouse.row, kind }))
        }
        Event::Paste(text) => Some(TerminalEvent::Paste(text.clone())),
        Event::Resize(columns, rows) => Some(TerminalEvent::Resize(Size { columns: *columns, rows: *rows })),
        Event::FocusGained | Event::FocusLost => None,
    }
}

#[cfg(not(unix))]
fn translate_key(key: event::KeyEvent) -> Option<Key> {
    let modifiers = if key.modifiers.contains(KeyModifiers::CONTROL) {
        Modifiers::Ctrl
    } else if key.modifiers.contains(KeyModifiers::ALT) {
        Modifiers::Alt
    } else {
        Modifiers::None
    };
    let code = match key.code {
        event::KeyCode::Char(letter) => KeyCode::Char(letter),
        event::KeyCode::Enter => KeyCode::Enter,
        event::KeyCode::Esc => KeyCode::Esc,
        event::KeyCode::Tab => KeyCode::Tab,
        event::KeyCode::BackTab => KeyCode::BackTab,
        event::KeyCode::Backspace => KeyCode::Backspace,
        event::KeyCode::Delete => KeyCode::Delete,
        event::KeyCode::Insert => KeyCode::Insert,
        event::KeyCode::Up => KeyCode::Up,
        event::KeyCode::Down => KeyCode::Down,
        event::KeyCode::Left => KeyCode::Left,
        event::KeyCode::Right => KeyCode::Right,
        event::KeyCode::Home => KeyCode::Home,
        event::KeyCode::End => KeyCode::End,
        event::KeyCode::PageUp => KeyCode::PageUp,
        event::KeyCode::PageDown => KeyCode::PageDown,
        event::KeyCode::F(number) => KeyCode::Function(number),
        event::KeyCode::Null
        | event::KeyCode::CapsLock
        | event::KeyCode::ScrollLock
        | event::KeyCode::NumLock
        | event::KeyCode::PrintScreen
        | event::KeyCode::Pause
        | event::KeyCode::Menu
        | event::KeyCode::KeypadBegin
        | event::KeyCode::Media(_)
        | event::KeyCode::Modifier(_) => return None,
    };
    Some(Key { code, modifiers })
}
