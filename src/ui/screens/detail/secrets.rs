//! Which environment values look like secrets, and may they be read?
//!
//! Deliberately elsewhere: the tabs that show them (`overview`, `tree`).

/// Whether values that look like secrets are readable; for all tabs of the detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    #[default]
    Hidden,
    Shown,
}

impl Secrets {
    #[must_use]
    pub fn toggled(self) -> Self {
        match self {
            Self::Hidden => Self::Shown,
            Self::Shown => Self::Hidden,
        }
    }
}

const MARKS: [&str; 7] = ["PASS", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "API_KEY", "APIKEY"];

/// By the name of the variable: what a value is for can only be told from there.
#[must_use]
pub fn is_secret(variable: &str) -> bool {
    let upper = variable.to_uppercase();
    MARKS.iter().any(|mark| upper.contains(mark))
}
