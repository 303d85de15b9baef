//! How many bytes, and how many processors, a person asked for.
//! Rounded forms for tables come from `text::units`; limits are enforced in the backends.

use std::fmt;
use std::str::FromStr;

use super::parse::{ParseError, serde_as_string};
use crate::text::units;

/// A number of bytes. Written as Docker takes it, multiples being powers of 1024 (`64m`, `1.5g`, `1GiB`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A share of processors in billionths (`0.5` is half of one); Docker's `NanoCpus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cpus(u64);

/// Units by the letter that stands for them, smallest first.
const UNITS: [(char, u32); 6] = [('b', 0), ('k', 10), ('m', 20), ('g', 30), ('t', 40), ('p', 50)];

/// Engines keep sizes in signed 64-bit numbers; nothing larger can be passed on.
const MAX: u128 = i64::MAX as u128;

const NANOS: u64 = 1_000_000_000;

impl Size {
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    pub const fn from_mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Short, for memory columns: `48M`, `23.5G`.
    pub fn human(self) -> String {
        units::bytes_short(self.0)
    }

    /// As Docker prints image sizes, in powers of 1000: `1.24GB`.
    pub fn human_precise(self) -> String {
        units::bytes_decimal(self.0)
    }
}

/// The shortest exact form: `64m`, `1.5g`, `1000`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms = UNITS.iter().skip(1).filter_map(|&(letter, shift)| {
            let thousandths = u128::from(self.0) * 1_000;
            let exact = thousandths > 0 && thousandths.is_multiple_of(1 << shift);
            exact.then(|| format!("{}{letter}", decimal(thousandths >> shift, 3)))
        });
        let shortest = forms.min_by_key(|form| (form.len(), form.contains('.')));
        let plain = self.0.to_string();
        f.pad(&shortest.filter(|form| form.len() < plain.len()).unwrap_or(plain))
    }
}

impl FromStr for Size {
    type Err = ParseError;

    /// Docker's `RAMInBytes`: a decimal number, then nothing, `b`, or one of `k m g t p` with an optional `b` or `ib`.
    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error =
            |why: &str| ParseError::new("size", input, why).with_hint("sizes look like 512k, 64m, 1.5g or plain bytes");
        let text = input.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit = unit.trim_start().to_ascii_lowercase();
        let letter = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
            "" if unit == "ib" => return Err(error("the unit is not known")),
            "" => "b",
            letter => letter,
        };
        let shift = UNITS.iter().find(|(known, _)| letter.chars().eq([*known])).map(|(_, shift)| *shift);
        let shift = shift.ok_or_else(|| error("the unit is not one of b, k, m, g, t, p"))?;
        let (digits, places) = decimal_parts(number).ok_or_else(|| error("it does not begin with a number"))?;
        let bytes = digits.checked_mul(1 << shift).map(|scaled| scaled / 10_u128.pow(places));
        match bytes.filter(|bytes| *bytes <= MAX).map(u64::try_from) {
            Some(Ok(bytes)) => Ok(Self(bytes)),
            Some(Err(_)) | None => Err(error("it is more than any machine has")),
        }
    }
}

impl Cpus {
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The time, in microseconds, these processors give per `period_us`: the quota of `cpu.max`.
    pub fn quota_us(self, period_us: u64) -> u64 {
        let quota = u128::from(self.0) * u128::from(period_us) / u128::from(NANOS);
        u64::try_from(quota).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal(u128::from(self.0), 9))
    }
}

impl FromStr for Cpus {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error = |why| ParseError::new("number of CPUs", input, why).with_hint("write it like 2 or 0.5");
        let (digits, places) = decimal_parts(input).ok_or_else(|| error("it is not a decimal number"))?;
        let missing = 9_u32.checked_sub(places).ok_or_else(|| error("it has more than nine decimals"))?;
        let nanos = digits.checked_mul(10_u128.pow(missing)).filter(|nanos| *nanos <= MAX);
        match nanos.map(u64::try_from) {
            Some(Ok(0)) => Err(error("a container cannot run on no processor at all")),
            Some(Ok(nanos)) => Ok(Self(nanos)),
            Some(Err(_)) | None => Err(error("it is more than any machine has")),
        }
    }
}

