//! What does a process in the fake engine do? A dozen well-known commands, nothing else.
//!
//! Deliberately elsewhere: life-cycle records (`answers`).

use std::time::Duration;

use tokio::sync::mpsc;

use super::FakeHost;
use crate::engine::{
    backend::{Notice, OperationContext, Session},
    core::limits,
    domain::*,
    sync::{RingWriter, task, time},
};

/// Longer than any test.
const FOREVER: Duration = Duration::from_secs(1_000_000);

/// A running fake process: signals go in, its exit is recorded by its task.
pub struct Process {
    pub signals: mpsc::Sender<Signal>,
    /// `None` once a client half-closed it.
    pub stdin: Option<mpsc::Sender<Vec<u8>>>,
}

/// What a command will do.
#[derive(Clone, Debug, PartialEq)]
pub enum Program {
    /// Print lines, then exit.
    Print {
        lines: Vec<String>,
        code: i32,
    },
    Sleep {
        lines: Vec<String>,
        time: Duration,
        ignores_term: bool,
    },
    /// Print more than any channel holds, then run on.
    Flood,
    /// Copy standard input to standard output until its end.
    Cat,
}

impl Program {
    /// # Errors
    /// `CommandNotFound` for anything not listed here, as a container without that file would say.
    pub fn of(command: &[String]) -> Result<Self> {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let print = |lines: Vec<String>, code| Ok(Self::Print { lines, code });
        match words.as_slice() {
            ["true"] => print(Vec::new(), 0),
            ["false"] => print(Vec::new(), 1),
            ["echo", rest @ ..] => print(vec![rest.join(" ")], 0),
            ["cat"] => Ok(Self::Cat),
            ["sleep", seconds] => Ok(Self::Sleep { lines: Vec::new(), time: seconds_of(seconds), ignores_term: true }),
            [_, "__demo", "finisher" | "burst"] => print(vec!["all done".to_owned()], 0),
            [_, "__demo", "failer"] => print(vec!["fatal".to_owned()], 1),
            [_, "__demo", _] => {
                Ok(Self::Sleep { lines: vec!["working".to_owned()], time: FOREVER, ignores_term: false })
            }
            ["sh", "-c", script] => Self::of_script(script),
            _ => Err(Error::new(
                ErrorKind::CommandNotFound,
                format!("{} is not in the image", words.first().copied().unwrap_or("the empty command")),
            )),
        }
    }

    /// `exit N`, `echo X; exit N`, `trap ... TERM; ...` in front of a sleep.
    fn of_script(script: &str) -> Result<Self> {
        let mut lines = Vec::new();
        let mut ignores_term = true;
        for part in script.split(';').map(str::trim) {
            if let Some(code) = part.strip_prefix("exit ") {
                return Ok(Self::Print { lines, code: code.parse().unwrap_or(0) });
            } else if let Some(line) = part.strip_prefix("echo ") {
                lines.push(line.to_owned());
            } else if part.starts_with("trap 'exit") {
                ignores_term = false;
            } else if part.starts_with("while true") {
                return Ok(Self::Flood);
            } else if let Some(seconds) = part.strip_prefix("sleep ") {
                return Ok(Self::Sleep { lines, time: seconds_of(seconds), ignores_term });
            }
        }
        Ok(Self::Print { lines, code: 0 })
    }
}

fn seconds_of(text: &str) -> Duration {
    text.trim_end_matches("& wait").trim().parse().map_or(Duration::from_secs(1), Duration::from_secs_f64)
}

/// Runs a program to its end. `emit` receives its output; as init it ignores TERM unless it traps it.
pub async fn run(
    program: Program,
    mut signals: mpsc::Receiver<Signal>,
    mut stdin: mpsc::Receiver<Vec<u8>>,
    mut emit: impl FnMut(&[u8]),
) -> ProcessExit {
    match program {
        Program::Print { lines, code } => {
            for line in lines {
                emit(line.as_bytes());
            }
            ProcessExit::Code(code)
        }
        Program::Sleep { lines, time, ignores_term } => {
            for line in lines {
                emit(line.as_bytes());
            }
            let end = time::sleep(time);
            tokio::pin!(end);
            loop {
                tokio::select! {
                    () = &mut end => return ProcessExit::Code(0),
                    Some(signal) = signals.recv() => {
                        if let Some(code) = fatal(signal, ignores_term) {
                            return ProcessExit::Code(code);
                        }
                    }
                }
            }
        }
        Program::Flood => {
            for _ in 0..5000 {
                emit(b"x");
            }
            loop {
                if let Some(code) = signals.recv().await.and_then(|signal| fatal(signal, true)) {
                    return ProcessExit::Code(code);
                }
            }
        }
        Program::Cat => loop {
            tokio::select! {
                bytes = stdin.recv() => match bytes {
                    Some(bytes) => emit(bytes.strip_suffix(b"\n").unwrap_or(&bytes)),
                    None => return ProcessExit::Code(0),
                },
                Some(signal) = signals.recv() => {
                    if let Some(code) = fatal(signal, true) {
                        return ProcessExit::Code(code);
                    }
                }
            }
        },
    }
}

