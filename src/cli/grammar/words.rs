//! How is a line of text cut into words? As a POSIX shell does it, without expanding anything.
//!
//! Deliberately elsewhere: what the words mean (`grammar`). POSIX.1-2024, Shell Command Language, 2.2 and 2.3:
//! quotes and backslash quote, `#` where a word could begin starts a comment; `$`, `*`, `~`, `|` and the like are
//! plain letters here.

use super::usage::UsageError;

/// The words of one line; none for a blank line or a comment.
///
/// # Errors
/// When a quote is not closed or the line ends in a backslash.
pub fn split_words(line: &str) -> Result<Vec<String>, UsageError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => break,
            '\'' => single_quoted(&mut letters, word.get_or_insert_default())?,
            '"' => double_quoted(&mut letters, word.get_or_insert_default())?,
            '\\' => match letters.next() {
                Some(quoted) => word.get_or_insert_default().push(quoted),
                None => return Err(UsageError::new("the line ends in a backslash").hint("lines are not continued")),
            },
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(letters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), UsageError> {
    for letter in letters {
        if letter == '\'' {
            return Ok(());
        }
        word.push(letter);
    }
    Err(unclosed('\''))
}

/// Only `$`, `` ` ``, `"` and `\` are quoted by a backslash in here; before others it stands for itself.
fn double_quoted(letters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), UsageError> {
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(()),
            '\\' => match letters.next() {
                Some(quoted @ ('$' | '`' | '"' | '\\')) => word.push(quoted),
                Some(other) => word.extend(['\\', other]),
                None => return Err(unclosed('"')),
            },
            plain => word.push(plain),
        }
    }
    Err(unclosed('"'))
}

fn unclosed(quote: char) -> UsageError {
    UsageError::new(format!("a {quote} is not closed")).hint("a quoted word ends on the line it begins on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_a_posix_shell_cuts_them() {
        for (line, words) in [
            ("rm -f  a\tb", vec!["rm", "-f", "a", "b"]),
            ("", vec![]),
            ("   # only a remark", vec![]),
            ("start a # then b", vec!["start", "a"]),
            ("start a#b", vec!["start", "a#b"]),
            ("x '' \"\"", vec!["x", "", ""]),
            ("sh -c 'echo \"hi\" # no'", vec!["sh", "-c", "echo \"hi\" # no"]),
            (r#"a "b\"c\\d\e$x" f\ g"#, vec!["a", r#"b"c\d\e$x"#, "f g"]),
            ("a'b'\"c\"d", vec!["abcd"]),
            ("echo $HOME *", vec!["echo", "$HOME", "*"]),
            ("start a\r", vec!["start", "a"]),
        ] {
            assert_eq!(split_words(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn unfinished_quoting_is_refused() {
        for line in ["a 'b", "a \"b", "a \"b\\", "a \\"] {
            assert!(split_words(line).is_err(), "{line}");
        }
    }
}
