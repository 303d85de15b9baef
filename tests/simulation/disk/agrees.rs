//! Does the simulated disk answer as a real one does? Long rows of random calls on both, side by side.
//!
//! On Linux with Linux's rules; the rows of `rules` about Windows are tried under Wine, as far as it keeps them
//! (`embedded::disk::tests`). Deliberately elsewhere: what survives a power cut (`file_system`).

use std::{io, path::Path, path::PathBuf, sync::Arc};

use wharf::engine::backend::embedded::disk::{Disk, EntryKind, LockMode, LockedFile, RealDisk, Sync, TemporaryFile};

use super::super::{faults::Faults, random::Dice, world::World};
use super::SimulatedDisk;

const ROWS: u64 = 60;
const CALLS: usize = 400;

/// One disk, what is open on it, and where on it everything happens.
struct Side<'a> {
    disk: &'a dyn Disk,
    root: PathBuf,
    locks: Vec<Box<dyn LockedFile>>,
    files: Vec<Box<dyn TemporaryFile>>,
    readers: Vec<Box<dyn io::Read + Send>>,
}

/// A call and where it goes, drawn once and done on both sides.
struct Drawn {
    call: u64,
    one: String,
    other: String,
    number: usize,
    mode: LockMode,
    sync: Sync,
}

impl Drawn {
    fn by(dice: &mut Dice) -> Self {
        const NAMES: [&str; 6] = ["a", "b", "d", "d/a", "d/e", "d/e/b"];
        Self {
            call: dice.below(20),
            one: dice.pick(&NAMES).to_owned(),
            other: dice.pick(&NAMES).to_owned(),
            number: dice.index(3),
            mode: dice.pick(&[LockMode::Exclusive, LockMode::Shared]),
            sync: dice.pick(&[Sync::Yes, Sync::No]),
        }
    }
}

/// An answer as both sides can give it.
fn told<T>(outcome: io::Result<T>, tell: impl FnOnce(T) -> String) -> String {
    outcome.map_or_else(|error| format!("{:?}", error.kind()), tell)
}

impl Side<'_> {
    fn new<'a>(disk: &'a dyn Disk, root: &Path) -> Side<'a> {
        Side { disk, root: root.to_owned(), locks: Vec::new(), files: Vec::new(), readers: Vec::new() }
    }

    fn answer(&mut self, drawn: &Drawn) -> String {
        let (disk, one, other) = (self.disk, self.root.join(&drawn.one), self.root.join(&drawn.other));
        let bytes = format!("bytes {}", drawn.number);
        let bytes = bytes.as_bytes();
        let done = |outcome| told(outcome, |()| "done".to_owned());
        match drawn.call {
            0 => done(disk.create_dir(&one)),
            1 => done(disk.create_dir_all(&one)),
            2 => done(disk.create_exclusive(&one, bytes)),
            3 => done(disk.write_durable(&one, bytes)),
            4 => done(disk.write_atomic(&one, bytes)),
            5 => done(disk.append(&one, bytes)),
            6 => done(disk.truncate(&one, drawn.number as u64)),
            7..=9 => done(disk.rename(&one, &other)),
            10 => done(disk.remove_file(&one)),
            11 => done(disk.remove_tree(&one)),
            12 => done(disk.sync_dir(&one)),
            13 => told(disk.try_lock(&one, drawn.mode), |lock| {
                let taken = lock.is_some();
                self.locks.extend(lock);
                format!("locked: {taken}")
            }),
            14 if !self.locks.is_empty() => {
                drop(self.locks.swap_remove(drawn.number % self.locks.len()));
                "released".to_owned()
            }
            14 => format!("free: {}", disk.is_lock_free(&one)),
            15 => told(disk.open_partial(&one), |file| {
                self.files.push(file);
                "opened".to_owned()
            }),
            16 => match self.files.pop() {
                Some(mut file) => {
                    let written = done(file.write_all(bytes));
                    format!("{written}, {}", done(file.commit(&one, drawn.sync)))
                }
                None => "nothing is open".to_owned(),
            },
            17 => told(disk.open(&one), |reader| {
                self.readers.push(reader);
                "opened".to_owned()
            }),
            18 => match self.readers.pop() {
                Some(mut reader) => {
                    let mut text = String::new();
                    told(reader.read_to_string(&mut text), |_| text)
                }
                None => "nothing is read".to_owned(),
            },
            _ => told(disk.read(&one), |bytes| String::from_utf8(bytes).unwrap()),
        }
    }

    /// Everything below, with kinds and contents.
    fn tree(&self, dir: &Path) -> Vec<String> {
        let mut entries = self.disk.list(dir).unwrap();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let mut lines = Vec::new();
        for entry in entries {
            let path = dir.join(&entry.name);
            match entry.kind {
                EntryKind::Directory => {
                    lines.push(format!("{}/", entry.name));
                    lines.extend(self.tree(&path).into_iter().map(|line| format!("{}/{line}", entry.name)));
                }
                EntryKind::File | EntryKind::Symlink | EntryKind::Other => {
                    let content = String::from_utf8(self.disk.read(&path).unwrap()).unwrap();
                    let len = self.disk.stat(&path).unwrap().len;
                    lines.push(format!("{} {len} {content}", entry.name));
                }
            }
        }
        lines
    }
}

#[test]
fn the_simulated_disk_answers_as_a_real_one() {
    let mut calls = 0;
    for row in 0..ROWS {
        let real = tempfile::tempdir().unwrap();
        let world = World::new(row, Faults::none(), false);
        let me = world.spawn("test", |_| ());
        let simulated = SimulatedDisk::new(Arc::clone(&world), me);
        simulated.create_dir(Path::new("/data")).unwrap();
        let mut sides = [Side::new(&RealDisk, real.path()), Side::new(&simulated, Path::new("/data"))];
        let mut dice = Dice::new(row);
        for call in 0..CALLS {
            let drawn = Drawn::by(&mut dice);
            let [on_real, on_simulated] = sides.each_mut().map(|side| side.answer(&drawn));
            let what = format!("row {row}, call {call}: {} on {} and {}", drawn.call, drawn.one, drawn.other);
            assert_eq!(on_simulated, on_real, "{what}");
            let [there, here] = sides.each_ref().map(|side| side.tree(&side.root));
            assert_eq!(here, there, "{what}");
            calls += 1;
        }
    }
    println!("the simulated disk agreed with a real one in {calls} calls");
}
