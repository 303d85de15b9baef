//! Where is content kept by its digest, and how is it known to be whole?
//!
//! A blob is visible only complete, verified and synced; whoever reads one whole has it verified again, so damage after
//! a power cut is found before it is believed. Deliberately elsewhere: receiving large ones piece by piece (`receive`),
//! deleting (`collect`).

use std::{
    collections::BTreeSet,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use super::layout::Layout;
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            disk::Disk,
            lock::{Holder, Lock, Mode, retire, try_lock},
            machine::Machine,
            manifest::Descriptor,
        },
    },
    domain::{Digest, Digester, Error, ErrorKind, Result, Verb},
    sync::{Flights, Lead, waits},
};

/// How often a waiter looks whether the writer of a digest is done: file locks tell nobody, with a deadline or a
/// way to cancel, that they are free.
const WRITER_POLL: Duration = Duration::from_millis(20);

/// The blobs of one store.
#[derive(Clone)]
pub(super) struct Blobs {
    layout: Layout,
    machine: Machine,
    /// What threads of this process write, by lock file; other processes are excluded by the file itself.
    flights: Flights<PathBuf>,
}

impl Blobs {
    pub(super) fn new(layout: Layout, machine: Machine) -> Self {
        Self { layout, machine, flights: Flights::default() }
    }

    /// Whether the blob is here with the size it should have.
    pub(super) fn has(&self, descriptor: &Descriptor) -> bool {
        self.size(&descriptor.digest) == Some(descriptor.size)
    }

    pub(super) fn size(&self, digest: &Digest) -> Option<u64> {
        self.disk().stat(&self.layout.blob(digest)).ok().map(|stat| stat.len) // Not there, whatever the reason.
    }

    /// A small blob, verified. `None` when it is not here.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are not the digest's; the blob is deleted, so that the next pull heals it.
    pub(super) fn read(&self, digest: &Digest, max: u64) -> Result<Option<Vec<u8>>> {
        let path = self.layout.blob(digest);
        match self.size(digest) {
            None => return Ok(None),
            Some(size) if size > max => {
                return Err(Error::new(ErrorKind::Corrupt, format!("blob {} has {size} bytes", digest.short())));
            }
            Some(_) => {}
        }
        let bytes = self.disk().read(&path).map_err(|error| Error::io("reading a blob", error))?;
        if digest.is_of(&bytes) {
            return Ok(Some(bytes));
        }
        self.discard(digest);
        Err(corrupt(digest))
    }

    /// Stores a small blob durably; nothing to do when it is here.
    ///
    /// # Errors
    /// `DigestMismatch` when `bytes` are not the digest's.
    pub(super) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        if !digest.is_of(bytes) {
            return Err(mismatch(digest, "what came has another digest"));
        }
        if self.size(digest) == Some(bytes.len() as u64) {
            return Ok(());
        }
        self.disk().write_durable(&self.layout.blob(digest), bytes).map_err(|error| Error::io("writing a blob", error))
    }

    /// Makes the names of these blobs durable, whoever wrote them. Their bytes are before they have a name.
    pub(super) fn sync<'a>(&self, digests: impl Iterator<Item = &'a Digest>) -> Result<()> {
        let directories: BTreeSet<PathBuf> =
            digests.map(|digest| self.layout.blobs(digest.algorithm().as_str())).collect();
        let synced = directories.iter().try_for_each(|directory| self.disk().sync_dir(directory));
        synced.map_err(|error| Error::io("storing a blob", error))
    }

    /// Opens a blob; at its end the reader fails with `InvalidData` unless the content was the digest's.
    ///
    /// # Errors
    /// `Corrupt` when it is not here: a record promised it.
    pub(super) fn open(&self, digest: &Digest) -> Result<VerifyingReader> {
        let missing =
            |error| Error::io(format!("opening blob {}", digest.short()), error).remedy("pull the image again");
        let file = self.disk().open(&self.layout.blob(digest)).map_err(missing)?;
        let digester = Digester::new(digest.algorithm());
        Ok(VerifyingReader { file, digest: digest.clone(), digester: Some(digester) })
    }

    /// Drops a blob found damaged. Failing to is no worse than before: it is found again.
    pub(super) fn discard(&self, digest: &Digest) {
        let _ = self.disk().remove_file(&self.layout.blob(digest));
    }

    /// Deletes a blob nobody needs; gone already is fine.
    pub(super) fn delete(&self, digest: &Digest) -> Result<()> {
        match self.disk().remove_file(&self.layout.blob(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("deleting a blob", error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Becomes the one who holds `path`, among threads and processes, waiting for another one to end. `waiting` is
    /// called once if there is one.
    ///
    /// # Errors
    /// What `check` says, asked again and again; the lock file's own errors.
    pub(super) fn writer(
        &self,
        path: PathBuf,
        context: &OperationContext,
        check: &dyn Fn() -> Result<()>,
        waiting: &dyn Fn(),
    ) -> Result<WriterLock> {
        let mut told = false;
        let mut mark = None;
        let lead = self.flights.lead(&path, check, &mut || {
            told = true;
            mark = Some(waits::waiting(&path));
            waiting();
        })?;
        loop {
            check()?;
            let holder = Holder::this_process(&self.machine, Verb::Pull, context.remaining());
            match try_lock(self.disk(), &path, Mode::Exclusive, &holder) {
                Ok(Some(lock)) => {
                    let disk = Arc::clone(&self.machine.disk);
                    return Ok(WriterLock { lock: Some(lock), _lead: lead, disk, path });
                }
                Ok(None) => {
                    mark.get_or_insert_with(|| waits::waiting(&path)).look_again();
                    if !std::mem::replace(&mut told, true) {
                        waiting();
                    }
                    context.clock.sleep(WRITER_POLL);
                }
                // The last writer took its lock file away: take a new one.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.disk().exists(&self.layout.ingest()) => {}
                Err(error) => return Err(Error::io("locking a digest", error)),
            }
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.machine.disk
    }
}

/// The right to write one blob or one layer. Its file goes with it; waiters notice and make their own.
pub(super) struct WriterLock {
    /// Until it is dropped.
    lock: Option<Lock>,
    /// Dropped after the lock: the next thread finds the file free.
    _lead: Lead<PathBuf>,
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            retire(&*self.disk, &self.path, lock);
        }
    }
}

/// A blob being read, verified at its end.
pub struct VerifyingReader {
    file: Box<dyn Read + Send>,
    digest: Digest,
    digester: Option<Digester>,
}

impl Read for VerifyingReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        if count > 0 {
            if let (Some(digester), Some(bytes)) = (&mut self.digester, into.get(..count)) {
                digester.update(bytes);
            }
        } else if !into.is_empty()
            && let Some(digester) = self.digester.take()
            && digester.finish() != self.digest
        {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("blob {} is damaged", self.digest.short())));
        }
        Ok(count)
    }
}

/// What is here is not what its name says.
pub(super) fn corrupt(digest: &Digest) -> Error {
    Error::new(ErrorKind::Corrupt, format!("blob {} in the store is damaged", digest.short()))
        .remedy("pull the image again; the damaged blob has been dropped")
}

/// What came from outside is not what was promised.
pub(super) fn mismatch(digest: &Digest, why: &str) -> Error {
    Error::new(ErrorKind::DigestMismatch, format!("blob {}: {why}", digest.short()))
        .remedy("nothing was kept; try again, and mistrust the registry or the path to it if it happens again")
}
