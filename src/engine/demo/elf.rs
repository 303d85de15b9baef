//! Which loader and which libraries does an executable ask for?
//!
//! Reads the program headers and the dynamic section, nothing else (System V ABI, chapters 4 and 5; ELF32 and ELF64 of
//! both byte orders). Deliberately elsewhere: where those libraries are (`libraries`).

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;
const INTERPRETER: u64 = 3;

const TAG_END: u64 = 0;
const TAG_NEEDED: u64 = 1;
const TAG_STRINGS: u64 = 5;
const TAG_STRINGS_SIZE: u64 = 10;
const TAG_RPATH: u64 = 15;
const TAG_RUNPATH: u64 = 29;

/// Parts larger than this are not what we look for.
const PART_MAX: u64 = 4 << 20;

/// What a program or a library says about those it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    pub machine: Machine,
    /// The loader; absent in libraries and in programs linked statically.
    pub interpreter: Option<PathBuf>,
    /// Names of libraries, or paths of them.
    pub needed: Vec<String>,
    /// Where it wants them looked for first; may begin with `$ORIGIN`.
    pub run_path: Vec<String>,
}

/// Code of one machine cannot load code of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    wide: bool,
    big_endian: bool,
    code: u64,
}

/// # Errors
/// `InvalidData` when it is no ELF file or a damaged one; what reading says otherwise.
pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Elf> {
    let ident = part(file, 0, 16)?;
    if !ident.starts_with(b"\x7fELF") {
        return Err(damaged("it is no ELF file"));
    }
    let layout = Layout { wide: byte(&ident, 4)? == 2, big_endian: byte(&ident, 5)? == 2 };
    let header = part(file, 0, if layout.wide { 64 } else { 52 })?;
    let machine = Machine { wide: layout.wide, big_endian: layout.big_endian, code: layout.number(&header, 18, 2)? };
    let segments = segments(file, layout, &header)?;
    let interpreter = match segments.iter().find(|segment| segment.kind == INTERPRETER) {
        Some(segment) => Some(PathBuf::from(text(&part(file, segment.offset, segment.size)?, 0)?)),
        None => None,
    };
    let mut elf = Elf { machine, interpreter, needed: Vec::new(), run_path: Vec::new() };
    if let Some(dynamic) = segments.iter().find(|segment| segment.kind == DYNAMIC) {
        let dynamic = part(file, dynamic.offset, dynamic.size)?;
        read_dynamic(file, layout, &segments, &dynamic, &mut elf)?;
    }
    Ok(elf)
}

#[derive(Clone, Copy)]
struct Layout {
    wide: bool,
    big_endian: bool,
}

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    size: u64,
}

impl Layout {
    fn number(self, bytes: &[u8], at: usize, width: usize) -> io::Result<u64> {
        let digits = bytes.get(at..at + width).ok_or_else(|| damaged("a header is cut off"))?;
        let add = |sum: u64, digit: &u8| (sum << 8) | u64::from(*digit);
        Ok(if self.big_endian { digits.iter().fold(0, add) } else { digits.iter().rev().fold(0, add) })
    }

    /// An address or an offset.
    fn word(self, bytes: &[u8], wide_at: usize, narrow_at: usize) -> io::Result<u64> {
        if self.wide { self.number(bytes, wide_at, 8) } else { self.number(bytes, narrow_at, 4) }
    }
}

fn segments(file: &mut (impl Read + Seek), layout: Layout, header: &[u8]) -> io::Result<Vec<Segment>> {
    let table = layout.word(header, 32, 28)?;
    let (size_at, count_at) = if layout.wide { (54, 56) } else { (42, 44) };
    let size = layout.number(header, size_at, 2)?;
    let count = layout.number(header, count_at, 2)?;
    let table = part(file, table, size.saturating_mul(count))?;
    let width = usize::try_from(size).map_err(|_| damaged("a header is too large"))?;
    if width == 0 {
        return Ok(Vec::new());
    }
    let read = |entry: &[u8]| {
        Ok(Segment {
            kind: layout.number(entry, 0, 4)?,
            offset: layout.word(entry, 8, 4)?,
            address: layout.word(entry, 16, 8)?,
            size: layout.word(entry, 32, 16)?,
        })
    };
    table.chunks_exact(width).map(read).collect()
}

