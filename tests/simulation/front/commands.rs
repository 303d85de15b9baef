//! What is asked of a front, and what comes of it? Several commands at once on the same few names, as a script with jobs
//! and a screen ask for them; some are cancelled, and some fronts leave in the middle.
//!
//! Deliberately elsewhere: how the front runs (`process`), what is noted of it (`record`).

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use wharf::engine::{Ticket, domain::*, limits, sync::Reader};

use super::{
    super::{
        history::{Answer, Asked, CallNumber},
        scheduler::ProcessId,
        workload::{NAMES, spec},
        world::{World, nanos},
    },
    FrontTwin,
    process::Front,
};

/// A host that ignores a cancel or a deadline is waited for so much longer.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Writing the end down, and looking only now and then whether a timer is due.
const SLACK: Duration = Duration::from_secs(4);

/// How somebody uses a front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Commands and their ends, then it is over.
    Script,
    /// It also looks at the host, and stays.
    Screen,
}

/// How a front ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    /// Nothing is left to be answered.
    WhenDone,
    /// Cancel and quit.
    Close,
    /// At once, whatever runs.
    Vanish,
}

/// A command without an answer.
pub struct Open {
    pub asked: String,
    pub verb: Verb,
    pub call: Option<CallNumber>,
    pub container: Option<ContainerId>,
    /// As it was asked for.
    pub name: Option<ContainerName>,
    pub force: Force,
    pub begun: u64,
    /// Where the question stands in the history.
    pub order: u64,
    pub limit: Duration,
    pub bound: Duration,
    /// Processes of its container that were alive when it was asked.
    pub alive: Vec<u64>,
    pub cancel_at: Option<u64>,
    pub cancelled: Option<u64>,
    pub door: usize,
}

pub struct User {
    pub front: Front,
    pub usage: Use,
    pub twin: Option<FrontTwin>,
    pub prunes: bool,
    pub open: BTreeMap<OperationId, Open>,
    /// Removals that a prune is made of; those that are answered have no number.
    pub children: BTreeMap<OperationId, Option<CallNumber>>,
    pub known: Vec<ContainerId>,
    pub inventories: Vec<Reader<Inventory>>,
    pub revisions: Vec<u64>,
    pub answers: Arc<Mutex<Vec<(OperationId, Outcome)>>>,
    pub next_act: u64,
    pub last_end: u64,
    leaving: Option<Leaving>,
    pub closing: Option<u64>,
    pub closed: Arc<AtomicBool>,
}

/// The life of a front.
pub fn live(world: &Arc<World>, me: ProcessId, usage: Use, prunes: bool, twin: Option<FrontTwin>) {
    let front = Front::open(world, me, twin);
    let inventories: Vec<_> = front.doors.iter().map(wharf::engine::Engine::inventory).collect();
    if usage == Use::Screen {
        front.doors.iter().for_each(wharf::engine::Engine::observe);
    }
    let mut user = User {
        next_act: front.now(),
        last_end: front.now(),
        revisions: vec![0; inventories.len()],
        front,
        usage,
        twin,
        prunes,
        open: BTreeMap::new(),
        children: BTreeMap::new(),
        known: Vec::new(),
        inventories,
        answers: Arc::default(),
        leaving: None,
        closing: None,
        closed: Arc::default(),
    };
    loop {
        user.act();
        user.front.turn();
        user.record();
        if user.is_over() {
            return;
        }
        user.rest();
    }
}

impl User {
    pub fn world(&self) -> &World {
        &self.front.world
    }

    // -- asking ----------------------------------------------------------------------------------

    fn act(&mut self) {
        let now = self.front.now();
        let due = |open: &Open| open.cancelled.is_none() && open.cancel_at.is_some_and(|at| at <= now);
        let cancels: Vec<OperationId> =
            self.open.iter().filter(|(_, open)| due(open)).map(|(operation, _)| *operation).collect();
        cancels.into_iter().for_each(|operation| self.cancel(operation, now));
        if self.leaving.is_some() || now < self.next_act {
            return;
        }
        let burst = self.world().state().dice.pick(&[1, 1, 1, 2, 3, 5]);
        for _ in 0..burst {
            {
                let mut state = self.world().state();
                if state.errands == 0 {
                    break;
                }
                state.errands -= 1;
            }
            self.submit(now);
        }
        self.plan(now);
    }

