//! How do a blob's bytes become a layer's directory? Inflate, hash and apply at once, in three threads.
//!
//! Buffers go round in a fixed pool, so a layer of any size needs a few MiB. Deliberately elsewhere: where the bytes
//! come from (`receive`), the files (`unpacker`).

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use super::{
    layers::from_unpacker,
    unpacker::{UnpackLimits, UnpackReport, Unpacker},
};
use crate::engine::{
    backend::embedded::machine::Threads,
    domain::{Digest, Digester, Error, ErrorKind, Result},
};

/// Bytes handed from the inflating thread to the others at a time, and how many such pieces may wait.
const PIECE: usize = 256 << 10;
const PIECES: usize = 8;

type Piece = Arc<Vec<u8>>;

/// Decompresses `blob`, whatever it is packed with, verifies it against `diff_id` and applies it to `target`.
///
/// # Errors
/// `DigestMismatch` when the layer is not `diff_id`, `Corrupt` for broken archives, `Unsupported` for packings we do not
/// know; disk errors. `target` then holds a partial tree.
pub(super) fn unpack_stream(
    blob: impl Read + Send,
    diff_id: &Digest,
    target: &Path,
    unpacker: &dyn Unpacker,
    threads: &dyn Threads,
    limits: &UnpackLimits,
    files: &(dyn Fn(u64) + Sync),
) -> Result<UnpackReport> {
    let pool = Pool::default();
    let (to_hash, hashed) = sync_channel::<Piece>(PIECES);
    let (to_apply, applied) = sync_channel::<Piece>(PIECES);
    let (mut inflated, mut digest, mut report) = (None, None, None);
    let inflating = || inflated = Some(inflate(blob, &pool, to_hash, to_apply, limits));
    let hashing = || digest = Some(hash(hashed, Digester::new(diff_id.algorithm()), &pool));
    let applying = || {
        // Dropped at the end: the inflating thread must not wait for a reader that has given up.
        let mut stream = PieceReader { pieces: applied, current: None, taken: 0, pool: &pool };
        report = Some(unpacker.unpack(&mut stream, target, limits, files));
    };
    let ended = threads.together(vec![Box::new(inflating), Box::new(hashing), Box::new(applying)]);
    let (Ok(()), Some(inflated), Some(digest), Some(report)) = (ended, inflated, digest, report) else {
        return Err(Error::new(ErrorKind::Internal, "a thread that unpacked a layer panicked"));
    };
    // A failure to apply ends the inflating, never the other way round: so the first in the order of causes.
    match (report, inflated) {
        (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(cause)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(cause),
        (Err(error), Ok(_) | Err(_)) => Err(from_unpacker("unpacking a layer", error)),
        (Ok(report), Ok(Inflated::Whole)) if digest == *diff_id => Ok(report),
        (Ok(_), Ok(Inflated::Whole | Inflated::Unwanted)) => Err(Error::new(
            ErrorKind::DigestMismatch,
            format!("the unpacked layer is {}, the image promises {}", digest.short(), diff_id.short()),
        )
        .remedy("the image itself is inconsistent: tell whoever made it")),
    }
}

/// Whether the inflating thread reached the end of the blob.
enum Inflated {
    Whole,
    /// Nobody took the bytes any more.
    Unwanted,
}

fn inflate(
    blob: impl Read,
    pool: &Pool,
    to_hash: SyncSender<Piece>,
    to_apply: SyncSender<Piece>,
    limits: &UnpackLimits,
) -> Result<Inflated> {
    let mut stream = decompressor(BufReader::with_capacity(PIECE, blob))?;
    // Headers and padding of every member, besides the data.
    let most = limits.bytes.saturating_add(limits.members.saturating_mul(4096));
    let mut total = 0_u64;
    loop {
        let mut piece = pool.take();
        fill(&mut *stream, &mut piece).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("decompressing a layer: {error}")).caused_by(error)
        })?;
        if piece.is_empty() {
            return Ok(Inflated::Whole);
        }
        total += piece.len() as u64;
        if total > most {
            return Err(Error::new(ErrorKind::Corrupt, "the layer unpacks to more than its size can honestly hold"));
        }
        let piece = Arc::new(piece);
        if to_hash.send(Arc::clone(&piece)).is_err() || to_apply.send(piece).is_err() {
            return Ok(Inflated::Unwanted);
        }
    }
}

/// Reads until the piece is full or the stream ends.
fn fill(stream: &mut dyn Read, piece: &mut Vec<u8>) -> io::Result<()> {
    piece.resize(PIECE, 0);
    let mut filled = 0;
    while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    piece.truncate(filled);
    Ok(())
}

/// By the first bytes, as Docker does: media types lie. gzip (RFC 1952), zstd (RFC 8878), else a plain tar.
fn decompressor<'a>(mut blob: BufReader<impl Read + 'a>) -> Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    // A blob that is still arriving may give a byte at a time.
    blob.by_ref().take(6).read_to_end(&mut start).map_err(|error| Error::io("reading a layer", error))?;
    let unsupported = |what: &str| {
        Error::new(ErrorKind::Unsupported, format!("the layer is compressed with {what}"))
            .remedy("rebuild the image with gzip or zstd layers")
    };
    let kind: [u8; 6] = std::array::from_fn(|at| start.get(at).copied().unwrap_or_default());
    let whole = io::Cursor::new(start).chain(blob);
    match kind {
        [0x1f, 0x8b, ..] => Ok(Box::new(flate2::bufread::MultiGzDecoder::new(whole))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let zstd = zstd::stream::read::Decoder::with_buffer(whole);
            Ok(Box::new(zstd.map_err(|error| Error::io("starting to decompress a layer", error))?))
        }
        [0xfd, b'7', b'z', b'X', b'Z', _] => Err(unsupported("xz")),
        [b'B', b'Z', b'h', ..] => Err(unsupported("bzip2")),
        _ => Ok(Box::new(whole)),
    }
}

fn hash(pieces: Receiver<Piece>, mut digester: Digester, pool: &Pool) -> Digest {
    for piece in pieces {
        digester.update(&piece);
        pool.give_back(piece);
    }
    digester.finish()
}

/// The pieces as one stream, without copying.
struct PieceReader<'a> {
    pieces: Receiver<Piece>,
    current: Option<Piece>,
    taken: usize,
    pool: &'a Pool,
}

impl BufRead for PieceReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.as_ref().is_none_or(|piece| self.taken >= piece.len()) {
            if let Some(done) = self.current.take() {
                self.pool.give_back(done);
            }
            self.taken = 0;
            // The sender is gone: the end, or a failure that its own thread reports.
            self.current = self.pieces.recv().ok();
        }
        let rest = self.current.as_ref().and_then(|piece| piece.get(self.taken..));
        Ok(rest.unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.taken += count;
    }
}

impl Read for PieceReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

/// Buffers that are free again: fresh ones would cost a page fault every 4 KiB.
#[derive(Default)]
struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    fn take(&self) -> Vec<u8> {
        self.free().pop().unwrap_or_default()
    }

    /// Takes the buffer back once its last reader is done with it.
    fn give_back(&self, piece: Piece) {
        if let Some(buffer) = Arc::into_inner(piece) {
            self.free().push(buffer);
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        // A list of buffers is never half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
