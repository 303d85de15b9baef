//! Which keys, clicks and pastes do the bytes from a terminal mean? A decoder that can be fed in pieces of any size and
//! that no bytes can wedge.
//!
//! Our own, because the usual reader loses the key that follows a change of size, and sleeps in the middle of a
//! sequence that never ends. Sequences: xterm's control sequences, SGR, X10 and rxvt mouse reports, bracketed paste.
//! Deliberately elsewhere: reading the bytes (`terminal_input`), what the keys mean (`keymap`).

use super::input::{Key, KeyCode, Modifiers, Mouse, MouseKind, TerminalEvent};

const ESC: u8 = 0x1b;
/// A sequence longer than this is none of ours.
const LONGEST: usize = 64;
/// More of one paste is dropped; no place here takes as much.
const PASTE: usize = 1 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

/// What has come and is not whole yet.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// Inside a bracketed paste.
    paste: Option<Vec<u8>>,
}

/// The beginning of the bytes, understood.
enum Step {
    /// So many bytes mean this.
    Take(usize, Option<TerminalEvent>),
    PasteBegins(usize),
    /// More is needed.
    Wait,
}

impl Decoder {
    /// Takes bytes and appends what they mean.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<TerminalEvent>) {
        self.bytes.extend_from_slice(bytes);
        let mut at = 0;
        while at < self.bytes.len() {
            if self.paste.is_some() {
                match self.paste_until_its_end(at) {
                    Some((text, next)) => {
                        events.push(TerminalEvent::Paste(text));
                        at = next;
                    }
                    None => break,
                }
                continue;
            }
            let rest = self.bytes.get(at..).unwrap_or_default();
            match step(rest) {
                Step::Take(count, event) => {
                    events.extend(event);
                    at += count.max(1);
                }
                Step::PasteBegins(count) => {
                    self.paste = Some(Vec::new());
                    at += count;
                }
                Step::Wait => break,
            }
        }
        if self.paste.is_some() {
            self.keep_paste(at);
        } else {
            self.bytes.drain(..at.min(self.bytes.len()));
        }
    }

    /// Whether the last bytes may be the beginning of something.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.bytes.is_empty() || self.paste.is_some()
    }

    /// Whether it is the end of a paste that is waited for.
    #[must_use]
    pub fn is_pasting(&self) -> bool {
        self.paste.is_some()
    }

    /// Nothing followed in time: Esc was Esc, and what was cut off is dropped.
    pub fn give_up(&mut self, events: &mut Vec<TerminalEvent>) {
        if let Some(mut paste) = self.paste.take() {
            paste.append(&mut self.bytes);
            events.push(TerminalEvent::Paste(String::from_utf8_lossy(&paste).into_owned()));
        }
        match self.bytes.as_slice() {
            [ESC] => events.push(key(KeyCode::Esc, Modifiers::None)),
            [ESC, letter @ (b'[' | b'O' | b']' | b'P' | b'_' | b'^')] => {
                events.push(key(KeyCode::Char(char::from(*letter)), Modifiers::Alt));
            }
            _ => {}
        }
        self.bytes.clear();
    }

    /// The pasted text and where the bytes after it begin.
    fn paste_until_its_end(&mut self, at: usize) -> Option<(String, usize)> {
        let rest = self.bytes.get(at..)?;
        let end = rest.windows(PASTE_END.len()).position(|window| window == PASTE_END)?;
        let mut paste = self.paste.take()?;
        let room = PASTE.saturating_sub(paste.len());
        paste.extend(rest.iter().take(end.min(room)));
        Some((String::from_utf8_lossy(&paste).into_owned(), at + end + PASTE_END.len()))
    }

    /// Moves what is surely pasted out of the way; its last bytes may be the beginning of the end.
    fn keep_paste(&mut self, at: usize) {
        self.bytes.drain(..at.min(self.bytes.len()));
        let sure = self.bytes.len().saturating_sub(PASTE_END.len() - 1);
        if let Some(paste) = &mut self.paste {
            let room = PASTE.saturating_sub(paste.len());
            paste.extend(self.bytes.iter().take(sure.min(room)));
        }
        self.bytes.drain(..sure);
    }
}

fn key(code: KeyCode, modifiers: Modifiers) -> TerminalEvent {
    TerminalEvent::Key(Key { code, modifiers })
}

fn step(bytes: &[u8]) -> Step {
    match bytes {
        [] | [ESC] => Step::Wait,
        // Alt with a control character is nothing here: Esc was pressed, and then that.
        [ESC, ..0x20 | 0x7f, ..] => Step::Take(1, Some(key(KeyCode::Esc, Modifiers::None))),
        [ESC, b'[', rest @ ..] => control_sequence(rest, 2),
        [ESC, b'O', rest @ ..] => match rest {
            [] => Step::Wait,
            [letter, ..] => Step::Take(3, letter_key(*letter).map(|code| key(code, Modifiers::None))),
        },
        // Answers of the terminal that nobody asked for.
        [ESC, b']' | b'P' | b'_' | b'^', rest @ ..] => string_sequence(rest, 2),
        [ESC, rest @ ..] => match plain(rest) {
            Step::Take(count, Some(TerminalEvent::Key(Key { code, .. }))) => {
                Step::Take(count + 1, Some(key(code, Modifiers::Alt)))
            }
            Step::Take(count, event) => Step::Take(count + 1, event),
            other @ (Step::Wait | Step::PasteBegins(_)) => other,
        },
        _ => plain(bytes),
    }
}

