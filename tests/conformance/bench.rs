//! What does every check stand on? One engine, one image, and short ways to ask and to expect.
//!
//! Deliberately elsewhere: the checks.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use wharf::engine::{Engine, domain::*};

/// The engine under test. Everything made through it carries a label of its own, and is swept away.
pub struct Bench {
    pub label: &'static str,
    pub engine: Engine,
    /// An image with a busybox in it.
    pub image: String,
    /// Another one that can be had from a registry, and that nobody else uses on this host.
    pub spare: String,
    run: String,
    next: AtomicU32,
}

pub type Checked = Result<(), String>;

const LABEL: &str = "wharf.conformance";

impl Bench {
    pub fn new(label: &'static str, engine: Engine, image: &str, spare: &str) -> Self {
        let run = ContainerId::random().short().to_owned();
        Self { label, engine, image: image.to_owned(), spare: spare.to_owned(), run, next: AtomicU32::new(0) }
    }

    /// A name that nobody else has.
    pub fn name(&self) -> ContainerName {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("conf-{}-{number}", self.run).parse().unwrap()
    }

    pub fn spec(&self, command: &[&str]) -> ContainerSpec {
        ContainerSpec {
            image: self.image.clone(),
            name: Some(self.name()),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            network: NetworkMode::None,
            labels: [(LABEL.to_owned(), self.run.clone())].into(),
            ..ContainerSpec::default()
        }
    }

    pub async fn submit(&self, command: Command) -> Outcome {
        self.engine.submit(command)?.outcome().await
    }

    pub async fn create(&self, spec: ContainerSpec) -> Result<ContainerId> {
        let done = self.submit(Command::Create(Box::new(spec))).await?;
        Ok(done.container.expect("a create tells its id"))
    }

    /// Creates and starts a container that runs until it is stopped.
    pub async fn sleeper(&self) -> Result<ContainerId> {
        self.running(&["sleep", "1000"]).await
    }

    pub async fn running(&self, command: &[&str]) -> Result<ContainerId> {
        let done = self.submit(Command::Run(Box::new(self.spec(command)))).await?;
        Ok(done.container.expect("a run tells its id"))
    }

    pub async fn start(&self, id: &ContainerId) -> Outcome {
        self.submit(Command::Start { container: id.clone().into() }).await
    }

    pub async fn stop(&self, id: &ContainerId, grace: u64) -> Outcome {
        let options = StopOptions { signal: None, grace: Some(Span(Duration::from_secs(grace))) };
        self.submit(Command::Stop { container: id.clone().into(), options }).await
    }

    pub async fn kill(&self, id: &ContainerId, signal: Signal) -> Outcome {
        self.submit(Command::Kill { container: id.clone().into(), signal }).await
    }

    pub async fn remove(&self, id: &ContainerId, force: Force) -> Outcome {
        let options = RemoveOptions { force, volumes: true };
        self.submit(Command::Remove { container: id.clone().into(), options }).await
    }

    pub async fn look(&self, id: &ContainerId) -> Result<Container> {
        self.engine.find_container(&id.clone().into()).await
    }

    pub async fn status(&self, id: &ContainerId) -> Result<Status> {
        Ok(self.look(id).await?.status())
    }

    pub async fn exit(&self, id: &ContainerId) -> Result<ProcessExit> {
        self.engine.wait_exit(id).await
    }

    /// The log so far, joined by newlines.
    pub async fn log(&self, id: &ContainerId, options: LogOptions) -> Result<Vec<String>> {
        let (items, mut batches) = tokio::sync::mpsc::channel(16);
        let collect = async {
            let mut lines = Vec::new();
            while let Some(batch) = batches.recv().await {
                for item in batch {
                    if let LogItem::Entry(entry) = item {
                        lines.push(String::from_utf8_lossy(&entry.bytes).trim_end_matches('\r').to_owned());
                    }
                }
            }
            lines
        };
        let (read, lines) = tokio::join!(self.engine.logs(id, options, items), collect);
        read.map(|()| lines)
    }

    /// Waits until `holds` says so, at most ten seconds.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) -> Checked {
        let mut again = tokio::time::interval(Duration::from_millis(25));
        for _ in 0..400 {
            if holds().await {
                return Ok(());
            }
            again.tick().await;
        }
        Err(format!("never true within 10 s: {what}"))
    }

    /// Removes what the last check left.
    pub async fn sweep(&self) {
        let left = self.engine.containers().await.unwrap_or_default();
        for container in left.iter().filter(|container| container.labels.get(LABEL) == Some(&self.run)) {
            self.remove(&container.id, Force::Yes).await.unwrap();
        }
    }
}

/// Fails with both values unless they are equal.
pub fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Checked {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}")) }
}

pub fn fails_as<T: Debug>(what: &str, outcome: Result<T>, kind: ErrorKind) -> Checked {
    match outcome {
        Ok(done) => Err(format!("{what}: succeeded with {done:?}, expected {kind:?}")),
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(format!("{what}: {:?} ({error}), expected {kind:?}", error.kind())),
    }
}

pub fn told(error: Error) -> String {
    match error.remedy_text() {
        Some(remedy) => format!("{error} [{remedy}]"),
        None => error.to_string(),
    }
}

/// `check! { "sentence" => |bench| { ...; Ok(()) } }` as one entry of a list of checks.
macro_rules! checks {
    ($($name:literal => |$bench:ident| $body:block)*) => {
        pub const CHECKS: &[$crate::conformance::Check] = &[$(
            $crate::conformance::Check {
                name: $name,
                run: |$bench| Box::pin(async move { $body }),
            }
        ),*];
    };
}
pub(crate) use checks;
