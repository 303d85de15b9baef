//! Who is the single writer of one object? An actor: one task, one bounded mailbox, one lane.
//!
//! It begins what its lane says, watches deadlines and reports ends to the supervisor. It never awaits
//! another actor, a client or a stream. Deliberately elsewhere: the order of work (`core::lane`), the
//! work itself (`perform`, `backend`), who gets an actor (`supervisor`).

mod perform;

pub use self::perform::bounded;

use std::{collections::HashMap, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    task::{Id, JoinError, JoinSet},
};

use super::{
    backend::{Backend, OperationContext, Session},
    core::{
        lane::{Effect, Entry, Input, Lane},
        limits,
    },
    domain::{AttachOptions, Command, Container, ContainerId, Error, ErrorKind, OperationId, Outcome, Signal},
};

/// Which object an actor owns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ActorKey {
    Container(ContainerId),
    /// An image reference or id as written; pulls of one reference join here.
    Image(String),
    /// Work without an object yet (create) or on all of them (prune): one actor each.
    Single(OperationId),
}

/// One operation handed to its actor.
pub struct Job {
    pub operation: OperationId,
    pub command: Command,
    /// What was last seen of the container, to decide without asking again.
    pub hint: Option<Arc<Container>>,
    pub seen: Seen,
    pub attach: Option<(AttachOptions, oneshot::Sender<Session>)>,
    pub context: OperationContext,
}

/// When the hint was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    JustNow,
    /// Other operations on the container have run since.
    BeforeOthers,
}

/// What arrives in an actor's mailbox.
pub enum Message {
    Do(Box<Job>),
    Cancel(OperationId),
}

/// What an actor tells its supervisor.
pub enum Report {
    Began(OperationId),
    Ended(OperationId, Outcome),
    /// The actor has had nothing to do for a while; dropping its sender retires it.
    Idle(ActorKey),
}

/// The sending half; dropping it lets the actor finish what it has and end.
#[derive(Clone)]
pub struct Handle {
    mailbox: mpsc::Sender<Message>,
}

impl Handle {
    /// Never blocks; gives the message back when the mailbox is full or the actor is gone.
    pub fn try_send(&self, message: Message) -> Result<(), Box<mpsc::error::TrySendError<Message>>> {
        self.mailbox.try_send(message).map_err(Box::new)
    }
}

/// Starts the actor of `key` as a task of `tasks`.
pub fn spawn(
    key: ActorKey,
    backend: Arc<dyn Backend>,
    reports: mpsc::Sender<Report>,
    tasks: &mut JoinSet<ActorKey>,
) -> (Handle, Id) {
    let (mailbox, inbox) = mpsc::channel(limits::CONTAINER_QUEUE);
    let actor = Actor {
        key,
        backend,
        reports,
        inbox,
        lane: Lane::default(),
        jobs: HashMap::new(),
        contexts: HashMap::new(),
        followers: HashMap::new(),
        work: JoinSet::new(),
        task_of: HashMap::new(),
    };
    let task = tasks.spawn(actor.run());
    (Handle { mailbox }, task.id())
}

struct Actor {
    key: ActorKey,
    backend: Arc<dyn Backend>,
    reports: mpsc::Sender<Report>,
    inbox: mpsc::Receiver<Message>,
    lane: Lane,
    /// Accepted and not begun.
    jobs: HashMap<OperationId, Job>,
    /// Begun, for cancelling.
    contexts: HashMap<OperationId, OperationContext>,
    followers: HashMap<OperationId, Vec<OperationId>>,
    work: JoinSet<(Option<OperationId>, Outcome)>,
    task_of: HashMap<Id, OperationId>,
}

impl Actor {
    async fn run(mut self) -> ActorKey {
        let mut open = true;
        while open || !self.lane.is_idle() || !self.work.is_empty() {
            tokio::select! {
                message = self.inbox.recv(), if open => match message {
                    Some(message) => self.take(message).await,
                    None => open = false,
                },
                Some(ended) = self.work.join_next_with_id(), if !self.work.is_empty() => self.ended(ended).await,
                () = tokio::time::sleep(limits::ACTOR_IDLE), if open && self.lane.is_idle() && self.work.is_empty() => {
                    self.report(Report::Idle(self.key.clone())).await;
                }
            }
        }
        self.key
    }

    async fn take(&mut self, message: Message) {
        let effects = match message {
            Message::Do(job) => {
                let entry = Entry::new(job.operation, &job.command);
                self.jobs.insert(job.operation, *job);
                let effects = self.lane.step(Input::Submit(entry));
                if !effects.contains(&Effect::Begin(entry.operation))
                    && let Some(waiting) = self.jobs.get_mut(&entry.operation)
                {
                    // What was seen before the operations in front of it says nothing about after them.
                    waiting.seen = Seen::BeforeOthers;
                }
                effects
            }
            Message::Cancel(operation) => self.lane.step(Input::Cancel(operation)),
        };
        self.apply(effects).await;
    }

    async fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Begin(operation) => self.begin(operation).await,
                Effect::Join { operation, leader } => {
                    self.jobs.remove(&operation);
                    self.followers.entry(leader).or_default().push(operation);
                }
                Effect::End { operation, error } => {
                    self.jobs.remove(&operation);
                    self.report(Report::Ended(operation, Err(error))).await;
                }
                Effect::CancelRunning(operation) => {
                    if let Some(context) = self.contexts.get(&operation) {
                        context.cancel.cancel();
                    }
                }
                Effect::Hurry => self.hurry(),
            }
        }
    }

    async fn begin(&mut self, operation: OperationId) {
        let Some(job) = self.jobs.remove(&operation) else { return };
        self.contexts.insert(operation, job.context.clone());
        self.report(Report::Began(operation)).await;
        let backend = Arc::clone(&self.backend);
        let key = self.key.clone();
        let task = self.work.spawn(async move { (Some(operation), perform::perform(backend, key, job).await) });
        self.task_of.insert(task.id(), operation);
    }

    /// Ends the process that a waiting forced removal is after; the removal itself reports trouble.
    fn hurry(&mut self) {
        let ActorKey::Container(id) = self.key.clone() else { return };
        let backend = Arc::clone(&self.backend);
        let context = OperationContext::unwatched(limits::STEP_DEADLINE);
        self.work.spawn(async move { (None, backend.kill(id, Signal::KILL, context).await) });
    }

    async fn ended(&mut self, ended: Result<(Id, (Option<OperationId>, Outcome)), JoinError>) {
        let (task, outcome) = match ended {
            Ok((task, (_, outcome))) => (task, outcome),
            Err(failure) => (failure.id(), Err(panicked(&failure))),
        };
        let Some(operation) = self.task_of.remove(&task) else { return };
        self.contexts.remove(&operation);
        for follower in self.followers.remove(&operation).unwrap_or_default() {
            self.report(Report::Ended(follower, outcome.clone())).await;
        }
        self.report(Report::Ended(operation, outcome)).await;
        let effects = self.lane.step(Input::Ended(operation));
        Box::pin(self.apply(effects)).await;
    }

    async fn report(&self, report: Report) {
        // A closed channel means the engine is gone, and with it everybody who could read this.
        let _ = self.reports.send(report).await;
    }
}

fn panicked(failure: &JoinError) -> Error {
    let what = if failure.is_panic() { "the operation hit a defect in Wharf" } else { "the operation was dropped" };
    Error::new(ErrorKind::Internal, what)
        .remedy("the object is looked at again; please report what you did (wharf operations shows the command)")
}