    /// What comes after a burst.
    fn plan(&mut self, now: u64) {
        let mut state = self.front.world.state();
        let nothing_left = state.errands == 0;
        let dice = &mut state.dice;
        let pause = match dice.below(4) {
            0 => 0,
            // Just when the actors retire.
            1 => (self.last_end + nanos(limits::ACTOR_IDLE) + dice.below(3) * 500_000).saturating_sub(now),
            _ => dice.below(400) * 1_000_000,
        };
        self.next_act = now + pause;
        let stays = self.usage == Use::Screen;
        if nothing_left {
            self.leaving = (!stays).then_some(Leaving::WhenDone);
        } else if dice.once_in(if stays { 12 } else { 4 }) {
            self.leaving = Some(dice.pick(&[Leaving::WhenDone, Leaving::WhenDone, Leaving::Close, Leaving::Vanish]));
        }
        drop(state);
        if self.leaving == Some(Leaving::Close) {
            self.close(now);
        }
    }

    fn submit(&mut self, now: u64) {
        let (verb, name, other, by_name, force, grace, cancel_at) = {
            let dice = &mut self.front.world.state().dice;
            let cancel = dice.once_in(4).then(|| {
                let within = dice.pick(&[500, 2_000, 50_000, 4_000_000]);
                dice.below(within)
            });
            (
                dice.below(20),
                dice.pick(&NAMES),
                dice.pick(&NAMES),
                !dice.once_in(3),
                if dice.once_in(3) { Force::No } else { Force::Yes },
                Duration::from_millis(dice.below(5_000)),
                cancel.map(|after| now + after * 1_000),
            )
        };
        let name: ContainerName = name.parse().unwrap();
        let chosen = self.pick_known().filter(|_| !by_name);
        let by_query = chosen.is_none();
        let (container, id) = match chosen {
            Some(id) => (ContainerSelector::Id(id.clone()), Some(id)),
            None => (ContainerSelector::Query(name.to_string()), None),
        };
        let options = StopOptions { grace: Some(Span(grace)), ..StopOptions::default() };
        let step = limits::STEP_DEADLINE;
        let removal = RemoveOptions { force, volumes: true };
        let to: ContainerName = other.parse().unwrap();
        let (command, asked, limit) = match verb {
            0..=3 => self.creation(&name, Command::Create),
            4 | 5 => self.creation(&name, Command::Run),
            6 | 7 => (Command::Start { container }, Some(Asked::Start), step),
            8 | 9 => (Command::Stop { container, options }, Some(Asked::Stop), grace + limits::STOP_MARGIN),
            10 => (Command::Kill { container, signal: Signal::KILL }, Some(Asked::Kill), step),
            11 | 12 => (Command::Rename { container, name: to.clone() }, Some(Asked::Rename { to }), step),
            // It may begin a run, as a start does.
            13 => (Command::Restart { container, options }, Some(Asked::Start), grace + limits::STOP_MARGIN + step),
            14 => (Command::Pause { container }, Some(Asked::Other("pause")), step),
            15 => (Command::Unpause { container }, Some(Asked::Other("unpause")), step),
            16 if self.prunes => (Command::PruneContainers, None, step),
            _ => (Command::Remove { container, options: removal }, Some(Asked::Remove), step),
        };
        let about_one = command.container().is_some();
        let (id, name) = (id.filter(|_| about_one), Some(name).filter(|_| about_one && by_query));
        let door = if self.twin == Some(FrontTwin::TwoActors) { usize::from(name.is_some()) } else { 0 };
        self.hand_over(
            command,
            Open {
                asked: String::new(),
                verb: Verb::Create,
                call: None,
                container: id,
                name,
                force,
                begun: now,
                order: 0,
                limit,
                bound: Duration::ZERO,
                alive: Vec::new(),
                cancel_at,
                cancelled: None,
                door,
            },
            asked,
        );
    }

    fn creation(
        &self,
        name: &ContainerName,
        command: impl FnOnce(Box<ContainerSpec>) -> Command,
    ) -> (Command, Option<Asked>, Duration) {
        let dice = &mut self.front.world.state().dice;
        let (auto_remove, volume) = (dice.once_in(4), dice.once_in(3));
        let asked = Asked::Create { name: name.clone(), auto_remove };
        (command(Box::new(spec(name, auto_remove, volume))), Some(asked), limits::TRANSFER_DEADLINE)
    }

