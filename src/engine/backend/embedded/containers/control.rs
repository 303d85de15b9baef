//! How is a running container signalled, stopped and frozen? Its monitor is asked; no lock waits with it.
//!
//! Deliberately elsewhere: the escalation itself (the monitor, so that it goes on when we die), starting
//! again (`start`).

use std::{path::Path, time::Duration};

use super::{
    Containers, admitted,
    observe::{self, Seen},
    record::Damage,
};
use crate::engine::{
    backend::{OperationContext, embedded::kernel::Observation},
    core::limits,
    domain::{ContainerId, Done, ErrorKind, EventAction, Force, Generation, Result, Signal, Span, StopOptions, Verb},
};

/// Whether what was asked to end still ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    InTime,
    TooLate,
}

impl Containers {
    /// Signal, grace, KILL; returns when the process is gone and its exit recorded. Without a readable record as the
    /// options say, and for the rest as for any container.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Refused`, `TimedOut`. The escalation goes on in the monitor when we give up. As
    /// [`Containers::unusable`] without a readable record, unless it is sure that something runs.
    pub fn stop(&self, id: &ContainerId, options: &StopOptions, context: &OperationContext) -> Result<Done> {
        context.check()?;
        let observed = match self.look(id) {
            Seen::Damaged(damaged) if self.surely_runs(id) => {
                return self.stop_without_record(id, &damaged.damage, options, context);
            }
            seen @ (Seen::Whole(_) | Seen::Damaged(_) | Seen::Gone) => self.whole_of(id, seen)?,
        };
        let already = Done { container: Some(id.clone()), ..Done::already_so() };
        if !admitted(Verb::Stop, &observed.container, Force::No)? {
            return Ok(already);
        }
        let signal = options.signal.unwrap_or_else(|| observed.record.stop_signal());
        let grace = options.grace.unwrap_or_else(|| observed.record.stop_grace());
        if self.ask_to_stop(id, signal, grace, context)? == Asked::TooLate {
            return Ok(already);
        }
        self.store.note(&observed.record, EventAction::Stop, &[]);
        self.store.announce(id, observed.record.revision);
        self.finish_auto_remove(id)?;
        Ok(Done { container: Some(id.clone()), ..Done::default() })
    }

    fn stop_without_record(
        &self,
        id: &ContainerId,
        damage: &Damage,
        options: &StopOptions,
        context: &OperationContext,
    ) -> Result<Done> {
        let signal = options.signal.unwrap_or(Signal::TERM);
        let grace = options.grace.unwrap_or(Span(limits::STOP_GRACE));
        if self.ask_to_stop(id, signal, grace, context)? == Asked::TooLate {
            return Ok(Done { container: Some(id.clone()), ..Done::already_so() });
        }
        self.store.announce(id, Generation::default());
        let warning = format!("it was stopped with {signal}, as its own stop signal is not known: {}", damage.reason());
        let warnings = if options.signal.is_some() { Vec::new() } else { vec![warning] };
        Ok(Done { container: Some(id.clone()), warnings, ..Done::default() })
    }

    fn ask_to_stop(&self, id: &ContainerId, signal: Signal, grace: Span, context: &OperationContext) -> Result<Asked> {
        context.report(|progress| {
            progress.step = format!("sent {signal}");
            progress.until = Some((self.store.machine.clock.now().plus(grace.duration()), "kill".to_owned()));
        });
        match self.kernel.stop(&self.run_dir(id), signal, grace, context.remaining()) {
            // It ended between our look and our word.
            Err(error) if error.kind() == ErrorKind::Refused => Ok(Asked::TooLate),
            outcome => outcome.map(|()| Asked::InTime),
        }
    }

    /// Who is to be ended needs no record.
    fn surely_runs(&self, id: &ContainerId) -> bool {
        observe::alive_without_record(&self.store, &*self.kernel, id).is_ok_and(Observation::anybody)
    }

    /// Sends a signal; after KILL, returns when the process is gone. Takes no lock: it never waits for
    /// another process's stop.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Refused` when nothing runs, `TimedOut`. As [`Containers::unusable`] without a readable record,
    /// unless it is sure that something runs.
    pub fn kill(&self, id: &ContainerId, signal: Signal, context: &OperationContext) -> Result<Done> {
        context.check()?;
        let done = Done { container: Some(id.clone()), ..Done::default() };
        let runs = match self.look(id) {
            Seen::Damaged(_) if self.surely_runs(id) => true,
            seen @ (Seen::Whole(_) | Seen::Damaged(_) | Seen::Gone) => {
                admitted(Verb::Kill, &self.whole_of(id, seen)?.container, Force::No)?
            }
        };
        if !runs {
            return Ok(Done { already: true, ..done });
        }
        match self.kernel.kill(&self.run_dir(id), signal, context.remaining()) {
            // Gone by itself: what KILL asks for is so; for other signals there was nobody to hear.
            Err(error) if error.kind() == ErrorKind::Refused && signal == Signal::KILL => {
                return Ok(Done { already: true, ..done });
            }
            outcome => outcome?,
        }
        if signal == Signal::KILL {
            self.finish_auto_remove(id)?;
        }
        Ok(done)
    }

    /// # Errors
    /// `NoSuchContainer`, `Refused`, `Unsupported` without a freezer, `Busy`, `TimedOut`.
    pub fn pause(&self, id: &ContainerId, context: &OperationContext) -> Result<Done> {
        self.freeze(id, Verb::Pause, |run_dir, within| self.kernel.pause(run_dir, within), context)
    }

    /// # Errors
    /// As [`Containers::pause`].
    pub fn unpause(&self, id: &ContainerId, context: &OperationContext) -> Result<Done> {
        self.freeze(id, Verb::Unpause, |run_dir, within| self.kernel.unpause(run_dir, within), context)
    }

    /// Under the lock, so that nobody starts or removes it in between.
    fn freeze(
        &self,
        id: &ContainerId,
        verb: Verb,
        change: impl Fn(&Path, Duration) -> Result<()>,
        context: &OperationContext,
    ) -> Result<Done> {
        context.check()?;
        let locked = self.locked(id, verb, context.remaining())?;
        let done = Done { container: Some(id.clone()), ..Done::default() };
        if !admitted(verb, &locked.observed.container, Force::No)? {
            return Ok(Done { already: true, ..done });
        }
        change(&self.run_dir(id), context.remaining())?;
        self.store.announce(id, locked.observed.record.revision);
        Ok(done)
    }
}
