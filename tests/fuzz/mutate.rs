//! How does one input become another? Small changes drawn by a seed: the same seed gives the same input everywhere.
//!
//! Deliberately elsewhere: coverage as a guide, which is libFuzzer's trade (`libfuzzer.rs`).

use super::split_mix::SplitMix;

/// Inputs grow no longer than this.
const LONGEST: usize = 64 << 10;
/// Numbers at which arithmetic breaks.
const EDGES: [&[u8]; 14] = [
    b"0",
    b"1",
    b"-1",
    b"127",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"2147483648",
    b"4294967295",
    b"9223372036854775807",
    b"18446744073709551615",
    b"18446744073709551616",
    b"1e308",
];
/// Bytes that mean something somewhere.
const BYTES: &[u8] = b"\0\x01\x07\x08\t\n\r\x1b \"#%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\x9b\xc0\xe2\xff";
/// Words that mean something somewhere: characters with a trap, and bits of our grammars.
const WORDS: [&[u8]; 20] = [
    "\u{202e}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{301}".as_bytes(),
    "\u{1c5}".as_bytes(),
    "\u{130}".as_bytes(),
    "\u{fe0f}".as_bytes(),
    "世".as_bytes(),
    "👩\u{200d}🚀".as_bytes(),
    "\u{9b}31m".as_bytes(),
    b"\x1b[2J",
    b"\x1b]52;c;eA==\x07",
    b"..",
    b"../",
    b".wh.",
    b".wh..wh..opq",
    b"://",
    b"null",
    b"[]",
    b"{}",
    b"\\u0000",
];

/// Numbers that follow from a seed.
pub struct Random(SplitMix);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next()
    }

    /// Below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// A piece of something so long: where it begins and ends. Mostly short.
    fn piece(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        (start, (start + self.below(most + 1)).min(length))
    }
}

/// Another input, made of `input` and perhaps a piece of `other`.
pub fn mutate(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    // Mostly one change: two at once rarely both make sense.
    for _ in 0..=random.next().trailing_zeros().min(4) {
        change(random, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(bytes.len());
    match random.below(13) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = BYTES[random.below(BYTES.len())],
        2 if !bytes.is_empty() => bytes[at] = random.next() as u8,
        3 => insert(bytes, at, &[BYTES[random.below(BYTES.len())]]),
        4 => insert(bytes, at, random.of(&WORDS)),
        5 => {
            let (start, end) = random.piece(bytes.len());
            bytes.drain(start..end);
        }
        6 => {
            let (start, end) = random.piece(bytes.len());
            let piece = bytes[start..end].to_vec();
            for _ in 0..1 + random.below(3) {
                insert(bytes, at, &piece);
            }
        }
        7 => {
            let (start, end) = random.piece(other.len());
            insert(bytes, at, &other[start..end]);
        }
        8 => {
            let (start, end) = random.piece(other.len());
            let (from, to) = random.piece(bytes.len());
            bytes.splice(from..to, other[start..end].iter().copied());
        }
        // Numbers are where parsers break most.
        9..=11 => renumber(random, bytes, at),
        _ => {
            let (start, end) = random.piece(bytes.len());
            let fill = BYTES[random.below(BYTES.len())];
            bytes[start..end].fill(fill);
        }
    }
}

/// Replaces the number at or behind a place by one at an edge.
fn renumber(random: &mut Random, bytes: &mut Vec<u8>, from: usize) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = bytes[from.min(bytes.len())..].iter().position(digit).map(|found| from + found) else { return };
    let length = bytes[start..].iter().take_while(|byte| digit(byte)).count();
    bytes.splice(start..start + length, random.of(&EDGES).iter().copied());
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}
