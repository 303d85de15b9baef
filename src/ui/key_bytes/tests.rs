//! Do bytes mean what terminals mean by them, in pieces of any size, and does nothing wedge the decoder?

use proptest::prelude::*;

use super::*;

fn decoded(bytes: &[u8]) -> Vec<TerminalEvent> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.feed(bytes, &mut events);
    decoder.give_up(&mut events);
    events
}

fn keys(bytes: &[u8]) -> String {
    let word = |event: TerminalEvent| match event {
        TerminalEvent::Key(key) => key.to_string(),
        TerminalEvent::Mouse(Mouse { x, y, kind }) => format!("{kind:?}@{x},{y}"),
        TerminalEvent::Paste(text) => format!("paste:{text}"),
        TerminalEvent::Resize(_) => "resize".to_owned(),
    };
    decoded(bytes).into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_are_read_as_terminals_send_them() {
    for (bytes, expected) in [
        (&b"aG?"[..], "a G ?"),
        (b"\r\t\x7f", "enter tab backspace"),
        (b"\x01\x03\x1a", "ctrl-a ctrl-c ctrl-z"),
        (b"\x1b[A\x1b[B\x1bOC\x1b[D", "up down right left"),
        (b"\x1b[H\x1b[4~\x1b[5~\x1b[6~\x1b[3~\x1b[2~\x1b[Z", "home end pageup pagedown delete insert shift-tab"),
        (b"\x1bOP\x1b[15~\x1b[21~\x1b[24~\x1b[[B", "f1 f5 f10 f12 f2"),
        (b"\x1b[1;5A\x1b[1;3B\x1b[1;2C", "ctrl-up alt-down right"),
        (b"\x1b", "esc"),
        (b"\x1b\x1b", "esc esc"),
        (b"\x1bx", "alt-x"),
        (b"\x1b\x1a\x1b\r", "esc ctrl-z esc enter"),
        (b"\x1b[", "alt-["),
        ("é日🌫".as_bytes(), "é 日 🌫"),
    ] {
        assert_eq!(keys(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn the_mouse_is_read_in_three_dialects() {
    for (bytes, expected) in [
        (&b"\x1b[<0;5;7M\x1b[<0;5;7m"[..], "Press@4,6"),
        (b"\x1b[<64;1;1M\x1b[<65;1;1M", "ScrollUp@0,0 ScrollDown@0,0"),
        (b"\x1b[<35;9;9M\x1b[<2;9;9M", ""),
        (b"\x1b[M !!", "Press@0,0"),
        (b"\x1b[32;5;7M", "Press@4,6"),
        (b"\x1b[<0;99999;99999M", "Press@65534,65534"),
    ] {
        assert_eq!(keys(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_paste_is_one_event_whatever_is_in_it() {
    assert_eq!(keys(b"\x1b[200~q\r\x1b[A\x1b[201~x"), "paste:q\r\x1b[A x");
    assert_eq!(keys(b"\x1b[200~no end"), "paste:no end");
    let long = [b"\x1b[200~", vec![b'x'; 3 << 20].as_slice(), b"\x1b[201~y"].concat();
    assert!(matches!(decoded(&long).as_slice(),
        [TerminalEvent::Paste(text), TerminalEvent::Key(_)] if text.len() == PASTE));
}

#[test]
fn what_is_no_key_is_skipped_and_the_next_key_counts() {
    for garbage in [
        &b"\xff\xfe\x80"[..],
        b"\x1b]0;title\x07",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b[?62;22c",
        b"\x1b[I",
        b"\xc2\x9b",
        b"\x1b[12\x1b[I",
        b"\x1b[999;999;999u",
    ] {
        assert_eq!(keys(&[garbage, b"j"].concat()), "j", "{:?}", String::from_utf8_lossy(garbage));
    }
}

proptest! {
    #[test]
    fn pieces_of_any_size_mean_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 1_usize..7) {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(cut) {
            decoder.feed(piece, &mut events);
        }
        decoder.give_up(&mut events);
        prop_assert_eq!(events, decoded(&bytes));
        prop_assert!(!decoder.is_waiting());
    }

    #[test]
    fn sequences_in_pieces_mean_the_same(parts in proptest::collection::vec(prop_oneof![
        Just("\x1b[200~"), Just("\x1b[201~"), Just("\x1b"), Just("["), Just("1;5A"), Just("M"), Just("<0;3;4M"),
        Just("日"), Just("q"), Just("\x1b]0;"), Just("\x07"), Just("\x1b\\"), Just("O"),
    ], 0..30), cut in 1_usize..5) {
        let bytes = parts.concat().into_bytes();
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(cut) {
            decoder.feed(piece, &mut events);
        }
        decoder.give_up(&mut events);
        prop_assert_eq!(events, decoded(&bytes));
    }
}