fn read_dynamic(
    file: &mut (impl Read + Seek),
    layout: Layout,
    segments: &[Segment],
    dynamic: &[u8],
    elf: &mut Elf,
) -> io::Result<()> {
    let width = if layout.wide { 16 } else { 8 };
    let mut entries = Vec::new();
    for entry in dynamic.chunks_exact(width) {
        match layout.word(entry, 0, 0)? {
            TAG_END => break,
            tag => entries.push((tag, layout.word(entry, 8, 4)?)),
        }
    }
    let first = |wanted: u64| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (first(TAG_STRINGS), first(TAG_STRINGS_SIZE)) else { return Ok(()) };
    let loaded = |segment: &&Segment| {
        segment.kind == LOAD && address.checked_sub(segment.address).is_some_and(|within| within < segment.size)
    };
    let segment = segments.iter().find(loaded).ok_or_else(|| damaged("its names are not in the file"))?;
    let strings = part(file, segment.offset.saturating_add(address - segment.address), size)?;
    // The newer tag replaces the older one (ld.so(8)).
    let run_path_tag = if first(TAG_RUNPATH).is_some() { TAG_RUNPATH } else { TAG_RPATH };
    for (tag, value) in entries {
        let at = usize::try_from(value).unwrap_or(usize::MAX);
        if tag == TAG_NEEDED {
            elf.needed.push(text(&strings, at)?);
        } else if tag == run_path_tag {
            elf.run_path.extend(text(&strings, at)?.split(':').filter(|path| !path.is_empty()).map(str::to_owned));
        }
    }
    Ok(())
}

fn part(file: &mut (impl Read + Seek), offset: u64, size: u64) -> io::Result<Vec<u8>> {
    if size > PART_MAX {
        return Err(damaged("a part of it is larger than it can be"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == size { Ok(bytes) } else { Err(damaged("it is cut off")) }
}

fn text(bytes: &[u8], at: usize) -> io::Result<String> {
    let rest = bytes.get(at..).ok_or_else(|| damaged("a name is outside of its table"))?;
    let end = rest.iter().position(|byte| *byte == 0).ok_or_else(|| damaged("a name does not end"))?;
    let name = rest.get(..end).unwrap_or_default();
    String::from_utf8(name.to_vec()).map_err(|_| damaged("a name is not UTF-8"))
}

fn byte(bytes: &[u8], at: usize) -> io::Result<u8> {
    bytes.get(at).copied().ok_or_else(|| damaged("a header is cut off"))
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A 64-bit little-endian library whose dynamic section is written by hand.
    fn library(run_path: &str) -> Vec<u8> {
        let strings = format!("\0libc.so.6\0libm.so.6\0{run_path}\0");
        let (dynamic_at, strings_at, base) = (176_u64, 272_u64, 0x1000_u64);
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[18] = 62;
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54] = 56;
        bytes[56] = 2;
        let mut segment = |kind: u32, offset: u64, size: u64| {
            bytes.extend(kind.to_le_bytes());
            bytes.extend([0; 4]);
            for word in [offset, base + offset, 0, size, size, 1] {
                bytes.extend(word.to_le_bytes());
            }
        };
        segment(1, 0, strings_at + strings.len() as u64);
        segment(2, dynamic_at, 96);
        for (tag, value) in [(1, 1), (1, 11), (29, 21), (5, base + strings_at), (10, strings.len() as u64), (0, 0)] {
            bytes.extend(u64::to_le_bytes(tag));
            bytes.extend(u64::to_le_bytes(value));
        }
        bytes.extend(strings.as_bytes());
        bytes
    }

    #[test]
    fn needed_libraries_and_the_run_path_are_read() {
        let elf = read(&mut Cursor::new(library("$ORIGIN/../lib:/opt/lib"))).unwrap();
        assert_eq!(elf.needed, ["libc.so.6", "libm.so.6"]);
        assert_eq!(elf.run_path, ["$ORIGIN/../lib", "/opt/lib"]);
        assert_eq!(elf.interpreter, None);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_or_says_less_but_never_a_panic() {
        let whole = library("/opt/lib");
        for end in 0..whole.len() {
            // Only that it returns matters here.
            let _ = read(&mut Cursor::new(&whole[..end]));
        }
        assert!(read(&mut Cursor::new(b"#!/bin/sh\necho this is a script\n")).is_err());
    }

    #[test]
    fn a_damaged_number_anywhere_is_never_a_panic() {
        let whole = library("/opt/lib");
        for at in 4..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] = 0xff;
            // Only that it returns matters here.
            let _ = read(&mut Cursor::new(damaged));
        }
    }
}
