//! Who in this process does what many want done once? The first who asks; the others wait and then look again.
//!
//! A waiter that gets the lead after the first one must look whether the work is done: it may have failed.
//! Deliberately elsewhere: excluding other processes (`lock`), what the work is (`images`).

use std::{collections::HashSet, hash::Hash, sync::Arc, time::Duration};

use super::primitives::{Condvar, Mutex, lock, wait_a_while};

/// A waiter asks this often whether it is still wanted.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The work under way, by what it makes.
#[derive(Debug)]
pub struct Flights<K> {
    table: Arc<Table<K>>,
}

/// The right to do the work; the next one gets it when this is dropped, after success and failure alike.
#[derive(Debug)]
pub struct Lead<K: Eq + Hash> {
    key: K,
    table: Arc<Table<K>>,
}

#[derive(Debug)]
struct Table<K> {
    leading: Mutex<HashSet<K>>,
    ended: Condvar,
}

impl<K: Clone + Eq + Hash> Flights<K> {
    /// Waits until nobody else does this work. `waiting` is called once, before the first wait.
    ///
    /// # Errors
    /// What `check` says; it is asked before and, now and then, during a wait.
    pub fn lead<E>(&self, key: &K, check: &dyn Fn() -> Result<(), E>, waiting: &mut dyn FnMut()) -> Result<Lead<K>, E> {
        check()?;
        let mut leading = lock(&self.table.leading);
        let mut told = false;
        while leading.contains(key) {
            if !std::mem::replace(&mut told, true) {
                drop(leading);
                waiting();
                leading = lock(&self.table.leading);
                continue;
            }
            leading = wait_a_while(&self.table.ended, leading, LOOK_AGAIN);
            drop(leading);
            check()?;
            leading = lock(&self.table.leading);
        }
        leading.insert(key.clone());
        Ok(Lead { key: key.clone(), table: Arc::clone(&self.table) })
    }
}

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self { table: Arc::new(Table { leading: Mutex::new(HashSet::new()), ended: Condvar::new() }) }
    }
}

impl<K> Clone for Flights<K> {
    fn clone(&self) -> Self {
        Self { table: Arc::clone(&self.table) }
    }
}

impl<K: Eq + Hash> Drop for Lead<K> {
    fn drop(&mut self) {
        lock(&self.table.leading).remove(&self.key);
        self.table.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiter_that_is_not_wanted_any_more_leaves_and_another_key_never_waits() {
        let flights = Flights::default();
        let fine: &dyn Fn() -> Result<(), &'static str> = &|| Ok(());
        let lead = flights.lead(&"a", fine, &mut || {}).unwrap();
        let _other = flights.lead(&"b", fine, &mut || panic!("nobody leads b")).unwrap();
        let mut told = 0;
        let asked = std::cell::Cell::new(0);
        let unwanted = || {
            asked.set(asked.get() + 1);
            if asked.get() > 1 { Err("cancelled") } else { Ok(()) }
        };
        assert_eq!(flights.lead(&"a", &unwanted, &mut || told += 1).unwrap_err(), "cancelled");
        assert_eq!(told, 1);
        drop(lead);
        flights.lead(&"a", fine, &mut || panic!("nobody leads any more")).unwrap();
    }
}
