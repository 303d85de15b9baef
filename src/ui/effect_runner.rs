//! How are effects carried out? Each as a task of the host's epoch whose end comes back as a message.
//!
//! Effects that need the terminal stay with the loop (`run`). Deliberately elsewhere: what is wanted (`effect`).

use std::sync::Arc;

use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    task::{JoinHandle, JoinSet},
};

use super::{
    effect::{QueryId, Question, StreamId, SubmitId, Timer},
    ends::Ends,
    facts::Epoch,
    fault::{self, Part},
    message::{Answer, Message},
};
use crate::engine::{
    Engine, Locations,
    domain::{
        Command, ContainerId, EngineSettings, Error, ErrorKind, HostSpec, LogItem, LogOptions, OperationId, Result,
    },
    limits,
};
use crate::text::{SafeText, without_styling};

/// Lines looked at for the last one that is not blank.
const LAST_LINES: usize = 5;
/// Bytes of it worth reading for one row.
const LAST_LINE_BYTES: usize = 400;

/// Opens hosts; tests open the fake one.
pub type OpenEngine = Arc<dyn Fn(HostSpec) -> Result<Engine> + Send + Sync>;

/// The engine in use and the tasks that wait for it.
pub struct EffectRunner {
    open: OpenEngine,
    messages: mpsc::Sender<Message>,
    engine: Option<Engine>,
    epoch: Epoch,
    /// Everything that belongs to the present host; dropped with it.
    tasks: JoinSet<()>,
    log: Option<JoinHandle<()>>,
    /// Hosts that are being left.
    closing: JoinSet<()>,
}

impl EffectRunner {
    #[must_use]
    pub fn new(open: OpenEngine, messages: mpsc::Sender<Message>) -> Self {
        let (tasks, closing) = (JoinSet::new(), JoinSet::new());
        Self { open, messages, engine: None, epoch: Epoch::default(), tasks, log: None, closing }
    }

    #[must_use]
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Opens a host and follows it. The one before is left: what it still says is of an older epoch.
    pub fn open_host(&mut self, host: HostSpec, epoch: Epoch) {
        self.end_logs();
        self.tasks.abort_all();
        self.tasks = JoinSet::new();
        if let Some(old) = self.engine.take() {
            self.closing.spawn(async move { old.close().await });
        }
        self.epoch = epoch;
        match (self.open)(host) {
            Err(error) => self.send(Message::HostFailed { epoch, error }),
            Ok(engine) => {
                let mut events = engine.engine_events();
                let messages = self.messages.clone();
                self.tasks.spawn(async move {
                    loop {
                        match events.recv().await {
                            Ok(event) if !Ends::concerns(&event) => {}
                            Ok(event) => {
                                let event = Box::new(event);
                                if messages.send(Message::Happened { epoch, event }).await.is_err() {
                                    break;
                                }
                            }
                            // The rows tell what was missed.
                            Err(RecvError::Lagged(_)) => {}
                            Err(RecvError::Closed) => break,
                        }
                    }
                });
                engine.observe();
                let mut inventory = engine.inventory();
                let messages = self.messages.clone();
                self.tasks.spawn(async move {
                    // Room first, then the newest picture: what the loop is too busy to see is skipped.
                    while let Ok(room) = messages.reserve().await {
                        let Ok(picture) = inventory.next().await else {
                            // We did not close it: what is on the screen would never change again.
                            let error = Error::new(ErrorKind::Internal, "its engine hit a defect in Wharf and ended")
                                .remedy("press H and open it again: its containers are as they were");
                            room.send(Message::HostFailed { epoch, error });
                            break;
                        };
                        room.send(Message::Inventory { epoch, inventory: picture });
                    }
                });
                self.engine = Some(engine);
            }
        }
    }

    pub fn submit(&mut self, submit: SubmitId, command: Command) {
        let Some(engine) = &self.engine else {
            let outcome = Err(Error::new(ErrorKind::Unreachable, "there is no host").remedy("press H to choose one"));
            let (epoch, command) = (self.epoch, Box::new(command));
            self.send(Message::Ended { epoch, submit, command, outcome });
            return;
        };
        let ticket = engine.submit(command.clone());
        let (messages, epoch) = (self.messages.clone(), self.epoch);
        self.tasks.spawn(async move {
            let outcome = match ticket {
                Ok(ticket) => {
                    let operation = ticket.operation;
                    // A loop that has ended needs no answers, here and below.
                    let _ = messages.send(Message::Accepted { submit, operation }).await;
                    ticket.outcome().await
                }
                Err(error) => Err(error),
            };
            // As above.
            let _ = messages.send(Message::Ended { epoch, submit, command: Box::new(command), outcome }).await;
        });
    }

