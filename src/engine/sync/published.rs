//! How do many readers see the newest state without ever holding up its writer? A published value: newest wins.
//!
//! A reader that was asleep has missed nothing but what is past. Deliberately elsewhere: what is published
//! (`supervisor::observer`).

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::primitives::{Mutex, lock};

/// A value, its one writer and its first reader, who has seen it.
#[must_use]
pub fn published<T>(value: T) -> (Publisher<T>, Reader<T>) {
    let cell = Cell { value: Arc::new(value), version: 0, open: true, waiting: Vec::new(), readers: 1 };
    let cell = Arc::new(Mutex::new(cell));
    (Publisher { cell: Arc::clone(&cell) }, Reader { cell, number: 0, seen: 0 })
}

/// The writer is gone and its last value has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Replaces the value; there is one.
#[derive(Debug)]
pub struct Publisher<T> {
    cell: Arc<Mutex<Cell<T>>>,
}

/// Sees the newest value. A clone has seen what its original has seen.
#[derive(Debug)]
pub struct Reader<T> {
    cell: Arc<Mutex<Cell<T>>>,
    number: u64,
    seen: u64,
}

#[derive(Debug)]
struct Cell<T> {
    value: Arc<T>,
    version: u64,
    open: bool,
    /// At most one for each reader.
    waiting: Vec<(u64, Waker)>,
    /// How many were ever made.
    readers: u64,
}

impl<T> Publisher<T> {
    /// Shows `value` to everybody. Never waits for a reader.
    pub fn publish(&self, value: T) {
        let value = Arc::new(value);
        let mut cell = lock(&self.cell);
        let before = std::mem::replace(&mut cell.value, value);
        cell.version += 1;
        let waiting = std::mem::take(&mut cell.waiting);
        drop(cell);
        drop(before);
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// What was published last.
    #[must_use]
    pub fn newest(&self) -> Arc<T> {
        Arc::clone(&lock(&self.cell).value)
    }
}

impl<T> Drop for Publisher<T> {
    fn drop(&mut self) {
        let mut cell = lock(&self.cell);
        cell.open = false;
        let waiting = std::mem::take(&mut cell.waiting);
        drop(cell);
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl<T> Reader<T> {
    /// The newest value, which counts as seen from now on.
    pub fn newest(&mut self) -> Arc<T> {
        let cell = lock(&self.cell);
        self.seen = cell.version;
        Arc::clone(&cell.value)
    }

    /// Waits for a value that has not been seen and returns it. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When there will never be another one.
    pub async fn next(&mut self) -> Result<Arc<T>, Closed> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The newest value when it is so, else the first later one that is.
    ///
    /// # Errors
    /// When there will never be one.
    pub async fn wait_for(&mut self, mut holds: impl FnMut(&T) -> bool) -> Result<Arc<T>, Closed> {
        let mut value = self.newest();
        while !holds(&value) {
            value = self.next().await?;
        }
        Ok(value)
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Result<Arc<T>, Closed>> {
        let mut cell = lock(&self.cell);
        if cell.version != self.seen {
            self.seen = cell.version;
            return Poll::Ready(Ok(Arc::clone(&cell.value)));
        }
        if !cell.open {
            return Poll::Ready(Err(Closed));
        }
        let own = cell.waiting.iter_mut().find(|(number, _)| *number == self.number);
        let before = match own {
            Some((_, waker)) => Some(std::mem::replace(waker, context.waker().clone())),
            None => {
                cell.waiting.push((self.number, context.waker().clone()));
                None
            }
        };
        drop(cell);
        drop(before);
        Poll::Pending
    }
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        let mut cell = lock(&self.cell);
        let number = cell.readers;
        cell.readers += 1;
        Self { cell: Arc::clone(&self.cell), number, seen: self.seen }
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut cell = lock(&self.cell);
        let own = cell.waiting.iter().position(|(number, _)| *number == self.number);
        let waiting = own.map(|at| cell.waiting.swap_remove(at));
        drop(cell);
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_slept_sees_the_newest_value_once_and_then_the_end() {
        let (publisher, mut reader) = published(0);
        publisher.publish(1);
        publisher.publish(2);
        assert_eq!(reader.next().await.map(|value| *value), Ok(2));
        let mut late = reader.clone();
        let waiting = tokio::spawn(async move { late.wait_for(|value| *value > 2).await.map(|value| *value) });
        publisher.publish(3);
        assert_eq!(waiting.await.unwrap(), Ok(3));
        assert_eq!(*publisher.newest(), 3);
        drop(publisher);
        assert_eq!(reader.next().await.map(|value| *value), Ok(3));
        assert_eq!(reader.next().await, Err(Closed));
    }
}
