//! What must hold for any command line?
//!
//! Deliberately elsewhere: scripts (`cli::fuzz`), single values (`names`, `amounts`, `places`).

use wharf::cli::grammar::{self, split_words};

use super::oracle::{Lines, assert_only_prints};

/// One line as it is typed behind `:`: words come back from quoting, and a line is read or refused in words that are
/// safe to show.
pub fn command_line(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let words = match split_words(&text) {
        Ok(words) => words,
        Err(error) => return assert_only_prints(&error.message, Lines::Several),
    };
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    assert_eq!(split_words(&quoted.join(" ")).unwrap(), words);
    // It reads files that are named, which must not depend on this machine.
    if words.iter().any(|word| word.contains("env-file")) {
        return;
    }
    match grammar::parse_line(words) {
        Ok(invocation) => assert!(grammar::find_verb(invocation.verb).is_some() || !invocation.verb.contains(' ')),
        Err(error) => {
            assert_only_prints(&error.message, Lines::Several);
            error.hint.iter().for_each(|hint| assert_only_prints(hint, Lines::Several));
            assert!(error.exit_code == grammar::USAGE || error.exit_code == grammar::USAGE_OF_RUN);
        }
    }
}
