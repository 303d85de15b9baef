//! What is a container doing now? The record, the monitor's two files and the kernel, merged by run.
//!
//! Reads only and reconciles nothing: what is half-made or half-gone is shown as it is. Deliberately
//! elsewhere: putting things right (`repair`), Docker's shape (`inspect`).

use std::{io, path::Path};

use serde::de::DeserializeOwned;

use super::{
    layout::{EXIT, STATE},
    record::{Change, Damage, Read, Record, RecordedIntent},
    restart,
    store::Store,
};
use crate::engine::{
    backend::embedded::{
        disk::Disk,
        kernel::{Kernel, Liveness, Observation},
        launch::{ExitFile, StateFile},
        lock,
    },
    domain::{Container, ContainerId, ContainerState, Error, Generation, Intent, Result, Status, Timestamp, Verb},
};

/// Everything that is known about one container at one moment.
#[derive(Debug)]
pub struct Observed {
    pub record: Box<Record>,
    pub container: Container,
    /// The last run as far as files tell, whichever of them is ahead.
    pub last_run: Generation,
    /// Who is alive.
    pub alive: Observation,
    /// Somebody stopped it to start it again.
    pub restarting: bool,
    /// The monitor's file is there and cannot be read: who runs is not known, so nothing is to be started or swept.
    pub trouble: Option<Error>,
}

impl Observed {
    /// It was to be removed when it ended, it ended, and the monitor that would have done it is gone.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.record.spec.auto_remove
            && self.last_run > Generation::default()
            && !self.container.status().has_process()
            && !self.restarting
            && !self.is_starting()
            && self.alive.monitor == Liveness::Dead
            && self.trouble.is_none()
    }

    /// Somebody is at its next start, that of a restart among others.
    fn is_starting(&self) -> bool {
        self.container.intent.as_ref().is_some_and(|intent| intent.verb == Verb::Start)
    }
}

/// What looking at a container can come to.
#[derive(Debug)]
pub enum Seen {
    Whole(Box<Observed>),
    /// The directory is there and its record says nothing to us.
    Damaged(Box<Damaged>),
    Gone,
}

/// A container without a usable record.
#[derive(Debug)]
pub struct Damaged {
    pub container: Container,
    pub damage: Damage,
}

impl Seen {
    #[must_use]
    pub fn container(self) -> Option<Container> {
        match self {
            Self::Whole(observed) => Some(observed.container),
            Self::Damaged(damaged) => Some(damaged.container),
            Self::Gone => None,
        }
    }
}

/// Looks at one container. Two to four file reads.
pub fn observe(store: &Store, kernel: &dyn Kernel, id: &ContainerId) -> Seen {
    match store.read(id) {
        Read::Record(record) => Seen::Whole(Box::new(merge(store, kernel, record))),
        Read::Damaged(damage) => Seen::Damaged(Box::new(damaged(store, id, damage))),
        Read::Gone => Seen::Gone,
    }
}

fn merge(store: &Store, kernel: &dyn Kernel, record: Box<Record>) -> Observed {
    let dir = store.layout.container(&record.id);
    let ran = record.run > Generation::default();
    let run_dir = store.layout.run_of(&record.id);
    let (state, trouble) = match if ran { read_state(store, &run_dir) } else { Ok(None) } {
        Ok(state) => (state, None),
        Err(error) => (None, Some(error)),
    };
    let alive = if ran {
        kernel.observe(&run_dir, state.as_ref())
    } else {
        Observation { monitor: Liveness::Dead, init: Liveness::Dead }
    };
    // A running container's last exit is history: one read less for each.
    let exit: Option<ExitFile> =
        if ran && alive.init == Liveness::Dead { read_json(store.disk(), &dir.join(EXIT)) } else { None };
    let run_of = |found: Option<Generation>| found.unwrap_or_default();
    let last_run = record
        .run
        .max(run_of(state.as_ref().map(|state| state.generation)))
        .max(run_of(exit.as_ref().map(|exit| exit.generation)));
    let restarting = restart::is_under_way(store, &record);
    let intent = in_flight(store, &record, state.as_ref(), exit.as_ref(), alive, restarting);
    let mut state = container_state(&record, state.as_ref(), exit.as_ref(), alive, intent.is_some());
    let ended = state.status == Status::Exited && exit.as_ref().is_some_and(|exit| exit.generation >= record.run);
    if record.spec.auto_remove && ended && alive.monitor == Liveness::Alive && !restarting {
        // Its monitor is at it. One that is starting the next run is not.
        state.status = Status::Removing;
    }
    let container = Container {
        name: Some(record.name.clone()),
        image_id: Some(record.image.id.clone()),
        command: record.resolved.arguments(),
        labels: record.resolved.labels.clone(),
        tty: record.spec.tty,
        auto_remove: record.spec.auto_remove,
        state,
        degraded: alive.degraded().then(|| {
            "its monitor was killed: it still runs, but nobody keeps its output or will see its exit code".to_owned()
        }),
        intent,
        generation: record.revision,
        ..Container::new(record.id.clone(), record.spec.image.clone(), record.created)
    };
    Observed { record, container, last_run, alive, restarting, trouble }
}

