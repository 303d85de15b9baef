//! How are our terminal and a process in a container joined? Keys in, bytes out, signals and sizes along, until the
//! process ends or the person leaves it.
//!
//! Deliberately elsewhere: getting the session (`verbs::{run, exec, attach}`), raw mode (`terminal`).

mod detach;
mod input;
pub mod terminal;

use std::{io, time::Duration};

use tokio::sync::mpsc::error::SendTimeoutError;

use self::{detach::Leave, input::InputThread};
use super::{
    printer::{Channel, Printer, stream::OutputThread},
    signals::{Signals, ends_a_verb},
};
use crate::engine::{
    Session,
    domain::{ProcessExit, SessionInput, SessionOutput, Signal},
};

/// After the exit the connection closes when nothing is left of an auto-removed container.
const CLOSING: Duration = Duration::from_secs(10);
/// Keys typed just before leaving still arrive: the session's other end gets so long to take them.
const LAST_KEYS: Duration = Duration::from_millis(100);
/// How long one piece of input waits for a process that does not read, before it is asked about signals again.
const INPUT_PATIENCE: Duration = Duration::from_millis(100);

/// How to join.
#[derive(Clone, Copy, Debug)]
pub struct Joining {
    /// Pass our standard input on.
    pub stdin: bool,
    /// The process has a terminal: raw mode, sizes, detach keys.
    pub tty: bool,
    pub signals: SignalsGo,
    pub from: JoinedFrom,
}

/// Where the person comes from and goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinedFrom {
    /// As with Docker's client: keys leave only a process that has a terminal; Ctrl-C reaches any other.
    Shell,
    /// There is always a way back to the screen, and no key that comes back may end the process: without a terminal
    /// of its own, Ctrl-C means to leave as well.
    Screen,
}

/// Where the signals that should end us go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalsGo {
    /// To the process; as with Docker's client the third one ends us instead.
    ToTheProcess,
    /// Nowhere: the host cannot pass them on (an exec of Docker's), so the first one ends us.
    ToUs,
}

impl SignalsGo {
    fn end_us_at(self) -> usize {
        match self {
            Self::ToTheProcess => 3,
            Self::ToUs => 1,
        }
    }
}

/// Why we parted.
#[derive(Debug)]
pub enum Parting {
    Exited(ProcessExit),
    /// Ctrl-p Ctrl-q; the process goes on.
    Detached,
    /// The connection broke.
    Lost,
    /// Our own output has no reader any more.
    OutputGone,
    /// The person insisted.
    Interrupted(Signal),
}

/// Joins until the end. The terminal is restored before this returns, also on a panic.
///
/// # Errors
/// When the terminal or a thread cannot be set up.
pub async fn join(
    mut session: Session,
    joining: Joining,
    printer: &mut Printer,
    signals: &mut Signals,
) -> io::Result<Parting> {
    printer.flush();
    let leave = match (joining.tty, joining.from) {
        (true, _) => Leave::CtrlPCtrlQ,
        (false, JoinedFrom::Screen) => Leave::CtrlPCtrlQOrCtrlC,
        (false, JoinedFrom::Shell) => Leave::NotByKeys,
    };
    let raw = match leave {
        Leave::CtrlPCtrlQ if joining.stdin => terminal::RawMode::enter()?,
        Leave::CtrlPCtrlQOrCtrlC if joining.stdin => terminal::RawMode::enter_lines()?,
        Leave::CtrlPCtrlQ | Leave::CtrlPCtrlQOrCtrlC | Leave::NotByKeys => None,
    };
    let mut input = match joining.stdin && !printer.is_captured() {
        true => Some(InputThread::start(session.input.clone(), leave)?),
        false => None,
    };
    signals.catch();
    let mut sink = Sink::open(printer)?;
    let parting = pump(&mut session, joining, &mut sink, signals, input.as_mut()).await;
    drop(input);
    let written = match &parting {
        Parting::Interrupted(_) => Ok(()),
        Parting::Exited(_) | Parting::Detached | Parting::Lost | Parting::OutputGone => {
            tokio::select! {
                written = sink.finish() => written,
                () = insisted(signals) => Ok(()),
            }
        }
    };
    if let Parting::Exited(_) = parting {
        // What comes after the exit is only the end of the connection; being late with that is no failure.
        let _ = tokio::time::timeout(CLOSING, async { while session.output.recv().await.is_some() {} }).await;
    }
    drop(raw);
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Parting::OutputGone),
        Err(error) => Err(error),
        Ok(()) => Ok(parting),
    }
}

