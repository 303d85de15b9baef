//! Which signals does the interface hear, and what does it do about the ones that stop it?
//!
//! Deliberately elsewhere: the screen's part in that (`terminal`), headless verbs (`cli::signals`).

use tokio::sync::mpsc;

use super::{
    fault::{self, Part},
    message::{Message, QuitSignal},
};

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

/// The signals that are heard, from the moment of listening on.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: Heard,
    terminate: Heard,
    hang_up: Heard,
    quit: Heard,
    window: Heard,
    stop: Heard,
    go_on: Heard,
}

/// A handler that could not be installed never fires; the default action stays.
#[cfg(unix)]
type Heard = Option<tokio::signal::unix::Signal>;

#[cfg(unix)]
impl Signals {
    /// Takes the signals away from their default actions. Must be called inside a tokio runtime.
    #[must_use]
    pub fn listen() -> Self {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        // A signal that cannot be heard keeps its usual effect.
        let listen = |number: Signal| signal(SignalKind::from_raw(number.as_raw())).ok();
        Self {
            interrupt: listen(Signal::INT),
            terminate: listen(Signal::TERM),
            hang_up: listen(Signal::HUP),
            quit: listen(Signal::QUIT),
            window: listen(Signal::WINCH),
            stop: listen(Signal::TSTP),
            go_on: listen(Signal::CONT),
        }
    }

    /// Forwards signals until the loop ends.
    pub async fn forward(mut self, messages: mpsc::Sender<Message>, calls: mpsc::Sender<Call>) {
        async fn next(heard: &mut Heard) {
            match heard {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        loop {
            let sent = tokio::select! {
                () = next(&mut self.interrupt) => messages.send(Message::Signal(QuitSignal::Interrupt)).await.is_ok(),
                () = next(&mut self.terminate) => messages.send(Message::Signal(QuitSignal::Terminate)).await.is_ok(),
                () = next(&mut self.hang_up) => messages.send(Message::Signal(QuitSignal::Terminate)).await.is_ok(),
                () = next(&mut self.quit) => messages.send(Message::Signal(QuitSignal::Terminate)).await.is_ok(),
                () = next(&mut self.window) => calls.send(Call::Resize).await.is_ok(),
                () = next(&mut self.stop) => calls.send(Call::Stop).await.is_ok(),
                () = next(&mut self.go_on) => calls.send(Call::Continue).await.is_ok(),
            };
            fault::point(Part::Signals);
            if !sent {
                return;
            }
        }
    }
}

/// There is Ctrl-C only, which raw mode delivers as a key.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[must_use]
    pub fn listen() -> Self {
        Self
    }

    pub async fn forward(self, messages: mpsc::Sender<Message>, calls: mpsc::Sender<Call>) {
        let _keep = (messages, calls);
        std::future::pending().await
    }
}

/// Stops this process as the shell's job; returns when it is continued.
#[cfg(unix)]
pub fn stop_here() {
    // Not even the kernel refuses a process its own stop.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}

#[cfg(not(unix))]
pub fn stop_here() {}
