//! What goes in and comes out of a container's processes?
//!
//! Deliberately elsewhere: the life-cycle (`lifecycle`).

use wharf::engine::{Session, domain::*};

use super::bench::{Bench, checks, fails_as, same, told};

checks! {
    "what a container printed is in its log" => |bench| {
        let id = bench.running(&["sh", "-c", "echo one; echo two"]).await.map_err(told)?;
        bench.exit(&id).await.map_err(told)?;
        let lines = bench.log(&id, LogOptions::default()).await.map_err(told)?;
        same("lines", lines, vec!["one".to_owned(), "two".to_owned()])
    }
    "tail gives the last lines only" => |bench| {
        let id = bench.running(&["sh", "-c", "echo one; echo two; echo three"]).await.map_err(told)?;
        bench.exit(&id).await.map_err(told)?;
        let options = LogOptions { tail: Some(2), ..LogOptions::default() };
        let lines = bench.log(&id, options).await.map_err(told)?;
        same("lines", lines, vec!["two".to_owned(), "three".to_owned()])
    }
    "a log that grows faster than it is read ends where it ended when it was opened" => |bench| {
        // Not faster: Podman 4.3 reads some 40,000 lines a second, and reads all that was printed before.
        let flood = "while true; do i=0; while [ $i -lt 4000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done; \
             sleep 0.02; done";
        let id = bench.running(&["sh", "-c", flood]).await.map_err(told)?;
        let last = || LogOptions { tail: Some(1), ..LogOptions::default() };
        let printing = || async { bench.log(&id, last()).await.is_ok_and(|lines| !lines.is_empty()) };
        bench.until("something was printed", printing).await?;
        let lines = bench.log(&id, LogOptions::default()).await.map_err(told)?;
        same("something was read", lines.is_empty(), false)?;
        bench.kill(&id, Signal::KILL).await.map_err(told)?;
        Ok(())
    }
    "following ends when the container does" => |bench| {
        let id = bench.running(&["sh", "-c", "echo one; sleep 1"]).await.map_err(told)?;
        let options = LogOptions { follow: true, ..LogOptions::default() };
        let lines = bench.log(&id, options).await.map_err(told)?;
        same("lines", lines, vec!["one".to_owned()])
    }
    "an attached start sees the first byte and the exit" => |bench| {
        let id = bench.create(bench.spec(&["sh", "-c", "echo first; exit 3"])).await.map_err(told)?;
        let options = AttachOptions { stdin: false, flow: Flow::Lossless, terminal: None };
        let (ticket, session) = bench.engine.start_attached(id.into(), options).map_err(told)?;
        let (out, exit) = drain(session.await.map_err(|_| "no session")?).await;
        ticket.outcome().await.map_err(told)?;
        same("output", out.as_str(), "first\n")?;
        same("exit", exit, Some(ProcessExit::Code(3)))
    }
    "standard input reaches the process and its end too" => |bench| {
        let spec = ContainerSpec { interactive: true, ..bench.spec(&["cat"]) };
        let id = bench.create(spec).await.map_err(told)?;
        let options = AttachOptions { stdin: true, flow: Flow::Lossless, terminal: None };
        let (ticket, session) = bench.engine.start_attached(id.into(), options).map_err(told)?;
        let session = session.await.map_err(|_| "no session")?;
        session.input.send(SessionInput::Stdin(b"hello\n".to_vec())).await.map_err(|_| "no stdin")?;
        session.input.send(SessionInput::Eof).await.map_err(|_| "no end of stdin")?;
        let (out, exit) = drain(session).await;
        ticket.outcome().await.map_err(told)?;
        same("output", out.as_str(), "hello\n")?;
        same("exit", exit, Some(ProcessExit::Code(0)))
    }
    "a signal passes input that the process does not read" => |bench| {
        let command = ["sh", "-c", "trap 'exit 5' TERM; sleep 1000 & wait"];
        let id = bench.create(ContainerSpec { interactive: true, ..bench.spec(&command) }).await.map_err(told)?;
        let options = AttachOptions { stdin: true, flow: Flow::Lossless, terminal: None };
        let (ticket, session) = bench.engine.start_attached(id.into(), options).map_err(told)?;
        let session = session.await.map_err(|_| "no session")?;
        ticket.outcome().await.map_err(told)?;
        let typed = session.input.clone();
        let typing = tokio::spawn(async move { while typed.send(SessionInput::Stdin(vec![b'x'; 65536])).await.is_ok() {} });
        let full = std::time::Duration::from_millis(500);
        while session.input.send_timeout(SessionInput::Stdin(vec![b'x'; 65536]), full).await.is_ok() {}
        session.input.send(SessionInput::Signal(Signal::TERM)).await.map_err(|_| "no way for a signal")?;
        let (_, exit) = drain(session).await;
        typing.abort();
        same("an exit", exit.is_some(), true)
    }
    "exec prints and passes its exit code" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let (out, _) = exec(bench, &id, &["echo", "in"]).await?;
        same("output", out.as_str(), "in\n")?;
        let (_, exit) = exec(bench, &id, &["sh", "-c", "exit 9"]).await?;
        same("exit", exit, Some(ProcessExit::Code(9)))
    }
    "exec in what does not run is refused" => |bench| {
        let id = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        let spec = ExecSpec { command: vec!["true".into()], ..ExecSpec::default() };
        fails_as("exec", bench.engine.exec(&id, spec).await, ErrorKind::Refused)
    }
    "exec of what is not in the image fails as such" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let spec = ExecSpec { command: vec!["no-such-command".into()], ..ExecSpec::default() };
        match bench.engine.exec(&id, spec).await {
            Err(error) => same("kind", error.kind(), ErrorKind::CommandNotFound),
            Ok(session) => same("exit", drain(session).await.1, Some(ProcessExit::Code(127))),
        }
    }
    "an attached client that never reads delays nobody" => |bench| {
        // Not faster: Podman 4.3 reads some 40,000 lines a second, and reads all that was printed before.
        let flood = "while true; do i=0; while [ $i -lt 4000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done; \
             sleep 0.02; done";
        let id = bench.running(&["sh", "-c", flood]).await.map_err(told)?;
        let options = AttachOptions { stdin: false, flow: Flow::Viewer, terminal: None };
        let unread = bench.engine.attach(&id, options).await;
        let last = || LogOptions { tail: Some(2000), ..LogOptions::default() };
        bench.until("more was printed than any pipe holds", || async {
            bench.log(&id, last()).await.is_ok_and(|lines| lines.len() == 2000)
        }).await?;
        let begun = std::time::Instant::now();
        bench.look(&id).await.map_err(told)?;
        bench.kill(&id, Signal::KILL).await.map_err(told)?;
        bench.remove(&id, Force::Yes).await.map_err(told)?;
        drop(unread);
        same("under 5 s", begun.elapsed().as_secs() < 5, true)
    }
    "the processes of a running container are listed" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let table = bench.engine.processes(&id).await.map_err(told)?;
        same("names the command", table.rows.iter().flatten().any(|cell| cell.contains("sleep")), true)
    }
    "inspect has Docker's shape" => |bench| {
        let spec = bench.spec(&["sleep", "1000"]);
        let name = spec.name.clone().unwrap().to_string();
        let id = bench.submit(Command::Run(Box::new(spec))).await.map_err(told)?.container.unwrap();
        let json = bench.engine.inspect_container(&id.clone().into()).await.map_err(told)?;
        same("Id", json["Id"].as_str(), Some(id.to_string().as_str()))?;
        same("Name", json["Name"].as_str().map(|found| found.trim_start_matches('/')), Some(name.as_str()))?;
        same("Running", json["State"]["Running"].as_bool(), Some(true))?;
        same("Status", json["State"]["Status"].as_str(), Some("running"))?;
        same("Image", json["Config"]["Image"].as_str(), Some(bench.image.as_str()))
    }
}

async fn exec(bench: &Bench, id: &ContainerId, command: &[&str]) -> Result<(String, Option<ProcessExit>), String> {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    let session = bench.engine.exec(id, ExecSpec { command, ..ExecSpec::default() }).await.map_err(told)?;
    Ok(drain(session).await)
}

/// Standard output as text, and the exit.
async fn drain(session: Session) -> (String, Option<ProcessExit>) {
    let Session { input, mut output } = session;
    let (mut out, mut exit) = (Vec::new(), None);
    while let Some(item) = output.recv().await {
        match item {
            SessionOutput::Stdout(bytes) => out.extend(bytes),
            SessionOutput::Exit(code) => exit = Some(code),
            SessionOutput::Stderr(_) | SessionOutput::Missed { .. } => {}
        }
    }
    drop(input);
    (String::from_utf8_lossy(&out).into_owned(), exit)
}
