//! How does output reach a reader that may be slower than what prints it? A bounded ring that counts what it dropped.
//!
//! Offering never waits: what finds no room is dropped and counted, and the count stands in its place. A writer that
//! must lose nothing waits for room first. Deliberately elsewhere: who may make a workload wait (`backend`).

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::primitives::{Mutex, MutexGuard, lock};

/// Something that can be dropped and counted.
pub trait Piece {
    /// How much is lost with it.
    fn weight(&self) -> u64;

    /// What stands in the place of pieces that weighed so much.
    fn missed(weight: u64) -> Self;
}

/// A ring with room for so many pieces.
#[must_use]
pub fn ring<T: Piece>(room: usize) -> (RingWriter<T>, RingReader<T>) {
    let state = State {
        pieces: VecDeque::new(),
        missed: 0,
        writers: 1,
        made: 1,
        read: true,
        reader: None,
        waiting: Vec::new(),
    };
    let shared = Arc::new(Shared { room, state: Mutex::new(state) });
    (RingWriter { shared: Arc::clone(&shared), number: 0 }, RingReader { shared })
}

/// The reader is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left;

/// Puts pieces in. When the last one is dropped, the reader gets what is left and then the end.
#[derive(Debug)]
pub struct RingWriter<T> {
    shared: Arc<Shared<T>>,
    number: u64,
}

/// Takes pieces out; there is one.
#[derive(Debug)]
pub struct RingReader<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    room: usize,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    pieces: VecDeque<T>,
    /// Dropped since the last piece that was taken.
    missed: u64,
    writers: usize,
    made: u64,
    read: bool,
    reader: Option<Waker>,
    /// Writers that wait, at most once each.
    waiting: Vec<(u64, Waker)>,
}

impl<T: Piece> RingWriter<T> {
    /// Puts the piece in, or drops and counts it when there is no room. Never waits.
    ///
    /// # Errors
    /// When nobody will read it.
    pub fn offer(&self, piece: T) -> Result<(), Left> {
        let mut state = lock(&self.shared.state);
        if !state.read {
            drop(state);
            return Err(Left);
        }
        if state.pieces.len() >= self.shared.room {
            state.missed += piece.weight();
            drop(state);
            return Ok(());
        }
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            state.pieces.push_back(T::missed(missed));
        }
        state.pieces.push_back(piece);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Waits until an offer finds room. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the reader is gone.
    pub async fn room(&self) -> Result<(), Left> {
        let room = self.shared.room;
        poll_fn(|context| self.poll_until(context, |state| state.pieces.len() < room)).await
    }

    /// Waits for room, then puts the piece in. With several writers another one may take the room, and it is dropped.
    ///
    /// # Errors
    /// When the reader is gone.
    pub async fn send(&self, piece: T) -> Result<(), Left> {
        self.room().await?;
        self.offer(piece)
    }

    /// Waits until the reader is gone.
    pub async fn left(&self) {
        // The only end of a wait without a goal.
        let _ = poll_fn(|context| self.poll_until(context, |_| false)).await;
    }

    fn poll_until(&self, context: &Context<'_>, goal: impl Fn(&State<T>) -> bool) -> Poll<Result<(), Left>> {
        let mut state = lock(&self.shared.state);
        if !state.read {
            return Poll::Ready(Err(Left));
        }
        if goal(&state) {
            return Poll::Ready(Ok(()));
        }
        let own = state.waiting.iter_mut().find(|(number, _)| *number == self.number);
        let before = match own {
            Some((_, waker)) => Some(std::mem::replace(waker, context.waker().clone())),
            None => {
                state.waiting.push((self.number, context.waker().clone()));
                None
            }
        };
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl<T> Clone for RingWriter<T> {
    fn clone(&self) -> Self {
        let mut state = lock(&self.shared.state);
        state.writers += 1;
        let number = state.made;
        state.made += 1;
        drop(state);
        Self { shared: Arc::clone(&self.shared), number }
    }
}

impl<T> Drop for RingWriter<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.writers -= 1;
        let own = state.waiting.iter().position(|(number, _)| *number == self.number);
        let waiting = own.map(|at| state.waiting.swap_remove(at));
        let reader = if state.writers == 0 { state.reader.take() } else { None };
        drop(state);
        drop(waiting);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl<T: Piece> RingReader<T> {
    /// The next piece; `None` once every writer is gone and everything is read. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// How many pieces wait.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.shared.state).pieces.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the next offer would be dropped.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= self.shared.room
    }

    fn poll_recv(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.shared.state);
        if let Some(piece) = state.pieces.pop_front() {
            wake_all(state);
            return Poll::Ready(Some(piece));
        }
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            return Poll::Ready(Some(T::missed(missed)));
        }
        if state.writers == 0 {
            return Poll::Ready(None);
        }
        let before = state.reader.replace(context.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl<T> Drop for RingReader<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        state.read = false;
        let left = (std::mem::take(&mut state.pieces), state.reader.take());
        wake_all(state);
        drop(left);
    }
}

fn wake_all<T>(mut state: MutexGuard<'_, State<T>>) {
    let waiting = std::mem::take(&mut state.waiting);
    drop(state);
    waiting.into_iter().for_each(|(_, waker)| waker.wake());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    enum Line {
        Text(&'static str),
        Missed(u64),
    }

    impl Piece for Line {
        fn weight(&self) -> u64 {
            1
        }

        fn missed(weight: u64) -> Self {
            Self::Missed(weight)
        }
    }

    #[tokio::test]
    async fn what_finds_no_room_is_counted_in_its_place() {
        let (writer, mut reader) = ring(2);
        for text in ["a", "b", "c", "d"] {
            writer.offer(Line::Text(text)).unwrap();
        }
        assert_eq!(reader.recv().await, Some(Line::Text("a")));
        writer.offer(Line::Text("e")).unwrap();
        writer.offer(Line::Text("f")).unwrap();
        drop(writer);
        let mut rest = Vec::new();
        while let Some(line) = reader.recv().await {
            rest.push(line);
        }
        assert_eq!(rest, [Line::Text("b"), Line::Missed(2), Line::Text("e"), Line::Missed(1)]);
    }

    #[tokio::test]
    async fn a_writer_that_waits_for_room_loses_nothing_and_learns_that_the_reader_left() {
        let (writer, mut reader) = ring(1);
        let writing = tokio::spawn(async move {
            for text in ["a", "b", "c"] {
                writer.send(Line::Text(text)).await?;
            }
            writer.left().await;
            writer.send(Line::Text("d")).await
        });
        for text in ["a", "b", "c"] {
            assert_eq!(reader.recv().await, Some(Line::Text(text)));
        }
        drop(reader);
        assert_eq!(writing.await.unwrap(), Err(Left));
    }
}
