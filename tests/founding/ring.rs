//! Founding case 6: can somebody who stopped reading hold up what prints, or lose bytes without being told?
//!
//! moby#41827: a client that does not read freezes inspect, stop and rm for everybody. Deliberately elsewhere: real
//! clients and monitors (`tests/streams`).

use loom::{future::block_on, thread};
use wharf::engine::sync::{Left, Piece, RingReader, ring};

use super::{
    exhaustive::{Bound, exhaust},
    twin::{Variant, holds_and_catches_its_twin},
};

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Number(u64),
    Missed(u64),
}

impl Piece for Line {
    fn weight(&self) -> u64 {
        1
    }

    fn missed(weight: u64) -> Self {
        Self::Missed(weight)
    }
}

#[test]
fn printing_goes_on_while_nobody_reads_and_every_line_is_read_or_counted_in_its_place() {
    let test = "ring::printing_goes_on_while_nobody_reads_and_every_line_is_read_or_counted_in_its_place";
    holds_and_catches_its_twin(test, &["deadlock"], |variant| {
        exhaust("ring whose reader comes late", Bound::None, move || late(variant));
        if variant == Variant::Ours {
            exhaust("ring whose reader is beside", Bound::Preemptions(3), beside);
        }
    });
}

/// The reader looks only when printing has ended.
fn late(variant: Variant) {
    let (writer, reader) = ring(2);
    let printing = thread::spawn(move || {
        for number in 1..=4 {
            match variant {
                Variant::Ours => writer.offer(Line::Number(number)).unwrap(),
                // The fault: what prints waits for whoever looks on.
                Variant::Twin => block_on(writer.send(Line::Number(number))).unwrap(),
            }
        }
    });
    printing.join().unwrap();
    assert_eq!(read_all(reader), 4);
}

fn beside() {
    let (writer, reader) = ring(1);
    let printing = thread::spawn(move || (1..=3).for_each(|number| writer.offer(Line::Number(number)).unwrap()));
    assert_eq!(read_all(reader), 3);
    printing.join().unwrap();
}

/// Reads to the end; the numbers must count on across what was missed. Returns how many there were.
fn read_all(mut reader: RingReader<Line>) -> u64 {
    let mut last = 0;
    while let Some(line) = block_on(reader.recv()) {
        match line {
            Line::Number(number) => {
                assert_eq!(number, last + 1, "lost without a word");
                last = number;
            }
            Line::Missed(lines) => last += lines,
        }
    }
    last
}

#[test]
fn a_reader_that_must_lose_nothing_gets_everything_and_its_leaving_ends_the_wait() {
    exhaust("ring without loss", Bound::Preemptions(2), || {
        let (writer, mut reader) = ring(1);
        let printing =
            thread::spawn(move || (1..=3).try_for_each(|number| block_on(writer.send(Line::Number(number)))));
        for number in 1..=2 {
            assert_eq!(block_on(reader.recv()), Some(Line::Number(number)));
        }
        drop(reader);
        let ended = printing.join().unwrap();
        assert!(ended == Ok(()) || ended == Err(Left));
    });
}
