//! What happened on this store? Numbered segments of JSON lines, appended by everybody, bounded.
//!
//! Deliberately elsewhere: waking readers (`changes`), the events' meaning (`domain::EngineEvent`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

use crate::engine::{
    backend::embedded::disk::Disk,
    domain::{ContainerId, EngineEvent, EventAction},
};

/// A segment ends beyond this size.
const SEGMENT_BYTES: u64 = 1 << 20;
/// So many segments are kept: some ten thousand events.
const SEGMENTS: u64 = 4;
/// The version of a line.
const FORMAT: u32 = 1;

/// The attribute of a `die` event that holds the exit code, as Docker names it.
pub const EXIT_CODE: &str = "exitCode";

#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    #[serde(flatten)]
    event: EngineEvent,
}

/// Appends to the newest segment.
#[derive(Debug)]
pub struct EventLog {
    dir: PathBuf,
    /// The newest segment this process knows of; 0 before it looked.
    newest: AtomicU64,
}

impl EventLog {
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, newest: AtomicU64::new(0) }
    }

    /// Notes an event. Losing one (a full disk) must not fail the change it tells of.
    pub fn append(&self, disk: &dyn Disk, event: &EngineEvent) {
        let Ok(mut line) = serde_json::to_vec(&Line { v: FORMAT, event: event.clone() }) else { return };
        line.push(b'\n');
        let newest = self.newest(disk);
        let path = segment(&self.dir, newest);
        // As above; and a segment that could not be begun is begun by the next event.
        let _ = disk.append(&path, &line);
        if disk.stat(&path).is_ok_and(|found| found.len > SEGMENT_BYTES) {
            let _ = disk.create_exclusive(&segment(&self.dir, newest + 1), b"");
            if let Some(oldest) = (newest + 1).checked_sub(SEGMENTS) {
                let _ = disk.remove_file(&segment(&self.dir, oldest));
            }
        }
    }

    fn newest(&self, disk: &dyn Disk) -> u64 {
        let mut newest = match self.newest.load(Ordering::Relaxed) {
            0 => numbers(disk, &self.dir).last().copied().unwrap_or(1),
            known => known,
        };
        while disk.exists(&segment(&self.dir, newest + 1)) {
            newest += 1;
        }
        self.newest.store(newest, Ordering::Relaxed);
        newest
    }
}

/// One reader's place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventReader {
    dir: PathBuf,
    segment: u64,
    offset: usize,
}

impl EventReader {
    /// Before the oldest event that is kept.
    #[must_use]
    pub fn at_start(disk: &dyn Disk, dir: &Path) -> Self {
        let segment = numbers(disk, dir).first().copied().unwrap_or(1);
        Self { dir: dir.to_owned(), segment, offset: 0 }
    }

    /// After the newest event.
    ///
    /// # Errors
    /// As reading the newest segment.
    pub fn at_end(disk: &dyn Disk, dir: &Path) -> io::Result<Self> {
        let newest = numbers(disk, dir).last().copied().unwrap_or(1);
        match disk.read(&segment(dir, newest)) {
            // Whatever comes into the next segment meanwhile is told, not skipped.
            Ok(content) => Ok(Self { dir: dir.to_owned(), segment: newest, offset: whole_lines(&content) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::at_start(disk, dir)),
            Err(error) => Err(error),
        }
    }

    /// Everything after the last call, in order. Events that rotation took before are skipped.
    ///
    /// # Errors
    /// As reading the segments.
    pub fn next_batch(&mut self, disk: &dyn Disk) -> io::Result<Vec<EngineEvent>> {
        let mut events = Vec::new();
        loop {
            // Asked before reading: whoever began the next segment had finished with this one.
            let has_next = disk.exists(&segment(&self.dir, self.segment + 1));
            match disk.read(&segment(&self.dir, self.segment)) {
                Ok(content) => self.take(&content, &mut events),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let oldest = numbers(disk, &self.dir).first().copied();
                    match oldest.filter(|oldest| *oldest > self.segment) {
                        Some(oldest) => {
                            (self.segment, self.offset) = (oldest, 0);
                            continue;
                        }
                        None => return Ok(events),
                    }
                }
                Err(error) => return Err(error),
            }
            if !has_next {
                return Ok(events);
            }
            (self.segment, self.offset) = (self.segment + 1, 0);
        }
    }

