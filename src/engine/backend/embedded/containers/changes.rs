//! How do other processes learn that something changed? One file that everybody appends to.
//!
//! A line is a subject and a generation: a hint to look again, never the new state. Watchers remember how
//! far they read; when the file was started anew meanwhile, they look at everything. Deliberately
//! elsewhere: waiting for the file to grow (`linux::changes_watch`), what happened (`event_log`).

use std::{io, path::Path};

use crate::engine::{
    backend::embedded::disk::Disk,
    domain::{ContainerId, Generation},
};

/// The file is started anew beyond this size: some three thousand changes.
const MAX_BYTES: u64 = 256 << 10;
/// The subject of a line about the images as a whole.
const IMAGES: &str = "images";

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Container(ContainerId),
    Images,
    /// Lines were missed: look at everything.
    Gap,
}

/// Says that a container changed. Losing a hint (a full disk) only delays others until they next look.
pub fn announce(disk: &dyn Disk, path: &Path, id: &ContainerId, generation: Generation) {
    append(disk, path, &format!("{id} {generation}\n"));
}

/// Says that images changed.
pub fn announce_images(disk: &dyn Disk, path: &Path) {
    append(disk, path, &format!("{IMAGES} 0\n"));
}

fn append(disk: &dyn Disk, path: &Path, line: &str) {
    if disk.stat(path).is_ok_and(|found| found.len > MAX_BYTES) {
        // Readers notice by the first line; a truncation that fails is tried again with the next line.
        let _ = disk.truncate(path, 0);
    }
    // A hint that cannot be written must not fail the change it is about.
    let _ = disk.append(path, line.as_bytes());
}

/// One watcher's place in the file.
#[derive(Clone, Debug, Default)]
pub struct Position {
    offset: usize,
    first_line: Vec<u8>,
}

impl Position {
    /// The end of the file as it is now.
    ///
    /// # Errors
    /// As reading the file; a missing one is empty.
    pub fn at_end(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let content = read(disk, path)?;
        Ok(Self { offset: whole_lines(&content).len(), first_line: first_line(&content).to_vec() })
    }

    /// What was appended since the last call, without repetitions; `Gap` when that cannot be told.
    ///
    /// # Errors
    /// As reading the file.
    pub fn advance(&mut self, disk: &dyn Disk, path: &Path) -> io::Result<Vec<Change>> {
        let content = read(disk, path)?;
        let whole = whole_lines(&content);
        let same_file = self.first_line.is_empty() || first_line(&content) == self.first_line.as_slice();
        let news = if same_file { whole.get(self.offset..) } else { None };
        let mut changes = Vec::new();
        match news {
            Some(news) => {
                for line in news.split(|byte| *byte == b'\n') {
                    if let Some(change) = parse(line).filter(|change| !changes.contains(change)) {
                        changes.push(change);
                    }
                }
            }
            None => changes.push(Change::Gap),
        }
        *self = Self { offset: whole.len(), first_line: first_line(&content).to_vec() };
        Ok(changes)
    }
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    match disk.read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        outcome => outcome,
    }
}

/// Up to the last newline: a line in the making is left for the next time.
fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    content.get(..end).unwrap_or_default()
}

fn first_line(content: &[u8]) -> &[u8] {
    whole_lines(content).split(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// Lines that make no sense (torn by a full disk, or of a later version) are skipped.
fn parse(line: &[u8]) -> Option<Change> {
    let text = std::str::from_utf8(line).ok()?;
    match text.split_once(' ')?.0 {
        IMAGES => Some(Change::Images),
        id => id.parse().ok().map(Change::Container),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backend::embedded::disk::RealDisk;

    fn id(seed: u8) -> ContainerId {
        ContainerId::from_random([seed; 32])
    }

    #[test]
    fn a_watcher_hears_each_subject_once_and_only_what_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changes");
        announce(&RealDisk, &path, &id(1), Generation(1));
        let mut position = Position::at_end(&RealDisk, &path).unwrap();
        assert!(position.advance(&RealDisk, &path).unwrap().is_empty());
        announce(&RealDisk, &path, &id(2), Generation(1));
        announce(&RealDisk, &path, &id(2), Generation(2));
        announce_images(&RealDisk, &path);
        assert_eq!(position.advance(&RealDisk, &path).unwrap(), [Change::Container(id(2)), Change::Images]);
        assert!(position.advance(&RealDisk, &path).unwrap().is_empty());
    }

    #[test]
    fn a_file_started_anew_is_a_gap_even_when_it_grew_past_the_old_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changes");
        announce(&RealDisk, &path, &id(1), Generation(1));
        let mut position = Position::at_end(&RealDisk, &path).unwrap();
        RealDisk.truncate(&path, 0).unwrap();
        announce(&RealDisk, &path, &id(2), Generation(7));
        announce(&RealDisk, &path, &id(3), Generation(8));
        assert_eq!(position.advance(&RealDisk, &path).unwrap(), [Change::Gap]);
        announce(&RealDisk, &path, &id(4), Generation(9));
        assert_eq!(position.advance(&RealDisk, &path).unwrap(), [Change::Container(id(4))]);
    }

    #[test]
    fn a_line_in_the_making_is_read_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changes");
        let mut position = Position::at_end(&RealDisk, &path).unwrap();
        RealDisk.append(&path, id(1).as_str().as_bytes()).unwrap();
        assert!(position.advance(&RealDisk, &path).unwrap().is_empty());
        RealDisk.append(&path, b" 4\ngarbage\n").unwrap();
        assert_eq!(position.advance(&RealDisk, &path).unwrap(), [Change::Container(id(1))]);
    }

    #[test]
    fn the_file_stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changes");
        for round in 0..8000 {
            announce(&RealDisk, &path, &id(1), Generation(round));
        }
        assert!(RealDisk.stat(&path).unwrap().len <= MAX_BYTES + 200);
    }
}
