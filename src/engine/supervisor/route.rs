//! Which actor gets a command, and what must be looked up first?
//!
//! Commands that name one container keep their order even while the name is looked up or created.
//! Deliberately elsewhere: what the actor then does (`actor`).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use tokio::sync::{oneshot, watch};

use super::{
    Internal, Supervisor,
    children::{self, Children},
    demo,
    errands::Errand,
    operations::new_operation,
    prune,
};
use crate::engine::{
    actor::{self, ActorKey, Job, Message},
    backend::{OperationContext, Session},
    core::{limits, time_limit::time_limit},
    domain::*,
    sync::{Refused, time},
};

/// An accepted command on its way to an actor.
pub struct Pending {
    pub operation: OperationId,
    command: Command,
    attach: Option<(AttachOptions, oneshot::Sender<Session>)>,
    hint: Option<Arc<Container>>,
    key: Option<ActorKey>,
    /// How many operations had ended when the look began that gave the hint; none: nobody remembers.
    asked: Option<u64>,
}

/// One look for a name and who waits for it, in arrival order.
#[derive(Default)]
pub struct Lookup {
    asked: Vec<Pending>,
    /// From then on its answer may be older than a command that comes.
    begun: Arc<AtomicBool>,
    /// They came later, and get a look of their own.
    late: Vec<Pending>,
}

impl Lookup {
    fn add(&mut self, pending: Pending) {
        let late = self.begun.load(Ordering::Acquire);
        if late { self.late.push(pending) } else { self.asked.push(pending) }
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Pending> {
        self.asked.iter().chain(&self.late)
    }
}

impl Supervisor {
    pub(super) fn submit(
        &mut self,
        operation: OperationId,
        command: Command,
        attach: Option<(AttachOptions, oneshot::Sender<Session>)>,
        progress: watch::Sender<Arc<Progress>>,
        reply: oneshot::Sender<Outcome>,
    ) {
        let limit = time_limit(&command);
        let reports = progress.subscribe();
        let clock = self.backend.clock();
        let listed = new_operation(operation, &command, clock.now(), limit);
        let context = OperationContext::new(operation, clock.instant() + limit, progress).by(clock);
        self.operations.accept(listed, command.clone(), context.clone(), reports, reply);
        let mut pending = Pending { operation, command, attach, hint: None, key: None, asked: Some(self.ended) };
        match pending.command.describe().about {
            About::Container(ContainerSelector::Id(id)) => {
                let id = id.clone();
                pending.hint = self.observer.container(&id);
                self.hand_to_container(id, pending);
            }
            About::Container(ContainerSelector::Query(query)) => self.resolve(query.clone(), pending),
            About::NewContainer(_) | About::Index { .. } | About::Host(_) => {
                self.deliver_to(ActorKey::Single(operation), pending);
            }
            About::Reference(reference, _) | About::Alias { target: reference, .. } => {
                self.deliver_to(ActorKey::Image(reference.to_string()), pending);
            }
            About::Image(image) => {
                let key = image
                    .parse::<ImageReference>()
                    .map_or_else(|_| image.to_owned(), |reference| reference.with_default_tag().to_string());
                self.deliver_to(ActorKey::Image(key), pending);
            }
            About::Several(several) => self.compose(several, operation, pending.command.verb(), context),
        }
        self.publish();
    }

    /// Begins an operation that is made of others.
    fn compose(&mut self, several: Several, operation: OperationId, verb: Verb, context: OperationContext) {
        let children = Children::new(operation, Arc::clone(&self.backend), self.requests.clone(), context);
        let work: BoxFuture<'static, Outcome> = match several {
            Several::StoppedContainers => Box::pin(prune::containers(children)),
            Several::Demo(wanted) => Box::pin(demo::perform(wanted, children)),
        };
        self.errands.spawn(Errand::Compose(operation), children::tell(operation, verb, self.reports.clone(), work));
    }

    fn deliver_to(&mut self, key: ActorKey, pending: Pending) {
        self.deliver(Pending { key: Some(key), ..pending });
    }

    /// Looks a name up, once for all commands that came before the look began.
    fn resolve(&mut self, query: String, pending: Pending) {
        if self.operations.is_creating(&query) {
            self.awaiting_name.entry(query).or_default().push(pending);
            return;
        }
        if let Some(lookup) = self.resolving.get_mut(&query) {
            lookup.add(pending);
            return;
        }
        let begun = Arc::new(AtomicBool::new(false));
        let lookup = Lookup { asked: vec![pending], begun: Arc::clone(&begun), late: Vec::new() };
        self.resolving.insert(query.clone(), lookup);
        let backend = Arc::clone(&self.backend);
        let internal = self.internal.clone();
        self.errands.spawn(Errand::Lookup(query.clone()), async move {
            begun.store(true, Ordering::Release);
            let looking = backend.find_container(query.clone());
            let found = match time::timeout(limits::READ_DEADLINE, looking).await {
                Ok(found) => found,
                Err(_) => Err(Error::new(ErrorKind::TimedOut, "the host did not answer")
                    .remedy("check that the engine is up, or choose another with --host")),
            };
            // The supervisor outlives its errands unless the engine is ending.
            let _ = internal.send(Internal::Resolved { query, found: Box::new(found) }).await;
        });
    }

