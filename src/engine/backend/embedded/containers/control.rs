//! How is a running container signalled, stopped and frozen? Its monitor is asked; no lock waits with it.
//!
//! Deliberately elsewhere: the escalation itself (the monitor, so that it goes on when we die), starting
//! again (`start`).

use std::{path::Path, time::Duration};

use super::{Containers, admitted};
use crate::engine::{
    backend::OperationContext,
    domain::{ContainerId, Done, ErrorKind, EventAction, Force, Result, Signal, StopOptions, Verb},
};

impl Containers {
    /// Signal, grace, KILL; returns when the process is gone and its exit recorded.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Refused`, `TimedOut`. The escalation goes on in the monitor when we give up.
    pub fn stop(&self, id: &ContainerId, options: &StopOptions, context: &OperationContext) -> Result<Done> {
        context.check()?;
        let observed = self.whole(id)?;
        let already = Done { container: Some(id.clone()), ..Done::already_so() };
        if !admitted(Verb::Stop, &observed.container, Force::No)? {
            return Ok(already);
        }
        let signal = options.signal.unwrap_or_else(|| observed.record.stop_signal());
        let grace = options.grace.unwrap_or_else(|| observed.record.stop_grace());
        context.report(|progress| {
            progress.step = format!("sent {signal}");
            progress.until = Some((self.store.machine.clock.now().plus(grace.duration()), "kill".to_owned()));
        });
        match self.kernel.stop(&self.run_dir(id), signal, grace, context.remaining()) {
            // It ended between our look and our word.
            Err(error) if error.kind() == ErrorKind::Refused => return Ok(already),
            outcome => outcome?,
        }
        self.store.note(&observed.record, EventAction::Stop, &[]);
        self.store.announce(id, observed.record.revision);
        self.finish_auto_remove(id)?;
        Ok(Done { container: Some(id.clone()), ..Done::default() })
    }

    /// Sends a signal; after KILL, returns when the process is gone. Takes no lock: it never waits for
    /// another process's stop.
    ///
    /// # Errors
    /// `NoSuchContainer`, `Refused` when nothing runs, `TimedOut`.
    pub fn kill(&self, id: &ContainerId, signal: Signal, context: &OperationContext) -> Result<Done> {
        context.check()?;
        let observed = self.whole(id)?;
        let done = Done { container: Some(id.clone()), ..Done::default() };
        if !admitted(Verb::Kill, &observed.container, Force::No)? {
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
