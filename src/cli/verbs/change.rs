//! How are changes handed to the engine, followed, cancelled and told about?
//!
//! Deliberately elsewhere: what may change (`engine::core`), drawing progress (`printer::live`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesOrdered};
use tokio::sync::watch;

use super::Work;
use crate::{
    cli::{
        exit::Exit,
        grammar::{Change, Format},
        json::ResultRow,
        printer::{
            Settled,
            live::{REDRAW, Running},
        },
        signals::ends_a_verb,
    },
    engine::{
        Ticket,
        domain::{
            About, Command, Description, Done, Error, ErrorKind, Force, OperationId, Outcome, Progress, Signal, Verb,
        },
    },
};

/// Targets of one command line that are in the engine's hands at a time.
const AT_ONCE: usize = 64;

/// Carries out every change; the results come in the order of the targets.
pub async fn perform(work: &mut Work<'_>, changes: Vec<Change>) -> Exit {
    let mut exit = Exit::DONE;
    for changes in chunks(changes) {
        let handed: Vec<Handed> = changes.into_iter().map(|change| hand_over(work, change)).collect();
        exit = exit.and(follow(work, handed).await);
        if let Exit::Signal(_) = exit {
            break;
        }
    }
    exit
}

/// Carries out one change and gives its outcome without telling about it; `Err` when a signal ended it.
pub async fn outcome_of(work: &mut Work<'_>, change: Change) -> Result<Outcome, Signal> {
    let handed = hand_over(work, change);
    let mut outcomes = Outcomes::new(vec![handed]);
    match outcomes.next(work).await {
        Some((_, outcome)) => match outcomes.interrupted {
            Some(signal) => {
                if let Err(error) = &outcome {
                    work.printer.error(error);
                }
                Err(signal)
            }
            None => Ok(outcome),
        },
        None => Err(outcomes.interrupted.unwrap_or(Signal::INT)),
    }
}

/// A change in the engine's hands, or refused by it at once.
struct Handed {
    target: String,
    command: Command,
    ticket: Result<Ticket, Error>,
}

fn hand_over(work: &Work<'_>, change: Change) -> Handed {
    let Change { target, command } = change;
    let ticket = work.engine.submit(command.clone());
    Handed { target, command, ticket }
}

async fn follow(work: &mut Work<'_>, handed: Vec<Handed>) -> Exit {
    let mut exit = Exit::DONE;
    let mut outcomes = Outcomes::new(handed);
    while let Some((change, outcome)) = outcomes.next(work).await {
        exit = exit.and(tell(work, &change, &outcome));
    }
    outcomes.interrupted.map_or(exit, Exit::Signal)
}

/// Prints what became of one change.
pub fn tell(work: &mut Work<'_>, change: &Change, outcome: &Outcome) -> Exit {
    match outcome {
        Ok(done) => {
            work.printer.settled(if done.already { Settled::Already } else { Settled::Done });
            for warning in &done.warnings {
                work.printer.warning(warning);
            }
            match work.printer.format {
                Format::Json => work.printer.json(&ResultRow::of_done(work.verb, &change.target, done)),
                Format::Table => lines(work, change, done),
            }
            Exit::DONE
        }
        Err(error) => {
            let exit = work.failed(&change.target, error);
            if error.kind() == ErrorKind::Cancelled && matches!(change.command, Command::Pull { .. }) {
                work.printer.note("what was fetched is kept: the next pull goes on from there");
            }
            let Description { about, force, .. } = change.command.describe();
            let forced = about.container().is_some() && force == Force::Yes;
            if about.new_container().is_some() {
                Exit::of_start_failure(error.kind())
            } else if forced && error.kind() == ErrorKind::NoSuchContainer {
                Exit::DONE
            } else {
                exit
            }
        }
    }
}

