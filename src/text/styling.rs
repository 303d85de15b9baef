//! Which escape sequences in foreign output only ask for colour, so that a log can be read without them.
//! Everything else that is not plain text stays, for `SafeText` to make visible.

use std::borrow::Cow;

/// Leaves out complete "select graphic rendition" sequences (ESC `[`, digits `;` `:`, `m`; ECMA-48 8.3.117),
/// which programs print by the thousand and which say nothing without colour. The result is still
/// foreign: give it to `SafeText`. Lines without an escape are borrowed.
pub fn without_styling(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.contains(&0x1b) {
        return Cow::Borrowed(line);
    }
    let mut kept = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
        let (before, from_escape) = rest.split_at(at);
        kept.extend_from_slice(before);
        rest = after_styling(from_escape).unwrap_or_else(|| {
            kept.push(0x1b);
            from_escape.get(1..).unwrap_or_default()
        });
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

fn after_styling(sequence: &[u8]) -> Option<&[u8]> {
    let parameters = sequence.strip_prefix(b"\x1b[")?;
    let end = parameters.iter().position(|byte| !matches!(byte, b'0'..=b';'))?;
    parameters.get(end..)?.strip_prefix(b"m")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::SafeText;

    fn shown(line: &[u8]) -> String {
        SafeText::log_line(&without_styling(line), 8).into()
    }

    #[test]
    fn colours_go_and_the_text_stays() {
        assert_eq!(shown(b"\x1b[1;32minfo\x1b[0m ready\x1b[m\n"), "info ready");
        assert_eq!(shown(b"\x1b[38:2::10:20:30mx"), "x");
        assert!(matches!(without_styling(b"plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn every_other_sequence_stays_to_be_shown() {
        assert_eq!(shown(b"\x1b[2Jx"), "␛[2Jx");
        assert_eq!(shown(b"\x1b]0;t\x07"), "␛]0;t␇");
        assert_eq!(shown(b"\x1b[31"), "␛[31");
        assert_eq!(shown(b"\x1b[?25lm\x1b"), "␛[?25lm␛");
        assert_eq!(shown(b"\x1b\x1b[31m[2J"), "␛[2J");
    }
}
