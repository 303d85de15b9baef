//! Who is the single writer of one object? An actor: one task, one bounded mailbox, one lane.
//!
//! It begins what its lane says, watches deadlines and reports ends to the supervisor. It never awaits
//! another actor, a client or a stream. Deliberately elsewhere: the order of work (`core::lane`), the
//! work itself (`perform`, `backend`), who gets an actor (`supervisor`).

mod desk;
mod perform;

#[cfg(feature = "model")]
pub use self::desk::{Act, Desk};
#[cfg(not(feature = "model"))]
use self::desk::{Act, Desk};
pub use self::perform::bounded;

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::{
    backend::{Backend, OperationContext, Session},
    core::limits,
    domain::{AttachOptions, Command, Container, ContainerId, Error, ErrorKind, OperationId, Outcome, Signal, Verb},
    sync::{
        Inbox, Refused, Sender, fault, mailbox,
        task::{Id, JoinError, JoinSet},
        time,
    },
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
    mailbox: Sender<Message>,
}

impl Handle {
    /// Never blocks; gives the message back when the mailbox is full or the actor is gone. Cancels overtake what waits
    /// in the mailbox; a kill does so where it would find no room.
    ///
    /// # Errors
    /// The message.
    pub fn try_send(&self, message: Message) -> Result<(), Refused<Message>> {
        match message {
            Message::Cancel(_) => self.mailbox.try_send_urgent(message),
            Message::Do(_) => match self.mailbox.try_send(message) {
                Err(Refused::Full(Message::Do(job))) if job.command.verb() == Verb::Kill => {
                    self.mailbox.try_send_urgent(Message::Do(job))
                }
                answer => answer,
            },
        }
    }
}

/// Starts the actor of `key` as a task of `tasks`.
pub fn spawn(
    key: ActorKey,
    backend: Arc<dyn Backend>,
    reports: mpsc::Sender<Report>,
    tasks: &mut JoinSet<ActorKey>,
) -> (Handle, Id) {
    let (mailbox, inbox) = mailbox(limits::CONTAINER_QUEUE);
    let actor =
        Actor { key, backend, reports, inbox, desk: Desk::default(), work: JoinSet::new(), task_of: HashMap::new() };
    let task = tasks.spawn(actor.run());
    (Handle { mailbox }, task.id())
}

struct Actor {
    key: ActorKey,
    backend: Arc<dyn Backend>,
    reports: mpsc::Sender<Report>,
    inbox: Inbox<Message>,
    desk: Desk,
    work: JoinSet<Outcome>,
    /// What each task carries out; a hurried kill is nobody's operation.
    task_of: HashMap<Id, OperationId>,
}

impl Actor {
    async fn run(mut self) -> ActorKey {
        let mut open = true;
        while open || !self.desk.is_idle() || !self.work.is_empty() {
            // What has ended goes first: there is at most one end for each message that was taken, so the mailbox, which
            // is bounded, is always come to; and a cancel or a newcomer never acts on work that is over.
            tokio::select! {
                biased;
                Some(ended) = self.work.join_next_with_id(), if !self.work.is_empty() => self.ended(ended).await,
                message = self.inbox.recv(), if open => match message {
                    Some(message) => {
                        fault::point(fault::Loop::Actor);
                        let acts = self.desk.take(message);
                        self.act(acts).await;
                    }
                    None => open = false,
                },
                () = time::sleep(limits::ACTOR_IDLE), if open && self.desk.is_idle() && self.work.is_empty() => {
                    self.report(Report::Idle(self.key.clone())).await;
                }
            }
        }
        self.key
    }

    async fn act(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Tell(report) => self.report(report).await,
                Act::Begin(job) => self.begin(*job),
                Act::Hurry => self.hurry(),
            }
        }
    }

    fn begin(&mut self, job: Job) {
        let operation = job.operation;
        let task = self.work.spawn(perform::perform(Arc::clone(&self.backend), self.key.clone(), job));
        self.task_of.insert(task.id(), operation);
    }

    /// Ends the process that a waiting forced removal is after; the removal itself reports trouble.
    fn hurry(&mut self) {
        let ActorKey::Container(id) = self.key.clone() else { return };
        let backend = Arc::clone(&self.backend);
        let context = OperationContext::unwatched_by(backend.clock(), limits::STEP_DEADLINE);
        self.work.spawn(async move { backend.kill(id, Signal::KILL, context).await });
    }

    async fn ended(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (task, outcome) = match ended {
            Ok(ended) => ended,
            Err(failure) => (failure.id(), Err(panicked(&failure))),
        };
        let Some(operation) = self.task_of.remove(&task) else { return };
        let acts = self.desk.ended(operation, outcome);
        self.act(acts).await;
    }

    async fn report(&self, report: Report) {
        // A closed channel means the engine is gone, and with it everybody who could read this.
        let _ = self.reports.send(report).await;
    }
}

fn panicked(failure: &JoinError) -> Error {
    let what = if failure.is_panic() { "the operation hit a defect in Wharf" } else { "the operation was dropped" };
    Error::new(ErrorKind::Internal, what).remedy(
        "the object is looked at again; please report what you did (the screen of operations shows the command)",
    )
}
