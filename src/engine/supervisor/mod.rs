//! Who routes commands to actors and keeps the picture? One task per open host.
//!
//! It owns the operation table, the actors' handles and the inventory; it never waits for an actor.
//! Deliberately elsewhere: the order of work on one object (`core::lane`), the work (`actor`).

mod children;
mod defects;
mod demo;
mod errands;
mod observer;
mod operations;
mod prune;
mod route;
mod watchdog;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::{
    errands::{Errand, Errands},
    observer::{Observer, Seen},
    operations::{Finished, Operations},
    route::{Lookup, Pending},
};
use super::{
    actor::{self, ActorKey, Report},
    backend::{Backend, Session},
    core::limits,
    domain::*,
    sync::{
        Reader, fault,
        task::{self, Id, JoinSet},
        time,
    },
};

/// What the door asks for.
pub enum Request {
    Submit {
        operation: OperationId,
        command: Command,
        attach: Option<(AttachOptions, oneshot::Sender<Session>)>,
        progress: watch::Sender<Arc<Progress>>,
        reply: oneshot::Sender<Outcome>,
    },
    Cancel(OperationId),
    Observe,
    Resync,
    Close(oneshot::Sender<()>),
}

/// Answers of the supervisor's own small tasks.
enum Internal {
    Resolved { query: String, found: Box<Result<Container>> },
    Seen(Seen),
}

pub struct Supervisor {
    backend: Arc<dyn Backend>,
    /// For work made of several commands; weak, so that the last `Engine` ends us.
    requests: mpsc::WeakSender<Request>,
    internal: mpsc::Sender<Internal>,
    reports: mpsc::Sender<Report>,
    actors: HashMap<ActorKey, (actor::Handle, Id)>,
    actor_tasks: JoinSet<ActorKey>,
    key_of_task: HashMap<Id, ActorKey>,
    /// Jobs whose actor's mailbox was full or closing when they came.
    undelivered: VecDeque<Pending>,
    /// Commands by name whose lookup is under way.
    resolving: BTreeMap<String, Lookup>,
    /// Commands on a name that is just being created.
    awaiting_name: BTreeMap<String, Vec<Pending>>,
    operations: Operations,
    /// How many operations have ended.
    ended: u64,
    observer: Observer,
    closing: Vec<oneshot::Sender<()>>,
    errands: Errands,
}

