//! Where does the data of a file with holes go? GNU tar manual, "Storing Sparse Files": old GNU, PAX 0.0, 0.1 and 1.0.
//!
//! Deliberately elsewhere: writing the file (`apply`).

use std::io::{self, Read};

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::field::{BLOCK, decimal, malformed, unsigned};

/// More pieces than this are refused: each is real memory for maybe one byte of data.
const EXTENTS_MAX: usize = 1 << 20;

/// A piece of data and where it goes; everything between is a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub offset: u64,
    pub length: u64,
}

/// The `GNU.sparse.` records of an extended header.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseRecords {
    /// The file's real path; the member's own one is made up.
    pub name: Option<Vec<u8>>,
    version: (u64, u64),
    size: Option<u64>,
    /// Offsets and lengths in turn.
    numbers: Vec<u64>,
    has_map: bool,
}

impl SparseRecords {
    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let number = || decimal(value).ok_or_else(|| malformed("a sparse record is not a number"));
        match key {
            b"name" if value.contains(&0) => return Err(malformed("a sparse file's path holds a NUL byte")),
            b"name" => self.name = Some(value.to_vec()),
            b"major" => self.version.0 = number()?,
            b"minor" => self.version.1 = number()?,
            b"size" | b"realsize" => self.size = Some(number()?),
            b"offset" | b"numbytes" => {
                self.numbers.push(number()?);
                self.has_map = true;
            }
            b"map" => {
                for part in value.split(|byte| *byte == b',').filter(|part| !part.is_empty()) {
                    self.numbers.push(decimal(part).ok_or_else(|| malformed("a sparse map is not numbers"))?);
                }
                self.has_map = true;
            }
            // The number of pieces is counted, not believed.
            _ => {}
        }
        Ok(())
    }

    /// The map and the real size, if this member has holes. Format 1.0 keeps its map in front of the data.
    pub(super) fn map(mut self, data: &mut impl Read, stored: u64) -> io::Result<Option<(Vec<Extent>, u64)>> {
        let mut stored = stored;
        match self.version {
            (1, 0) => {
                let mut lines = BlockLines { data, block: Vec::new(), taken: 0 };
                let count = lines.number()?;
                if count > EXTENTS_MAX as u64 {
                    return Err(too_many());
                }
                for _ in 0..count * 2 {
                    self.numbers.push(lines.number()?);
                }
                stored = stored.checked_sub(lines.taken).ok_or_else(disagrees)?;
            }
            (0, _) if self.has_map => {}
            (0, _) => return Ok(None),
            (major, minor) => return Err(malformed(format!("sparse format {major}.{minor} is not known"))),
        }
        let size = self.size.ok_or_else(|| malformed("a sparse file has no size"))?;
        let pairs = self.numbers.chunks(2).map(|pair| match *pair {
            [offset, length] => Ok(Extent { offset, length }),
            _ => Err(disagrees()),
        });
        checked(pairs.collect::<io::Result<_>>()?, stored, size).map(Some)
    }
}

/// The map of an old GNU `S` member, whose continuation blocks stand before the data.
pub(super) fn from_gnu_header(header: &Header, input: &mut impl Read, stored: u64) -> io::Result<(Vec<Extent>, u64)> {
    let gnu = header.as_gnu().ok_or_else(|| malformed("a sparse member is not in GNU format"))?;
    let mut extents = Vec::new();
    add(&mut extents, &gnu.sparse)?;
    let mut more = gnu.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        input.read_exact(block.as_mut_bytes())?;
        add(&mut extents, &block.sparse)?;
        more = block.is_extended();
    }
    checked(extents, stored, unsigned(&gnu.realsize)?)
}

fn add(extents: &mut Vec<Extent>, raw: &[GnuSparseHeader]) -> io::Result<()> {
    for piece in raw.iter().take_while(|piece| piece.offset[0] != 0) {
        if extents.len() == EXTENTS_MAX {
            return Err(too_many());
        }
        extents.push(Extent { offset: unsigned(&piece.offset)?, length: unsigned(&piece.numbytes)? });
    }
    Ok(())
}

/// Pieces ascend, do not overlap, stay inside the file, and use up exactly the stored data.
fn checked(extents: Vec<Extent>, stored: u64, size: u64) -> io::Result<(Vec<Extent>, u64)> {
    if extents.len() > EXTENTS_MAX {
        return Err(too_many());
    }
    let mut end = 0;
    let mut data = 0_u64;
    for extent in &extents {
        if extent.offset < end {
            return Err(disagrees());
        }
        end = extent.offset.checked_add(extent.length).filter(|end| *end <= size).ok_or_else(disagrees)?;
        data += extent.length; // Below `size`, as the ends are.
    }
    if data == stored { Ok((extents, size)) } else { Err(disagrees()) }
}

fn disagrees() -> io::Error {
    malformed("a sparse file's map does not fit its data")
}

fn too_many() -> io::Error {
    malformed(format!("a sparse file has more than {EXTENTS_MAX} pieces"))
}

/// Decimal numbers, one a line, in as many whole blocks as they need.
struct BlockLines<'a, R> {
    data: &'a mut R,
    block: Vec<u8>,
    taken: u64,
}

impl<R: Read> BlockLines<'_, R> {
    fn number(&mut self) -> io::Result<u64> {
        let mut digits = Vec::new();
        loop {
            if self.block.is_empty() {
                let mut block = [0; BLOCK as usize];
                self.data.read_exact(&mut block)?;
                self.taken += BLOCK;
                self.block = block.iter().rev().copied().collect();
            }
            match self.block.pop() {
                Some(b'\n') => return decimal(&digits).ok_or_else(disagrees),
                Some(digit) if digits.len() < 20 => digits.push(digit),
                Some(_) | None => return Err(disagrees()),
            }
        }
    }
}