    pub fn cancel(&mut self, operation: OperationId) {
        if let Some(engine) = self.engine.clone() {
            self.tasks.spawn(async move { engine.cancel(operation).await });
        }
    }

    pub fn resync(&self) {
        if let Some(engine) = &self.engine {
            engine.resync();
        }
    }

    pub fn follow_logs(&mut self, stream: StreamId, container: ContainerId, options: LogOptions) {
        self.end_logs();
        let Some(engine) = self.engine.clone() else { return };
        let messages = self.messages.clone();
        self.log = Some(tokio::spawn(async move {
            let (items, mut batches) = mpsc::channel(limits::LOG_BATCHES);
            let read = engine.logs(&container, options, items);
            let forward = async {
                while let Some(items) = batches.recv().await {
                    if messages.send(Message::LogItems { stream, items }).await.is_err() {
                        return;
                    }
                }
            };
            let (result, ()) = tokio::join!(read, forward);
            // As above.
            let _ = messages.send(Message::LogEnded { stream, result }).await;
        }));
    }

    /// Drops the stream, which ends the reading.
    pub fn end_logs(&mut self) {
        if let Some(log) = self.log.take() {
            log.abort();
        }
    }

    pub fn ask(&mut self, query: QueryId, question: Question) {
        let Some(engine) = self.engine.clone() else { return };
        let messages = self.messages.clone();
        self.tasks.spawn(async move {
            fault::point(Part::Question);
            let answer = match question {
                Question::InspectContainer(id) => engine.inspect_container(&id.into()).await.map(Answer::Inspect),
                Question::Processes(id) => engine.processes(&id).await.map(Answer::Processes),
                Question::LastLine(id) => last_line(&engine, id).await,
                Question::History(image) => engine.history(&image).await.map(Answer::History),
            };
            // As above.
            let _ = messages.send(Message::Answered { query, answer }).await;
        });
    }

    pub fn after(&mut self, wait: std::time::Duration, timer: Timer) {
        let messages = self.messages.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(wait).await;
            // As above.
            let _ = messages.send(Message::Timer(timer)).await;
        });
        // Finished tasks leave only their ends behind; take those away.
        while self.tasks.try_join_next().is_some() {}
    }

    /// Cancels what runs and waits for it, within the engine's own bound.
    pub async fn close(mut self) {
        self.end_logs();
        if let Some(engine) = self.engine.take() {
            engine.close().await;
        }
        while self.closing.join_next().await.is_some() {}
    }

    fn send(&mut self, message: Message) {
        let messages = self.messages.clone();
        self.tasks.spawn(async move {
            // As above.
            let _ = messages.send(message).await;
        });
    }
}

/// The last line that says something.
async fn last_line(engine: &Engine, container: ContainerId) -> Result<Answer> {
    let (items, mut batches) = mpsc::channel(limits::LOG_BATCHES);
    let options = LogOptions { follow: false, tail: Some(LAST_LINES), since: None, until: None };
    let read = engine.logs(&container, options, items);
    let find = async {
        let mut text = String::new();
        while let Some(items) = batches.recv().await {
            for item in items {
                let LogItem::Entry(entry) = item else { continue };
                let start = entry.bytes.get(..entry.bytes.len().min(LAST_LINE_BYTES)).unwrap_or_default();
                let line: String = SafeText::log_line(&without_styling(start), 1).into();
                if !line.trim().is_empty() {
                    text = line;
                }
            }
        }
        text
    };
    let (result, text) = tokio::join!(read, find);
    result.map(|()| Answer::LastLine { container, text })
}

/// Opens real hosts.
#[must_use]
pub fn real_hosts(locations: Locations, settings: EngineSettings) -> OpenEngine {
    Arc::new(move |host| Engine::open_with(host, &locations, &settings))
}