impl Supervisor {
    /// Starts the task; it ends with `close`, or when every `Engine` of this host is dropped.
    pub fn spawn(
        host: HostSpec,
        backend: Arc<dyn Backend>,
        events: broadcast::Sender<EngineEvent>,
    ) -> (mpsc::Sender<Request>, Reader<Inventory>) {
        let (requests, inbox) = mpsc::channel(limits::REQUESTS);
        let (internal, answers) = mpsc::channel(limits::NOTICES);
        let (reports, reported) = mpsc::channel(limits::REQUESTS);
        let (observer, inventory) = Observer::new(host, Arc::clone(&backend), internal.clone(), events);
        let supervisor = Self {
            backend,
            requests: requests.downgrade(),
            internal,
            reports,
            actors: HashMap::new(),
            actor_tasks: JoinSet::new(),
            key_of_task: HashMap::new(),
            undelivered: VecDeque::new(),
            resolving: BTreeMap::new(),
            awaiting_name: BTreeMap::new(),
            operations: Operations::default(),
            ended: 0,
            observer,
            closing: Vec::new(),
            errands: Errands::new(),
        };
        task::spawn(supervisor.run(inbox, answers, reported));
        (requests, inventory)
    }

    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Request>,
        mut answers: mpsc::Receiver<Internal>,
        mut reported: mpsc::Receiver<Report>,
    ) {
        let mut next_progress = time::now();
        let mut next_look = time::now() + watchdog::LOOK;
        loop {
            let shows_progress = self.observer.is_observing() && self.operations.any_running();
            // Clocks first, they come ten times a second; then what was begun, which brings a few messages for each
            // command; then new commands, whose askers wait for them. Last what the host tells by itself, which nobody
            // here bounds: however much that is, it keeps no end, kill or cancel waiting.
            tokio::select! {
                biased;
                // The look itself is below: whatever woke us may have come late.
                () = time::sleep_until(next_look), if self.operations.any_running() => {}
                () = time::sleep_until(next_progress), if shows_progress => {
                    next_progress = time::now() + limits::PROGRESS_INTERVAL;
                    if self.operations.take_progress() {
                        self.publish();
                    }
                }
                Some(report) = reported.recv() => self.hear(report),
                Some(ended) = self.actor_tasks.join_next_with_id(), if !self.actor_tasks.is_empty() => {
                    self.actor_ended(ended.map_or_else(|failure| failure.id(), |(id, _)| id));
                }
                Some((errand, ending)) = self.errands.ended(), if !self.errands.is_empty() => {
                    self.errand_ended(errand, ending);
                }
                request = inbox.recv() => match request {
                    Some(request) => self.take(request),
                    None => break,
                },
                Some(answer) = answers.recv() => self.answered(answer),
            }
            if time::now() >= next_look {
                next_look = time::now() + watchdog::LOOK;
                if self.look_for_overdue() {
                    self.publish();
                }
            }
            if !self.closing.is_empty() && !self.operations.any_running() {
                break;
            }
        }
        self.observer.stop();
        self.errands.answer_all();
        for done in self.closing.drain(..) {
            // The asker may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Submit { operation, command, attach, progress, reply } => {
                self.submit(operation, command, attach, progress, reply);
            }
            Request::Cancel(operation) => self.cancel(operation),
            Request::Observe => self.observer.start(&mut self.errands),
            Request::Resync => self.observer.resync(&mut self.errands),
            Request::Close(done) => {
                self.closing.push(done);
                for operation in self.operations.running() {
                    self.cancel(operation);
                }
            }
        }
    }

    fn hear(&mut self, report: Report) {
        match report {
            Report::Began(operation) => {
                self.operations.began(operation);
                self.publish();
            }
            Report::Ended(operation, outcome) => self.ended(operation, outcome),
            Report::Idle(key) => {
                // Only we send to it, so without an operation of its own its mailbox is empty. Otherwise it
                // stays, or one object would have two writers.
                if !self.operations.any_of_actor(&key) {
                    self.actors.remove(&key);
                }
            }
        }
        self.deliver_late();
    }

    fn answered(&mut self, answer: Internal) {
        match answer {
            Internal::Resolved { query, found } => self.resolved(&query, *found),
            Internal::Seen(Seen::Remembered(remembered)) => {
                self.operations.add_remembered(remembered);
                self.publish();
            }
            Internal::Seen(seen) => {
                if self.observer.take(seen, &mut self.errands) {
                    self.publish();
                }
            }
        }
    }

    /// An operation is over: answer its asker, free what waited for its name, look at the container again.
    fn ended(&mut self, operation: OperationId, outcome: Outcome) {
        fault::point(fault::Loop::Supervisor);
        self.ended += 1;
        if let Some(outcome) = self.continue_run(operation, outcome) {
            self.finish(operation, outcome);
        }
    }

    fn finish(&mut self, operation: OperationId, outcome: Outcome) {
        let touched = outcome.as_ref().ok().and_then(|done| done.container.clone());
        let Some(finished) = self.operations.finish(operation, outcome) else { return };
        if let Some(container) = touched.or_else(|| finished.container.clone()) {
            self.observer.look_at(container, &mut self.errands);
        }
        if let Some(name) = &finished.creates {
            self.name_settled(name);
        }
        self.reply(finished);
        if !self.operations.any_running() {
            self.observer.settle(&mut self.errands);
        }
        self.publish();
    }

    /// Writes the end down where other processes see it, then answers the asker.
    fn reply(&mut self, finished: Finished) {
        let Finished { reply, outcome, past, .. } = finished;
        let Some(past) =
            past.filter(|past| !matches!(past.failure, Some(Failure { kind: ErrorKind::InvalidInput, .. })))
        else {
            // Nobody may be waiting for it any more.
            let _ = reply.send(outcome);
            return;
        };
        let backend = Arc::clone(&self.backend);
        self.errands.spawn(Errand::Remember(reply, Box::new(outcome)), async move {
            // A history that cannot be written must not fail the operation it tells of.
            let _ = time::timeout(limits::CLOSE_DEADLINE, backend.remember(past)).await;
        });
    }

    fn publish(&mut self) {
        self.observer.publish(self.operations.listed());
    }

    /// An actor that ended by itself was retired; one that panicked leaves its operations to us.
    fn actor_ended(&mut self, task: Id) {
        let Some(key) = self.key_of_task.remove(&task) else { return };
        let orphans = self.operations.of_actor(&key, task);
        if !orphans.is_empty() {
            self.actors.remove(&key);
        }
        for operation in orphans {
            let error = Error::new(ErrorKind::Internal, "its actor hit a defect in Wharf and was started anew")
                .remedy("look at the object again and repeat the command");
            self.finish(operation, Err(error));
        }
        self.deliver_late();
    }
}
