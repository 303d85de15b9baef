//! Does anything live get through to a terminal, and does what is shown fit its column?
//! What the screens make of it is tested with the screens.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

/// What terminals have been attacked with: each must come out inert.
const INJECTIONS: &[&str] = &[
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1bP$q\"p\x1b\\",
    "\x1b[6n\x1b[c\x1b[?1049h",
    "\u{9b}31m\u{9d}0;x\u{9c}\u{90}q",
    "innocent\r\x1b[Kreplaced",
    "a\x08\x08\x08b\x7f",
    "file\u{202e}gpj.exe",
    "\u{2066}a\u{2069}\u{200f}\u{61c}",
    "in\u{200b}vis\u{200d}ib\u{feff}le\u{2060}",
    "line\u{2028}line\u{2029}line\u{85}line",
    "tag\u{e0041}\u{e0042}",
    "private\u{e000}\u{f8ff}\u{100000}\u{e1000}\u{efffd}",
    "\u{ad}\u{34f}\u{115f}\u{3164}\u{ffa0}\u{180e}\u{fff9}",
    "nul\0byte\nnewline\ttab\x0bvt\x0cff",
];

#[test]
fn every_known_injection_comes_out_without_a_live_character() {
    for text in INJECTIONS {
        let safe = SafeText::from_untrusted(text);
        assert!(!safe.chars().any(is_live), "{text:?} gave {safe:?}");
        assert!(is_clean(&safe), "{text:?} gave {safe:?}");
    }
}

#[test]
fn stand_ins_are_readable() {
    let show = |text| String::from(SafeText::from_untrusted(text));
    assert_eq!(show("\x1b[31mred"), "␛[31mred");
    assert_eq!(show("a\nb\tc\x7f"), "a␊b␉c␡");
    assert_eq!(show("file\u{202e}gpj.exe"), "file\\u{202e}gpj.exe");
    assert_eq!(show("\u{9b}2J"), "\\u{9b}2J");
    assert_eq!(String::from(SafeText::from_bytes(b"ok \xff\xfe end \xe2\x82")), "ok \\xff\\xfe end \\xe2\\x82");
}

#[test]
fn plain_and_clean_foreign_text_is_borrowed() {
    for text in ["nginx:1.27", "", "grüße 世界 привет", "हिन्दी ไทย"] {
        assert!(matches!(Cow::from(SafeText::from_untrusted(text)), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn a_flood_of_marks_is_cut_after_eight_and_marked_once() {
    let flood = format!("a{}b", "\u{301}".repeat(500));
    let safe = SafeText::from_untrusted(&flood);
    assert_eq!(safe.as_str(), format!("a{}…b", "\u{301}".repeat(8)));
    assert_eq!(safe.width(), 3);
}

#[test]
fn a_mark_without_a_base_is_shown_not_drawn_on_its_neighbour() {
    assert_eq!(SafeText::from_untrusted("\u{301}a").as_str(), "\\u{301}a");
    assert_eq!(escape_for_terminal("x\n\u{301}"), "x\n\\u{301}");
}

#[test]
fn presentation_selectors_vanish_after_symbols_and_show_after_letters() {
    assert_eq!(SafeText::from_untrusted("⚠\u{fe0f} careful").as_str(), "⚠ careful");
    assert_eq!(SafeText::from_untrusted("web\u{fe0f}").as_str(), "web\\u{fe0f}");
}

#[test]
fn log_lines_lose_their_ending_and_expand_tabs_to_stops() {
    assert_eq!(SafeText::log_line(b"a\tbc\td\r\n", 4).as_str(), "a   bc  d");
    assert_eq!(SafeText::log_line("世\tx".as_bytes(), 4).as_str(), "世  x");
    assert_eq!(SafeText::log_line(b"\t", 0).as_str(), " ");
    assert_eq!(SafeText::log_line(b"50%\r100%\n", 8).as_str(), "50%␍100%");
}

#[test]
fn text_for_stderr_keeps_its_lines() {
    assert_eq!(escape_for_terminal("one\ntwo\x1b[2J\n\tthree"), "one\ntwo␛[2J\n        three");
}

#[test]
fn truncation_never_cuts_inside_a_wide_character() {
    let text = SafeText::from_untrusted("世界世界");
    assert_eq!(text.truncate_end(4).as_str(), "世…");
    assert_eq!(text.truncate_end(5).as_str(), "世界…");
    assert_eq!(text.truncate_end(8).as_str(), "世界世界");
    assert_eq!(text.truncate_end(1).as_str(), "…");
    assert_eq!(text.truncate_end(0).as_str(), "");
    assert_eq!(text.truncate_middle(5).as_str(), "世…界");
    assert_eq!(SafeText::from_untrusted("abcdefghij").truncate_middle(5).as_str(), "ab…ij");
}

/// The characters that must never get through, listed apart from the code under test.
fn is_live(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{ad}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Strings rich in what the escaper exists for; proptest's own strings hold no controls at all.
fn hostile() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        proptest::char::range('\0', '\u{ff}'),
        proptest::char::range('\u{300}', '\u{36f}'),
        proptest::char::range('\u{2000}', '\u{206f}'),
        proptest::char::range('\u{fe00}', '\u{feff}'),
        proptest::char::range('\u{4e00}', '\u{4e10}'),
        proptest::char::range('\u{1100}', '\u{11ff}'),
    ];
    proptest::collection::vec(character, 0..60).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn no_output_character_is_a_control(text in hostile()) {
        let safe = SafeText::from_untrusted(&text);
        prop_assert!(!safe.chars().any(is_live));
        prop_assert!(!escape_for_terminal(&text).chars().any(|c| c != '\n' && is_live(c)));
    }

    #[test]
    fn no_byte_string_gets_a_control_through(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(!SafeText::from_bytes(&bytes).chars().any(is_live));
        prop_assert!(!SafeText::log_line(&bytes, 8).chars().any(is_live));
    }

    #[test]
    fn escaping_twice_changes_nothing(text in hostile()) {
        let once = String::from(SafeText::from_untrusted(&text));
        let twice = SafeText::from_untrusted(&once);
        prop_assert_eq!(twice.as_str(), &once);
    }

    #[test]
    fn truncated_text_fits(text in hostile(), width in 0usize..40) {
        let safe = SafeText::from_untrusted(&text);
        prop_assert!(safe.truncate_end(width).width() <= width);
        prop_assert!(safe.truncate_middle(width).width() <= width);
    }
}
