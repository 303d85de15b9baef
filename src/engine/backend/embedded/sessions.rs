//! How does a blocking connection to a process become channels? One thread for each of them.
//!
//! Deliberately elsewhere: the connection itself (`kernel::ProcessSession`).

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::kernel::{ProcessSession, SessionReader, SessionWriter};
use crate::engine::{
    backend::{InputReceiver, Session, session_input},
    core::limits,
    domain::{Error, ErrorKind, Result, SessionInput, SessionOutput},
    sync::{RingWriter, ring},
};

/// Joins `process` to channels. A reader that leaves hangs up; an input that closes only stops feeding.
/// Must be called inside a tokio runtime.
///
/// # Errors
/// `Io` when no thread can be started.
pub fn bridge(process: ProcessSession) -> Result<Session> {
    let (input, to_process) = session_input();
    let (from_process, output) = ring(limits::SESSION_ITEMS);
    let runtime = Handle::current();
    let hang_up = process.input.hang_up_handle();
    let departure = from_process.clone();
    let (over, ended) = oneshot::channel::<()>();
    spawn("wharf-session-output", move || {
        pump_output(process.output, &from_process, &runtime);
        drop(over);
    })?;
    let InputReceiver { bytes, control } = to_process;
    let controls = process.input.second();
    spawn("wharf-session-control", move || pump_input(controls, control))?;
    spawn("wharf-session-input", move || pump_input(process.input, bytes))?;
    tokio::spawn(async move {
        // Its own sender must go with the process's, or the receiver would never see the end.
        tokio::select! {
            () = departure.left() => hang_up.hang_up(),
            _ = ended => {}
        }
    });
    Ok(Session { input, output })
}

/// A session whose process nobody listens to: it is over at once.
#[must_use]
pub fn ended() -> Session {
    let (input, _) = session_input();
    let (_, output) = ring(1);
    Session { input, output }
}

fn pump_output(mut reader: Box<dyn SessionReader>, output: &RingWriter<SessionOutput>, runtime: &Handle) {
    // A broken connection and an ended one look the same to the client: no `Exit` came.
    while let Ok(Some(item)) = reader.receive() {
        let last = matches!(item, SessionOutput::Exit(_));
        if runtime.block_on(output.send(item)).is_err() || last {
            return;
        }
    }
}

fn pump_input(mut writer: Box<dyn SessionWriter>, mut input: mpsc::Receiver<SessionInput>) {
    while let Some(item) = input.blocking_recv() {
        if writer.send(item).is_err() {
            // The process or the connection is gone; the output side tells.
            return;
        }
    }
}

/// A named thread of our own: it may block for as long as the process lives, which the runtime's pool
/// must not.
///
/// # Errors
/// `Io` when the system has no more threads.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| Error::new(ErrorKind::Io, format!("no thread can be started: {error}")))
}
