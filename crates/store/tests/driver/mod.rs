//! Drives a store from a plain thread: waits for its answers and says the usual things in few words.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bytes::Bytes;
use store::{AccountKey, AppendClass, AppendError, BlobId, Section, Store};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

pub const ANN: AccountKey = AccountKey(7);
pub const BEN: AccountKey = AccountKey(8);

pub fn append(
    store: &dyn Store,
    account: AccountKey,
    expected: u64,
    no: u64,
    entry: &str,
) -> Result<(), AppendError> {
    let entry = Bytes::copy_from_slice(entry.as_bytes());
    wait(store.append(account, expected, no, entry, AppendClass::Grow))
}

/// The entries after `after`, as text.
pub fn read(store: &dyn Store, account: AccountKey, after: u64) -> Vec<(u64, String)> {
    let entries = wait(store.read(account, after, usize::MAX)).unwrap();
    entries.into_iter().map(|entry| (entry.no, String::from_utf8(entry.bytes.to_vec()).unwrap())).collect()
}

pub fn section(store: &dyn Store, id: BlobId, section: Section) -> Bytes {
    wait(store.blob(id, section, 0..u64::MAX)).unwrap()
}

/// Bytes that compress well in part and not at all in part, so that both ways of keeping a block occur: by turns of 128 KiB, and
/// beginning with what compresses if `seed` is even.
pub fn sample(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut sample = Vec::with_capacity(bytes);
    while sample.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if ((sample.len() >> 17) as u64).wrapping_add(seed).is_multiple_of(2) {
            sample.extend_from_slice(b"Received: from somewhere by elsewhere; ");
        } else {
            sample.extend_from_slice(&(state >> 11).to_le_bytes()[..6]);
        }
    }
    sample.truncate(bytes);
    sample
}
