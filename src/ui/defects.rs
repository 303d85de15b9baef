//! What happens when a part of the program panics? The screen hears of it; only its own panic ends it.
//!
//! Deliberately elsewhere: giving the terminal back (`terminal`).

use std::{panic, sync::mpsc as thread_channel, thread};

use tokio::sync::mpsc;

use super::{message::Message, terminal};

/// Panics kept until somebody looks; more of them say nothing new.
const KEPT: usize = 16;

/// Where panics of other threads arrive.
#[derive(Debug)]
pub struct Defects {
    reports: thread_channel::Receiver<String>,
    wake: std::sync::Arc<tokio::sync::Notify>,
}

/// Installs a hook for this thread's and everybody else's panics. On this thread the terminal is given back before
/// the message is printed; a panic elsewhere ends one operation, not the screen, and prints nothing over it.
#[must_use]
pub fn install_hook() -> Defects {
    let (sender, reports) = thread_channel::sync_channel(KEPT);
    let wake = std::sync::Arc::new(tokio::sync::Notify::new());
    let (own, notify) = (thread::current().id(), std::sync::Arc::clone(&wake));
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == own {
            terminal::restore_now();
            default(info);
        } else {
            // A full queue has enough to tell.
            let _ = sender.try_send(info.to_string());
            notify.notify_one();
        }
    }));
    Defects { reports, wake }
}

/// What a panic said.
#[must_use]
pub fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a part of Wharf failed").to_owned()
}

impl Defects {
    /// Sends reports to the loop until it ends.
    pub async fn forward(self, messages: mpsc::Sender<Message>) {
        loop {
            self.wake.notified().await;
            while let Ok(report) = self.reports.try_recv() {
                if messages.send(Message::Defect(report)).await.is_err() {
                    return;
                }
            }
        }
    }
}