/// The lines for people: ids of what was made, else the name the person used, as Docker prints it.
fn lines(work: &mut Work<'_>, change: &Change, done: &Done) {
    match change.command.describe().about {
        About::NewContainer(_) => match &done.container {
            Some(id) => work.printer.line(id.as_str()),
            None => done.output.iter().for_each(|line| work.printer.line(line)),
        },
        About::Container(_) => {
            if !work.printer.quiet {
                work.printer.line(&change.target);
            }
        }
        About::Alias { .. } => {}
        About::Reference(..) if done.output.is_empty() => work.printer.line(&change.target),
        About::Reference(..) | About::Image(_) | About::Index { .. } | About::Host(_) | About::Several(_) => {
            done.output.iter().for_each(|line| work.printer.line(line));
        }
    }
}

/// Outcomes in order, with progress shown and signals turned into cancelling meanwhile.
struct Outcomes {
    flying: Vec<Flying>,
    outcomes: FuturesOrdered<BoxFuture<'static, (Change, Outcome)>>,
    /// The signal that asked for the end.
    interrupted: Option<Signal>,
}

struct Flying {
    operation: OperationId,
    verb: Verb,
    target: String,
    started: Instant,
    progress: watch::Receiver<Arc<Progress>>,
}

impl Outcomes {
    fn new(handed: Vec<Handed>) -> Self {
        let mut flying = Vec::new();
        let mut outcomes: FuturesOrdered<BoxFuture<'static, (Change, Outcome)>> = FuturesOrdered::new();
        for Handed { target, command, ticket } in handed {
            if let Ok(ticket) = &ticket {
                flying.push(Flying {
                    operation: ticket.operation,
                    verb: command.verb(),
                    target: target.clone(),
                    started: Instant::now(),
                    progress: ticket.progress.clone(),
                });
            }
            let change = Change { target, command };
            outcomes.push_back(Box::pin(async move {
                let outcome = match ticket {
                    Ok(ticket) => ticket.outcome().await,
                    Err(error) => Err(error),
                };
                (change, outcome)
            }));
        }
        Self { flying, outcomes, interrupted: None }
    }

    /// The next outcome; `None` after the last one, or when a second signal asked for the end at once.
    async fn next(&mut self, work: &mut Work<'_>) -> Option<(Change, Outcome)> {
        let mut redraw = tokio::time::interval(REDRAW);
        redraw.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        work.signals.catch();
        loop {
            tokio::select! {
                biased;
                next = self.outcomes.next() => {
                    if next.is_none() {
                        self.flying.clear();
                    }
                    return next;
                }
                signal = work.signals.next() => {
                    if !ends_a_verb(signal) {
                        continue;
                    }
                    if self.interrupted.is_some() {
                        work.printer.note("not waiting any longer; what was begun is finished or undone at the next start");
                        return None;
                    }
                    self.interrupted = Some(signal);
                    for flying in &self.flying {
                        work.engine.cancel(flying.operation).await;
                    }
                    if !work.printer.is_captured() {
                        work.printer.note("cancelling; again to end at once");
                    }
                }
                _ = redraw.tick() => self.draw(work),
            }
        }
    }

    /// Operations that ended report no more: their progress channel is closed.
    fn draw(&mut self, work: &mut Work<'_>) {
        self.flying.retain(|flying| flying.progress.has_changed().is_ok());
        let snapshots: Vec<Arc<Progress>> =
            self.flying.iter_mut().map(|flying| Arc::clone(&flying.progress.borrow_and_update())).collect();
        let running: Vec<Running<'_>> = self
            .flying
            .iter()
            .zip(&snapshots)
            .map(|(flying, progress)| Running {
                operation: flying.operation,
                verb: flying.verb,
                target: &flying.target,
                started: flying.started,
                progress,
            })
            .collect();
        work.printer.progress(&running);
    }
}

fn chunks(changes: Vec<Change>) -> impl Iterator<Item = Vec<Change>> {
    let mut changes = changes.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<Change> = changes.by_ref().take(AT_ONCE).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Follows one ticket that was handed over elsewhere, such as an attached start that failed.
pub async fn wait_for(ticket: Ticket, patience: Duration) -> Outcome {
    match tokio::time::timeout(patience, ticket.outcome()).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, "the engine did not say how it ended")),
    }
}
