use std::time::Duration;

use tokio::{io::DuplexStream, time::timeout};

use super::*;

const SOON: Duration = Duration::from_secs(5);

struct Nowhere;

impl Remote for Nowhere {
    fn resize(&self, _size: TerminalSize) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Types the signal's number, so that a test sees it arrive.
    fn signal(&self, signal: Signal) -> BoxFuture<'_, Option<Vec<u8>>> {
        let key = u8::try_from(signal.number()).unwrap();
        Box::pin(async move { Some(vec![key]) })
    }
}

struct Bench {
    sessions: Sessions,
    id: ContainerId,
    session: Session,
    daemon: DuplexStream,
}

fn bench(flow: Flow, buffer: usize) -> Bench {
    let (client, daemon) = tokio::io::duplex(buffer);
    let (sessions, id) = (Sessions::default(), ContainerId::random());
    let shape = Shape { tty: true, stdin: true, flow };
    let exit = |_| async { Ok(ProcessExit::Code(7)) };
    let session = begin(&sessions, &id, client, shape, Nowhere, exit);
    Bench { sessions, id, session, daemon }
}

async fn next(session: &mut Session) -> Option<SessionOutput> {
    timeout(SOON, session.output.recv()).await.unwrap()
}

/// More than all buffers of a session together.
const FLOOD: usize = (limits::SESSION_ITEMS + 8) * CHUNK;

#[tokio::test]
async fn everything_printed_comes_before_the_exit() {
    let mut bench = bench(Flow::Lossless, 1 << 20);
    bench.daemon.write_all(b"last words").await.unwrap();
    drop(bench.daemon);
    assert_eq!(next(&mut bench.session).await, Some(SessionOutput::Stdout(b"last words".to_vec())));
    assert_eq!(next(&mut bench.session).await, Some(SessionOutput::Exit(ProcessExit::Code(7))));
    assert_eq!(next(&mut bench.session).await, None);
}

#[tokio::test]
async fn a_viewer_that_does_not_read_never_makes_the_workload_wait() {
    let mut bench = bench(Flow::Viewer, CHUNK);
    timeout(SOON, bench.daemon.write_all(&vec![b'x'; FLOOD])).await.expect("the workload must not wait").unwrap();
    drop(bench.daemon);
    let (mut read, mut missed) = (0, 0);
    while let Some(output) = next(&mut bench.session).await {
        match output {
            SessionOutput::Stdout(bytes) => read += bytes.len() as u64,
            SessionOutput::Missed { bytes } => missed += bytes,
            SessionOutput::Stderr(_) | SessionOutput::Exit(_) => {}
        }
    }
    assert!(missed > 0, "the client is told");
    assert_eq!(read + missed, FLOOD as u64, "every byte is read or counted");
}

#[tokio::test]
async fn a_lossless_client_makes_the_workload_wait_until_somebody_wants_to_change_it() {
    let mut bench = bench(Flow::Lossless, CHUNK);
    let flood = vec![b'x'; FLOOD];
    let writing = bench.daemon.write_all(&flood);
    tokio::pin!(writing);
    // Twin of the viewer's test: without relief the write does not end.
    assert!(timeout(Duration::from_millis(200), &mut writing).await.is_err(), "the pipe is full");
    bench.sessions.relieve(&bench.id);
    timeout(SOON, writing).await.expect("a stop must not wait for a client").unwrap();
    assert!(matches!(next(&mut bench.session).await, Some(SessionOutput::Stdout(_))));
}

#[tokio::test]
async fn a_lossless_client_that_reads_loses_nothing() {
    let mut bench = bench(Flow::Lossless, CHUNK);
    let writing = tokio::spawn(async move { bench.daemon.write_all(&vec![b'x'; FLOOD]).await });
    let mut read = 0;
    while let Some(SessionOutput::Stdout(bytes)) = next(&mut bench.session).await {
        read += bytes.len();
    }
    assert_eq!(read, FLOOD);
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn signals_pass_input_that_the_process_does_not_read() {
    let mut bench = bench(Flow::Lossless, 16);
    for _ in 0..4 {
        bench.session.input.send(SessionInput::Stdin(vec![b'i'; 64])).await.unwrap();
    }
    timeout(SOON, bench.session.input.send(SessionInput::Signal(Signal::INT))).await.unwrap().unwrap();
    bench.session.input.send(SessionInput::Eof).await.unwrap();
    let mut typed = Vec::new();
    timeout(SOON, bench.daemon.read_to_end(&mut typed)).await.expect("end of file reaches the process").unwrap();
    // How much of the input was already on its way when the signal came is chance.
    let (keys, input): (Vec<u8>, Vec<u8>) = typed.into_iter().partition(|byte| *byte == 2);
    assert_eq!((keys, input), (vec![2], vec![b'i'; 256]));
}

#[tokio::test]
async fn leaving_hangs_up() {
    let mut bench = bench(Flow::Lossless, 16);
    drop(bench.session);
    let mut rest = Vec::new();
    timeout(SOON, bench.daemon.read_to_end(&mut rest)).await.expect("the connection ends").unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_stream_that_makes_no_sense_ends_without_an_exit() {
    let (client, mut daemon) = tokio::io::duplex(64);
    let shape = Shape { tty: false, stdin: false, flow: Flow::Viewer };
    let exit = |_| async { Ok(ProcessExit::Code(0)) };
    let mut session = begin(&Sessions::default(), &ContainerId::random(), client, shape, Nowhere, exit);
    daemon.write_all(b"HTTP/1.1 nonsense").await.unwrap();
    assert_eq!(next(&mut session).await, None);
}
