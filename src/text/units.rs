//! How amounts are written for people: short, of steady width, rounded but never to a wrong unit.
//! Exact forms that parse back belong to the domain values (`Size`, `Span`).

use std::time::Duration;

const BINARY: [&str; 7] = ["B", "K", "M", "G", "T", "P", "E"];
const DECIMAL: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// Memory and disk in the columns of a table: `512B`, `48M`, `23.5G` (powers of 1024).
pub fn bytes_short(bytes: u64) -> String {
    scaled(bytes, 1024.0, &BINARY, |value| if value < 99.95 { 1 } else { 0 })
}

/// Image sizes as Docker prints them: three significant digits, powers of 1000 (`1.24GB`, `77.9MB`).
pub fn bytes_decimal(bytes: u64) -> String {
    scaled(bytes, 1000.0, &DECIMAL, |value| match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    })
}

/// An age that does not fidget: seconds below a minute, then whole minutes, hours, days, years.
pub fn age(age: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match age.as_secs() {
        s if s < MINUTE => format!("{s}s"),
        s if s < HOUR => format!("{}m", s / MINUTE),
        s if s < DAY => format!("{}h", s / HOUR),
        s if s < 730 * DAY => format!("{}d", s / DAY),
        s => format!("{}y", s / (365 * DAY)),
    }
}

/// How long something took: `340ms`, `1.2s`, `14s`, `2m05s`.
pub fn elapsed(took: Duration) -> String {
    let seconds = took.as_secs();
    match took.as_millis() {
        ms if ms < 1_000 => format!("{ms}ms"),
        ms if ms < 10_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        ms if ms < 60_000 => format!("{seconds}s"),
        ms if ms < 3_600_000 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A share such as CPU use, 100 being one whole: `2.1%`, `37%`, `210%`. Nonsense (NaN) is `-`.
pub fn percent(value: f64) -> String {
    match value {
        v if !v.is_finite() => "-".to_owned(),
        v if v < 9.95 => format!("{:.1}%", v.max(0.0)),
        v => format!("{v:.0}%"),
    }
}

fn scaled(bytes: u64, step: f64, units: &[&str], decimals: impl Fn(f64) -> usize) -> String {
    // Three digits are shown; fifteen survive.
    let mut value = bytes as f64;
    let mut units = units.iter().peekable();
    let mut unit = units.next().copied().unwrap_or_default();
    // 0.5 below the step would round up to the step itself: that is one of the next unit.
    while value >= step - 0.5 && units.peek().is_some() {
        value /= step;
        unit = units.next().copied().unwrap_or_default();
    }
    let number = format!("{value:.*}", decimals(value));
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => &number,
    };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sizes_keep_at_most_one_decimal() {
        for (bytes, shown) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1K"),
            (1536, "1.5K"),
            (48 << 20, "48M"),
            (25_233_000_000, "23.5G"),
            (100 << 20, "100M"),
            ((1 << 20) - 1, "1M"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(bytes_short(bytes), shown);
        }
    }

    #[test]
    fn image_sizes_read_as_docker_prints_them() {
        for (bytes, shown) in [
            (0, "0B"),
            (999, "999B"),
            (1_240_000_000, "1.24GB"),
            (77_900_000, "77.9MB"),
            (4_261_550, "4.26MB"),
            (1_000, "1kB"),
            (999_999, "1MB"),
            (187_000_000, "187MB"),
        ] {
            assert_eq!(bytes_decimal(bytes), shown);
        }
    }

    #[test]
    fn ages_have_minute_granularity_above_one_minute() {
        for (seconds, shown) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (239, "3m"), (7_300, "2h"), (432_000, "5d"), (86_400 * 800, "2y")]
        {
            assert_eq!(age(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn elapsed_time_keeps_the_digits_that_matter() {
        for (ms, shown) in
            [(0, "0ms"), (340, "340ms"), (1_249, "1.2s"), (14_900, "14s"), (125_000, "2m05s"), (7_500_000, "2h05m")]
        {
            assert_eq!(elapsed(Duration::from_millis(ms)), shown);
        }
    }

    #[test]
    fn percentages_stay_short() {
        for (value, shown) in
            [(0.0, "0.0%"), (2.14, "2.1%"), (9.97, "10%"), (210.4, "210%"), (f64::NAN, "-"), (-1.0, "0.0%")]
        {
            assert_eq!(percent(value), shown);
        }
    }
}
