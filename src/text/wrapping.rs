//! Where does a sentence break that is too long for its line?
//!
//! Deliberately elsewhere: what cannot be broken and is cut (`safe_text`), logs, which break anywhere (`ui`).

use super::SafeText;

/// Breaks a sentence at blanks; a word longer than a line is broken where it must be.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = SafeText::from_untrusted(word);
        if used > 0 && used + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while word.width() > width && width > 1 {
            let head: String = word
                .chars()
                .scan(0, |columns, letter| {
                    *columns += SafeText::from_untrusted(letter.encode_utf8(&mut [0; 4])).width();
                    (*columns <= width).then_some(letter)
                })
                .collect();
            if head.is_empty() {
                break;
            }
            let rest = word.get(head.len()..).unwrap_or_default().to_owned();
            lines.push(head);
            word = SafeText::from(rest);
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += word.width();
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_at_blanks_and_long_words_where_they_must() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
