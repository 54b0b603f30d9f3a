//! One at a time by key: waking an account, loading a mailbox, upkeep.
//!
//! Whoever comes first gets a [`Turn`] and works; the others wait until it is dropped (also when the one working goes away in the
//! middle) and look again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

/// Takes a lock. What the lock guards is never left half changed: a panic of the fold happens outside of it, or marks the account.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keys that somebody works on, with those who wait for it.
#[derive(Debug)]
pub(crate) struct Gate<K>(Mutex<HashMap<K, Vec<oneshot::Sender<()>>>>);

impl<K> Default for Gate<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

/// The right to work on a key, until dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a, K: Copy + Eq + Hash> {
    gate: &'a Gate<K>,
    key: K,
}

impl<K: Copy + Eq + Hash> Gate<K> {
    /// A turn if nobody works on `key`; else waits until that is over and answers `None`: look again.
    pub(crate) async fn enter(&self, key: K) -> Option<Turn<'_, K>> {
        let over = {
            let mut busy = lock(&self.0);
            let Some(waiting) = busy.get_mut(&key) else {
                busy.insert(key, Vec::new());
                return Some(Turn { gate: self, key });
            };
            let (sender, over) = oneshot::channel();
            waiting.push(sender);
            over
        };
        // Nothing is ever sent: the end of the turn drops the sender.
        let _ = over.await;
        None
    }

    /// Waits for a turn however long it takes.
    pub(crate) async fn turn(&self, key: K) -> Turn<'_, K> {
        loop {
            if let Some(turn) = self.enter(key).await {
                return turn;
            }
        }
    }
}

impl<K: Copy + Eq + Hash> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        let waiting = lock(&self.gate.0).remove(&self.key);
        drop(waiting);
    }
}
