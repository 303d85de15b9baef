//! What names content by its bytes: an algorithm and a hash (OCI image-spec, descriptor.md, "Digests").
//! Where blobs lie and who verifies them is decided in the content store and the transfers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha512};

use super::parse::{ParseError, serde_as_string};

/// The registered algorithms of the image-spec that we verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DigestAlgorithm {
    Sha256,
    Sha512,
}

/// `sha256:<64 hex>` or `sha512:<128 hex>`, always lower-case. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: DigestAlgorithm,
    hex: Arc<str>,
}

/// Computes a [`Digest`] from bytes that arrive piece by piece.
#[derive(Clone, Debug)]
pub struct Digester(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl DigestAlgorithm {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the hash in hexadecimal digits.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Digest {
    /// The digest of `bytes` under the algorithm everybody uses.
    pub fn sha256_of(bytes: &[u8]) -> Self {
        Self { algorithm: DigestAlgorithm::Sha256, hex: to_hex(&Sha256::digest(bytes)).into() }
    }

    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The twelve hexadecimal digits shown where an image id is shown.
    pub fn short(&self) -> &str {
        self.hex.get(..12).unwrap_or(&self.hex)
    }

    /// Whether `bytes` hash to this digest.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let mut digester = Digester::new(self.algorithm);
        digester.update(bytes);
        digester.finish() == *self
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error = |why: String| ParseError::new("digest", input, why);
        let (algorithm, hex) = input.split_once(':').ok_or_else(|| {
            error("no ':' between algorithm and hash".into()).with_hint("digests look like sha256:9f86d0...")
        })?;
        let algorithm = match algorithm {
            "sha256" => DigestAlgorithm::Sha256,
            "sha512" => DigestAlgorithm::Sha512,
            other => return Err(error(format!("algorithm {other} is not sha256 or sha512"))),
        };
        if hex.len() != algorithm.hex_len() {
            return Err(error(format!("{algorithm} has {} digits, not {}", algorithm.hex_len(), hex.len())));
        }
        if !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error("the hash is written in digits 0-9 and a-f".into()));
        }
        Ok(Self { algorithm, hex: hex.into() })
    }
}

serde_as_string!(Digest);

impl Digester {
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => {
                Digest { algorithm: DigestAlgorithm::Sha256, hex: to_hex(&state.finalize()).into() }
            }
            State::Sha512(state) => {
                Digest { algorithm: DigestAlgorithm::Sha512, hex: to_hex(&state.finalize()).into() }
            }
        }
    }
}

/// So that a digester can stand at the end of `io::copy`.
impl std::io::Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Lower-case hexadecimal, two digits a byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from_digit(u32::from(nibble), 16).expect("a nibble is a hexadecimal digit"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_empty_blob_has_its_famous_digest() {
        let digest = Digest::sha256_of(b"");
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.short(), "e3b0c44298fc");
        assert_eq!(digest.algorithm(), DigestAlgorithm::Sha256);
        assert!(digest.is_of(b"") && !digest.is_of(b"x"));
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        digester.update(b"hello ");
        digester.update(b"world");
        assert_eq!(digester.finish(), Digest::sha256_of(b"hello world"));
        let long = Digester::new(DigestAlgorithm::Sha512).finish();
        assert_eq!(long.hex().len(), 128);
        assert!(long.hex().starts_with("cf83e1357eefb8bd"));
        assert_eq!(long.to_string().parse(), Ok(long));
    }

    #[test]
    fn parse_and_print_round_trip_also_through_json() {
        let digest: Digest = EMPTY.parse().unwrap();
        assert_eq!(digest.to_string(), EMPTY);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{EMPTY}\""));
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }

    #[test]
    fn malformed_digests_are_refused_with_the_reason() {
        let upper = EMPTY.to_uppercase().replace("SHA256", "sha256");
        for (input, why) in [
            ("", "no ':'"),
            ("e3b0c442", "no ':'"),
            ("md5:d41d8cd98f00b204e9800998ecf8427e", "md5"),
            ("sha256:e3b0", "64 digits, not 4"),
            ("sha256:../../../../../../../../../../../../../../../../../../etc/passwd", "digits"),
            (upper.as_str(), "a-f"),
        ] {
            let error = input.parse::<Digest>().unwrap_err().to_string();
            assert!(error.contains(why), "{input}: {error}");
        }
    }
}
