//! How does a large blob arrive? Streamed into a partial file that can be continued, hashed on the way, committed once.
//!
//! Readers may follow the partial file while it grows, so the file is the buffer between the network and the unpacking:
//! memory stays small and neither waits for the other. Deliberately elsewhere: where the bytes come from (`source`),
//! what is made of them (`unpack_stream`).

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use super::{
    blobs::{Blobs, mismatch},
    source::ImageSource,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            disk::{self, TemporaryFile},
            manifest::Descriptor,
        },
    },
    domain::{Digester, Error, ErrorKind, Result},
    sync::{Flood, Tide, TideEnd},
};

/// Bytes taken from the network at a time.
const PIECE: usize = 256 << 10;
/// Interruptions in a row without a single new byte before giving up.
const ATTEMPTS: u32 = 4;
/// The first pause after an interruption; it doubles.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads a file as far as it has grown, and waits for more.
pub(super) struct TideReader<'a> {
    pub file: Box<dyn Read + Send>,
    pub tide: &'a Tide,
    position: u64,
}

impl<'a> TideReader<'a> {
    pub(super) fn new(file: Box<dyn Read + Send>, tide: &'a Tide) -> Self {
        Self { file, tide, position: 0 }
    }
}

impl Read for TideReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = match self.tide.wait_beyond(self.position) {
            Flood::Bytes(there) => usize::try_from(there).unwrap_or(usize::MAX),
            Flood::Ended(TideEnd::Complete) => return Ok(0),
            Flood::Ended(TideEnd::Failed) => return Err(io::Error::other("the transfer of the layer failed")),
        };
        let wanted = into.len().min(there);
        let Some(into) = into.get_mut(..wanted) else { return Ok(0) };
        let count = self.file.read(into)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// A partial file opened for going on.
pub(super) struct Partial {
    file: Box<dyn TemporaryFile>,
    received: u64,
    digester: Digester,
}

impl Partial {
    /// Opens what is left of an earlier attempt, or a new file; what is there is hashed again.
    pub(super) fn open(blobs: &Blobs, descriptor: &Descriptor) -> Result<Self> {
        let failed = |error| Error::io("opening a partial download", error);
        let path = blobs.layout().partial_blob(&descriptor.digest);
        let disk = blobs.disk();
        let mut digester = Digester::new(descriptor.digest.algorithm());
        // A file that is there and cannot be looked at must not be written on: what comes would follow what is in it.
        let mut received = match disk.stat(&path) {
            Ok(stat) => stat.len,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(failed(error)),
        };
        if received > descriptor.size {
            disk.truncate(&path, 0).map_err(failed)?;
            received = 0;
        }
        if received > 0 {
            let mut earlier = disk.open(&path).map_err(failed)?;
            received = io::copy(&mut earlier, &mut digester).map_err(failed)?;
        }
        Ok(Self { file: disk.open_partial(&path).map_err(failed)?, received, digester })
    }

    /// Whether an earlier attempt left something.
    pub(super) fn is_continued(&self) -> bool {
        self.received > 0
    }
}

/// What a transfer reports to and is stopped by.
#[derive(Clone, Copy)]
pub(super) struct Control<'a> {
    pub context: &'a OperationContext,
    /// Fails when the transfer should end.
    pub check: &'a (dyn Fn() -> Result<()> + Sync),
    /// Told how many bytes are there.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Receives the rest of `descriptor` from `source` into the store, telling `tide` how much is there.
///
/// # Errors
/// The source's, after some tries to go on where it stopped; what came stays for the next attempt. `DigestMismatch` when
/// the content is wrong; then nothing is kept. Cancelling keeps what came.
pub(super) fn receive(
    blobs: &Blobs,
    descriptor: &Descriptor,
    mut partial: Partial,
    source: &dyn ImageSource,
    control: Control<'_>,
    tide: &Tide,
) -> Result<()> {
    let outcome =
        receive_rest(descriptor, &mut partial, source, control, tide).and_then(|()| commit(blobs, descriptor, partial));
    match &outcome {
        Ok(()) => tide.end(TideEnd::Complete),
        Err(error) => {
            tide.end(TideEnd::Failed);
            if error.kind() == ErrorKind::DigestMismatch {
                // Wrong content cannot be continued. Failing to delete it only costs the next attempt a round.
                let _ = blobs.disk().remove_file(&blobs.layout().partial_blob(&descriptor.digest));
            }
        }
    }
    outcome
}