serde_as_string!(Size, Cpus);

/// `12.50` as (1250, 2): all digits as one number, and how many stand after the point.
fn decimal_parts(number: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() + fraction.len() > 20
        || number.ends_with('.')
        || !digits_only(whole)
        || !digits_only(fraction)
    {
        return None;
    }
    let digits = [whole, fraction].concat().parse().ok()?; // At most 20 digits, checked above.
    Some((digits, u32::try_from(fraction.len()).ok()?)) // Likewise.
}

/// The reverse: `value` with `places` digits after the point, zeros at the end dropped.
fn decimal(value: u128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let (whole, fraction) = (value / one, value % one);
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:0width$}", width = places as usize);
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (input, bytes) in [
            ("0", 0),
            ("100", 100),
            ("100b", 100),
            ("512k", 512 << 10),
            ("64m", 64 << 20),
            ("64M", 64 << 20),
            ("64mb", 64 << 20),
            ("1.5g", 3 << 29),
            ("1GiB", 1 << 30),
            ("1 GB", 1 << 30),
            ("2t", 2 << 40),
            ("0.0001k", 0),
        ] {
            assert_eq!(input.parse(), Ok(Size(bytes)), "{input}");
        }
    }

    #[test]
    fn malformed_sizes_are_refused() {
        for input in [
            "",
            "m",
            "-1",
            "1x",
            "1.m",
            "1..5g",
            ".5g",
            "1ib",
            "64mm",
            "99999999p",
            "1e3",
            "12345678901234567890123",
            "∞",
        ] {
            assert!(input.parse::<Size>().is_err(), "{input}");
        }
    }

    #[test]
    fn display_is_the_shortest_exact_form() {
        for (bytes, shown) in [
            (0, "0"),
            (1000, "1000"),
            (1024, "1k"),
            (64 << 20, "64m"),
            (3 << 29, "1.5g"),
            (512 << 20, "512m"),
            ((64 << 20) + 1, "67108865"),
        ] {
            assert_eq!(Size(bytes).to_string(), shown);
        }
        assert_eq!(Size::from_mib(48).human(), "48M");
        assert_eq!(Size(1_240_000_000).human_precise(), "1.24GB");
    }

    #[test]
    fn cpus_keep_nine_decimals() {
        for (input, nanos, shown) in [
            ("0.5", 500_000_000, "0.5"),
            ("2", 2_000_000_000, "2"),
            ("1.50", 1_500_000_000, "1.5"),
            ("0.000000001", 1, "0.000000001"),
        ] {
            let cpus: Cpus = input.parse().unwrap();
            assert_eq!((cpus.nanos(), cpus.to_string().as_str()), (nanos, shown));
        }
        assert_eq!("0.5".parse::<Cpus>().unwrap().quota_us(100_000), 50_000);
        for input in ["", "0", "-1", "0.0000000001", "a", "1,5", "99999999999999"] {
            assert!(input.parse::<Cpus>().is_err(), "{input}");
        }
    }

    proptest! {
        #[test]
        fn every_size_prints_a_form_that_parses_back(bytes in 0u64..=i64::MAX as u64, shift in 0u32..60) {
            let size = Size(bytes >> shift << (shift / 2) & i64::MAX as u64);
            prop_assert_eq!(size.to_string().parse::<Size>(), Ok(size));
        }

        #[test]
        fn every_share_of_cpus_prints_a_form_that_parses_back(nanos in 1u64..=i64::MAX as u64) {
            let cpus = Cpus::from_nanos(nanos);
            prop_assert_eq!(cpus.to_string().parse::<Cpus>(), Ok(cpus));
        }

        #[test]
        fn no_input_panics(input in any::<String>()) {
            let _either = (input.parse::<Size>(), input.parse::<Cpus>());
        }
    }
}
