//! Which sequences did the program send to the terminal? Read by a parser that is not ours, and held against the short
//! list of what we mean to send.
//! Deliberately elsewhere: provoking others (`injection.rs`).

use vte::{Params, Parser, Perform};

/// Who wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writer {
    /// The full-screen interface: modes, the cursor's place, styles, the clipboard.
    Screen,
    /// A verb: styles, and what redraws a line of progress.
    Verb,
}

/// Everything in `output` that we never mean to send, one description each.
pub fn foreign(output: &[u8], writer: Writer) -> Vec<String> {
    let mut audit = Audit { writer, found: Vec::new() };
    Parser::new().advance(&mut audit, output);
    audit.found
}

/// DEC private modes that we switch: the cursor, mouse reports, the alternate screen, pastes, whole frames.
const MODES: [u16; 9] = [25, 1000, 1002, 1003, 1006, 1015, 1049, 2004, 2026];

struct Audit {
    writer: Writer,
    found: Vec<String>,
}

impl Audit {
    fn note(&mut self, what: String) {
        self.found.push(what);
    }
}

impl Perform for Audit {
    fn print(&mut self, letter: char) {
        let turns_text = matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{180e}'
            | '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{80}'..='\u{9f}' | '\u{7f}' | '\u{e0000}'..='\u{e007f}');
        if turns_text {
            self.note(format!("the letter U+{:04X}", u32::from(letter)));
        }
    }

    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\r' | b'\n' | b'\t') {
            self.note(format!("the control character {byte:#04x}"));
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignored: bool, action: char) {
        let first = params.iter().next().and_then(|group| group.first()).copied().unwrap_or(0);
        let ours = match (intermediates, action, self.writer) {
            (b"", 'm', _) => true,
            (b"", 'H' | 'J', Writer::Screen) => true,
            (b"?", 'h' | 'l', Writer::Screen) => {
                params.iter().all(|group| group.iter().all(|mode| MODES.contains(mode)))
            }
            (b"", 'A' | 'K' | 'J' | 'G', Writer::Verb) => true,
            (b"?", 'h' | 'l', Writer::Verb) => [7, 25, 2026].contains(&first),
            _ => false,
        };
        if !ours {
            self.note(format!("CSI {}{first}…{action}", String::from_utf8_lossy(intermediates)));
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell: bool) {
        let clipboard = params.first() == Some(&b"52".as_slice()) && self.writer == Writer::Screen;
        if !clipboard {
            let parts: Vec<_> = params.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
            self.note(format!("OSC {}", parts.join(";")));
        }
    }

    fn esc_dispatch(&mut self, _intermediates: &[u8], _ignored: bool, byte: u8) {
        // The end of a string sequence is judged with its beginning.
        if byte != b'\\' {
            self.note(format!("ESC {}", char::from(byte)));
        }
    }

    fn hook(&mut self, _params: &Params, _intermediates: &[u8], _ignored: bool, action: char) {
        self.note(format!("DCS {action}"));
    }
}

#[test]
fn the_audit_finds_what_it_is_for() {
    let hostile = super::HOSTILE;
    for writer in [Writer::Screen, Writer::Verb] {
        let found = foreign(hostile.as_bytes(), writer).join("\n");
        for part in ["OSC 0", "DCS", "control character 0x08", "ESC c", "U+202E", "U+200B", "U+2066", "0x9b"] {
            assert!(found.contains(part), "{part} not found in\n{found}");
        }
        assert_eq!(foreign("\u{1b}[1;31mred\u{1b}[0m日本 — fine\r\n".as_bytes(), writer), Vec::<String>::new());
    }
    assert_eq!(foreign(b"\x1b[?1049h\x1b[?25l\x1b[2;3Hx", Writer::Screen), Vec::<String>::new());
    assert_eq!(foreign(b"\x1b[?1049h", Writer::Verb).len(), 1);
}
