//! How do logs, events, changes and ends reach those who wait for them? Threads that block, channels that bound.
//!
//! A slow receiver slows its own thread and nobody else. Deliberately elsewhere: reading the files
//! (`log_segments`, `containers`), who asks (`backend`).

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

use super::{
    containers::{
        Containers,
        changes::{Change, Position},
        event_log::EventReader,
    },
    kernel::Watch,
    log_segments::{LogReader, LogStep},
};
use crate::engine::{
    backend::{EventRange, Notice},
    domain::{ContainerId, EngineEvent, Error, LogItem, LogOptions, ProcessExit, Result},
};

/// A thread that waits for a run's end looks this often whether anybody still listens: a process that asked and
/// lost interest keeps a thread for so long.
const TURN: Duration = Duration::from_secs(10);
/// Lines delivered together at most.
const BATCH: usize = 256;

/// Delivers a log until its end; with a `watch` that was there before, follows it until the container has
/// ended and everything is told.
///
/// # Errors
/// `NoSuchContainer`, and what reading fails with.
pub fn tell_log(
    containers: &Containers,
    id: &ContainerId,
    options: &LogOptions,
    mut watch: Option<&mut dyn Watch>,
    items: &mpsc::Sender<Vec<LogItem>>,
) -> Result<()> {
    let Some(container) = containers.get(id) else { return Err(Error::no_such_container(id)) };
    let mut running = container.status().has_process();
    let mut reader = LogReader::open(&containers.log_dir(id), options)?;
    let mut batch = Vec::new();
    loop {
        match reader.next_step()? {
            LogStep::Item(item) => {
                batch.push(item);
                if batch.len() < BATCH {
                    continue;
                }
            }
            LogStep::Finished => return deliver(&mut batch, items).map(drop),
            LogStep::AtEnd { .. } if batch.is_empty() => match &mut watch {
                // It had ended before this last look at its log.
                _ if !running => return Ok(()),
                None => return Ok(()),
                Some(watch) => {
                    watch.wait(FOREVER)?;
                    running = containers.get(id).is_some_and(|container| container.status().has_process());
                }
            },
            LogStep::AtEnd { .. } => {}
        }
        if !deliver(&mut batch, items)? || items.is_closed() {
            return Ok(());
        }
    }
}

/// Whether the receiver is still there.
#[expect(clippy::unnecessary_wraps, reason = "the callers' loops end in results")]
fn deliver(batch: &mut Vec<LogItem>, items: &mpsc::Sender<Vec<LogItem>>) -> Result<bool> {
    if batch.is_empty() {
        return Ok(true);
    }
    Ok(items.blocking_send(std::mem::take(batch)).is_ok())
}

/// Waits for a container's end, for as long as somebody wants to know.
///
/// # Errors
/// `NoSuchContainer`.
pub fn tell_exit(containers: &Containers, id: &ContainerId, wanted: impl Fn() -> bool) -> Result<ProcessExit> {
    loop {
        if let Some(exit) = containers.wait(id, TURN)? {
            return Ok(exit);
        }
        if !wanted() {
            return Err(Error::cancelled());
        }
    }
}

/// What a process that stays does beside watching.
pub struct Chores<'a> {
    /// In the beginning and now and then: what others left half-done.
    pub tidy: &'a dyn Fn(),
    /// With every change: our own helpers that have ended.
    pub reap: &'a dyn Fn(),
}

