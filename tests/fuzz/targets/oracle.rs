//! Would a terminal do anything but show this text? A VT parser that is not ours decides.
//!
//! Deliberately elsewhere: characters a parser shows and that mislead a person all the same (`safe_text`).

use vte::{Params, Parser, Perform};

/// Whether anything but printing was asked for.
#[derive(Default)]
struct Watcher {
    printed: String,
    /// What a terminal was told to do.
    orders: Vec<String>,
    newlines: usize,
}

/// Fails when a terminal would see in `text` anything but letters, and line feeds where `lines` says so.
pub fn assert_only_prints(text: &str, lines: Lines) {
    let mut watcher = Watcher::default();
    Parser::new().advance(&mut watcher, text.as_bytes());
    assert!(watcher.orders.is_empty(), "{text:?} asks a terminal for {:?}", watcher.orders);
    assert!(lines == Lines::Several || watcher.newlines == 0, "{text:?} has a line feed");
    let newlines = text.matches('\n').count();
    assert_eq!(watcher.newlines, newlines, "{text:?}");
    assert_eq!(watcher.printed, text.replace('\n', ""), "a terminal shows something else");
}

/// Whether the text may have several lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    One,
    Several,
}

impl Perform for Watcher {
    fn print(&mut self, letter: char) {
        self.printed.push(letter);
    }

    fn execute(&mut self, byte: u8) {
        if byte == b'\n' { self.newlines += 1 } else { self.orders.push(format!("control {byte:#x}")) }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.orders.push(format!("DCS {action}"));
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.orders.push("OSC".to_owned());
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.orders.push(format!("CSI {action}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.orders.push(format!("ESC {byte:#x}"));
    }
}
