//! Which signals does the interface hear, and what does it do about the ones that stop it?
//!
//! Deliberately elsewhere: the screen's part in that (`terminal`), headless verbs (`cli::signals`).

use tokio::sync::mpsc;

use super::message::{Message, QuitSignal};

/// What a signal asks of the loop beyond messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// SIGTSTP: give the terminal back and stop.
    Stop,
    /// SIGCONT after a stop that nobody announced: what the terminal shows is unknown.
    Continue,
    /// SIGWINCH.
    Resize,
}

/// Forwards signals until the loop ends.
#[cfg(unix)]
pub async fn forward(messages: mpsc::Sender<Message>, calls: mpsc::Sender<Call>) {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn next(signal: &mut Option<Signal>) {
        match signal {
            Some(signal) => drop(signal.recv().await),
            // A handler that could not be installed never fires; the default action stays.
            None => std::future::pending().await,
        }
    }
    let listen = |kind: SignalKind| signal(kind).ok();
    let mut interrupt = listen(SignalKind::interrupt());
    let mut terminate = listen(SignalKind::terminate());
    let mut hang_up = listen(SignalKind::hangup());
    let mut quit = listen(SignalKind::quit());
    let mut window = listen(SignalKind::window_change());
    let mut stop = listen(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()));
    let mut go_on = listen(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()));
    loop {
        let sent = tokio::select! {
            () = next(&mut interrupt) => messages.send(Message::Signal(QuitSignal::Interrupt)).await.is_ok(),
            () = next(&mut terminate) => messages.send(Message::Signal(QuitSignal::Terminate)).await.is_ok(),
            () = next(&mut hang_up) => messages.send(Message::Signal(QuitSignal::Terminate)).await.is_ok(),
            () = next(&mut quit) => messages.send(Message::Signal(QuitSignal::Terminate)).await.is_ok(),
            () = next(&mut window) => calls.send(Call::Resize).await.is_ok(),
            () = next(&mut stop) => calls.send(Call::Stop).await.is_ok(),
            () = next(&mut go_on) => calls.send(Call::Continue).await.is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// There is Ctrl-C only, which raw mode delivers as a key.
#[cfg(not(unix))]
pub async fn forward(messages: mpsc::Sender<Message>, calls: mpsc::Sender<Call>) {
    let _keep = (messages, calls);
    std::future::pending().await
}

/// Stops this process as the shell's job; returns when it is continued.
#[cfg(unix)]
pub fn stop_here() {
    // Not even the kernel refuses a process its own stop.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}

#[cfg(not(unix))]
pub fn stop_here() {}
