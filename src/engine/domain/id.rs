//! What identifies a container, an operation and a version of a record, and how a typed prefix finds a container.
//! Names that people give are in `name`; looking ids up in a store is the store's work.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::digest::to_hex;
use super::parse::{ParseError, serde_as_string};

/// 64 lower-case hexadecimal digits, as Docker and Podman use. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerId(Arc<str>);

/// Numbers accepted commands within one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u64);

/// Counts the lives of a container or the writes of a record; larger is later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u64);

/// Which containers a typed prefix stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixMatch<T> {
    None,
    One(T),
    /// Every candidate, so that the message can list them.
    Many(Vec<ContainerId>),
}

impl ContainerId {
    const LEN: usize = 64;

    /// An id from bytes the caller drew; the simulation passes seeded ones.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(to_hex(&bytes).into())
    }

    /// A fresh id from the operating system's random numbers.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("a system that runs containers has a random source");
        Self::from_random(bytes)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The twelve digits shown in lists.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for ContainerId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerId {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        if input.len() == Self::LEN && is_hex(input) {
            return Ok(Self(input.into()));
        }
        Err(ParseError::new("container id", input, "a full id is 64 digits 0-9 and a-f"))
    }
}

macro_rules! counter {
    ($name:ident, $what:literal) => {
        impl $name {
            pub fn get(self) -> u64 {
                self.0
            }

            /// The one after this; stays at the end of the range, which no process lives to see.
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(input: &str) -> Result<Self, ParseError> {
                input.parse().map(Self).map_err(|_| ParseError::new($what, input, "a decimal number is expected"))
            }
        }
    };
}
counter!(OperationId, "operation id");
counter!(Generation, "generation");

serde_as_string!(ContainerId, OperationId, Generation);

/// Finds what `query` abbreviates. A full id matches itself only; an empty query or one that is not
/// hexadecimal matches nothing (names are looked up before this).
pub fn match_prefix<'a, T>(query: &str, candidates: impl Iterator<Item = (&'a ContainerId, T)>) -> PrefixMatch<T> {
    if query.is_empty() || query.len() > ContainerId::LEN || !is_hex(query) {
        return PrefixMatch::None;
    }
    let mut found: Vec<(&ContainerId, T)> = candidates.filter(|(id, _)| id.as_str().starts_with(query)).collect();
    match found.len() {
        0 | 1 => found.pop().map_or(PrefixMatch::None, |(_, value)| PrefixMatch::One(value)),
        _ => PrefixMatch::Many(found.into_iter().map(|(id, _)| id.clone()).collect()),
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(start: &str) -> ContainerId {
        format!("{start:0<64}").parse().unwrap()
    }

    #[test]
    fn ids_round_trip_and_shorten() {
        let id = ContainerId::from_random([0xab; 32]);
        assert_eq!(id.to_string(), "ab".repeat(32));
        assert_eq!(id.short(), "abababababab");
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_eq!(serde_json::from_str::<ContainerId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert_ne!(ContainerId::random(), ContainerId::random());
    }

    #[test]
    fn anything_but_64_lower_hex_digits_is_refused() {
        for input in ["", "abc", &"g".repeat(64), &"A".repeat(64), &"a".repeat(65), "../../../etc"] {
            assert!(input.parse::<ContainerId>().is_err(), "{input}");
        }
    }

    #[test]
    fn counters_print_as_decimals_and_count_up() {
        assert_eq!(OperationId(41).next().to_string(), "42");
        assert_eq!("7".parse(), Ok(Generation(7)));
        assert!("-1".parse::<Generation>().is_err());
    }

    #[test]
    fn a_prefix_finds_one_none_or_tells_all() {
        let ids = [id("ab12"), id("ab34"), id("cd")];
        let find = |query| match_prefix(query, ids.iter().zip(0..));
        assert_eq!(find("c"), PrefixMatch::One(2));
        assert_eq!(find("ab"), PrefixMatch::Many(vec![id("ab12"), id("ab34")]));
        assert_eq!(find(ids[1].as_str()), PrefixMatch::One(1));
        assert_eq!(find("ef"), PrefixMatch::None);
        assert_eq!(find(""), PrefixMatch::None);
        assert_eq!(find("web"), PrefixMatch::None);
    }
}