    fn take(&mut self, content: &[u8], events: &mut Vec<EngineEvent>) {
        let fresh = content.get(self.offset..).unwrap_or_default();
        let whole = whole_lines(fresh);
        let lines = fresh.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        // A torn line (a full disk) or one of a later version is skipped: events are told, not kept as truth.
        events.extend(lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()).map(|line| line.event));
        self.offset += whole;
    }
}

/// The exit code that the log tells of `id`'s last end; for a container that is gone already.
///
/// # Errors
/// As reading the segments.
pub fn last_exit(disk: &dyn Disk, dir: &Path, id: &ContainerId) -> io::Result<Option<Option<i32>>> {
    let events = EventReader::at_start(disk, dir).next_batch(disk)?;
    let died = events.into_iter().rev().find(|event| event.id == id.as_str() && event.action == EventAction::Die);
    Ok(died.map(|event| event.attributes.get(EXIT_CODE).and_then(|code| code.parse().ok())))
}

/// The length up to the last newline: a line in the making is left for the next time.
fn whole_lines(content: &[u8]) -> usize {
    content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

fn segment(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}.jsonl"))
}

/// The numbers of the segments, ascending.
fn numbers(disk: &dyn Disk, dir: &Path) -> Vec<u64> {
    // A directory that cannot be listed holds no events for anybody.
    let entries = disk.list(dir).unwrap_or_default();
    let mut numbers: Vec<u64> =
        entries.iter().filter_map(|entry| entry.name.strip_suffix(".jsonl")?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        backend::embedded::disk::RealDisk,
        domain::{EventSubject, Timestamp},
    };

    fn event(id: &ContainerId, action: EventAction, attributes: &[(&str, &str)]) -> EngineEvent {
        EngineEvent {
            at: Timestamp::from_unix_seconds(7),
            subject: EventSubject::Container,
            action,
            id: id.to_string(),
            name: Some("web".to_owned()),
            attributes: attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn events_come_back_in_order_and_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::new(dir.path().to_owned());
        let id = ContainerId::from_random([1; 32]);
        let mut reader = EventReader::at_start(&RealDisk, dir.path());
        let told = [event(&id, EventAction::Create, &[]), event(&id, EventAction::Other("x: y".into()), &[("a", "b")])];
        told.iter().for_each(|event| log.append(&RealDisk, event));
        assert_eq!(reader.next_batch(&RealDisk).unwrap(), told);
        assert!(reader.next_batch(&RealDisk).unwrap().is_empty());
        assert_eq!(EventReader::at_end(&RealDisk, dir.path()).unwrap(), reader);
    }

    #[test]
    fn a_torn_line_is_skipped_and_the_next_one_read() {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::new(dir.path().to_owned());
        let id = ContainerId::from_random([1; 32]);
        RealDisk.append(&segment(dir.path(), 1), b"{\"v\":1,\"at\n").unwrap();
        log.append(&RealDisk, &event(&id, EventAction::Start, &[]));
        assert_eq!(EventReader::at_start(&RealDisk, dir.path()).next_batch(&RealDisk).unwrap().len(), 1);
    }

    #[test]
    fn segments_rotate_and_old_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::new(dir.path().to_owned());
        let id = ContainerId::from_random([1; 32]);
        let big = "x".repeat(200 << 10);
        let mut reader = EventReader::at_start(&RealDisk, dir.path());
        for _ in 0..40 {
            log.append(&RealDisk, &event(&id, EventAction::Kill, &[("big", &big)]));
        }
        assert!(RealDisk.list(dir.path()).unwrap().len() <= SEGMENTS as usize + 1);
        let kept = reader.next_batch(&RealDisk).unwrap().len();
        assert!((10..40).contains(&kept), "{kept}");
    }

    #[test]
    fn the_exit_of_a_container_that_is_gone_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::new(dir.path().to_owned());
        let (one, two) = (ContainerId::from_random([1; 32]), ContainerId::from_random([2; 32]));
        log.append(&RealDisk, &event(&one, EventAction::Die, &[(EXIT_CODE, "3")]));
        log.append(&RealDisk, &event(&two, EventAction::Die, &[]));
        assert_eq!(last_exit(&RealDisk, dir.path(), &one).unwrap(), Some(Some(3)));
        assert_eq!(last_exit(&RealDisk, dir.path(), &two).unwrap(), Some(None));
        let three = ContainerId::from_random([3; 32]);
        assert_eq!(last_exit(&RealDisk, dir.path(), &three).unwrap(), None);
    }
}