/// The exit code that a signal causes, if it ends the process. pid_namespaces(7): init has no default actions.
fn fatal(signal: Signal, ignores_term: bool) -> Option<i32> {
    if signal == Signal::KILL {
        Some(137)
    } else if signal == Signal::TERM && !ignores_term {
        Some(0)
    } else {
        None
    }
}

impl FakeHost {
    /// Starts the container's process as a task that records its output and its end.
    pub(super) fn spawn_process(
        &self,
        id: &ContainerId,
        program: Program,
        emit_too: Option<RingWriter<SessionOutput>>,
    ) {
        let (signals, incoming) = mpsc::channel(16);
        let (stdin, input) = mpsc::channel(16);
        if let Some(entry) = self.world().containers.get_mut(id) {
            entry.process = Some(Process { signals, stdin: Some(stdin) });
            entry.exit.send_replace(None);
        }
        let host = self.clone();
        let id = id.clone();
        task::spawn(async move {
            let printer = host.clone();
            let printed = id.clone();
            let emit = |line: &[u8]| {
                printer.print(&printed, LogSource::Stdout, line);
                if let Some(session) = &emit_too {
                    let mut bytes = line.to_vec();
                    bytes.push(b'\n');
                    // A full session is the client's loss; the log has it.
                    let _ = session.offer(SessionOutput::Stdout(bytes));
                }
            };
            let exit = run(program, incoming, input, emit).await;
            host.process_ended(&id, exit);
            if let Some(session) = emit_too {
                // The client may have left.
                let _ = session.send(SessionOutput::Exit(exit)).await;
            }
        });
    }

    /// Starts it, whoever asked; `wanted` attaches.
    pub(super) fn start_now(&self, id: &ContainerId, wanted: bool) -> Result<Option<Session>> {
        let (program, status) = {
            let world = self.world();
            let entry = world.containers.get(id).ok_or_else(|| Error::no_such_container(id))?;
            (Program::of(&entry.spec.command), entry.container.status())
        };
        assert!(matches!(status, Status::Created | Status::Exited), "start was admitted from {status}");
        let program = match program {
            Ok(program) => program,
            Err(error) => {
                self.change(id, |container, _| container.state.reason = Some(error.reason().to_owned()));
                if self.world().containers.get(id).is_some_and(|entry| entry.spec.auto_remove) {
                    self.world().containers.remove(id);
                    self.notify(Notice::Container(id.clone()));
                }
                return Err(error);
            }
        };
        self.change(id, |container, now| {
            container.state = ContainerState {
                status: Status::Running,
                pid: Some(4242),
                started: Some(now),
                ..ContainerState::created()
            };
        });
        self.happened(id, EventAction::Start, &[]);
        let (output, session) = self.session(id, wanted);
        self.spawn_process(id, program, output);
        Ok(session)
    }

    /// Signal, grace, KILL.
    pub(super) async fn stop_now(&self, id: &ContainerId, options: &StopOptions, context: &OperationContext) -> Done {
        let Some(mut exit) = self.signal(id, options.signal.unwrap_or(Signal::TERM)) else {
            return Done::already_so();
        };
        let grace = options.grace.map_or(limits::STOP_GRACE, |grace| grace.0);
        context.step("sent the stop signal");
        let ended = time::timeout(grace, exit.wait_for(Option::is_some)).await.is_ok();
        if !ended {
            self.signal(id, Signal::KILL);
            // The sender lives as long as the container; a removed one has ended.
            let _ = exit.wait_for(Option::is_some).await;
        }
        self.happened(id, EventAction::Stop, &[]);
        Done::default()
    }

    fn process_ended(&self, id: &ContainerId, exit: ProcessExit) {
        let code = match exit {
            ProcessExit::Code(code) => Some(code),
            ProcessExit::Unknown => None,
        };
        self.change(id, |container, now| {
            container.state.status = Status::Exited;
            container.state.pid = None;
            container.state.exit_code = code;
            container.state.finished = Some(now);
        });
        let mut auto_remove = false;
        let restarting = self.world().mutating.get(id) == Some(&Verb::Restart);
        if let Some(entry) = self.world().containers.get_mut(id) {
            entry.process = None;
            auto_remove = entry.spec.auto_remove && !restarting;
            entry.exit.send_replace(Some(exit));
            entry.log_grown.send_modify(|_| ());
        }
        self.happened(id, EventAction::Die, &[("exitCode", code.unwrap_or(-1).to_string())]);
        if auto_remove {
            self.happened(id, EventAction::Destroy, &[]);
            self.world().containers.remove(id);
            self.notify(Notice::Container(id.clone()));
        }
    }
}