/// Passes changes of the store on until the receiver leaves.
///
/// # Errors
/// When the file cannot be read or watched any more.
pub fn tell_changes(
    containers: &Containers,
    watch: &mut dyn Watch,
    notices: &mpsc::Sender<Notice>,
    chores: &Chores<'_>,
) -> Result<()> {
    let store = containers.store();
    let (disk, changes, events) = (store.disk(), store.layout.changes(), store.layout.events());
    let clock = &store.machine.clock;
    let failed = |error| Error::io("the store's changes cannot be read", error);
    let mut position = Position::at_end(disk, &changes).map_err(failed)?;
    let mut happened = EventReader::at_end(disk, &events).map_err(failed)?;
    if notices.blocking_send(Notice::Subscribed).is_err() {
        return Ok(());
    }
    let (mut tidy_at, mut pause) = (clock.instant(), TIDY_AGAIN);
    loop {
        if clock.instant() >= tidy_at {
            (chores.tidy)();
            tidy_at = clock.instant() + pause;
            pause = TIDY_EVERY;
        }
        (chores.reap)();
        let mut news: Vec<Notice> = position.advance(disk, &changes).map_err(failed)?.into_iter().map(notice).collect();
        if !news.is_empty() {
            news.extend(happened.next_batch(disk).map_err(failed)?.into_iter().map(Notice::Event));
        }
        for notice in news {
            if notices.blocking_send(notice).is_err() {
                return Ok(());
            }
        }
        if notices.is_closed() {
            return Ok(());
        }
        watch.wait(tidy_at.saturating_duration_since(clock.instant()))?;
    }
}

/// What was cut within the last second still looks like work in progress: the first look is followed by a second.
const TIDY_AGAIN: Duration = Duration::from_secs(2);

/// How often a watching process looks for what others left half-done.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// Idle means idle: only a change or the receiver's leaving ends a wait.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

fn notice(change: Change) -> Notice {
    match change {
        Change::Container(id) => Notice::Container(id),
        Change::Images => Notice::Images,
        Change::Gap => Notice::Gap,
    }
}

/// Past events of the range, then live ones when it has no end.
///
/// # Errors
/// When the log cannot be read or watched any more.
pub fn tell_events(
    containers: &Containers,
    watch: &mut dyn Watch,
    range: &EventRange,
    events: &mpsc::Sender<EngineEvent>,
) -> Result<()> {
    let store = containers.store();
    let (disk, dir) = (store.disk(), store.layout.events());
    let failed = |error| Error::io("the event log cannot be read", error);
    let mut reader = match range.since {
        Some(_) => EventReader::at_start(disk, &dir),
        None if range.until.is_some() => EventReader::at_start(disk, &dir),
        None => EventReader::at_end(disk, &dir).map_err(failed)?,
    };
    loop {
        for event in reader.next_batch(disk).map_err(failed)? {
            let early = range.since.is_some_and(|since| event.at < since);
            let late = range.until.is_some_and(|until| event.at > until);
            if !early && !late && events.blocking_send(event).is_err() {
                return Ok(());
            }
        }
        let left = match range.until {
            Some(until) => until.since(store.machine.clock.now()),
            None => FOREVER,
        };
        if left.is_zero() || events.is_closed() {
            return Ok(());
        }
        watch.wait(left)?;
    }
}

/// While it lives, a receiver that leaves wakes the watch, so that its thread can end. It must go with that
/// thread's own sender: as long as either is there, the receiver waits for more.
#[derive(Debug)]
pub struct Attendance {
    _over: oneshot::Sender<()>,
}

impl Attendance {
    /// # Errors
    /// When the watch cannot be woken.
    pub fn new<T: Send + 'static>(watch: &dyn Watch, sender: mpsc::Sender<T>) -> Result<Self> {
        let wake = watch.waker()?;
        let (over, ended) = oneshot::channel::<()>();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = ended => {}
                () = sender.closed() => wake(),
            }
        });
        Ok(Self { _over: over })
    }
}

/// A flag that tells a thread whether the future it works for is still there.
#[derive(Debug, Default)]
pub struct Wanted(Arc<()>);

impl Wanted {
    /// For the thread: true while the value that gave it lives.
    pub fn check(&self) -> impl Fn() -> bool + Send + use<> {
        let weak = Arc::downgrade(&self.0);
        move || weak.strong_count() > 0
    }
}
