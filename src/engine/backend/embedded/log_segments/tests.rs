//! Does the log give back exactly what was written, from any line on, whatever happened to its files?

use std::{fs::OpenOptions, io::Write, path::Path};

use super::{LogReader, LogStep, LogWriter};
use crate::engine::{
    backend::embedded::launch::LogLimits,
    domain::{LogItem, LogOptions, LogSource, Timestamp},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

fn writer(dir: &Path) -> LogWriter {
    LogWriter::open(dir, &LogLimits { segment_bytes: 4096, segments: 3 }).unwrap()
}

/// Everything up to the end, as text; `~` marks a line without its newline, `!n` n lost lines.
fn drain(reader: &mut LogReader) -> Vec<String> {
    let mut lines = Vec::new();
    while let LogStep::Item(item) = reader.next_step().unwrap() {
        lines.push(match item {
            LogItem::Entry(entry) => {
                let mark = if entry.partial { "~" } else { "" };
                format!("{}{mark}", String::from_utf8_lossy(&entry.bytes))
            }
            LogItem::Missed { lines } => format!("!{lines}"),
        });
    }
    lines
}

fn read(dir: &Path, options: &LogOptions) -> Vec<String> {
    drain(&mut LogReader::open(dir, options).unwrap())
}

fn follow() -> LogOptions {
    LogOptions { follow: true, ..LogOptions::default() }
}

fn tail(lines: usize) -> LogOptions {
    LogOptions { tail: Some(lines), ..LogOptions::default() }
}

#[test]
fn lines_cut_into_pieces_come_back_whole_and_the_unfinished_one_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    log.append(at(1), LogSource::Stdout, b"one\ntw");
    log.append(at(2), LogSource::Stderr, b"oops\n");
    log.append(at(3), LogSource::Stdout, b"o\nthree");
    assert_eq!(read(dir.path(), &LogOptions::default()), ["one", "oops", "two", "three~"]);
}

#[test]
fn tail_begins_at_a_line_even_when_it_was_written_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    log.append(at(1), LogSource::Stdout, b"one\ntw");
    log.append(at(1), LogSource::Stdout, b"o\nthree\n");
    log.end(at(2));
    assert_eq!(read(dir.path(), &tail(0)), Vec::<String>::new());
    assert_eq!(read(dir.path(), &tail(1)), ["three"]);
    assert_eq!(read(dir.path(), &tail(2)), ["two", "three"]);
    assert_eq!(read(dir.path(), &tail(9)), ["one", "two", "three"]);
}

#[test]
fn a_last_line_without_newline_counts_as_a_line() {
    let dir = tempfile::tempdir().unwrap();
    writer(dir.path()).append(at(1), LogSource::Stdout, b"one\ntwo\nthr");
    assert_eq!(read(dir.path(), &tail(1)), ["thr~"]);
    assert_eq!(read(dir.path(), &tail(2)), ["two", "thr~"]);
}

#[test]
fn since_and_until_choose_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    for second in 1..=5 {
        log.append(at(second), LogSource::Stdout, format!("{second}\n").as_bytes());
    }
    let options = LogOptions { since: Some(at(2)), until: Some(at(4)), ..LogOptions::default() };
    assert_eq!(read(dir.path(), &options), ["2", "3", "4"]);
}

#[test]
fn rotation_keeps_the_newest_segments_and_tail_crosses_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    for line in 0..1000 {
        log.append(at(line), LogSource::Stdout, format!("{line:050}\n").as_bytes());
    }
    let lines = read(dir.path(), &LogOptions::default());
    assert!(lines.len() < 200 && lines.len() > 80, "{} lines kept", lines.len());
    assert_eq!(lines.last().unwrap(), &format!("{:050}", 999));
    let hundred = read(dir.path(), &tail(90));
    assert_eq!((hundred.len(), hundred.first().unwrap()), (90, &format!("{:050}", 910)));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_follower_overtaken_by_rotation_learns_how_much_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    log.append(at(0), LogSource::Stdout, b"first\n");
    let mut reader = LogReader::open(dir.path(), &follow()).unwrap();
    assert_eq!(drain(&mut reader), ["first"]);
    for line in 1..1000 {
        log.append(at(line), LogSource::Stdout, format!("{line:050}\n").as_bytes());
    }
    let lines = drain(&mut reader);
    let missed: u64 = lines.iter().filter_map(|line| line.strip_prefix('!')).map(|n| n.parse::<u64>().unwrap()).sum();
    let seen = lines.iter().filter(|line| !line.starts_with('!')).count() as u64;
    assert!(missed > 0);
    assert_eq!(missed + seen, 999, "every line is either delivered or counted");
}

