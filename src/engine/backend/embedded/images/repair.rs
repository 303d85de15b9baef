//! What is wrong among the images, in words a person can act on?
//!
//! Looks first, then sweeps, then looks again: what is gone is mended. Deliberately elsewhere: the sweeping (`collect`),
//! fetching content again (`catalog`), containers (`containers::repair`).

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{
    collect::{Partials, is_ingested, is_partial},
    records::ImageRecord,
    store::ImageStore,
    untag::ImageUser,
};
use crate::engine::{
    backend::embedded::{
        disk::{EntryKind, is_temporary},
        lock::is_free,
    },
    domain::{Digest, Error, ErrorKind, Finding, RepairMode, Result, Verb},
};

/// What helps against a damaged file.
const AGAIN: &str = "delete that file and pull the image again";

/// Whether an entry is called as ours are.
type IsOurs = fn(&str) -> bool;

impl ImageStore {
    /// What killed processes left, cleared unless this is a dry run; and what is damaged or not ours, which is only named.
    /// Interrupted downloads stay, for whoever pulls again. `users` is asked under the store's lock.
    ///
    /// # Errors
    /// `Busy` when somebody holds the store for long; the disk's.
    pub fn repair(&self, mode: RepairMode, users: &dyn Fn() -> Result<Vec<ImageUser>>) -> Result<Vec<Finding>> {
        let mut findings = self.leftovers(users)?;
        match mode {
            RepairMode::LookOnly => {}
            RepairMode::Mend if findings.is_empty() => {} // An idle store is not written to.
            RepairMode::Mend => {
                let guard = self.leases.exclude(Verb::Repair)?;
                match (self.are_records_readable()?, users()) {
                    (true, Ok(users)) => {
                        self.drop_unheld(&users)?;
                        self.collect(guard, Partials::Keep)?;
                    }
                    (false, _) | (_, Err(_)) => {
                        drop(guard);
                        self.sweep()?; // What is needed cannot be told.
                    }
                }
                let rest = self.leftovers(users)?;
                findings.iter_mut().for_each(|finding| finding.mended = !rest.contains(finding));
            }
        }
        findings.extend(self.damaged()?);
        findings.extend(self.strangers()?);
        Ok(findings)
    }

    fn leftovers(&self, users: &dyn Fn() -> Result<Vec<ImageUser>>) -> Result<Vec<Finding>> {
        // Nobody who may change records or tags is in the middle of it.
        let _guard = self.leases.share(Verb::Repair)?;
        let mut found = Vec::new();
        let mut note = |dir: &Path, name: &str, problem: &str, action: &str| {
            found.push(finding(dir, name, problem, action));
        };
        let (mut living, leases) = (0, self.layout.leases());
        let names = self.names(&leases)?;
        for name in names.iter().filter(|name| !is_temporary(name)) {
            let lock = name.strip_suffix(".json").map_or_else(|| name.clone(), |name| format!("{name}.lock"));
            if is_free(&*self.machine.disk, &leases.join(&lock)) {
                note(&leases, name, "the process that held this lease is gone", "dropped");
            } else {
                living += 1;
            }
        }
        if living == 0 {
            for name in names.iter().filter(|name| is_temporary(name)) {
                note(&leases, name, "a write was interrupted", "deleted");
            }
            let ingest = self.layout.ingest();
            for name in self.names(&ingest)?.iter().filter(|name| is_ingested(name) && !is_partial(name)) {
                note(&ingest, name, "a pull was interrupted while it unpacked", "deleted");
            }
            for blobs in ["sha256", "sha512"].map(|algorithm| self.layout.blobs(algorithm)) {
                for name in self.names(&blobs)?.iter().filter(|name| is_temporary(name)) {
                    note(&blobs, name, "a write was interrupted", "deleted");
                }
            }
        }
        for dir in self.guarded_directories()? {
            for name in self.names(&dir)?.iter().filter(|name| is_temporary(name)) {
                note(&dir, name, "a write was interrupted", "deleted");
            }
        }
        let trash = self.layout.trash();
        for name in &self.names(&trash)? {
            note(&trash, name, "files of a removed layer", "deleted");
        }
        if !self.are_records_readable()? {
            return Ok(found); // Named as damage; until it is gone nobody knows what is needed.
        }
        let held = self.records.held()?;
        let users = match if held.is_empty() { Ok(Vec::new()) } else { users() } {
            Ok(users) => users,
            Err(error) => {
                let remedy = error.remedy_text().unwrap_or("look at the containers").to_owned();
                found.push(advice(self.layout.held().display().to_string(), error.to_string(), &remedy));
                return Ok(found); // As above.
            }
        };
        for record in held {
            if !users.iter().any(|user| user.image == record.id) {
                let name = format!("{}.json", record.id.hex());
                note(&self.layout.held(), &name, "kept for containers that are gone", "deleted");
            }
        }
        if !self.is_index_right()? {
            note(self.layout.root(), "index.json", "it does not say what is here", "written again");
        }
        if living == 0 {
            for (directory, count, what) in self.ownerless()? {
                let problem = format!("{count} {what} that no image needs");
                found.push(advice(directory.display().to_string(), problem, "deleted"));
            }
        }
        Ok(found)
    }

