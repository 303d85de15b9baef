//! What did a container print, and when? The daemon's log stream as entries.
//!
//! Times are always asked for: they stand in front of every message. Deliberately elsewhere: frames
//! (`multiplexed`); output that is happening now (`session`).

use std::time::Duration;

use http::Method;
use tokio::sync::mpsc;

use super::{api::Api, container_json, containers, failure::About, multiplexed::Demultiplexer, path::Path};
use crate::engine::{
    core::limits,
    domain::{ContainerId, Error, ErrorKind, LogEntry, LogItem, LogOptions, LogSource, Result, Timestamp},
};

/// A daemon's clock is told in whole seconds: what it says may be so much earlier than what it means.
const SECOND: Duration = Duration::from_secs(1);

/// A line without an end is passed on in pieces of this size.
const LONGEST: usize = 256 << 10;

/// Sends the log into `items` until its end, or until nobody receives. Without `follow` that is the end it had
/// when it was opened: Podman goes on for as long as the container prints faster than it reads.
///
/// # Errors
/// `NoSuchContainer`, `Unreachable` when the daemon went away.
pub async fn read(api: &Api, id: &ContainerId, options: LogOptions, items: mpsc::Sender<Vec<LogItem>>) -> Result<()> {
    let object = containers::inspect(api, id).await?;
    let container = container_json::from_inspect(&object)
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "the daemon described a container without an id"))?;
    let tail = options.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
    let path = Path::new("/containers")
        .part(id)
        .then("logs")
        .query("stdout", 1)
        .query("stderr", 1)
        .query("timestamps", 1)
        .query("follow", options.follow)
        .query("tail", tail)
        .maybe("since", options.since.map(seconds))
        .maybe("until", options.until.map(seconds));
    let mut stream = api.stream(Method::GET, path, None, About::Container, limits::READ_DEADLINE).await?;
    let end = stream.begun.filter(|_| !options.follow).map(|begun| begun.plus(SECOND));
    let mut reader =
        if container.tty { LogLines::Terminal(Vec::new()) } else { LogLines::Framed(Demultiplexer::default()) };
    loop {
        let bytes = tokio::select! {
            bytes = stream.next() => bytes?,
            () = items.closed() => return Ok(()),
        };
        let mut batch = match &bytes {
            Some(bytes) => reader.feed(bytes)?,
            None => reader.rest(),
        };
        let over = end.is_some_and(|end| cut_after(&mut batch, end));
        if !batch.is_empty() && items.send(batch).await.is_err() {
            return Ok(());
        }
        if over || bytes.is_none() {
            return Ok(());
        }
    }
}

/// Drops what was printed after `end`, and says whether there was any.
fn cut_after(batch: &mut Vec<LogItem>, end: Timestamp) -> bool {
    let late = |item: &LogItem| match item {
        LogItem::Entry(entry) => entry.at > end,
        LogItem::Missed { .. } => false,
    };
    let first = batch.iter().position(late);
    batch.truncate(first.unwrap_or(batch.len()));
    first.is_some()
}