async fn pump(
    session: &mut Session,
    joining: Joining,
    sink: &mut Sink<'_>,
    signals: &mut Signals,
    mut input: Option<&mut InputThread>,
) -> Parting {
    let mut insisting = 0;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => {
                if ends_a_verb(signal) {
                    insisting += 1;
                    if insisting >= joining.signals.end_us_at() {
                        return Parting::Interrupted(signal);
                    }
                }
                pass_on(session, joining, signal).await;
            }
            output = session.output.recv() => match output {
                Some(SessionOutput::Stdout(bytes)) => if !sink.write(Channel::Out, bytes).await { return Parting::OutputGone },
                Some(SessionOutput::Stderr(bytes)) => if !sink.write(Channel::Err, bytes).await { return Parting::OutputGone },
                Some(SessionOutput::Missed { bytes }) => {
                    let remark = format!("[wharf: {bytes} bytes missed]\r\n").into_bytes();
                    if !sink.write(Channel::Err, remark).await { return Parting::OutputGone }
                }
                Some(SessionOutput::Exit(exit)) => return Parting::Exited(exit),
                None => return Parting::Lost,
            },
            () = detached(&mut input) => {
                // Nobody looks at what is printed meanwhile; the container's log has it.
                let last = async { while session.output.recv().await.is_some() {} };
                // Running out is how this ends as a rule.
                let _ = tokio::time::timeout(LAST_KEYS, last).await;
                return Parting::Detached;
            }
        }
    }
}

async fn detached(input: &mut Option<&mut InputThread>) {
    match input {
        Some(input) => input.detached().await,
        None => std::future::pending().await,
    }
}

async fn insisted(signals: &mut Signals) {
    while !ends_a_verb(signals.next().await) {}
}

/// Sends a signal or the new size along. A process that takes no input does not hold us: it is dropped then, and
/// the person may insist.
async fn pass_on(session: &Session, joining: Joining, signal: Signal) {
    let item = match (signal, joining.tty) {
        (Signal::WINCH, true) => match terminal::size() {
            Some(size) => SessionInput::Resize(size),
            None => return,
        },
        (Signal::WINCH, false) => return,
        (signal, _) => SessionInput::Signal(signal),
    };
    match session.input.send_timeout(item, INPUT_PATIENCE).await {
        Ok(()) | Err(SendTimeoutError::Timeout(_) | SendTimeoutError::Closed(_)) => {}
    }
}

/// Where the process's output goes.
enum Sink<'a> {
    Thread(Option<OutputThread>),
    Captured(&'a mut Printer),
}

impl<'a> Sink<'a> {
    fn open(printer: &'a mut Printer) -> io::Result<Self> {
        if printer.is_captured() {
            Ok(Self::Captured(printer))
        } else {
            OutputThread::start().map(Some).map(Self::Thread)
        }
    }

    async fn write(&mut self, channel: Channel, bytes: Vec<u8>) -> bool {
        match self {
            Self::Thread(Some(thread)) => thread.write(channel, bytes).await,
            Self::Thread(None) => false,
            Self::Captured(printer) => {
                printer.bytes(channel, &bytes);
                true
            }
        }
    }

    async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Thread(thread) => match thread.take() {
                Some(thread) => thread.finish().await,
                None => Ok(()),
            },
            Self::Captured(_) => Ok(()),
        }
    }
}
