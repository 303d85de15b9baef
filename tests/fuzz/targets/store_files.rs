//! What must hold for the store's own files, whatever a crash or a hand left in them?
//!
//! Deliberately elsewhere: logs (`log_segments`), the config file (`settings`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use wharf::engine::{
    backend::embedded::{
        containers::{
            changes::{Change, Position},
            event_log::EventReader,
            layout::RECORD,
            record::{self, Read, Record},
        },
        disk::RealDisk,
        images::{ImageRecord, unpacker::UnpackReport},
        launch::{ExitFile, LaunchPlan, StateFile},
        lock::Holder,
    },
    domain::{EngineEvent, PastOperation},
};

/// Runs with this thread's own folder, emptied before. In memory where the system has such a place: nothing here asks
/// whether a disk is durable.
pub fn scratch(with: impl FnOnce(&Path)) {
    thread_local! {
        static FOLDER: tempfile::TempDir = {
            let memory = Path::new("/dev/shm");
            let made = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
            made.expect("a folder for temporary files can be made")
        };
    }
    let folder: PathBuf = FOLDER.with(|folder| folder.path().join("it"));
    if let Err(error) = fs::remove_dir_all(&folder) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
    }
    fs::create_dir(&folder).unwrap();
    with(&folder);
}

/// Reads as `T`, and if it is one, it survives writing and reading.
fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(input: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(input).ok()?;
    let written = serde_json::to_vec(&value).unwrap();
    assert_eq!(serde_json::from_slice::<T>(&written).unwrap(), value, "{}", String::from_utf8_lossy(&written));
    Some(value)
}

/// `config.json`: a record, or a reason why not that can be shown; what was read is written back the same.
pub fn container_record(input: &[u8]) {
    scratch(|folder| {
        fs::write(folder.join(RECORD), input).unwrap();
        match record::read(&RealDisk, folder) {
            Read::Record(record) => {
                let bytes = record::to_bytes(&record).unwrap();
                assert_eq!(serde_json::from_slice::<Record>(&bytes).unwrap(), *record);
                let id = record.id.to_string();
                assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
                drop((record.stop_signal(), record.stop_grace(), record.is_removing(), record.resolved.arguments()));
                record.intent.iter().for_each(|intent| drop(intent.visible()));
            }
            Read::Damaged(why) => assert!(!why.reason().is_empty()),
            Read::Gone => panic!("the file is there"),
        }
    });
}

/// What monitors, lock holders, images and past operations leave: each survives writing and reading.
pub fn monitor_files(input: &[u8]) {
    drop((survives::<StateFile>(input), survives::<ExitFile>(input), survives::<LaunchPlan>(input)));
    drop((survives::<UnpackReport>(input), survives::<PastOperation>(input), survives::<EngineEvent>(input)));
    drop(serde_json::from_slice::<Holder>(input));
    if let Some(record) = survives::<ImageRecord>(input) {
        assert!(record.layers.iter().all(|layer| layer.bytes <= record.size()));
    }
}

/// `changes`, read twice while it grows: every line that makes sense is told once, or that some were missed.
pub fn changes(input: &[u8]) {
    scratch(|folder| {
        let path = folder.join("changes");
        let (first, _) = input.split_at(input.len() / 2);
        let mut position = Position::default();
        let mut told: Vec<Change> = Vec::new();
        for content in [first, input] {
            fs::write(&path, content).unwrap();
            told.extend(position.advance(&RealDisk, &path).unwrap());
        }
        let mut afresh = Position::default();
        let all = afresh.advance(&RealDisk, &path).unwrap();
        assert!(
            told.contains(&Change::Gap) || all.iter().all(|change| told.contains(change)),
            "{all:?}, told {told:?}"
        );
        assert_eq!(position.advance(&RealDisk, &path).unwrap(), []);
    });
}

/// `events/`: reading while it grows gives what reading it at once gives.
pub fn event_log(input: &[u8]) {
    scratch(|folder| {
        let path = folder.join("0000000001.jsonl");
        let mut growing = EventReader::at_start(&RealDisk, folder);
        let mut told: Vec<EngineEvent> = Vec::new();
        for end in [input.len() / 3, input.len() / 2, input.len()] {
            fs::write(&path, &input[..end]).unwrap();
            told.extend(growing.next_batch(&RealDisk).unwrap());
        }
        assert_eq!(EventReader::at_start(&RealDisk, folder).next_batch(&RealDisk).unwrap(), told);
    });
}
