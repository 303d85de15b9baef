//! Does the interface show and do what it should? Screens as text with their styles, the whole of it over the
//! fake engine, and the binary on a real terminal.
//! Deliberately elsewhere: pure parts, tested beside their sources in `src/ui`.

mod ends;
mod key_script;
mod keys_of_the_moment;
mod on_a_terminal;
mod over_the_fake;
mod pictures;
mod readme;
mod sizes;
mod small_screens;

use std::sync::Arc;

use wharf::{
    engine::{Engine, backend::fake::FakeHost, domain::*},
    ui::{OpenEngine, Settings, Stage},
};

/// The moment at which pictures are taken.
fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn minutes_ago(minutes: u64) -> Timestamp {
    noon().minus(std::time::Duration::from_secs(minutes * 60))
}

/// A stage that never hears of a host: pictures are shown to it.
fn stage(columns: u16, rows: u16) -> Stage {
    let open: OpenEngine = Arc::new(|host| {
        let silent = FakeHost::new();
        silent.set_silent(true);
        Ok(Engine::with_backend(host, Arc::new(silent)))
    });
    let mut stage = Stage::open(HostSpec::Embedded, open, columns, rows, Settings::default());
    stage.stop_clock(noon());
    stage
}

/// A stage over a fake engine that works.
fn live_stage(fake: &FakeHost, columns: u16, rows: u16) -> Stage {
    let fake = fake.clone();
    let open: OpenEngine = Arc::new(move |host| Ok(Engine::with_backend(host, Arc::new(fake.clone()))));
    Stage::open(HostSpec::Embedded, open, columns, rows, Settings::default())
}

fn id(digit: char) -> ContainerId {
    digit.to_string().repeat(64).parse().unwrap()
}

/// A container made `age` minutes ago.
fn container(digit: char, name: &str, image: &str, command: &str, age: u64) -> Container {
    Container {
        name: Some(name.parse().unwrap()),
        command: command.split(' ').map(str::to_owned).collect(),
        ..Container::new(id(digit), image, minutes_ago(age))
    }
}

fn running(container: Container, minutes: u64) -> Container {
    let state = ContainerState {
        status: Status::Running,
        started: Some(minutes_ago(minutes)),
        pid: Some(7),
        ..ContainerState::created()
    };
    Container { state, ..container }
}

fn exited(container: Container, code: i32, minutes: u64) -> Container {
    let state = ContainerState {
        status: Status::Exited,
        started: Some(minutes_ago(minutes + 1)),
        finished: Some(minutes_ago(minutes)),
        exit_code: Some(code),
        ..ContainerState::created()
    };
    Container { state, ..container }
}

/// A host on which a little of everything goes on.
fn busy_host() -> Inventory {
    let web = Container {
        ports: vec![PublishedPort {
            host_ip: None,
            host_port: Some(8080),
            container_port: 80,
            protocol: Protocol::Tcp,
        }],
        ..running(container('a', "web", "nginx:1.27", "nginx -g daemon off;", 3), 3)
    };
    let mut db = running(container('b', "db", "postgres:17", "postgres", 3), 3);
    db.state.health = Some(Health::Healthy);
    let mut seed = exited(container('c', "seed", "shop/seed:3", "seed --all", 2), 1, 1);
    seed.state.reason = Some("relation \"users\" does not exist".to_owned());
    let cache = running(container('d', "cache", "redis:7", "redis-server", 2), 2);
    let migrate = exited(container('e', "migrate", "shop/migrate:3", "migrate up", 200), 0, 190);
    let spare = container('f', "spare", "registry.example/team/application-with-a-long-name:2026.01", "true", 4000);
    let evil = container('1', "evil", "bad\u{202e}image\u{1b}[31m", "sh", 5000);
    let stop = Operation {
        id: OperationId(40),
        verb: Verb::Stop,
        subject: "cache".to_owned(),
        container: Some(id('d')),
        cli: "wharf stop cache".to_owned(),
        started: noon().minus(std::time::Duration::from_secs(4)),
        deadline: None,
        state: OperationState::Running,
        progress: Arc::new(Progress {
            step: "sent SIGTERM".to_owned(),
            until: Some((noon().plus(std::time::Duration::from_secs(6)), "kill".to_owned())),
            overdue: None,
            transfers: Vec::new(),
        }),
        origin: Origin::Here,
    };
    let containers = [cache, seed, web, db, migrate, spare, evil].map(Arc::new);
    Inventory {
        link: HostLink::Live,
        info: Some(Arc::new(HostInfo {
            kind: HostKind::Embedded,
            title: "embedded rootless".to_owned(),
            version: "0.1.0".to_owned(),
            location: "user@host".to_owned(),
            rootless: true,
            root_equivalent: false,
            memory_bytes: Some(25_233_000_000),
            cpus: Some(2),
            support: Support::default(),
            facts: Vec::new(),
        })),
        containers: containers.into(),
        operations: [Arc::new(stop), Arc::new(failed_start()), Arc::new(pulled())].into(),
        ..Inventory::unknown(HostSpec::Embedded)
    }
}

/// What the container that is selected first has printed.
fn seed_log() -> Vec<LogItem> {
    let said = [
        (LogSource::Stdout, "connecting to db:5432"),
        (LogSource::Stdout, "seeding users from /seed/users.csv, 1204 rows"),
        (LogSource::Stderr, "ERROR: relation \"users\" does not exist"),
        (LogSource::Stderr, "seed: stopped at row 1; nothing was written"),
    ];
    let entry = |(source, text): (LogSource, &str)| LogEntry {
        at: minutes_ago(1),
        source,
        bytes: text.as_bytes().to_vec(),
        partial: false,
    };
    said.into_iter().map(entry).map(LogItem::Entry).collect()
}

fn failed_start() -> Operation {
    let error = Error::new(ErrorKind::CommandNotFound, "the command sed is not in the image")
        .during(Verb::Start)
        .on("seed")
        .remedy("look into the image with wharf run -it shop/seed:3 sh");
    Operation {
        id: OperationId(38),
        verb: Verb::Start,
        subject: "seed".to_owned(),
        container: Some(id('c')),
        cli: "wharf start seed".to_owned(),
        started: minutes_ago(1),
        deadline: None,
        state: OperationState::Finished {
            at: minutes_ago(1).plus(std::time::Duration::from_millis(210)),
            outcome: Err(error),
        },
        progress: Arc::default(),
        origin: Origin::Here,
    }
}

fn pulled() -> Operation {
    Operation {
        id: OperationId(37),
        verb: Verb::Pull,
        subject: "shop/worker:3".to_owned(),
        container: None,
        cli: "wharf pull shop/worker:3".to_owned(),
        started: minutes_ago(2),
        deadline: None,
        state: OperationState::Finished {
            at: minutes_ago(2).plus(std::time::Duration::from_millis(3_400)),
            outcome: Ok(Done::default()),
        },
        progress: Arc::default(),
        origin: Origin::Here,
    }
}
