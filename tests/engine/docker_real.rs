//! What do real daemons do that only they can show? Unread clients, terminals, transfers, cancelled creations,
//! renames that meet removals.
//! Deliberately elsewhere: what every engine must do (`conformance`), scripted daemons (`docker_wire.rs`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, time::timeout};
use wharf::engine::{
    EventRange, Session,
    backend::{Backend, OperationContext, docker, embedded},
    domain::*,
};

use crate::support::need::{needs_docker, needs_image, needs_podman};

const SOON: Duration = Duration::from_secs(30);

fn context() -> OperationContext {
    OperationContext::unwatched(SOON)
}

/// Every daemon there is, with the lab's small image in it.
async fn each(test: impl AsyncFn(&str, Arc<dyn Backend>, ContainerSpec)) {
    for (label, url) in [("docker", needs_docker()), ("podman", needs_podman())] {
        let (Some(url), Some(image)) = (url, needs_image("bb:1")) else { continue };
        let backend =
            docker::open(&url.parse().unwrap(), embedded::registry_access(&EngineSettings::default())).unwrap();
        let spec = ContainerSpec { image, network: NetworkMode::None, ..ContainerSpec::default() };
        test(label, backend, spec).await;
    }
}

fn running(spec: ContainerSpec, command: &str) -> ContainerSpec {
    ContainerSpec { command: vec!["sh".into(), "-c".into(), command.into()], ..spec }
}

async fn create(backend: &dyn Backend, spec: ContainerSpec) -> ContainerId {
    backend.create(spec, context()).await.unwrap().container.unwrap()
}

async fn remove(backend: &dyn Backend, id: ContainerId) {
    backend.remove(id, RemoveOptions { force: Force::Yes, volumes: true }, context()).await.unwrap();
}

