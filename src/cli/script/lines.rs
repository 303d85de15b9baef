//! What do the lines of a script say? Read as a whole before anything is run.
//!
//! Deliberately elsewhere: cutting a line into words and reading them (`cli::grammar`).

use super::order::{Claims, claims};
use crate::cli::grammar::{self, Globals, Invocation, Request, UsageError, split_words};

/// Waits for everything above it.
const BARRIER: &str = "barrier";
/// Of all the lines that are wrong, so many are told of.
const TOLD: usize = 20;

/// One line that does something.
#[derive(Debug)]
pub struct Line {
    /// From 1.
    pub number: usize,
    pub task: Task,
    /// What it works on, in its own words.
    pub targets: Vec<String>,
    pub claims: Claims,
}

#[derive(Debug)]
pub enum Task {
    Barrier,
    Verb(Box<Invocation>),
}

impl Line {
    pub fn verb(&self) -> &'static str {
        match &self.task {
            Task::Barrier => BARRIER,
            Task::Verb(invocation) => invocation.verb,
        }
    }
}

/// All lines that do something.
///
/// # Errors
/// Every line that is wrong, by number.
pub fn parse(text: &str) -> Result<Vec<Line>, Vec<UsageError>> {
    let mut lines = Vec::new();
    let mut errors = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match parse_line(number, line) {
            Ok(line) => lines.extend(line),
            Err(error) => {
                errors.push(UsageError { message: format!("line {number}: {}", error.message), ..error });
            }
        }
    }
    if errors.is_empty() {
        return Ok(lines);
    }
    let more = errors.len().saturating_sub(TOLD);
    errors.truncate(TOLD);
    if more > 0 {
        errors.push(UsageError::new(format!("{more} more lines are wrong")));
    }
    Err(errors)
}

fn parse_line(number: usize, line: &str) -> Result<Option<Line>, UsageError> {
    let words = split_words(line)?;
    match words.as_slice() {
        [] => return Ok(None),
        [word] if word == BARRIER => {
            return Ok(Some(Line { number, task: Task::Barrier, targets: Vec::new(), claims: Claims::everything() }));
        }
        [word, ..] if word == BARRIER => return Err(UsageError::new("barrier takes no words")),
        _ => {}
    }
    let words = match words.split_first() {
        // Pasted from a shell.
        Some((first, rest)) if first == "wharf" => rest.to_vec(),
        _ => words,
    };
    let invocation = grammar::parse_line(words)?;
    check(&invocation)?;
    let (targets, claims) = claims(&invocation.request);
    Ok(Some(Line { number, task: Task::Verb(Box::new(invocation)), targets, claims }))
}

/// What cannot stand in a script: another host, a screen, input of its own, something endless.
fn check(invocation: &Invocation) -> Result<(), UsageError> {
    let Globals { host, config, format: _, quiet: _, no_color: _ } = &invocation.globals;
    if host.is_some() || config.is_some() {
        return Err(UsageError::new("--host and --config belong to wharf script itself, not to its lines"));
    }
    let entry = grammar::find_verb(invocation.verb);
    if let Some(reason) = entry.and_then(|entry| entry.not_in_script) {
        return Err(UsageError::new(format!("{} cannot stand in a script: {reason}", invocation.verb)));
    }
    let request = &invocation.request;
    if matches!(request, Request::Screen | Request::Help(_)) {
        return Err(UsageError::new("a line needs a verb that does something"));
    }
    if matches!(request, Request::Events { range, .. } if range.until.is_none()) {
        return Err(UsageError::new("events without --until never ends").hint("add --until"));
    }
    let interactive = matches!(request, Request::Run(run) if run.spec.interactive && !run.detach)
        || matches!(request, Request::Exec { spec, .. } if spec.interactive && !spec.detach)
        || matches!(request, Request::StartAttached { stdin: true, .. });
    if interactive {
        return Err(UsageError::new("-i: a line of a script has no standard input").hint("leave out -i, or add -d"));
    }
    Ok(())
}
