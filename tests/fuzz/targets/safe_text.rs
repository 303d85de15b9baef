//! What must hold for text from outside before a terminal sees it?
//!
//! Deliberately elsewhere: the characters one by one (unit tests of `text`).

use wharf::text::{SafeText, escape_for_terminal, without_styling};

use super::oracle::{Lines, assert_only_prints};

/// Whatever came in: a terminal sees letters alone, nothing hides or turns what stands around it, columns are as
/// promised, and making it safe again changes nothing.
pub fn safe_text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    check(&SafeText::from_untrusted(&text));
    check(&SafeText::from_bytes(input));
    check(&SafeText::log_line(input, usize::from(input.first().copied().unwrap_or(8))));
    check(&SafeText::log_line(&without_styling(input), 8));
    let several = escape_for_terminal(&text);
    assert_only_prints(&several, Lines::Several);
    assert_eq!(escape_for_terminal(&several), several);
    let plain: Vec<u8> = input.iter().copied().filter(|byte| *byte != 0x1b).collect();
    assert_eq!(without_styling(&plain), plain, "a line without an escape has no styling");
}

fn check(safe: &SafeText<'_>) {
    assert_only_prints(safe, Lines::One);
    assert!(!safe.chars().any(misleads), "{safe:?}");
    assert_eq!(SafeText::from_untrusted(safe).as_str(), safe.as_str(), "safe text is made safe again");
    for width in [0, 1, 2, 3, 7, 80] {
        for cut in [safe.truncate_end(width), safe.truncate_middle(width)] {
            assert!(cut.width() <= width, "{cut:?} of {safe:?} takes {} of {width} columns", cut.width());
            assert_only_prints(&cut, Lines::One);
        }
    }
}

/// Characters that turn, hide or join what stands around them; Unicode 16, listed apart from the code under test.
fn misleads(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}')
}