async fn all(session: &mut Session) -> (String, Option<ProcessExit>) {
    let mut text = Vec::new();
    while let Some(output) = timeout(SOON, session.output.recv()).await.expect("the session goes on") {
        match output {
            SessionOutput::Stdout(bytes) | SessionOutput::Stderr(bytes) => text.extend(bytes),
            SessionOutput::Missed { bytes } => panic!("missed {bytes}"),
            SessionOutput::Exit(exit) => return (String::from_utf8_lossy(&text).into_owned(), Some(exit)),
        }
    }
    (String::from_utf8_lossy(&text).into_owned(), None)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_foreground_run_never_keeps_our_stop_waiting() {
    each(async |label, backend, spec| {
        let id = create(&*backend, running(spec, "yes a long line that fills every pipe there is")).await;
        let options = AttachOptions { stdin: false, flow: Flow::Lossless, terminal: None };
        let started = backend.start(id.clone(), Some(options), context()).await.unwrap();
        let unread = started.session.unwrap();
        // Wait until the pipe is full: the channel holds what it can, and the workload waits.
        timeout(SOON, async {
            while !unread.output.is_full() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        let begun = Instant::now();
        let stop = StopOptions { signal: None, grace: Some("0".parse().unwrap()) };
        backend.stop(id.clone(), stop, context()).await.unwrap();
        assert!(backend.container(id.clone()).await.unwrap().is_some());
        remove(&*backend, id).await;
        assert!(begun.elapsed() < Duration::from_secs(6), "{label}: {:?}", begun.elapsed());
        drop(unread);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auto_removed_run_ends_with_its_code_and_leaves_nothing() {
    each(async |label, backend, spec| {
        let spec = ContainerSpec { auto_remove: true, ..running(spec, "echo first; exit 7") };
        let id = create(&*backend, spec).await;
        let options = AttachOptions { stdin: false, flow: Flow::Lossless, terminal: None };
        let mut session = backend.start(id.clone(), Some(options), context()).await.unwrap().session.unwrap();
        assert_eq!(all(&mut session).await, ("first\n".to_owned(), Some(ProcessExit::Code(7))), "{label}");
        assert_eq!(backend.container(id).await.unwrap(), None, "{label}: gone when the exit is told");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_reaches_the_process_and_its_end_does_too() {
    each(async |label, backend, spec| {
        let spec = ContainerSpec { interactive: true, auto_remove: true, ..running(spec, "cat; echo ended") };
        let id = create(&*backend, spec).await;
        let options = AttachOptions { stdin: true, flow: Flow::Lossless, terminal: None };
        let mut session = backend.start(id, Some(options), context()).await.unwrap().session.unwrap();
        session.input.send(SessionInput::Stdin(b"through\n".to_vec())).await.unwrap();
        session.input.send(SessionInput::Eof).await.unwrap();
        let (text, exit) = all(&mut session).await;
        assert_eq!((text.as_str(), exit), ("through\nended\n", Some(ProcessExit::Code(0))), "{label}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_size_of_the_client_and_follows_it() {
    each(async |label, backend, spec| {
        let id = create(&*backend, running(spec, "sleep 100")).await;
        backend.start(id.clone(), None, context()).await.unwrap();
        let script = "read x; stty size; until [ \"$(stty size)\" = '22 44' ]; do :; done; echo grown";
        let exec = ExecSpec {
            command: vec!["sh".into(), "-c".into(), script.into()],
            tty: true,
            interactive: true,
            terminal: Some(TerminalSize { columns: 93, rows: 31 }),
            ..ExecSpec::default()
        };
        let mut session = backend.exec(id.clone(), exec).await.unwrap();
        session.input.send(SessionInput::Stdin(b"\r".to_vec())).await.unwrap();
        let mut text = String::new();
        while !text.contains("31 93") {
            let output = timeout(SOON, session.output.recv()).await.expect(label);
            let Some(SessionOutput::Stdout(bytes)) = output else { panic!("{label}: {text:?} then {output:?}") };
            text += &String::from_utf8_lossy(&bytes);
        }
        session.input.send(SessionInput::Resize(TerminalSize { columns: 44, rows: 22 })).await.unwrap();
        let (rest, exit) = all(&mut session).await;
        assert!(rest.contains("grown"), "{label}: {rest:?}");
        assert_eq!(exit, Some(ProcessExit::Code(0)), "{label}");
        remove(&*backend, id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_can_be_read_afterwards() {
    each(async |label, backend, spec| {
        let since = Timestamp::now().minus(Duration::from_secs(1));
        let id = create(&*backend, running(spec, "exit 3")).await;
        backend.start(id.clone(), None, context()).await.unwrap();
        assert_eq!(backend.wait_exit(id.clone()).await.unwrap(), ProcessExit::Code(3), "{label}");
        remove(&*backend, id.clone()).await;
        let (events, mut heard) = mpsc::channel(4096);
        let range = EventRange { since: Some(since), until: Some(Timestamp::now().plus(Duration::from_secs(1))) };
        timeout(SOON, backend.events(range, events)).await.unwrap().unwrap();
        let mut actions = Vec::new();
        while let Some(event) = heard.recv().await {
            if event.id == id.as_str() {
                actions.push(event.action);
            }
        }
        for action in [EventAction::Create, EventAction::Start, EventAction::Die, EventAction::Destroy] {
            assert!(actions.contains(&action), "{label}: {action:?} is not in {actions:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_goes_to_the_registry_and_comes_back() {
    each(async |label, backend, spec| {
        let source: ImageReference = spec.image.parse().unwrap();
        let target = format!("{}/docker-{label}-{}", source.registry(), ContainerId::random().short());
        let target: ImageReference = format!("{target}:1").parse().unwrap();
        backend.pull(source.clone(), PullOptions::default(), context()).await.unwrap();
        assert!(backend.pull(source, PullOptions::default(), context()).await.unwrap().already, "{label}");
        backend.tag(spec.image.clone(), target.clone(), context()).await.unwrap();
        let pushed = backend.push(target.clone(), context()).await.unwrap();
        assert!(pushed.output[0].contains("@sha256:"), "{label}: {pushed:?}");
        let removed = backend.remove_image(target.to_string(), Force::No, context()).await.unwrap();
        assert!(removed.output[0].starts_with("Untagged: "), "{label}: {removed:?}");
        assert_eq!(
            backend.push(target.clone(), context()).await.unwrap_err().kind(),
            ErrorKind::NoSuchImage,
            "{label}"
        );
        backend.pull(target.clone(), PullOptions::default(), context()).await.unwrap();
        assert!(backend.images().await.unwrap().iter().any(|image| image.references.contains(&target)), "{label}");
        backend.remove_image(target.to_string(), Force::No, context()).await.unwrap();
        let nowhere = target.with_tag("nowhere").unwrap();
        let error = backend.pull(nowhere, PullOptions::default(), context()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchImage, "{label}: {error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_creation_leaves_nothing() {
    each(async |label, backend, spec| {
        let mark = ContainerId::random().to_string();
        for _ in 0..5 {
            let spec = ContainerSpec { labels: [("mark".to_owned(), mark.clone())].into(), ..spec.clone() };
            let context = context();
            let cancel = context.cancel.clone();
            let (outcome, ()) = tokio::join!(backend.create(spec, context), async {
                tokio::task::yield_now().await;
                cancel.cancel();
            });
            if let Ok(done) = outcome {
                remove(&*backend, done.container.unwrap()).await;
            }
        }
        let left = backend.containers().await.unwrap();
        let left: Vec<_> = left.iter().filter(|container| container.labels.get("mark") == Some(&mark)).collect();
        assert!(left.is_empty(), "{label}: {left:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_and_binary_output_arrive_whole_and_in_order() {
    each(async |label, backend, spec| {
        let script = "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done; printf '\\377\\000end'";
        let spec = ContainerSpec { auto_remove: true, ..running(spec, script) };
        let id = create(&*backend, spec).await;
        let options = AttachOptions { stdin: false, flow: Flow::Lossless, terminal: None };
        let mut session = backend.start(id, Some(options), context()).await.unwrap().session.unwrap();
        let mut bytes = Vec::new();
        while let Some(output) = timeout(SOON, session.output.recv()).await.unwrap() {
            if let SessionOutput::Stdout(piece) = output {
                bytes.extend(piece);
            }
        }
        let mut wanted: Vec<u8> = (0..300).flat_map(|number| format!("{number}\n").into_bytes()).collect();
        wanted.extend(b"\xff\0end");
        assert_eq!(bytes, wanted, "{label}");
    })
    .await;
}
