//! Do durations and times survive printing and parsing, at the ends of their ranges too?

use proptest::prelude::*;

use super::*;

fn stamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn spans_are_read_as_people_and_go_write_them() {
    for (input, milliseconds) in [
        ("10", 10_000),
        ("0", 0),
        ("1.5", 1_500),
        ("10s", 10_000),
        ("1m30s", 90_000),
        ("500ms", 500),
        ("1h", 3_600_000),
        ("1.5h", 5_400_000),
        (".5s", 500),
        ("1h0m0.25s", 3_600_250),
        ("2d", 172_800_000),
        ("1w", 604_800_000),
        ("5000us", 5),
        ("5000µs", 5),
        ("5000μs", 5),
    ] {
        assert_eq!(input.parse(), Ok(Span(Duration::from_millis(milliseconds))), "{input}");
    }
}

#[test]
fn malformed_spans_are_refused() {
    for input in [
        "",
        "-1s",
        "s",
        "1x",
        "1m30",
        "1..s",
        ".",
        "1 s",
        "1e3s",
        "999999999999999999999h",
        "99999999999999999999w",
        "∞",
    ] {
        assert!(input.parse::<Span>().is_err(), "{input}");
    }
}

#[test]
fn spans_print_briefly_and_exactly() {
    for (nanos, shown) in [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5us"),
        (500_000_000, "500ms"),
        (1_500_000_000, "1.5s"),
        (60_000_000_000, "1m"),
        (90_000_000_000, "1m30s"),
        (3_600_000_000_000, "1h"),
        (3_600_000_000_001, "1h0.000000001s"),
    ] {
        assert_eq!(Span(Duration::from_nanos(nanos)).to_string(), shown);
    }
    assert_eq!(Span::from_secs(239).human(), "3m");
}

#[test]
fn times_print_as_docker_prints_them() {
    assert_eq!(Timestamp::ZERO.to_string(), "0001-01-01T00:00:00Z");
    assert!(Timestamp::default().is_zero());
    assert_eq!(stamp("0001-01-01T00:00:00Z"), Timestamp::ZERO);
    assert_eq!(Timestamp::from_unix_seconds(0).to_string(), "1970-01-01T00:00:00Z");
    assert!(!Timestamp::from_unix_seconds(0).is_zero());
    let time = stamp("2026-01-31T09:00:00.5+01:00");
    assert_eq!(time.to_string(), "2026-01-31T08:00:00.5Z");
    assert_eq!(time.rfc3339_fixed(), "2026-01-31T08:00:00.500000000Z");
    assert!(time.local().starts_with("2026-01-3"), "{}", time.local());
    assert_eq!(stamp("2024-05-06T07:08:09.123456789Z").to_string(), "2024-05-06T07:08:09.123456789Z");
}

#[test]
fn times_out_of_range_stop_at_the_ends() {
    assert_eq!(Timestamp::from_unix_nanos(i128::MIN), Timestamp::ZERO);
    let last = Timestamp::from_unix_nanos(i128::MAX);
    assert!(last.to_string().starts_with("9999-12-30T"), "{last}");
    assert_eq!(last.plus(Duration::MAX), last);
    assert_eq!(last.minus(Duration::MAX), Timestamp::ZERO);
    assert_eq!(stamp("-000001-01-01T00:00:00Z"), Timestamp::ZERO);
}

#[test]
fn ages_never_go_below_zero() {
    let (early, late) = (Timestamp::from_unix_seconds(100), Timestamp::from_unix_seconds(160));
    assert_eq!(early.age(late), Span::from_secs(60));
    assert_eq!(late.age(early), Span::from_secs(0));
    assert_eq!(Timestamp::ZERO.age(Timestamp::from_unix_nanos(i128::MAX)).human(), "10005y");
    assert_eq!(Timestamp::from_unix_nanos(-1).unix_seconds(), -1);
}

#[test]
fn since_takes_times_seconds_and_durations() {
    let now = stamp("2026-01-31T08:00:00Z");
    let since = |input| Timestamp::parse_since(input, now).map(|time| time.to_string());
    assert_eq!(since("10m").as_deref(), Ok("2026-01-31T07:50:00Z"));
    assert_eq!(since("1h30m").as_deref(), Ok("2026-01-31T06:30:00Z"));
    assert_eq!(since("2026-01-30T00:00:00Z").as_deref(), Ok("2026-01-30T00:00:00Z"));
    assert_eq!(since("1700000000").as_deref(), Ok("2023-11-14T22:13:20Z"));
    assert_eq!(since("1700000000.000000005").as_deref(), Ok("2023-11-14T22:13:20.000000005Z"));
    assert!(since("2026-01-30").is_ok() && since("2026-01-30T10:00:00").is_ok());
    for input in ["", "yesterday", "-10m", "2026-13-01", "10x"] {
        assert!(since(input).is_err(), "{input}");
    }
}

proptest! {
    #[test]
    fn every_span_prints_a_form_that_parses_back(seconds in 0u64..=u64::MAX, nanos in 0u32..1_000_000_000, shift in 0u32..64) {
        let span = Span(Duration::new(seconds >> shift, nanos));
        prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
    }

    #[test]
    fn every_time_prints_a_form_that_parses_back(nanos in any::<i128>(), shift in 0u32..100) {
        let time = Timestamp::from_unix_nanos(nanos >> shift);
        prop_assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
        prop_assert_eq!(time.rfc3339_fixed().parse::<Timestamp>(), Ok(time));
    }

    #[test]
    fn no_input_panics(input in any::<String>()) {
        let _either = (input.parse::<Span>(), Timestamp::parse_since(&input, Timestamp::ZERO));
    }
}
