//! What do a member's extended records say? POSIX pax(1), "pax Extended Header"; `SCHILY.xattr` as Docker writes it.
//!
//! Deliberately elsewhere: which attributes are allowed on disk (`attributes`), holes (`sparse`).

use std::io;

use super::{
    field::{decimal, malformed},
    sparse::SparseRecords,
};

/// The records of one `x` header that matter for unpacking. An empty value means "as the header says".
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u64>,
    pub gid: Option<u64>,
    pub mtime: Option<(i64, u32)>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse: SparseRecords,
}

impl Extended {
    /// Parses `LENGTH KEY=VALUE\n` records; values may hold any byte, line breaks and NUL included.
    pub(super) fn parse(mut bytes: &[u8]) -> io::Result<Self> {
        let mut extended = Self::default();
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes).ok_or_else(|| malformed("an extended record is malformed"))?;
            extended.take(key, value)?;
            bytes = rest;
        }
        Ok(extended)
    }

    /// Whether a record says what only one file can have.
    pub(super) fn describes_a_file(&self) -> bool {
        self.path.is_some() || self.link.is_some() || self.size.is_some() || self.sparse.name.is_some()
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            self.xattrs.push((name.to_vec(), value.to_vec()));
            return Ok(());
        }
        if let Some(name) = key.strip_prefix(b"GNU.sparse.") {
            return self.sparse.take(name, value);
        }
        let text = (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.path = without_nul(text)?,
            b"linkpath" => self.link = without_nul(text)?,
            b"size" => self.size = number(value)?,
            b"uid" => self.uid = number(value)?,
            b"gid" => self.gid = number(value)?,
            b"mtime" => self.mtime = time(value)?,
            // Access times, names of owners, comments and vendors' records change nothing on disk.
            _ => {}
        }
        Ok(())
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(21).position(|byte| *byte == b' ')?;
    let length: usize = decimal(bytes.get(..space)?)?.try_into().ok()?; // Larger than memory is malformed.
    let (body, rest) = (bytes.get(space + 1..length)?, bytes.get(length..)?);
    let body = body.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    Some((body.get(..equals)?, body.get(equals + 1..)?, rest))
}

fn without_nul(text: Option<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    match text {
        Some(text) if text.contains(&0) => Err(malformed("a path in an extended header holds a NUL byte")),
        text => Ok(text),
    }
}

fn number(value: &[u8]) -> io::Result<Option<u64>> {
    match value {
        [] => Ok(None),
        digits => decimal(digits).map(Some).ok_or_else(|| malformed("an extended record is not a number")),
    }
}

/// `[-]SECONDS[.FRACTION]`, cut to nanoseconds; a negative time with a fraction lies before its seconds.
fn time(value: &[u8]) -> io::Result<Option<(i64, u32)>> {
    if value.is_empty() {
        return Ok(None);
    }
    let (negative, text) = value.strip_prefix(b"-").map_or((false, value), |rest| (true, rest));
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = parts.next().and_then(decimal).and_then(|seconds| i64::try_from(seconds).ok()); // Refused below.
    let fraction = parts.next().unwrap_or_default();
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.map(|digit| char::from(digit).to_digit(10)).try_fold(0, |sum, digit| Some(sum * 10 + digit?));
    match (seconds, nanos) {
        (Some(seconds), Some(nanos)) if negative && nanos > 0 => Ok(Some((-seconds - 1, 1_000_000_000 - nanos))),
        (Some(seconds), Some(nanos)) => Ok(Some((if negative { -seconds } else { seconds }, nanos))),
        (None, _) | (_, None) => Err(malformed("an extended record is not a time")),
    }
}
