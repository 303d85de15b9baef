//! How long, and when: durations and instants as people and engines write them.
//! Deadlines and clocks are elsewhere (`core`); rounded forms for tables come from `text::units`.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::parse::{ParseError, serde_as_string};
use crate::text::units;

/// A length of time as a person writes it: `10` (seconds), `1m30s`, `500ms`, `1h`, `2d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A wall-clock instant in nanoseconds, written in RFC 3339 (UTC). It reaches from year 1 to the end of
/// year 9999; what lies beyond is moved to the nearer end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i128);

const NANOS: u128 = 1_000_000_000;

/// Units of a span in nanoseconds. Go's, and days and weeks.
const UNITS: [(&str, u128); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS),
    ("m", 60 * NANOS),
    ("h", 3_600 * NANOS),
    ("d", 86_400 * NANOS),
    ("w", 7 * 86_400 * NANOS),
];

impl Span {
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub const fn duration(self) -> Duration {
        self.0
    }

    /// Rounded down to one unit: `40s`, `3m`, `2h`, `5d`; whole minutes above one minute.
    pub fn human(self) -> String {
        units::age(self.0)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

/// Exact, in Go's manner without units that are zero: `1h`, `1m30s`, `1.5s`, `500ms`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        let (hours, minutes, rest) = (seconds / 3_600, seconds % 3_600 / 60, seconds % 60);
        let mut text = String::new();
        if hours > 0 {
            text += &format!("{hours}h");
        }
        if minutes > 0 {
            text += &format!("{minutes}m");
        }
        text += &match (seconds, rest, nanos) {
            (0, _, 0) => "0s".to_owned(),
            (0, _, 1..=999) => format!("{nanos}ns"),
            (0, _, 1_000..=999_999) => with_fraction(nanos / 1_000, nanos % 1_000, 3, "us"),
            (0, _, _) => with_fraction(nanos / 1_000_000, nanos % 1_000_000, 6, "ms"),
            (_, 0, 0) => String::new(),
            (_, rest, nanos) => with_fraction(rest, nanos, 9, "s"),
        };
        f.pad(&text)
    }
}

impl FromStr for Span {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let error = |why: &str| {
            ParseError::new("duration", input, why).with_hint("durations look like 10, 10s, 1m30s, 500ms or 1h")
        };
        if input.is_empty() {
            return Err(error("it is empty"));
        }
        if input.starts_with('-') {
            return Err(error("it is negative"));
        }
        let mut total: u128 = 0;
        let mut rest = input;
        while !rest.is_empty() {
            let (number, after) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
            let (unit, after) = split_while(after, |c| !c.is_ascii_digit() && c != '.');
            if number.is_empty() {
                return Err(error("it does not begin with a number"));
            }
            let nanos = match UNITS.iter().find(|(name, _)| *name == unit || (unit == "\u{3bc}s" && *name == "us")) {
                Some((_, nanos)) => *nanos,
                None if unit.is_empty() && rest.len() == input.len() => NANOS,
                None if unit.is_empty() => return Err(error("the last number has no unit")),
                None => return Err(error("the unit is not one of ns, us, ms, s, m, h, d, w")),
            };
            let part = scaled(number, nanos).ok_or_else(|| error("it is not a number and a unit"))?;
            total = total.checked_add(part).ok_or_else(|| error("it is too long"))?;
            rest = after;
        }
        let seconds = u64::try_from(total / NANOS).map_err(|_| error("it is too long"))?;
        let nanos = u32::try_from(total % NANOS).expect("a remainder of a billion fits 32 bits");
        Ok(Self(Duration::new(seconds, nanos)))
    }
}

impl Timestamp {
    /// "Never", as Go and so Docker write it: 0001-01-01T00:00:00Z.
    pub const ZERO: Self = Self(-62_135_596_800 * NANOS as i128);
    const LAST: i128 = 253_402_207_200 * NANOS as i128 - 1; // What jiff can still express.