/// Seconds since 1970 with nine decimals, the one form that Docker and Podman both take.
pub fn seconds(time: Timestamp) -> String {
    let nanos = time.unix_nanos().max(0);
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

/// The two forms of the stream.
pub(super) enum LogLines {
    /// Every frame is one message.
    Framed(Demultiplexer),
    /// Bare bytes: a message ends with its newline.
    Terminal(Vec<u8>),
}

impl LogLines {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<LogItem>> {
        match self {
            Self::Framed(cutter) => {
                let frames = cutter.feed(bytes)?;
                Ok(frames.into_iter().map(|frame| entry(frame.source, frame.bytes)).collect())
            }
            Self::Terminal(pending) => {
                pending.extend_from_slice(bytes);
                let whole = match pending.iter().rposition(|byte| *byte == b'\n') {
                    Some(last) => last + 1,
                    None if pending.len() >= LONGEST => pending.len(),
                    None => 0,
                };
                let ready: Vec<u8> = pending.drain(..whole).collect();
                let lines = ready.split_inclusive(|byte| *byte == b'\n');
                Ok(lines.map(|line| entry(LogSource::Stdout, line.to_vec())).collect())
            }
        }
    }

    /// What is left when the stream ends in the middle of a line.
    pub(super) fn rest(&mut self) -> Vec<LogItem> {
        match self {
            Self::Framed(_) => Vec::new(),
            Self::Terminal(pending) if pending.is_empty() => Vec::new(),
            Self::Terminal(pending) => vec![entry(LogSource::Stdout, std::mem::take(pending))],
        }
    }
}

/// `2026-11-21T09:43:34.158986323Z out\n`
fn entry(source: LogSource, mut bytes: Vec<u8>) -> LogItem {
    let partial = bytes.last() != Some(&b'\n');
    if !partial {
        bytes.pop();
    }
    let stamp = bytes.iter().take(40).position(|byte| *byte == b' ');
    let parsed = stamp.and_then(|end| {
        let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
        Some((end + 1, text.parse::<Timestamp>().ok()?))
    });
    // A message without a time is kept whole: better undated than cut.
    let (start, at) = parsed.unwrap_or((0, Timestamp::ZERO));
    bytes.drain(..start);
    LogItem::Entry(LogEntry { at, source, bytes, partial })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(items: &[LogItem]) -> Vec<(String, bool)> {
        items
            .iter()
            .map(|item| match item {
                LogItem::Entry(entry) => (String::from_utf8_lossy(&entry.bytes).into_owned(), entry.partial),
                LogItem::Missed { lines } => panic!("missed {lines}"),
            })
            .collect()
    }

    #[test]
    fn a_terminals_log_is_the_same_however_it_is_cut() {
        let text =
            b"2026-11-21T09:43:34.158986323Z one\r\n2026-11-21T09:43:35Z \n2026-11-21T09:43:36Z gr\xc3\xb6\xc3\x9fe";
        let expected = [("one\r".to_owned(), false), (String::new(), false), ("größe".to_owned(), true)];
        for cut in 0..=text.len() {
            let mut reader = LogLines::Terminal(Vec::new());
            let mut items = reader.feed(&text[..cut]).unwrap();
            items.extend(reader.feed(&text[cut..]).unwrap());
            items.extend(reader.rest());
            assert_eq!(lines(&items), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_message_without_a_time_is_kept_whole() {
        let LogItem::Entry(found) = entry(LogSource::Stderr, b"no time here\n".to_vec()) else { panic!() };
        assert_eq!((found.bytes.as_slice(), found.at), (b"no time here".as_slice(), Timestamp::ZERO));
        let LogItem::Entry(found) = entry(LogSource::Stdout, Vec::new()) else { panic!() };
        assert!(found.partial && found.bytes.is_empty());
    }

    #[test]
    fn a_line_without_end_is_passed_on_in_pieces() {
        let mut reader = LogLines::Terminal(Vec::new());
        let items = reader.feed(&vec![b'x'; LONGEST]).unwrap();
        assert_eq!(lines(&items), [("x".repeat(LONGEST), true)]);
    }

    #[test]
    fn what_was_printed_after_the_end_is_cut_off() {
        let printed = |second| entry(LogSource::Stdout, format!("{} x\n", at(second)).into_bytes());
        let undated = entry(LogSource::Stdout, b"undated\n".to_vec());
        let mut batch = vec![printed(1), undated.clone(), printed(2)];
        assert!(!cut_after(&mut batch, at(2)));
        assert_eq!(batch.len(), 3);
        batch.extend([printed(3), printed(2), undated]);
        assert!(cut_after(&mut batch, at(2)));
        assert_eq!(batch.len(), 3);
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    #[test]
    fn times_are_written_with_all_decimals() {
        assert_eq!(seconds(Timestamp::from_unix_nanos(1_000_000_005)), "1.000000005");
        assert_eq!(seconds(Timestamp::ZERO), "0.000000000");
    }
}
