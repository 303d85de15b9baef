//! What does a layer's tar stream hold, entry by entry? One strict reader, as Go's `archive/tar` reads images.
//!
//! Deliberately elsewhere: what an entry means for a directory tree (`place`, `apply`), holes in files (`sparse`),
//! extended records (`pax`). Field layouts come from the `tar` crate; its own iterator is not used because it neither
//! bounds the memory of a header nor reads records with line breaks, which file capabilities have.

use std::io::{self, BufRead, Read};

use tar::Header;

use super::{
    field::{BLOCK, malformed, narrow, signed, unsigned, until_nul},
    pax::Extended,
    sparse::{self, Extent},
};

/// Longest extended header, as in Go's reader: 1 MiB.
const EXTENDED_MAX: u64 = 1 << 20;

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Fifo,
    Directory,
}

/// One member, extended headers merged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub kind: EntryKind,
    /// As written in the archive; see `place::Place` for where it goes.
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds since 1970.
    pub mtime: (i64, u32),
    /// Size of the file made, holes included.
    pub size: u64,
    /// Where the data goes when the file has holes.
    pub extents: Option<Vec<Extent>>,
    pub device: (u32, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Entry {
    /// Bytes of data that take space: holes do not.
    pub(super) fn stored(&self) -> u64 {
        self.extents.as_ref().map_or(self.size, |extents| extents.iter().map(|extent| extent.length).sum())
    }
}

/// A tar stream being read. As a [`BufRead`] it gives the data of the current entry.
pub(super) struct Archive<R> {
    input: R,
    /// Bytes of the current entry's data not yet taken, then of its padding.
    left: u64,
    padding: u64,
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, left: 0, padding: 0 }
    }

    /// The next member, skipping what is left of the current one; `None` at the end of the archive.
    pub(super) fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let mut extended: Option<Extended> = None;
        let mut long_path: Option<Vec<u8>> = None;
        let mut long_link: Option<Vec<u8>> = None;
        loop {
            self.skip_rest()?;
            let Some(header) = self.read_header()? else {
                return match extended.is_some() || long_path.is_some() || long_link.is_some() {
                    true => Err(malformed("an extended header at the end describes nothing")),
                    false => Ok(None),
                };
            };
            let size = unsigned(&header.as_old().size)?;
            match header.entry_type().as_byte() {
                b'x' => put_once(&mut extended, Extended::parse(&self.read_extended(size)?)?)?,
                // Global records describe no single file; Docker leaves them aside, and so do we. Other readers rename
                // every file by one that has a path: nobody can mean that.
                b'g' if Extended::parse(&self.read_extended(size)?)?.describes_a_file() => {
                    return Err(malformed("a global extended header has a path, a link or a size"));
                }
                b'g' => {}
                b'L' => put_once(&mut long_path, until_nul(self.read_extended(size)?))?,
                b'K' => put_once(&mut long_link, until_nul(self.read_extended(size)?))?,
                _ => return self.entry(&header, size, extended.unwrap_or_default(), long_path, long_link).map(Some),
            }
        }
    }

    /// Reads the stream to its end, whatever follows the archive: the digest covers it too.
    pub(super) fn drain(mut self) -> io::Result<()> {
        loop {
            let available = self.input.fill_buf()?.len();
            if available == 0 {
                return Ok(());
            }
            self.input.consume(available);
        }
    }

    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        extended: Extended,
        long_path: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> io::Result<Entry> {
        let old = header.as_old();
        let from_header = || header.path_bytes().into_owned();
        let path = agreed(long_path, extended.path)?.unwrap_or_else(from_header);
        let link = agreed(long_link, extended.link)?.or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
        let typeflag = header.entry_type().as_byte();
        let kind = match typeflag {
            0 if path.ends_with(b"/") => EntryKind::Directory,
            0 | b'0' | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'3' => EntryKind::CharDevice,
            b'4' => EntryKind::BlockDevice,
            b'5' => EntryKind::Directory,
            b'6' => EntryKind::Fifo,
            other => return Err(malformed(format!("a member has the unknown type {:?}", char::from(other)))),
        };
        let stored = match kind {
            EntryKind::File => extended.size.unwrap_or(size),
            EntryKind::HardLink
            | EntryKind::Symlink
            | EntryKind::CharDevice
            | EntryKind::BlockDevice
            | EntryKind::Fifo
            | EntryKind::Directory => 0,
        };
        self.expect_data(stored)?;
        let device = match header.as_ustar().map(|ustar| (&ustar.dev_major, &ustar.dev_minor)) {
            Some((major, minor)) => (unsigned(major)?, unsigned(minor)?),
            None => match header.as_gnu() {
                Some(gnu) => (unsigned(&gnu.dev_major)?, unsigned(&gnu.dev_minor)?),
                None => (0, 0),
            },
        };
        let mut entry = Entry {
            kind,
            path: extended.sparse.name.clone().unwrap_or(path),
            link: link.unwrap_or_default(),
            mode: narrow(unsigned(&old.mode)? & 0o7777, "mode")?,
            uid: narrow(extended.uid.map_or_else(|| unsigned(&old.uid), Ok)?, "owner")?,
            gid: narrow(extended.gid.map_or_else(|| unsigned(&old.gid), Ok)?, "group")?,
            mtime: extended.mtime.map_or_else(|| signed(&old.mtime).map(|seconds| (seconds, 0)), Ok)?,
            size: stored,
            extents: None,
            device: (narrow(device.0, "device")?, narrow(device.1, "device")?),
            xattrs: extended.xattrs,
        };
        if kind == EntryKind::File {
            let holes = match typeflag {
                b'S' => Some(sparse::from_gnu_header(header, &mut self.input, stored)?),
                _ => extended.sparse.map(self, stored)?,
            };
            if let Some((extents, size)) = holes {
                entry.extents = Some(extents);
                entry.size = size;
            }
        }
        Ok(entry)
    }

    /// From here on, `stored` bytes of data follow and then padding up to a whole block.
    fn expect_data(&mut self, stored: u64) -> io::Result<()> {
        let whole = stored.checked_next_multiple_of(BLOCK).ok_or_else(|| malformed("a member is too large"))?;
        self.left = stored;
        self.padding = whole - stored;
        Ok(())
    }

    fn read_extended(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > EXTENDED_MAX {
            return Err(malformed(format!("an extended header has {size} bytes, more than {EXTENDED_MAX}")));
        }
        self.expect_data(size)?;
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A header block, checksum verified; `None` at the end-of-archive mark or where the stream just ends.
    fn read_header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        let mut filled = 0;
        while let Some(rest) = header.as_mut_bytes().get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest)? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(truncated()),
                count => filled += count,
            }
        }
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let sum: u64 = bytes
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
            .sum();
        if unsigned(&header.as_old().cksum)? != sum {
            return Err(malformed("a header does not match its checksum"));
        }
        Ok(Some(header))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        self.left += std::mem::take(&mut self.padding);
        while self.left > 0 {
            let available = self.fill_buf()?.len();
            self.consume(available);
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Archive<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Archive<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let available = self.input.fill_buf()?;
        match available.get(..left.min(available.len())) {
            Some([]) | None => Err(truncated()),
            Some(bytes) => Ok(bytes),
        }
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.left -= count as u64;
    }
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends in the middle of a member")
}

/// A name from GNU's header or from a record. Readers differ in which of two they believe: both must say the same.
fn agreed(long: Option<Vec<u8>>, record: Option<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    match (&long, &record) {
        (Some(long), Some(record)) if long != record => Err(malformed("a member has two different names")),
        _ => Ok(long.or(record)),
    }
}

fn put_once<T>(place: &mut Option<T>, value: T) -> io::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed("a member has two extended headers of one kind")),
    }
}