    /// From nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_nanos(nanos: i128) -> Self {
        match nanos {
            early if early < Self::ZERO.0 => Self::ZERO,
            late if late > Self::LAST => Self(Self::LAST),
            nanos => Self(nanos),
        }
    }

    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_nanos(seconds as i128 * NANOS as i128)
    }

    /// The system's wall clock. Pure code takes `now` as an argument instead.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    pub const fn unix_nanos(self) -> i128 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn unix_seconds(self) -> i64 {
        i64::try_from(self.0.div_euclid(NANOS as i128)).expect("ten thousand years of seconds fit 64 bits")
    }

    /// Whether this is [`Timestamp::ZERO`]: it has not happened.
    pub const fn is_zero(self) -> bool {
        self.0 == Self::ZERO.0
    }

    /// How long before `now` this was; nothing when it lies ahead (clocks differ between machines).
    pub fn age(self, now: Self) -> Span {
        Span(now.since(self))
    }

    /// The time from `earlier` to this; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = u128::try_from(self.0 - earlier.0).unwrap_or(0); // Negative: ahead of us, hence nothing.
        let seconds = u64::try_from(nanos / NANOS).expect("ten thousand years of seconds fit 64 bits");
        Duration::new(seconds, u32::try_from(nanos % NANOS).expect("a remainder of a billion fits 32 bits"))
    }

    pub fn plus(self, duration: Duration) -> Self {
        Self::from_unix_nanos(self.0.saturating_add(duration.as_nanos().try_into().unwrap_or(i128::MAX)))
    }

    pub fn minus(self, duration: Duration) -> Self {
        Self::from_unix_nanos(self.0.saturating_sub(duration.as_nanos().try_into().unwrap_or(i128::MAX)))
    }

    /// RFC 3339 with all nine decimals, so that log lines align (`docker logs -t`).
    pub fn rfc3339_fixed(self) -> String {
        format!("{:.9}", self.to_jiff())
    }

    /// For reading, in this machine's time zone: `2026-01-31 09:00:00`.
    pub fn local(self) -> String {
        self.to_jiff().to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Docker's `--since` and `--until`: RFC 3339, a local date or date and time, seconds since 1970 with
    /// an optional fraction, or a duration before `now` (`10m`, `1h30m`).
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn parse_since(input: &str, now: Self) -> Result<Self, ParseError> {
        if let Some(nanos) = unix_seconds(input) {
            return Ok(Self::from_unix_nanos(nanos));
        }
        if let Ok(stamp) = input.parse() {
            return Ok(stamp);
        }
        if input.starts_with(|c: char| c.is_ascii_digit()) && input.get(4..5) == Some("-") {
            let local = input.parse::<DateTime>().and_then(|civil| civil.to_zoned(TimeZone::system()));
            return local.map(|zoned| zoned.timestamp().into()).map_err(|_| since_error(input));
        }
        input.parse::<Span>().map(|ago| now.minus(ago.0)).map_err(|_| since_error(input))
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(self.0).expect("constructors keep years 1 to 9999")
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let epoch = Self(0);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => epoch.plus(after),
            Err(before) => epoch.minus(before.duration()),
        }
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(stamp: jiff::Timestamp) -> Self {
        Self::from_unix_nanos(stamp.as_nanosecond())
    }
}

/// RFC 3339 in UTC with as many decimals as needed, as Docker's JSON has it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_jiff().to_string())
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        input.parse::<jiff::Timestamp>().map(Self::from).map_err(|_| {
            ParseError::new("time", input, "it is not RFC 3339").with_hint("times look like 2026-01-31T08:00:00Z")
        })
    }
}

serde_as_string!(Span, Timestamp);

fn since_error(input: &str) -> ParseError {
    ParseError::new("time", input, "it is neither a time, nor seconds since 1970, nor a duration")
        .with_hint("write 10m, 2026-01-31T08:00:00Z, 2026-01-31 or 1767225600")
}

fn split_while(text: &str, holds: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !holds(c)).unwrap_or(text.len()))
}

/// `number` units of `nanos` each; what is finer than a nanosecond is dropped.
fn scaled(number: &str, nanos: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 20 || !digits_only(whole) || !digits_only(fraction) {
        return None;
    }
    let fraction = fraction.get(..fraction.len().min(18)).unwrap_or_default();
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? }; // Twenty digits fit.
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? }; // Eighteen digits fit.
    let places = u32::try_from(fraction.len()).ok()?; // At most 18.
    whole.checked_mul(nanos)?.checked_add(part * nanos / 10_u128.pow(places))
}

fn unix_seconds(input: &str) -> Option<i128> {
    let is_number = input.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !input.is_empty();
    is_number.then(|| scaled(input, NANOS)).flatten().and_then(|nanos| i128::try_from(nanos).ok()) // 20 digits fit.
}

fn with_fraction(whole: impl fmt::Display, fraction: u32, places: usize, unit: &str) -> String {
    if fraction == 0 {
        return format!("{whole}{unit}");
    }
    let fraction = format!("{fraction:0places$}");
    format!("{whole}.{}{unit}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests;
