//! Which signals reach a headless verb, and how does the program die of one?
//!
//! Deliberately elsewhere: what a verb does about them (cancel in `verbs::change`, pass on in `attached`).

use tokio_util::sync::CancellationToken;

use crate::engine::domain::Signal;

/// Where a verb hears that it should end.
#[derive(Debug)]
pub enum Signals {
    /// This process's own; handlers are installed when first asked for.
    Process(Option<Caught>),
    /// A line of a script: the script hears the signals and cancels its lines.
    Line { stop: CancellationToken, told: bool },
}

impl Signals {
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::Process(None)
    }

    #[must_use]
    pub fn of_line(stop: CancellationToken) -> Self {
        Self::Line { stop, told: false }
    }

    /// Takes the signals away from their default of ending the program at once.
    pub fn catch(&mut self) {
        match self {
            Self::Process(caught @ None) => *caught = Caught::install(),
            Self::Process(Some(_)) | Self::Line { .. } => {}
        }
    }

    /// The next one; never comes when there is nobody to send any. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        self.catch();
        match self {
            Self::Process(Some(caught)) => caught.next().await,
            Self::Process(None) => std::future::pending().await,
            Self::Line { told: true, .. } => std::future::pending().await,
            Self::Line { stop, told } => {
                stop.cancelled().await;
                *told = true;
                Signal::INT
            }
        }
    }
}

/// Installed handlers.
#[cfg(unix)]
#[derive(Debug)]
pub struct Caught(Vec<(Signal, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl Caught {
    const PASSED_ON: [Signal; 7] =
        [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::WINCH];

    fn install() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let install = |wanted: Signal| Some((wanted, signal(kind_of(wanted)).ok()?)); // Without a handler the default stays.
        fn kind_of(signal: Signal) -> SignalKind {
            match signal {
                Signal::INT => SignalKind::interrupt(),
                Signal::TERM => SignalKind::terminate(),
                Signal::HUP => SignalKind::hangup(),
                Signal::QUIT => SignalKind::quit(),
                Signal::USR1 => SignalKind::user_defined1(),
                Signal::USR2 => SignalKind::user_defined2(),
                Signal::WINCH => SignalKind::window_change(),
                other => SignalKind::from_raw(other.number()),
            }
        }
        let caught: Vec<_> = Self::PASSED_ON.into_iter().filter_map(install).collect();
        (!caught.is_empty()).then_some(Self(caught))
    }

    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            for (signal, stream) in &mut self.0 {
                if let std::task::Poll::Ready(Some(())) = stream.poll_recv(context) {
                    return std::task::Poll::Ready(*signal);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// Ctrl-C, the only one there is.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Caught;

#[cfg(not(unix))]
impl Caught {
    fn install() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::INT,
            Err(_) => std::future::pending().await, // No handler: the default ends the program.
        }
    }
}

/// Whether a verb should end because of it. The others mean something only to an attached process.
#[must_use]
pub fn ends_a_verb(signal: Signal) -> bool {
    matches!(signal, Signal::INT | Signal::TERM | Signal::HUP | Signal::QUIT)
}

/// Dies of `signal` as if it had never been caught, so that the parent sees why. Returns where that is not possible.
pub fn die_of(signal: Signal) {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: both calls take plain integers; restoring the default disposition runs no code of ours, and
        // nothing in this process depends on the handler any more.
        unsafe {
            libc::signal(signal.number(), libc::SIG_DFL);
            libc::raise(signal.number());
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = signal; // The exit code alone says it there.
}