    fn hand_over(&mut self, command: Command, open: Open, asked: Option<Asked>) {
        let (verb, text) = (command.verb(), format!("{command:?}"));
        let Open { container, force, door, .. } = &open;
        let force = if command.describe().force == Force::Yes { *force } else { Force::No };
        let (call, order, alive) = {
            let mut state = self.front.world.state();
            let me = self.front.me;
            state.tell(|| format!("{me}: SUBMIT {text}"));
            let order = state.history.tick();
            let alive = container.as_ref().map(|id| state.running(id)).unwrap_or_default();
            (asked.map(|asked| state.history.begin(asked, container.as_ref())), order, alive)
        };
        let bound = self.bound(verb);
        match self.front.doors[*door].submit(command) {
            Ok(ticket) => {
                let operation = ticket.operation;
                self.open.insert(operation, Open { asked: text, verb, call, order, alive, bound, force, ..open });
                self.answer_by(ticket);
            }
            Err(error) => {
                let mut state = self.front.world.state();
                if let Some(call) = call
                    && let Err(why) = state.history.end(call, None, Answer::Failed(error.kind()))
                {
                    state.violate(why);
                }
            }
        }
    }

    /// When it must have been answered: everything in front of it ends by its own deadline, one after the other.
    fn bound(&self, verb: Verb) -> Duration {
        let slow = |verb: Verb| matches!(verb, Verb::Create | Verb::Run | Verb::PruneContainers);
        let longest = if slow(verb) || self.open.values().any(|open| slow(open.verb)) { 400 } else { 85 };
        let queue = u32::try_from(self.open.len() + 1).unwrap();
        Duration::from_secs(longest) + limits::READ_DEADLINE + (PATIENCE + Duration::from_millis(700)) * queue + SLACK
    }

    fn answer_by(&self, ticket: Ticket) {
        let (operation, answers) = (ticket.operation, Arc::clone(&self.answers));
        self.front.runtime.spawn(async move {
            let outcome = ticket.outcome().await;
            answers.lock().unwrap().push((operation, outcome));
        });
    }

    fn cancel(&mut self, operation: OperationId, now: u64) {
        let Some(open) = self.open.get_mut(&operation) else { return };
        open.cancelled = Some(now);
        let (engine, text, me) = (self.front.doors[open.door].clone(), open.asked.clone(), self.front.me);
        let mut state = self.front.world.state();
        state.cancels += 1;
        state.tell(|| format!("{me}: CANCEL {text}"));
        drop(state);
        self.front.runtime.spawn(async move { engine.cancel(operation).await });
    }

    fn close(&mut self, now: u64) {
        self.closing = Some(now);
        self.open.values_mut().for_each(|open| open.cancelled = open.cancelled.or(Some(now)));
        let (doors, closed) = (self.front.doors.clone(), Arc::clone(&self.closed));
        self.world().tell(|| format!("{}: CLOSE", self.front.me));
        self.front.runtime.spawn(async move {
            for door in doors {
                door.close().await;
            }
            closed.store(true, Ordering::Relaxed);
        });
    }

    fn pick_known(&mut self) -> Option<ContainerId> {
        let shown = self.inventories[0].newest();
        let mut ids: Vec<ContainerId> = shown.containers.iter().map(|container| container.id.clone()).collect();
        ids.extend(self.known.iter().cloned());
        let at = (!ids.is_empty()).then(|| self.front.world.state().dice.index(ids.len()));
        at.and_then(|at| ids.get(at).cloned())
    }

    // -- leaving ---------------------------------------------------------------------------------

    fn is_over(&self) -> bool {
        match self.leaving {
            None => false,
            Some(Leaving::WhenDone) => self.open.is_empty() && self.children.values().flatten().next().is_none(),
            Some(Leaving::Vanish) => true,
            Some(Leaving::Close) => {
                let late = nanos(limits::CLOSE_DEADLINE + Duration::from_secs(1)) * self.front.doors.len() as u64;
                if self.closing.is_some_and(|at| self.front.now() > at + late) {
                    self.world().violate("closing the engine takes too long".to_owned());
                }
                self.closed.load(Ordering::Relaxed)
            }
        }
    }

    fn rest(&self) {
        let now = self.front.now();
        let (waits, poll) = {
            let mut state = self.front.world.state();
            let waits = !self.open.is_empty() || self.leaving.is_some();
            let poll = state.dice.pick(&[1, 7, 40, 150, 400, 700]);
            (waits || state.errands == 0, if waits { poll } else { 10 * poll })
        };
        let timers = waits.then_some(now + poll * 1_000_000);
        let cancels = self.open.values().filter(|open| open.cancelled.is_none()).filter_map(|open| open.cancel_at);
        let act = self.leaving.is_none().then_some(self.next_act).filter(|at| *at > now || timers.is_none());
        let at = timers.into_iter().chain(cancels).chain(act).min().unwrap_or(now);
        self.front.rest(at.max(now + 1));
    }
}
