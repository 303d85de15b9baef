//! How are numbers and failures written in tar headers? Octal between blanks, base 256, decimal in records.
//!
//! Deliberately elsewhere: which field means what (`archive`, `pax`, `sparse`).

use std::io;

/// Everything in an archive is a multiple of this many bytes.
pub(super) const BLOCK: u64 = 512;

/// An error about the archive itself, not about this machine.
pub(super) fn malformed(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

pub(super) fn narrow(value: u64, what: &str) -> io::Result<u32> {
    u32::try_from(value).map_err(|_| malformed(format!("{what} {value} is out of range")))
}

pub(super) fn unsigned(field: &[u8]) -> io::Result<u64> {
    u64::try_from(signed(field)?).map_err(|_| malformed("a number in a header is negative"))
}

/// A number field: octal digits between blanks, or base 256 in two's complement (GNU).
pub(super) fn signed(field: &[u8]) -> io::Result<i64> {
    if let Some(first) = field.first().filter(|first| **first & 0x80 != 0) {
        let start = if first & 0x40 == 0 { i128::from(first & 0x3f) } else { i128::from(first | !0x7f) - 256 };
        let value = field
            .iter()
            .skip(1)
            .try_fold(start, |value, byte| value.checked_mul(256).map(|value| value + i128::from(*byte)));
        return value
            .and_then(|value| i64::try_from(value).ok()) // Too large is the error below.
            .ok_or_else(|| malformed("a number in a header is out of range"));
    }
    let text = until_nul(field.iter().copied().skip_while(|byte| matches!(byte, b' ' | 0)).collect());
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(0);
    }
    std::str::from_utf8(text)
        .ok() // The error below says all there is to say.
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| i64::from_str_radix(text, 8).ok()) // Likewise.
        .ok_or_else(|| malformed("a header field is not an octal number"))
}

/// Decimal digits only; `None` for anything else or beyond 64 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?; // Not digits then.
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())) // Says so by `None`.
}

/// The text before the first NUL byte.
pub(super) fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}
