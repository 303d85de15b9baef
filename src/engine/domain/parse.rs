//! What went wrong when text did not become a domain value, and how such values travel as strings.
//! The grammars themselves stand beside each value; the engine's own errors are in `error`.

use std::fmt;

use crate::text::SafeText;

/// Longest input repeated in a message, in characters.
const SHOWN: usize = 80;

/// Why a text is not the value it was meant to be, in words for the person who typed it.
///
/// `input` is already safe to print: escaped and cut. Callers that parse secrets pass only the harmless part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParseError {
    /// The kind of value, as it reads after "invalid": `image reference`, `size`.
    pub what: &'static str,
    pub input: String,
    pub why: String,
    /// What to write instead, when that is known.
    pub hint: Option<String>,
}

impl ParseError {
    pub fn new(what: &'static str, input: &str, why: impl Into<String>) -> Self {
        // Escaping can only lengthen, so the first characters suffice: a megabyte of input costs nothing.
        let start: String = input.chars().take(SHOWN + 1).collect();
        let input = SafeText::from_untrusted(&start).truncate_end(SHOWN).into_owned().into();
        Self { what, input, why: String::from(SafeText::from(why.into())), hint: None }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(SafeText::from(hint.into()).into());
        self
    }

    /// The same failure told about the larger thing the text was part of.
    pub fn within(self, what: &'static str, input: &str) -> Self {
        let outer = Self::new(what, input, self.why);
        Self { hint: self.hint, ..outer }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} \"{}\": {}", self.what, self.input, self.why)
    }
}

impl std::error::Error for ParseError {}

/// Serialises a value through `Display` and `FromStr`, so that files and JSON hold what people type.
macro_rules! serde_as_string {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_string;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_kind_input_and_reason() {
        let error = ParseError::new("image reference", "Foo", "repository names are lowercase").with_hint("write foo");
        assert_eq!(error.to_string(), r#"invalid image reference "Foo": repository names are lowercase"#);
        assert_eq!(error.hint.as_deref(), Some("write foo"));
    }

    #[test]
    fn hostile_input_is_shown_inert_and_short() {
        let error = ParseError::new("size", &format!("\x1b[2J{}", "x".repeat(5_000)), "not a number");
        assert!(error.input.starts_with("␛[2Jxxx"));
        assert_eq!(error.input.chars().count(), SHOWN);
        assert!(error.input.ends_with('…'));
    }

    #[test]
    fn an_outer_value_keeps_the_inner_reason() {
        let inner = ParseError::new("port", "99999", "ports are 1 to 65535").with_hint("h");
        let outer = inner.within("published port", "99999:80");
        assert_eq!(outer.to_string(), r#"invalid published port "99999:80": ports are 1 to 65535"#);
        assert_eq!(outer.hint.as_deref(), Some("h"));
    }
}
