//! Which operating system and processor an image is for, and which of several images suits a machine best.
//! The rules are those of containerd's `platforms` package; reading an index is done in the registry client.

use std::fmt;
use std::str::FromStr;

use super::parse::{ParseError, serde_as_string};

const WHAT: &str = "platform";

/// `os/architecture[/variant]`, normalised: `linux/amd64`, `linux/arm64`, `linux/arm/v7`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    /// Absent where it is the architecture's ordinary one (amd64 v1, arm64 v8).
    pub variant: Option<String>,
}

impl Platform {
    /// A platform from the fields of an index or an image configuration, aliases resolved
    /// (`x86_64` is amd64, `aarch64` arm64, `armhf` arm/v7).
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) =
            normalised(&architecture.to_ascii_lowercase(), &variant.unwrap_or_default().to_ascii_lowercase());
        Self { os, architecture, variant: (!variant.is_empty()).then_some(variant) }
    }

    /// What containers on this machine run: Linux on the processor this program was built for.
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }

    /// Whether an image for `candidate` runs where images for `self` run.
    pub fn matches(&self, candidate: &Platform) -> bool {
        self.preference(candidate).is_some()
    }

    /// How well `candidate` suits a machine that is `self`: lower is better, 0 is exact, `None` does not run.
    /// A newer processor runs older variants; amd64 also runs 386, and arm64 also 32-bit arm, as a last resort.
    pub fn preference(&self, candidate: &Platform) -> Option<u32> {
        const OTHER_WIDTH: u32 = 1_000;
        if self.os != candidate.os {
            return None;
        }
        if self.architecture == candidate.architecture {
            return match (self.level(), candidate.level()) {
                (Some(own), Some(wanted)) => own.checked_sub(wanted),
                _ => (self.variant == candidate.variant).then_some(0),
            };
        }
        match (self.architecture.as_str(), candidate.architecture.as_str()) {
            ("amd64", "386") => Some(OTHER_WIDTH),
            ("arm64", "arm") => Self { architecture: "arm".into(), variant: Some("v8".into()), ..self.clone() }
                .preference(candidate)
                .map(|distance| OTHER_WIDTH + distance),
            _ => None,
        }
    }

    /// The variant as a number that grows with the processor: `v7` is 700, `v8.2` is 802.
    fn level(&self) -> Option<u32> {
        let variant = match (self.architecture.as_str(), self.variant.as_deref()) {
            (_, Some(variant)) => variant,
            ("amd64", None) => "v1",
            ("arm", None) => "v7",
            ("arm64", None) => "v8",
            (_, None) => return None,
        };
        let (major, minor) = variant.strip_prefix('v')?.split_once('.').unwrap_or((variant.get(1..)?, "0"));
        let part = |text: &str| text.parse::<u32>().ok().filter(|n| *n < 100); // Not a number: not ordered.
        Some(part(major)? * 100 + part(minor)?)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = ParseError;

    /// `os/architecture[/variant]`; one word alone is an operating system or an architecture of this machine's kind.
    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error =
            |why| ParseError::new(WHAT, input, why).with_hint("platforms look like linux/amd64 or linux/arm/v7");
        let is_word =
            |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        let parts: Vec<&str> = input.split('/').collect();
        if !parts.iter().all(is_word) {
            return Err(error("every part is made of letters, digits, '.', '_' and '-'"));
        }
        let host = Self::host();
        match *parts.as_slice() {
            [word] if is_os(word) => Ok(Self::new(word, &host.architecture, host.variant.as_deref())),
            [word] if is_architecture(word) => Ok(Self::new(&host.os, word, None)),
            [_] => Err(error("it is neither a known operating system nor a known architecture")),
            [os, architecture] => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(error("it has more than three parts")),
        }
    }
}

serde_as_string!(Platform);

fn normalised(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("i386" | "i486" | "i586" | "i686" | "x86", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1" | "1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("powerpc64le", variant) => ("ppc64le", variant),
        other => other,
    };
    let is_number = variant.starts_with(|c: char| c.is_ascii_digit());
    (architecture.to_owned(), if is_number { format!("v{variant}") } else { variant.to_owned() })
}

fn is_os(word: &str) -> bool {
    ["linux", "windows", "darwin", "macos", "freebsd", "netbsd", "openbsd", "solaris", "illumos", "android"]
        .contains(&word.to_ascii_lowercase().as_str())
}

fn is_architecture(word: &str) -> bool {
    let (architecture, _) = normalised(&word.to_ascii_lowercase(), "");
    [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
        "riscv64", "s390x", "wasm",
    ]
    .contains(&architecture.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn aliases_become_one_name() {
        for (input, shown) in [
            ("linux/x86_64", "linux/amd64"),
            ("Linux/AMD64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/9", "linux/arm64/v9"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/i686", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("arm64", "linux/arm64"),
        ] {
            assert_eq!(platform(input).to_string(), shown, "{input}");
            assert_eq!(platform(shown), platform(input));
        }
        assert_eq!(platform("linux"), Platform::host());
    }

    #[test]
    fn nonsense_is_refused() {
        for input in ["", "/", "linux/", "linux/amd64/v1/x", "plan10", "linux/am d64", "linux/\x1b[2J"] {
            assert!(input.parse::<Platform>().is_err(), "{input}");
        }
    }

    #[test]
    fn the_closest_variant_a_machine_runs_is_preferred() {
        let best = |machine: &str, images: &[&str]| {
            let machine = platform(machine);
            let images = images.iter().map(|image| platform(image));
            images
                .filter_map(|image| Some((machine.preference(&image)?, image.to_string())))
                .min()
                .map(|(_, image)| image)
        };
        let arms = ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64"];
        assert_eq!(best("linux/arm64", &arms).as_deref(), Some("linux/arm64"));
        assert_eq!(best("linux/arm/v7", &arms).as_deref(), Some("linux/arm/v7"));
        assert_eq!(best("linux/arm/v6", &arms).as_deref(), Some("linux/arm/v6"));
        assert_eq!(best("linux/arm64", &["linux/arm/v6", "linux/arm/v7"]).as_deref(), Some("linux/arm/v7"));
        assert_eq!(best("linux/arm/v5", &["linux/arm/v6"]), None);
        let amds = ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4", "linux/386", "windows/amd64"];
        assert_eq!(best("linux/amd64/v3", &amds).as_deref(), Some("linux/amd64/v2"));
        assert_eq!(best("linux/amd64", &amds).as_deref(), Some("linux/amd64"));
        assert_eq!(best("linux/amd64", &["linux/386"]).as_deref(), Some("linux/386"));
        assert_eq!(best("linux/amd64", &["linux/arm64", "windows/amd64"]), None);
    }

    #[test]
    fn what_an_attestation_calls_its_platform_matches_nothing() {
        assert!(!Platform::host().matches(&Platform::new("unknown", "unknown", None)));
        assert!(Platform::host().matches(&Platform::host()));
    }
}
