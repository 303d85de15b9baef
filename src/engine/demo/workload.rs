//! What do the demo's containers do? Small programs that log, work, wait, succeed and fail.
//!
//! Each runs as the only thread of a container's first process, before anything of the engine exists.
//! Deliberately elsewhere: waiting and signals (`pace`), which of them the demo runs (`plan`).

use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use super::{
    pace::{Pace, Stop},
    plan::ROLE,
};

/// Why a program ended before its time.
enum End {
    Asked(Stop),
    /// Nobody reads the output any more.
    Unread,
}

type Run = Result<u8, End>;

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

const PAGES: [&str; 8] = [
    "/",
    "/boats?sort=length",
    "/harbour/map.svg",
    "/api/v1/tides?port=Ålesund",
    "/login",
    "/static/app.js",
    "/containers/42",
    "/favicon.ico",
];
const VISITORS: [&str; 5] = ["192.0.2.17", "198.51.100.4", "203.0.113.80", "2001:db8::1f", "192.0.2.101"];
const AGENTS: [&str; 3] = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.9.1", "HarbourBot/2.1"];
const NEWS: [&str; 8] = [
    "crane 3 lifted 18 containers",
    "tide is rising, 2.4 m at the north quay",
    "船が着きました: Kōbe Maru, berth 7",
    "customs cleared the whole shipment ✅",
    "fog over the outer harbour 🌫 visibility 300 m",
    "Überfahrt nach Tromsø beginnt um 18:40",
    "{\"level\":\"info\",\"berth\":7,\"vessel\":\"Aurora\",\"teu\":1240}",
    "the pilot is on board",
];

/// The role that `words` ask for, if it is this one: `__demo PROGRAM`.
#[must_use]
pub fn role(words: &[OsString]) -> Option<ExitCode> {
    let mut words = words.iter();
    if words.next().is_none_or(|first| first != ROLE) {
        return None;
    }
    let program = words.next().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let mut pace = Pace::new();
    Some(ExitCode::from(match run(&program, &mut pace) {
        Ok(code) => code,
        Err(End::Asked(Stop { signal })) => {
            // The last words are a courtesy; that nobody reads them changes nothing.
            let _ = say(&format!("got signal {signal}, closing the doors"));
            0
        }
        Err(End::Unread) => 1,
    }))
}

fn run(program: &str, pace: &mut Pace) -> Run {
    match program {
        "web" => web(pace),
        "logger" => logger(pace),
        "worker" => worker(pace),
        "sleeper" => sleeper(pace),
        "burst" => burst(),
        "finisher" => finisher(pace),
        "failer" => failer(pace),
        other => {
            complain(&format!(
                "no program {other:?}; there are web, logger, worker, sleeper, burst, finisher, failer"
            ))?;
            Ok(127)
        }
    }
}

/// An access log at the pace of people.
fn web(pace: &mut Pace) -> Run {
    say("listening on nothing: this is a demo")?;
    loop {
        let (page, visitor, agent) = (pick(pace, &PAGES), pick(pace, &VISITORS), pick(pace, &AGENTS));
        let took = 2 + pace.below(90);
        let status = match pace.below(40) {
            0 => 500,
            1..4 => 404,
            4..8 => 304,
            _ => 200,
        };
        say(&format!("{visitor} \"GET {page} HTTP/1.1\" {status} {} \"{agent}\" {took}ms", 200 + pace.below(40_000)))?;
        if status == 500 {
            complain(&format!("{page}: the database did not answer within 30 ms, tried again"))?;
        }
        pause(pace, 200, 1_800)?;
    }
}

/// Colours, levels, scripts of the world, and standard error.
fn logger(pace: &mut Pace) -> Run {
    for number in 1_u64.. {
        let news = pick(pace, &NEWS);
        match pace.below(12) {
            0 => complain(&format!("{RED}ERROR{PLAIN} {number:04} winch 2 reports a slipping clutch"))?,
            1 | 2 => say(&format!("{YELLOW}WARN {PLAIN} {number:04} {news}"))?,
            _ => say(&format!("{GREEN}INFO {PLAIN} {number:04} {news}"))?,
        }
        pause(pace, 600, 900)?;
    }
    Ok(0)
}

/// A little work now and then.
fn worker(pace: &mut Pace) -> Run {
    for job in 1_u64.. {
        let begun = Instant::now();
        let limit = 150_000 + pace.below(250_000);
        let primes =
            (2..limit).filter(|number| (2..).take_while(|d| d * d <= *number).all(|d| number % d != 0)).count();
        say(&format!("job {job}: {primes} primes below {limit} in {} ms", begun.elapsed().as_millis()))?;
        pause(pace, 2_000, 1_000)?;
    }
    Ok(0)
}

fn sleeper(pace: &mut Pace) -> Run {
    say("good night; wake me with a signal")?;
    loop {
        pause(pace, 3_600_000, 1)?;
    }
}

/// Enough lines to search and to page in.
fn burst() -> Run {
    for number in 1..=2_000 {
        say(&format!("{number:04}/2000 {}", "▁▂▃▄▅▆▇█".repeat(1 + number % 12)))?;
    }
    Ok(0)
}

fn finisher(pace: &mut Pace) -> Run {
    for step in ["unpacking", "checking", "stowing"] {
        say(&format!("{step} …"))?;
        pause(pace, 250, 1)?;
    }
    say("all done")?;
    Ok(0)
}

fn failer(pace: &mut Pace) -> Run {
    say("reading the configuration")?;
    pause(pace, 300, 1)?;
    complain("fatal: /etc/harbour.toml: no such file")?;
    Ok(1)
}

/// At least `least` milliseconds, and up to `more` beyond.
fn pause(pace: &mut Pace, least: u64, more: u64) -> Result<(), End> {
    let time = Duration::from_millis(least + pace.below(more));
    pace.wait(time).map_err(End::Asked)
}

fn pick<'a>(pace: &mut Pace, list: &[&'a str]) -> &'a str {
    let index = usize::try_from(pace.below(list.len() as u64)).unwrap_or_default();
    list.get(index).copied().unwrap_or_default()
}

fn say(line: &str) -> Result<(), End> {
    writeln!(io::stdout().lock(), "{line}").map_err(|_| End::Unread)
}

fn complain(line: &str) -> Result<(), End> {
    writeln!(io::stderr().lock(), "{line}").map_err(|_| End::Unread)
}
