//! How does a command reach the one task that may act on it? A bounded mailbox whose urgent messages overtake.
//!
//! Senders never wait: a full mailbox gives the message back. Messages of one kind keep their order. Deliberately
//! elsewhere: what overtakes (`supervisor::route`), what is done with it (`actor`).

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::primitives::{Mutex, MutexGuard, lock};

/// A mailbox with `room` for orderly messages and as many urgent ones.
#[must_use]
pub fn mailbox<T>(room: usize) -> (Sender<T>, Inbox<T>) {
    let state = State { urgent: VecDeque::new(), orderly: VecDeque::new(), senders: 1, read: true, waiting: None };
    let shared = Arc::new(Shared { room, state: Mutex::new(state) });
    (Sender { shared: Arc::clone(&shared) }, Inbox { shared })
}

/// The message comes back.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused<T> {
    Full(T),
    /// Nobody will ever read it.
    Closed(T),
}

/// Puts messages in. When the last one is dropped, the reader gets what is left and then the end.
#[derive(Debug)]
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// Takes messages out; there is one.
#[derive(Debug)]
pub struct Inbox<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    room: usize,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    urgent: VecDeque<T>,
    orderly: VecDeque<T>,
    senders: usize,
    /// The inbox is still there.
    read: bool,
    waiting: Option<Waker>,
}

impl<T> Sender<T> {
    /// # Errors
    /// The message, when the mailbox is full or its reader is gone.
    pub fn try_send(&self, message: T) -> Result<(), Refused<T>> {
        self.put(message, |state| &mut state.orderly)
    }

    /// Overtakes every orderly message that has not been read yet.
    ///
    /// # Errors
    /// As [`Sender::try_send`].
    pub fn try_send_urgent(&self, message: T) -> Result<(), Refused<T>> {
        self.put(message, |state| &mut state.urgent)
    }

    fn put(&self, message: T, queue: impl FnOnce(&mut State<T>) -> &mut VecDeque<T>) -> Result<(), Refused<T>> {
        let mut state = self.shared.lock();
        if !state.read {
            return Err(Refused::Closed(message));
        }
        let queue = queue(&mut state);
        if queue.len() >= self.shared.room {
            return Err(Refused::Full(message));
        }
        queue.push_back(message);
        wake(state);
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        if state.senders == 0 {
            wake(state);
        }
    }
}

impl<T> Inbox<T> {
    /// The next message; `None` once every sender is gone and everything is read. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    fn poll_recv(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = self.shared.lock();
        let next = state.urgent.pop_front().or_else(|| state.orderly.pop_front());
        if next.is_some() || state.senders == 0 {
            return Poll::Ready(next);
        }
        let before = state.waiting.replace(context.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.read = false;
        let left = (std::mem::take(&mut state.urgent), std::mem::take(&mut state.orderly), state.waiting.take());
        drop(state);
        drop(left);
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

/// Wakes the reader after the lock is released: waking may run anything.
fn wake<T>(mut state: MutexGuard<'_, State<T>>) {
    let waiting = state.waiting.take();
    drop(state);
    if let Some(waker) = waiting {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urgent_messages_overtake_and_each_kind_keeps_its_order() {
        let (sender, mut inbox) = mailbox(2);
        sender.try_send("one").unwrap();
        sender.try_send("two").unwrap();
        assert_eq!(sender.try_send("three"), Err(Refused::Full("three")));
        sender.try_send_urgent("kill").unwrap();
        sender.try_send_urgent("cancel").unwrap();
        assert_eq!(sender.try_send_urgent("again"), Err(Refused::Full("again")));
        drop(sender);
        let mut read = Vec::new();
        while let Some(message) = inbox.recv().await {
            read.push(message);
        }
        assert_eq!(read, ["kill", "cancel", "one", "two"]);
    }

    #[tokio::test]
    async fn a_reader_that_left_refuses_and_the_last_sender_ends_a_wait() {
        let (sender, inbox) = mailbox::<u8>(1);
        drop(inbox);
        assert_eq!(sender.try_send(1), Err(Refused::Closed(1)));
        let (sender, mut inbox) = mailbox::<u8>(1);
        let waiting = tokio::spawn(async move { inbox.recv().await });
        drop((sender.clone(), sender));
        assert_eq!(waiting.await.unwrap(), None);
    }
}
