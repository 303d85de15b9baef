//! What must hold for amounts and times as people type them?
//!
//! Deliberately elsewhere: names (`names`).

use wharf::{
    engine::domain::{Cpus, Size, Span, Timestamp},
    text::units,
};

use super::names::{complained, round_trip};

/// Memory, processors and durations; a text for people is never longer than a column.
pub fn amounts(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(size) = round_trip::<Size>(&text) {
        assert!(size.human().chars().count() <= 8 && size.human_precise().chars().count() <= 8, "{size}");
    }
    if let Some(cpus) = round_trip::<Cpus>(&text) {
        assert!(cpus.nanos() > 0);
        assert!(u128::from(cpus.quota_us(100_000)) <= u128::from(cpus.nanos()));
    }
    if let Some(span) = round_trip::<Span>(&text) {
        drop(span.human());
    }
    let number = input.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    for words in [units::bytes_short(number), units::bytes_decimal(number)] {
        assert!(words.chars().count() <= 8, "{number} is {words}");
    }
    let size = Size(number);
    assert!(number > i64::MAX as u64 || size.to_string().parse() == Ok(size), "{number} prints as {size}");
}

/// Times, and `--since` by a clock that stands still.
pub fn times(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(time) = round_trip::<Timestamp>(&text) {
        assert_eq!(time.rfc3339_fixed().parse(), Ok(time));
        drop((time.local(), time.unix_seconds(), time.age(Timestamp::from_unix_seconds(1_700_000_000))));
    }
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    if let Some(since) = complained(Timestamp::parse_since(&text, now)) {
        assert_eq!(since.to_string().parse(), Ok(since));
    }
}
