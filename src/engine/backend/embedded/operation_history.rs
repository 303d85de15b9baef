//! What did the processes on this store do lately? One line of JSON per finished operation.
//!
//! Several processes append to one file; whoever finds it too long keeps its newer half. A lost line is a
//! gap in a screen, never a lost fact. Deliberately elsewhere: what runs now (a record's intent).

use std::path::{Path, PathBuf};

use super::disk::Disk;
use crate::engine::{
    core::limits,
    domain::{Error, PastOperation, Result},
};

/// A line is a few hundred bytes; past this the file is cut.
const CUT_AT: u64 = 256 << 10;

/// The history of one store.
pub struct OperationHistory {
    file: PathBuf,
}

impl OperationHistory {
    /// `data` is the store's data directory; nothing is read or made by this.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { file: data.join("operations") }
    }

    /// # Errors
    /// When the file cannot be appended to; the caller goes on without.
    pub fn append(&self, disk: &dyn Disk, operation: &PastOperation) -> Result<()> {
        let mut line = serde_json::to_vec(operation)
            .map_err(|error| Error::new(crate::engine::domain::ErrorKind::Internal, error.to_string()))?;
        line.push(b'\n');
        disk.append(&self.file, &line).map_err(|error| Error::io("writing the operation history", error))?;
        if disk.stat(&self.file).is_ok_and(|stat| stat.len > CUT_AT) {
            let newest = self.read(disk)?;
            let kept: Vec<u8> = newest.iter().rev().filter_map(|past| serde_json::to_vec(past).ok()).fold(
                Vec::new(),
                |mut all, mut line| {
                    line.push(b'\n');
                    all.append(&mut line);
                    all
                },
            );
            disk.write_atomic(&self.file, &kept)
                .map_err(|error| Error::io("shortening the operation history", error))?;
        }
        Ok(())
    }

    /// Newest first, at most `limits::HISTORY`; lines of another format or cut in half are left out.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(&self, disk: &dyn Disk) -> Result<Vec<PastOperation>> {
        let bytes = match disk.read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("reading the operation history", error)),
        };
        let lines = bytes.split(|byte| *byte == b'\n').rev();
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).take(limits::HISTORY).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        backend::embedded::disk::RealDisk,
        domain::{Timestamp, Verb},
    };

    fn past(number: usize) -> PastOperation {
        PastOperation {
            verb: Verb::Stop,
            subject: format!("c{number} {}", "x".repeat(200)),
            container: None,
            cli: "wharf stop".into(),
            pid: 1,
            started: Timestamp::ZERO,
            finished: Timestamp::ZERO,
            failure: None,
        }
    }

    #[test]
    fn the_newest_come_first_and_the_file_stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let history = OperationHistory::new(dir.path());
        assert!(history.read(&RealDisk).unwrap().is_empty());
        for number in 0..1500 {
            history.append(&RealDisk, &past(number)).unwrap();
        }
        let found = history.read(&RealDisk).unwrap();
        assert_eq!(found.len(), limits::HISTORY);
        assert!(found[0].subject.starts_with("c1499 "));
        assert!(std::fs::metadata(&history.file).unwrap().len() <= CUT_AT + 1024);
    }

    #[test]
    fn a_torn_line_hides_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let history = OperationHistory::new(dir.path());
        history.append(&RealDisk, &past(1)).unwrap();
        RealDisk.append(&history.file, b"{\"verb\":\"st\n").unwrap();
        history.append(&RealDisk, &past(2)).unwrap();
        assert_eq!(history.read(&RealDisk).unwrap().len(), 2);
    }
}
