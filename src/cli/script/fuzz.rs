//! What must hold for any script? One function checks one input.
//!
//! Deliberately elsewhere: the inputs and who runs them (`tests/fuzz`).

use super::{lines, order::sections};

/// A script's text: every line that does something is told with its own number, every complaint is short and safe to
/// show, and the order of lines covers all of them.
pub fn script_lines(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match lines::parse(&text) {
        Ok(lines) => {
            let numbers: Vec<usize> = lines.iter().map(|line| line.number).collect();
            assert!(numbers.is_sorted_by(|before, after| before < after), "{numbers:?}");
            assert!(numbers.iter().all(|number| (1..=text.lines().count()).contains(number)), "{numbers:?}");
            let claims: Vec<_> = lines.iter().map(|line| line.claims.clone()).collect();
            assert!(lines.iter().all(|line| !line.verb().is_empty()));
            drop(sections(&claims));
        }
        Err(complaints) => {
            assert!(!complaints.is_empty() && complaints.len() <= 21, "{} complaints", complaints.len());
            for complaint in complaints {
                let told = format!("{} {}", complaint.message, complaint.hint.unwrap_or_default());
                assert!(!told.chars().any(|letter| letter.is_control() && letter != '\n'), "{told:?}");
            }
        }
    }
}