/// The recorded intent, if somebody is still at it: a start is over when the monitor's files carry its
/// run, a restart when its own lock is free, anything else when whoever recorded it holds the container's no more:
/// somebody else who has it is not at this change, which was cut.
fn in_flight(
    store: &Store,
    record: &Record,
    state: Option<&StateFile>,
    exit: Option<&ExitFile>,
    alive: Observation,
    restarting: bool,
) -> Option<Intent> {
    let intent: &RecordedIntent = record.intent.as_ref()?;
    let begun = match &intent.change {
        Change::Start => {
            state.is_some_and(|state| state.generation >= record.run)
                || exit.is_some_and(|exit| exit.generation >= record.run)
                || record.start_failure.is_some()
        }
        Change::Restart => return restarting.then(|| intent.visible()),
        Change::Rename { .. } | Change::Remove { .. } => false,
    };
    let lock = store.layout.lock(store.disk(), &record.id);
    // A start is shown as one as long as its status is that from before it: who asked for it may be gone meanwhile. The
    // monitor of a process that lives attends that one: a start beside it, by somebody who could not read so, came to nothing.
    let attended =
        || intent.change == Change::Start && alive.monitor == Liveness::Alive && alive.init == Liveness::Dead;
    let at_it = || lock::is_held_by(store.disk(), &lock, intent.pid, intent.since);
    (!begun && (attended() || at_it())).then(|| intent.visible())
}

/// The life-cycle from the evidence. Pure.
fn container_state(
    record: &Record,
    state: Option<&StateFile>,
    exit: Option<&ExitFile>,
    alive: Observation,
    changing: bool,
) -> ContainerState {
    let mut seen = ContainerState::created();
    if let (Some(state), Liveness::Alive) = (state, alive.init) {
        seen.status = match (state.paused, state.stopping_until, alive.monitor) {
            (_, Some(_), Liveness::Alive) => Status::Stopping,
            (true, None | Some(_), _) => Status::Paused,
            // Whoever would have killed it after the grace is gone: nothing is stopping it any more.
            (false, Some(_), Liveness::Dead) | (false, None, _) => Status::Running,
        };
        seen.pid = Some(state.init.pid);
        seen.started = Some(state.started);
    } else if let Some(exit) = exit.filter(|exit| exit.generation >= record.run) {
        exited(&mut seen, exit);
    } else if let (Some(state), Liveness::Alive) = (state.filter(|state| state.generation >= record.run), alive.monitor)
    {
        // The process is gone and its monitor is just writing that down: still running, for a moment.
        seen.status = if state.stopping_until.is_some() { Status::Stopping } else { Status::Running };
        seen.started = Some(state.started);
    } else if let Some(failure) = &record.start_failure {
        // Docker's picture of a failed start: as before, with the code and the reason of the failure.
        if let Some(exit) = exit {
            exited(&mut seen, exit);
        }
        seen.exit_code = Some(failure.code);
        seen.finished = Some(failure.at);
        seen.reason = Some(failure.reason.clone());
    } else if let Some(state) = state.filter(|state| state.generation >= record.run) {
        seen.status = Status::Exited;
        seen.started = Some(state.started);
        seen.reason = Some(UNSEEN.to_owned());
    } else if changing || alive.monitor == Liveness::Alive {
        // Its start is under way: as it was before.
        if let Some(exit) = exit {
            exited(&mut seen, exit);
        }
    } else if record.run > Generation::default() {
        if let Some(exit) = exit {
            exited(&mut seen, exit);
            seen.exit_code = None;
        }
        seen.status = Status::Exited;
        seen.reason = Some(NEVER_SEEN.to_owned());
    }
    if record.is_removing() {
        seen.status = Status::Removing;
        seen.reason = (!changing).then(|| "its removal was interrupted; rm finishes it".to_owned());
    }
    seen
}

/// Why an exit code is unknown.
const UNSEEN: &str = "its end was not seen: the machine or its monitor stopped before it was recorded";
/// The same, where nothing says that it ever ran: after a reboot the two cannot be told apart.
const NEVER_SEEN: &str = "its last start was cut short, or the machine went down while it ran; start it again";

fn exited(seen: &mut ContainerState, exit: &ExitFile) {
    seen.status = Status::Exited;
    seen.started = exit.started;
    seen.finished = Some(exit.finished);
    seen.exit_code = exit.code;
    seen.oom_killed = exit.oom_killed;
    seen.reason = exit.reason.clone();
}

/// What can be shown of a container without a readable record.
fn damaged(store: &Store, id: &ContainerId, damage: Damage) -> Damaged {
    let created =
        store.disk().stat(&store.layout.container(id)).map_or(Timestamp::ZERO, |found| Timestamp::from(found.modified));
    let mut state = ContainerState::created();
    state.status = Status::Broken;
    state.reason = Some(damage.reason().to_owned());
    Damaged { container: Container { state, ..Container::new(id.clone(), String::new(), created) }, damage }
}

/// Who is alive in a container whose record nobody can read.
///
/// # Errors
/// `Io` when that cannot be told.
pub fn alive_without_record(store: &Store, kernel: &dyn Kernel, id: &ContainerId) -> Result<Observation> {
    let run_dir = store.layout.run_of(id);
    let state = read_state(store, &run_dir)?;
    Ok(kernel.observe(&run_dir, state.as_ref()))
}

/// `state.json`. One that makes no sense says nothing, as one that is missing.
fn read_state(store: &Store, run_dir: &Path) -> Result<Option<StateFile>> {
    match store.disk().read(&run_dir.join(STATE)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::io("who runs in it cannot be read", error)),
    }
}

/// A file of the monitor. One that is missing or unreadable says nothing; the kernel still does.
pub fn read_json<T: DeserializeOwned>(disk: &dyn Disk, path: &Path) -> Option<T> {
    let bytes = disk.read(path).ok()?;
    serde_json::from_slice(&bytes).ok()
}
