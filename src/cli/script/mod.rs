//! How does `wharf script` run many lines in one process on one engine?
//!
//! The whole file is read and checked first: a line that does not parse ends everything before anything is done.
//! Deliberately elsewhere: which lines wait for which (`order`), reading them (`lines`), the verbs (`cli::verbs`).

#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod lines;
mod order;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, Read as _},
    path::Path,
    time::Instant,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::{
    lines::{Line, Task},
    order::{Claims, Section, sections},
};
use super::{
    exit::Exit,
    grammar::UsageError,
    json::{ErrorRow, VERSION},
    printer::{Captured, Printer, Settled},
    signals::{Signals, ends_a_verb},
    verbs::{self, Work},
};
use crate::engine::{
    Engine, Locations,
    domain::{ErrorKind, Signal},
};

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Lines at once.
    pub jobs: usize,
    pub keep_going: bool,
}

/// A script that parses.
#[derive(Debug)]
pub struct Script(Vec<Line>);

/// Reads the file, or standard input, as a whole.
///
/// # Errors
/// That it cannot be read, or every line that is wrong.
pub fn load(file: Option<&Path>) -> Result<Script, Vec<UsageError>> {
    read(file).and_then(|text| lines::parse(&text)).map(Script)
}

/// Runs it; one JSON object per line tells how each went, in the order they ended.
pub async fn perform(
    engine: &Engine,
    locations: &Locations,
    printer: &mut Printer,
    signals: &mut Signals,
    Script(lines): Script,
    options: Options,
) -> Exit {
    let mut run = Run {
        engine,
        locations,
        printer,
        signals,
        options,
        stop: CancellationToken::new(),
        failed: false,
        signal: None,
    };
    let mut left = lines.len();
    let claims: Vec<Claims> = lines.iter().map(|line| line.claims.clone()).collect();
    for section in sections(&claims) {
        left -= run.section(&lines, &section).await;
        if run.signal.is_some() || (run.failed && !options.keep_going) {
            break;
        }
    }
    let (failed, signal) = (run.failed, run.signal);
    if left > 0 {
        printer.note(&format!("{left} of {} lines were not run", lines.len()));
    }
    match (signal, failed) {
        (Some(signal), _) => Exit::Signal(signal),
        (None, true) => Exit::FAILED,
        (None, false) => Exit::DONE,
    }
}

fn read(file: Option<&Path>) -> Result<String, Vec<UsageError>> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path),
        None => {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
    };
    let name = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    text.map_err(|error| {
        vec![
            UsageError::new(format!("cannot read {name}: {error}")).hint("check the path, or use - for standard input"),
        ]
    })
}

struct Run<'a> {
    engine: &'a Engine,
    locations: &'a Locations,
    printer: &'a mut Printer,
    signals: &'a mut Signals,
    options: Options,
    stop: CancellationToken,
    failed: bool,
    signal: Option<Signal>,
}

impl Run<'_> {
    /// Runs the lines between two barriers; returns how many were run.
    async fn section(&mut self, lines: &[Line], section: &Section) -> usize {
        let mut waits = section.waits.clone();
        let ready = waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(line, _)| Reverse(line));
        let mut ready: BinaryHeap<Reverse<usize>> = ready.collect();
        let mut running = FuturesUnordered::new();
        let mut done = 0;
        loop {
            while running.len() < self.options.jobs
                && !self.stops()
                && let Some(Reverse(index)) = ready.pop()
                && let Some(line) = lines.get(section.first + index)
            {
                running.push(run_line(self.engine, self.locations, line, index, self.stop.clone()));
            }
            tokio::select! {
                biased;
                signal = self.signals.next() => {
                    if !ends_a_verb(signal) {
                        continue;
                    }
                    if self.signal.is_some() {
                        return done;
                    }
                    self.signal = Some(signal);
                    self.stop.cancel();
                }
                ended = running.next() => {
                    let Some((index, row)) = ended else { return done };
                    done += 1;
                    self.tell(&row);
                    for next in section.unblocks.get(index).into_iter().flatten() {
                        if let Some(count) = waits.get_mut(*next) {
                            *count -= 1;
                            if *count == 0 {
                                ready.push(Reverse(*next));
                            }
                        }
                    }
                }
            }
        }
    }

    fn stops(&self) -> bool {
        self.signal.is_some() || (self.failed && !self.options.keep_going) || self.printer.is_gone()
    }

    fn tell(&mut self, row: &Row) {
        let went_well = row.exit_code == 0;
        self.failed |= !went_well;
        if !(self.printer.quiet && went_well) {
            self.printer.json(row);
            self.printer.flush();
        }
    }
}

/// What became of one line.
#[derive(Debug, Serialize)]
struct Row {
    v: u8,
    line: usize,
    verb: &'static str,
    targets: Vec<String>,
    /// `done`, `already`, `failed` or `cancelled`.
    outcome: &'static str,
    exit_code: u8,
    ms: f64,
    error: Option<ErrorRow>,
    /// Lines of its standard output.
    output: Vec<String>,
}

async fn run_line(
    engine: &Engine,
    locations: &Locations,
    line: &Line,
    index: usize,
    stop: CancellationToken,
) -> (usize, Row) {
    let started = Instant::now();
    let (exit, captured) = match &line.task {
        Task::Barrier => (Exit::DONE, Captured::default()),
        Task::Verb(invocation) => {
            let mut printer = Printer::capturing(invocation.globals.format);
            printer.quiet = invocation.globals.quiet;
            let mut signals = Signals::of_line(stop);
            let verb = invocation.verb;
            let mut work = Work { engine, locations, printer: &mut printer, signals: &mut signals, verb };
            let exit = verbs::perform(&mut work, invocation.request.clone()).await;
            (exit, printer.into_captured())
        }
    };
    (index, row(line, exit, captured, started))
}

fn row(line: &Line, exit: Exit, captured: Captured, started: Instant) -> Row {
    // What was done before it could be cancelled is done.
    let done_anyway = captured.errors.is_empty() && !captured.settled.is_empty();
    let exit = if matches!(exit, Exit::Signal(_)) && done_anyway { Exit::DONE } else { exit };
    let cancelled = captured.errors.iter().any(|error| error.kind == ErrorKind::Cancelled);
    let already = !captured.settled.is_empty() && captured.settled.iter().all(|settled| *settled == Settled::Already);
    let outcome = match exit {
        Exit::Signal(_) => "cancelled",
        Exit::Code(0) if already => "already",
        Exit::Code(0) => "done",
        Exit::Code(_) if cancelled => "cancelled",
        Exit::Code(_) => "failed",
    };
    let text = String::from_utf8_lossy(&captured.out);
    Row {
        v: VERSION,
        line: line.number,
        verb: line.verb(),
        targets: line.targets.clone(),
        outcome,
        exit_code: exit.code(),
        // Microseconds are as fine as this is worth reading.
        ms: (started.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        error: if exit == Exit::DONE { None } else { Some(error_of(exit, &captured)) },
        output: text.lines().map(str::to_owned).collect(),
    }
}

/// The first failure; a process that failed has none but its own words.
fn error_of(exit: Exit, captured: &Captured) -> ErrorRow {
    if let Some(error) = captured.errors.first() {
        return error.clone();
    }
    if let Exit::Signal(_) = exit {
        return ErrorRow { kind: ErrorKind::Cancelled, message: "cancelled".to_owned(), remedy: None };
    }
    let said = String::from_utf8_lossy(&captured.err).trim_end().to_owned();
    let message = if said.is_empty() { format!("ended with {}", exit.code()) } else { said };
    ErrorRow { kind: ErrorKind::Refused, message, remedy: None }
}
