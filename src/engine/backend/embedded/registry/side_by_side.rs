//! How are several transfers done at a time, and their results kept in order?
//!
//! Deliberately elsewhere: what is transferred (`push`).

use std::sync::{PoisonError, atomic::Ordering};

use crate::engine::{
    backend::embedded::machine::{Task, Threads},
    sync::primitives::{AtomicUsize, Mutex, lock},
};

/// Does `work` on every item, at most `width` at a time, and returns the results in the items' order. A panic in `work`
/// goes on in the caller.
pub fn side_by_side<T: Sync, R: Send>(
    threads: &dyn Threads,
    items: &[T],
    width: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    if items.len() <= 1 || width <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let worker = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return };
            let result = work(item);
            lock(&results).push((place, result));
        }
    };
    let workers = (0..width.min(items.len())).map(|_| Box::new(worker) as Task<'_>).collect();
    assert!(threads.together(workers).is_ok(), "a thread of a transfer panicked");
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::{Ordering, side_by_side};
    use crate::engine::backend::embedded::machine::OsThreads;

    #[test]
    fn results_keep_the_order_of_the_items_and_the_width_is_kept() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..100).collect();
        let results = side_by_side(&OsThreads, &items, 3, |item| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(results, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(most.into_inner() <= 3);
        assert!(side_by_side(&OsThreads, &[] as &[usize], 3, |item| *item).is_empty());
    }
}