/// Opens the log, lets it grow, and reads what there was.
fn read_while(dir: &Path, options: &LogOptions, printed: impl FnOnce()) -> Vec<String> {
    let mut reader = LogReader::open(dir, options).unwrap();
    printed();
    let lines = drain(&mut reader);
    assert!(matches!(reader.next_step().unwrap(), LogStep::AtEnd { .. } | LogStep::Finished));
    lines
}

#[test]
fn without_follow_it_ends_where_it_ended_when_it_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    log.append(at(1), LogSource::Stdout, b"one\ntwo\nthr");
    let mut more = || log.append(at(2), LogSource::Stdout, b"ee\nfour\n");
    assert_eq!(read_while(dir.path(), &LogOptions::default(), &mut more), ["one", "two", "thr~"]);
    assert_eq!(read_while(dir.path(), &tail(1), &mut more), ["four"]);
    assert_eq!(read_while(dir.path(), &tail(0), &mut more), Vec::<String>::new());
    assert_eq!(read_while(dir.path(), &LogOptions { follow: true, ..tail(1) }, &mut more), ["four", "ee", "four"]);
}

#[test]
fn without_follow_rotation_takes_nothing_of_the_end_and_the_rest_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    let mut line = 0;
    let mut print = |lines: u64| {
        for _ in 0..lines {
            log.append(at(1), LogSource::Stdout, format!("{line:050}\n").as_bytes());
            line += 1;
        }
    };
    print(140);
    assert!(dir.path().join("0000000003.seg").exists());
    let lines = read_while(dir.path(), &LogOptions::default(), || print(1000));
    let missed: u64 = lines.iter().filter_map(|line| line.strip_prefix('!')).map(|n| n.parse::<u64>().unwrap()).sum();
    let seen: Vec<u64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&139)));
    assert!(missed > 0, "the middle segment is gone");
    assert_eq!(missed + seen.len() as u64, 140);
    // From the end alone nothing is lost.
    let last: Vec<String> = (1135..1140).map(|line| format!("{line:050}")).collect();
    assert_eq!(read_while(dir.path(), &tail(5), || print(1000)), last);
}

#[test]
fn an_empty_log_that_is_not_followed_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    let print = || writer(dir.path()).append(at(1), LogSource::Stdout, b"late\n");
    assert_eq!(read_while(dir.path(), &LogOptions::default(), print), Vec::<String>::new());
    assert_eq!(read(dir.path(), &LogOptions::default()), ["late"]);
}

#[test]
fn a_follower_continues_a_line_it_saw_half_of() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    log.append(at(1), LogSource::Stdout, b"prompt> ");
    let mut reader = LogReader::open(dir.path(), &follow()).unwrap();
    assert_eq!(drain(&mut reader), ["prompt> ~"]);
    assert_eq!(reader.next_step().unwrap(), LogStep::AtEnd { run_ended: false });
    log.append(at(2), LogSource::Stdout, b"exit\n");
    log.end(at(3));
    assert_eq!(drain(&mut reader), ["exit"]);
    assert_eq!(reader.next_step().unwrap(), LogStep::AtEnd { run_ended: true });
}

#[test]
fn a_torn_end_is_cut_off_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = writer(dir.path());
    log.append(at(1), LogSource::Stdout, b"whole\n");
    drop(log);
    let path = dir.path().join("0000000001.seg");
    for torn in [&b"\x05\0\0\0\x01\0\0\0"[..], b"\x05\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0he", b"garbage garbage garbage"] {
        OpenOptions::new().append(true).open(&path).unwrap().write_all(torn).unwrap();
        assert_eq!(read(dir.path(), &tail(5)).first().unwrap(), "whole");
        let mut log = writer(dir.path());
        log.append(at(2), LogSource::Stdout, b"more\n");
    }
    assert_eq!(read(dir.path(), &LogOptions::default()), ["whole", "more", "more", "more"]);
}

#[test]
fn a_second_run_continues_the_same_log() {
    let dir = tempfile::tempdir().unwrap();
    for run in ["first\n", "second\n"] {
        let mut log = writer(dir.path());
        log.append(at(1), LogSource::Stdout, run.as_bytes());
        log.end(at(2));
    }
    assert_eq!(read(dir.path(), &LogOptions::default()), ["first", "second"]);
    assert_eq!(read(dir.path(), &tail(1)), ["second"]);
}

#[test]
fn no_directory_is_an_empty_log() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(&dir.path().join("none"), &tail(3)), Vec::<String>::new());
}