    pub(super) fn resolved(&mut self, query: &str, found: Result<Container>) {
        let Lookup { asked, late, .. } = self.resolving.remove(query).unwrap_or_default();
        let found = found.map(Arc::new);
        for mut pending in asked {
            match &found {
                Ok(container) => {
                    pending.hint = Some(Arc::clone(container));
                    self.hand_to_container(container.id.clone(), pending);
                }
                Err(error) => {
                    let outcome = not_found(&pending.command, error.clone());
                    self.finish(pending.operation, outcome);
                }
            }
        }
        for pending in late {
            self.resolve(query.to_owned(), pending);
        }
    }

    pub(super) fn name_settled(&mut self, name: &str) {
        for pending in self.awaiting_name.remove(name).unwrap_or_default() {
            self.resolve(name.to_owned(), pending);
        }
    }

    fn hand_to_container(&mut self, id: ContainerId, mut pending: Pending) {
        if let Some(running) = self.operations.get_mut(pending.operation) {
            running.operation.container = Some(id.clone());
            if let Some(seen) = &pending.hint {
                running.operation.subject = seen.display_name();
            }
        }
        pending.key = Some(ActorKey::Container(id));
        self.deliver(pending);
    }

    /// Puts a job into its actor's mailbox, starting the actor when there is none.
    fn deliver(&mut self, pending: Pending) {
        let Some(key) = pending.key.clone() else { return };
        let (handle, task) = match self.actors.get(&key) {
            Some((handle, task)) => (handle.clone(), *task),
            None => {
                let (handle, task) =
                    actor::spawn(key.clone(), Arc::clone(&self.backend), self.reports.clone(), &mut self.actor_tasks);
                self.key_of_task.insert(task, key.clone());
                self.actors.insert(key.clone(), (handle.clone(), task));
                (handle, task)
            }
        };
        let Some(running) = self.operations.get_mut(pending.operation) else { return };
        running.actor = Some((key.clone(), task));
        let job = Job {
            operation: pending.operation,
            command: pending.command,
            hint: pending.hint,
            // Whatever ended meanwhile may have been on this container, by an actor that is gone by now.
            seen: if pending.asked == Some(self.ended) { actor::Seen::JustNow } else { actor::Seen::BeforeOthers },
            attach: pending.attach,
            context: running.context.clone(),
        };
        if let Err(refused) = handle.try_send(Message::Do(Box::new(job))) {
            self.not_delivered(key, refused);
        }
    }

    fn not_delivered(&mut self, key: ActorKey, refused: Refused<Message>) {
        let (message, closed) = match refused {
            Refused::Full(message) => (message, false),
            Refused::Closed(message) => (message, true),
        };
        if closed {
            self.actors.remove(&key);
        }
        if let Message::Do(job) = message {
            let Job { operation, command, hint, attach, .. } = *job;
            self.undelivered.push_back(Pending { operation, command, hint, attach, key: Some(key), asked: None });
        }
    }

    pub(super) fn deliver_late(&mut self) {
        for _ in 0..self.undelivered.len() {
            if let Some(pending) = self.undelivered.pop_front() {
                self.deliver(pending);
            }
        }
    }

    pub(super) fn cancel(&mut self, operation: OperationId) {
        if self.take_back(operation) {
            self.finish(operation, Err(Error::cancelled()));
            return;
        }
        let Some(token) = self.operations.cancel_token(operation) else { return };
        token.cancel();
        let actor = self.operations.get_mut(operation).and_then(|running| running.actor.clone());
        if let Some((handle, _)) = actor.and_then(|(key, _)| self.actors.get(&key)) {
            // A full mailbox is no loss: the token is set, and work looks at it between steps.
            let _ = handle.try_send(Message::Cancel(operation));
        }
    }

    /// Forgets a command that no actor has yet; whether there was one.
    fn take_back(&mut self, operation: OperationId) -> bool {
        let resolving = self.resolving.values_mut().flat_map(|lookup| [&mut lookup.asked, &mut lookup.late]);
        let mut found = false;
        for list in resolving.chain(self.awaiting_name.values_mut()) {
            let before = list.len();
            list.retain(|pending| pending.operation != operation);
            found |= list.len() < before;
        }
        let before = self.undelivered.len();
        self.undelivered.retain(|pending| pending.operation != operation);
        found || self.undelivered.len() < before
    }

    /// `run` is two steps on two actors under one operation: after the create comes the start.
    pub(super) fn continue_run(&mut self, operation: OperationId, outcome: Outcome) -> Option<Outcome> {
        let Some(running) = self.operations.get_mut(operation) else { return Some(outcome) };
        if running.command.verb() != Verb::Run {
            return Some(outcome);
        }
        if let Some(created) = running.created.clone() {
            return Some(outcome.map(|mut done| {
                done.output = vec![created.to_string()];
                done
            }));
        }
        let done = match outcome {
            Ok(done) => done,
            Err(error) => return Some(Err(error)),
        };
        let Some(id) = done.container else {
            return Some(Err(Error::new(ErrorKind::Internal, "the host created a container without telling its id")));
        };
        running.created = Some(id.clone());
        let command = Command::Start { container: ContainerSelector::Id(id.clone()) };
        self.hand_to_container(id, Pending { operation, command, attach: None, hint: None, key: None, asked: None });
        None
    }
}

/// `rm --force` of nothing is done; everything else on nothing fails.
fn not_found(command: &Command, error: Error) -> Outcome {
    if command.describe().force == Force::Yes && error.kind() == ErrorKind::NoSuchContainer {
        Ok(Done::already_so())
    } else {
        Err(error)
    }
}