    fn are_records_readable(&self) -> Result<bool> {
        match self.records.images().and_then(|_| self.records.held()).and_then(|_| self.records.tags()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Content that is whole and nobody's: of a pull or a removal that was cut. Call only while nobody has a lease.
    fn ownerless(&self) -> Result<Vec<(PathBuf, usize, &'static str)>> {
        let mut records = self.records.images()?;
        records.extend(self.records.held()?);
        let blobs: HashSet<&str> = records.iter().flat_map(ImageRecord::needed).map(Digest::hex).collect();
        let layers: HashSet<&str> =
            records.iter().flat_map(|record| &record.layers).map(|layer| layer.key.hex()).collect();
        let places = [
            (self.layout.blobs("sha256"), &blobs, "blobs"),
            (self.layout.blobs("sha512"), &blobs, "blobs"),
            (self.layout.layers(), &layers, "layers"),
        ];
        let mut found = Vec::new();
        for (directory, needed, what) in places {
            let names = self.names(&directory)?;
            let nobodys = |name: &&String| is_content(name) && !needed.contains(name.as_str());
            let count = names.iter().filter(nobodys).count();
            if count > 0 {
                found.push((directory, count, what));
            }
        }
        Ok(found)
    }

    /// Records that nobody can read, and content that they name and that is not there.
    fn damaged(&self) -> Result<Vec<Finding>> {
        let mut found = Vec::new();
        for records in [self.layout.records(), self.layout.held()] {
            for name in self.names(&records)?.iter().filter(|name| name.ends_with(".json")) {
                // Removed since the listing: not here.
                let Ok(bytes) = self.machine.disk.read(&records.join(name)) else { continue };
                found.extend(match serde_json::from_slice::<ImageRecord>(&bytes) {
                    Ok(record) => self.lacking(&record),
                    Err(_) => Some(finding(&records, name, "this record cannot be read", AGAIN)),
                });
            }
        }
        if !found.is_empty() {
            return Ok(found); // What tags lead to cannot be told yet.
        }
        let tags = match self.records.tags() {
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                let tags = self.layout.references().display().to_string();
                return Ok(vec![advice(tags, error.reason().to_owned(), AGAIN)]);
            }
            tags => tags?,
        };
        for (tag, image) in tags {
            if self.records.image(&image)?.is_none() {
                let what = format!("it leads to image {}, which is gone", image.short());
                found.push(advice(tag.familiar(), what, "pull it again, or remove the tag with wharf rmi"));
            }
        }
        Ok(found)
    }

    fn lacking(&self, record: &ImageRecord) -> Option<Finding> {
        let gone = |digest: &&Digest| !self.machine.disk.exists(&self.layout.blob(digest));
        let missing: Vec<&str> = record.blobs().filter(gone).map(Digest::short).collect();
        let what = format!("content is gone from the store: {}", missing.join(", "));
        (!missing.is_empty()).then(|| advice(format!("image {}", record.id.short()), what, "pull it again"))
    }

    fn strangers(&self) -> Result<Vec<Finding>> {
        let places: [(PathBuf, IsOurs); 5] = [
            (self.layout.leases(), |name| name.ends_with(".lock") || name.ends_with(".json")),
            (self.layout.ingest(), is_ingested),
            (self.layout.records(), |name| name.ends_with(".json")),
            (self.layout.held(), |name| name.ends_with(".json")),
            (self.layout.layers(), is_content),
        ];
        let mut found = Vec::new();
        for (dir, ours) in places {
            for name in self.names(&dir)?.iter().filter(|name| !ours(name) && !is_temporary(name)) {
                found.push(finding(
                    &dir,
                    name,
                    "nothing that Wharf puts there",
                    "left alone; move it elsewhere if it is yours",
                ));
            }
        }
        Ok(found)
    }

    fn names(&self, dir: &Path) -> Result<Vec<String>> {
        let entries = self.machine.disk.list(dir).map_err(|error| Error::io("listing the image store", error))?;
        let ours = entries.into_iter().filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Directory));
        Ok(ours.map(|entry| entry.name).collect())
    }
}

/// Whether a name is a digest's digits.
fn is_content(name: &str) -> bool {
    name.len() >= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn finding(dir: &Path, name: &str, problem: &str, action: &str) -> Finding {
    advice(dir.join(name).display().to_string(), problem.to_owned(), action)
}

fn advice(subject: String, problem: String, action: &str) -> Finding {
    Finding { subject, problem, action: action.to_owned(), mended: false }
}