/// Letters and control characters.
fn plain(bytes: &[u8]) -> Step {
    let Some(&first) = bytes.first() else { return Step::Wait };
    let control = |letter: u8| (KeyCode::Char(char::from(letter)), Modifiers::Ctrl);
    let (code, modifiers) = match first {
        b'\r' => (KeyCode::Enter, Modifiers::None),
        b'\t' => (KeyCode::Tab, Modifiers::None),
        0x7f => (KeyCode::Backspace, Modifiers::None),
        0 => control(b' '),
        1..=0x1a => control(first + b'a' - 1),
        0x1b..=0x1f => control(first - 0x1b + b'3'),
        0x20..=0x7e => (KeyCode::Char(char::from(first)), Modifiers::None),
        0x80.. => return letter(bytes),
    };
    Step::Take(1, Some(key(code, modifiers)))
}

/// A letter of several bytes; what is no UTF-8 is skipped byte by byte.
fn letter(bytes: &[u8]) -> Step {
    let head = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => return Step::Wait,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
    };
    match valid.chars().next() {
        // C1 controls are keys on no keyboard.
        Some(letter) if letter.is_control() => Step::Take(letter.len_utf8(), None),
        Some(letter) => Step::Take(letter.len_utf8(), Some(key(KeyCode::Char(letter), Modifiers::None))),
        None => Step::Take(1, None),
    }
}

/// `CSI parameters final`, after the introducer of `before` bytes.
fn control_sequence(rest: &[u8], before: usize) -> Step {
    match rest {
        [] => return Step::Wait,
        // The Linux console's F1 to F5.
        [b'['] => return Step::Wait,
        [b'[', letter @ b'A'..=b'E', ..] => {
            return Step::Take(before + 2, Some(key(KeyCode::Function(letter - b'A' + 1), Modifiers::None)));
        }
        [b'M', button, column, row, ..] => {
            let place = |byte: &u8| u16::from(byte.saturating_sub(33));
            let mouse = mouse(u16::from(button.saturating_sub(32)), place(column), place(row));
            return Step::Take(before + 4, mouse);
        }
        [b'M', ..] => return Step::Wait,
        _ => {}
    }
    let end = rest.iter().position(|byte| !(0x20..=0x3f).contains(byte));
    let Some(end) = end else {
        return if rest.len() > LONGEST { Step::Take(before + rest.len(), None) } else { Step::Wait };
    };
    let (Some(parameters), Some(&last)) = (rest.get(..end), rest.get(end)) else { return Step::Wait };
    if !(0x40..=0x7e).contains(&last) {
        // Broken off by something else, which is looked at next.
        return Step::Take(before + end, None);
    }
    let length = before + end + 1;
    if parameters == b"200" && last == b'~' {
        return Step::PasteBegins(length);
    }
    Step::Take(length, meaning(parameters, last))
}

/// Skips to BEL or ST.
fn string_sequence(rest: &[u8], before: usize) -> Step {
    if rest.is_empty() {
        return Step::Wait;
    }
    let bell = rest.iter().position(|byte| *byte == 7).map(|at| at + 1);
    let end = rest.windows(2).position(|pair| pair == b"\x1b\\").map(|at| at + 2);
    match (bell.into_iter().chain(end).min(), rest.len() > LONGEST * 16) {
        (Some(count), _) => Step::Take(before + count, None),
        (None, true) => Step::Take(before + rest.len(), None),
        (None, false) => Step::Wait,
    }
}

fn meaning(parameters: &[u8], last: u8) -> Option<TerminalEvent> {
    let text = std::str::from_utf8(parameters).ok()?; // None of ours.
    if let Some(report) = text.strip_prefix('<') {
        let [button, column, row] = numbers(report);
        return (last == b'M').then(|| mouse(button, column.saturating_sub(1), row.saturating_sub(1)))?;
    }
    let [first, second, third] = numbers(text);
    if last == b'M' {
        return mouse(first.saturating_sub(32), second.saturating_sub(1), third.saturating_sub(1));
    }
    let modifiers = match second.saturating_sub(1) {
        bits if bits & 4 != 0 => Modifiers::Ctrl,
        bits if bits & 2 != 0 => Modifiers::Alt,
        _ => Modifiers::None,
    };
    let code = match last {
        b'Z' => KeyCode::BackTab,
        b'~' => match first {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            11..=15 => KeyCode::Function(u8::try_from(first - 10).ok()?), // Always fits, here and below.
            17..=21 => KeyCode::Function(u8::try_from(first - 11).ok()?),
            23..=24 => KeyCode::Function(u8::try_from(first - 12).ok()?),
            _ => return None,
        },
        _ => letter_key(last)?,
    };
    Some(key(code, modifiers))
}

/// The keys that end in a letter, after `CSI` as after `SS3`.
fn letter_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::Function(last - b'P' + 1),
        _ => return None,
    })
}

/// The first three parameters; missing ones are 0, and none is larger than any screen.
fn numbers(text: &str) -> [u16; 3] {
    let number = |part: &str| {
        let digits = part.split(':').next().unwrap_or_default();
        digits
            .bytes()
            .filter(u8::is_ascii_digit)
            .fold(0_u16, |sum, digit| sum.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
    };
    let mut parts = text.split(';').map(number);
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

fn mouse(button: u16, x: u16, y: u16) -> Option<TerminalEvent> {
    let kind = match button & !0b1_1100 {
        0 => MouseKind::Press,
        64 => MouseKind::ScrollUp,
        65 => MouseKind::ScrollDown,
        _ => return None,
    };
    Some(TerminalEvent::Mouse(Mouse { x, y, kind }))
}

#[cfg(test)]
mod tests;