fn commit(blobs: &Blobs, descriptor: &Descriptor, partial: Partial) -> Result<()> {
    let Partial { file, received, digester } = partial;
    if received != descriptor.size {
        return Err(mismatch(&descriptor.digest, "it has another size than its manifest says"));
    }
    if digester.finish() != descriptor.digest {
        return Err(mismatch(&descriptor.digest, "what came has another digest"));
    }
    file.commit(&blobs.layout().blob(&descriptor.digest), disk::Sync::Yes)
        .map_err(|error| Error::io("storing a blob", error))
}

fn receive_rest(
    descriptor: &Descriptor,
    partial: &mut Partial,
    source: &dyn ImageSource,
    control: Control<'_>,
    tide: &Tide,
) -> Result<()> {
    tide.rise(partial.received);
    (control.progress)(partial.received);
    let mut failures = 0;
    while partial.received < descriptor.size {
        let before = partial.received;
        let error = match receive_some(descriptor, partial, source, control, tide) {
            Ok(()) => continue,
            Err(Interruption::Final(error)) => return Err(error),
            Err(Interruption::Passing(error)) => error,
        };
        failures = if partial.received > before { 1 } else { failures + 1 };
        if failures > ATTEMPTS {
            return Err(error);
        }
        let mut pause = PAUSE * 2_u32.pow(failures - 1);
        while !pause.is_zero() {
            (control.check)()?;
            let nap = pause.min(Duration::from_millis(50));
            control.context.clock.sleep(nap);
            pause -= nap;
        }
    }
    Ok(())
}

/// Why one connection did not bring everything.
enum Interruption {
    /// It broke; another one may go on.
    Passing(Error),
    Final(Error),
}

impl From<Error> for Interruption {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// One connection's worth.
fn receive_some(
    descriptor: &Descriptor,
    partial: &mut Partial,
    source: &dyn ImageSource,
    control: Control<'_>,
    tide: &Tide,
) -> Result<(), Interruption> {
    let mut body = source.blob(descriptor, partial.received, control.context)?;
    let mut piece = vec![0; PIECE];
    loop {
        (control.check)()?;
        if tide.is_abandoned() {
            return Err(Error::cancelled().into());
        }
        let count = match body.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cause_of(error, partial.received, descriptor.size)),
            Ok(count) => count,
        };
        let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return match partial.received == descriptor.size {
                true => Ok(()),
                false => Err(Interruption::Passing(interrupted(partial.received, descriptor.size))),
            };
        };
        if bytes.len() as u64 > descriptor.size - partial.received {
            return Err(mismatch(&descriptor.digest, "more bytes came than its manifest says").into());
        }
        partial.file.write_all(bytes).map_err(|error| Error::io("writing a download", error))?;
        partial.digester.update(bytes);
        partial.received += bytes.len() as u64;
        tide.rise(partial.received);
        (control.progress)(partial.received);
    }
}

/// A source that tells its failures itself has also been patient itself; anything else is an interrupted connection.
fn cause_of(error: io::Error, received: u64, size: u64) -> Interruption {
    match error.downcast::<Error>() {
        Ok(told) => Interruption::Final(told),
        Err(error) => Interruption::Passing(interrupted(received, size).caused_by(error)),
    }
}

fn interrupted(received: u64, size: u64) -> Error {
    Error::new(ErrorKind::Unreachable, format!("the connection ended after {received} of {size} bytes"))
        .remedy("try again: what has arrived is kept and the transfer goes on from there")
}
