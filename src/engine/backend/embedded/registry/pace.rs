//! How long does a failed request wait before it is tried again? The rule, and the clock and chance it uses.
//!
//! Deliberately elsewhere: which failures are worth another try (`client`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first wait and the longest of our own choosing.
pub const FIRST_WAIT: Duration = Duration::from_millis(250);
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait a server may ask for; more is a refusal.
pub const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(60);
/// Tries of one request, the first included.
pub const TRIES: u32 = 6;
/// All waits of one operation together.
pub const WAIT_BUDGET: Duration = Duration::from_secs(300);

/// Time and chance, so that tests and simulations decide both.
pub trait Pace: Send + Sync {
    /// The wall clock.
    fn now(&self) -> SystemTime;
    /// Lets time pass.
    fn pause(&self, time: Duration);
    /// Uniform in `0.0..1.0`.
    fn chance(&self) -> f64;
}

/// The machine's own clock, sleep and random numbers.
pub struct SystemPace;

impl Pace for SystemPace {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn chance(&self) -> f64 {
        // Without randomness waits are merely less spread.
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        f64::from(random) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The wait before try number `next` (2 is the first repetition): as long as the server asked, else doubling, spread
/// between half and the whole so that many clients do not come back at once. `None`: give up.
pub fn wait_before(next: u32, asked: Option<Duration>, chance: f64) -> Option<Duration> {
    if next > TRIES {
        return None;
    }
    let own = FIRST_WAIT.saturating_mul(1 << next.saturating_sub(2).min(16)).min(LONGEST_WAIT);
    match asked {
        Some(asked) if asked > LONGEST_ASKED_WAIT => None,
        Some(asked) => Some(asked.max(own.mul_f64(0.5))),
        None => Some(own.mul_f64(0.5 + chance / 2.0)),
    }
}

/// The value of a `Retry-After` header (RFC 9110, 10.2.3): seconds or a date.
pub fn asked_wait(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let date = u64::try_from(date.as_second()).ok()?;
    Some(Duration::from_secs(date.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_a_quarter_second_to_thirty_and_end() {
        let waits: Vec<_> = (2..=TRIES).map(|next| wait_before(next, None, 1.0).unwrap().as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000]);
        assert_eq!(wait_before(TRIES + 1, None, 1.0), None);
        assert_eq!(wait_before(2, None, 0.0).unwrap().as_millis(), 125);
        assert!((2..200).filter_map(|next| wait_before(next, None, 1.0)).all(|wait| wait <= LONGEST_WAIT));
    }

    #[test]
    fn a_server_may_ask_for_a_minute_and_no_more() {
        let asked = |seconds| wait_before(2, Some(Duration::from_secs(seconds)), 0.5);
        assert_eq!(asked(7), Some(Duration::from_secs(7)));
        assert_eq!(asked(60), Some(Duration::from_secs(60)));
        assert_eq!(asked(61), None);
        assert!(asked(0).unwrap() >= Duration::from_millis(100));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(asked_wait("120", now), Some(Duration::from_secs(120)));
        assert_eq!(asked_wait("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(asked_wait("Sun, 06 Nov 1994 08:49:07 GMT", now), Some(Duration::ZERO));
        assert_eq!(asked_wait("soon", now), None);
        assert_eq!(asked_wait("-5", now), None);
    }

    #[test]
    fn chance_stays_below_one() {
        assert!((0..100).all(|_| (0.0..1.0).contains(&SystemPace.chance())));
    }
}
