//! Which signal is meant by a name or a number, by Linux numbering (signal(7), x86 and ARM column).
//! Sending signals and deciding when to escalate is elsewhere; this table is the same on every client system.

use std::fmt;
use std::str::FromStr;

use super::parse::{ParseError, serde_as_string};

/// A Linux signal, 1 to 64. The container's kernel is always Linux, whatever system the client runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(u8);

/// The C library keeps 32 and 33 for itself; what programs call SIGRTMIN is 34.
const RTMIN: u8 = 34;
const RTMAX: u8 = 64;

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];
const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];

impl Signal {
    pub const HUP: Self = Self(1);
    pub const INT: Self = Self(2);
    pub const QUIT: Self = Self(3);
    pub const ABRT: Self = Self(6);
    pub const KILL: Self = Self(9);
    pub const USR1: Self = Self(10);
    pub const SEGV: Self = Self(11);
    pub const USR2: Self = Self(12);
    pub const PIPE: Self = Self(13);
    pub const ALRM: Self = Self(14);
    pub const TERM: Self = Self(15);
    pub const CHLD: Self = Self(17);
    pub const CONT: Self = Self(18);
    pub const STOP: Self = Self(19);
    pub const TSTP: Self = Self(20);
    pub const WINCH: Self = Self(28);

    /// The signal with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=RTMAX).contains(n)).map(Self) // Out of u8 is out of range too.
    }

    pub fn number(self) -> i32 {
        i32::from(self.0)
    }

    /// The exit code of a process ended by this signal, as shells and Docker report it: 128 + number.
    pub fn exit_code(self) -> i32 {
        128 + self.number()
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = NAMES.get(usize::from(self.0) - 1) {
            return write!(f, "SIG{name}");
        }
        match self.0 {
            RTMIN => f.write_str("SIGRTMIN"),
            RTMAX => f.write_str("SIGRTMAX"),
            number @ RTMIN..=RTMAX => write!(f, "SIGRTMIN+{}", number - RTMIN),
            number => write!(f, "{number}"),
        }
    }
}

impl FromStr for Signal {
    type Err = ParseError;

    /// Accepts `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-1`.
    fn from_str(input: &str) -> Result<Self, ParseError> {
        if input.bytes().all(|byte| byte.is_ascii_digit()) && !input.is_empty() {
            let number = input.parse().ok().and_then(Self::from_number); // Too long a number is out of range too.
            return number.ok_or_else(|| ParseError::new("signal", input, "signals are numbered 1 to 64"));
        }
        let upper = input.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        by_name(name).or_else(|| real_time(name)).ok_or_else(|| {
            ParseError::new("signal", input, "there is no such signal")
                .with_hint("use a name such as TERM, HUP, USR1 or RTMIN+3, or a number 1 to 64")
        })
    }
}

serde_as_string!(Signal);

fn by_name(name: &str) -> Option<Signal> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, number)| *number);
    let number = alias.or_else(|| (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number));
    number.map(Signal)
}

fn real_time(name: &str) -> Option<Signal> {
    let offset = |text: &str, sign: char| match text.strip_prefix(sign) {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<u8>().ok(), // Too long: no such signal.
        Some(_) => None,
        None => text.is_empty().then_some(0),
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => RTMIN.checked_add(offset(rest, '+')?)?,
        (None, Some(rest)) => RTMAX.checked_sub(offset(rest, '-')?)?,
        (None, None) => return None,
    };
    (RTMIN..=RTMAX).contains(&number).then_some(Signal(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_prints_a_form_that_parses_back() {
        for number in 1..=64 {
            let signal = Signal::from_number(number).unwrap();
            assert_eq!(signal.to_string().parse(), Ok(signal), "{signal}");
            assert_eq!(number.to_string().parse(), Ok(signal));
        }
    }

    #[test]
    fn names_are_taken_with_and_without_prefix_in_any_case() {
        for input in ["TERM", "SIGTERM", "term", "sigTerm", "15"] {
            assert_eq!(input.parse(), Ok(Signal::TERM), "{input}");
        }
        assert_eq!("RTMIN+3".parse(), Ok(Signal(37)));
        assert_eq!("SIGRTMAX-1".parse(), Ok(Signal(63)));
        assert_eq!("poll".parse::<Signal>().unwrap().to_string(), "SIGIO");
        assert_eq!(Signal::WINCH.to_string(), "SIGWINCH");
        assert_eq!(Signal::CONT.number(), 18);
        assert_eq!(Signal::KILL.exit_code(), 137);
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for input in
            ["", "0", "65", "999999999999", "FOO", "SIG", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMIN+", "-9", "RTMIN++3"]
        {
            assert!(input.parse::<Signal>().is_err(), "{input}");
        }
    }
}
