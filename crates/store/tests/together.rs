//! Everything at once on the real disk: delivering, reading, checkpointing, expunging, reclaiming and checking do not get in each other's way.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod driver;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;

use bytes::Bytes;
use driver::{sample, wait};
use store::{
    AccountKey, AppendClass, BlobId, BlobParts, Embedded, LiveBlobs, Maintenance, Options, Section, Store,
    StoreError,
};
use tempfile::TempDir;

const WRITERS: u64 = 3;
const DELIVERIES: u64 = 250;

fn options() -> Options {
    Options { segment_bytes: 128 << 10, reserve_bytes: 16 << 10, free_bytes_min: 0, ..Options::default() }
}

fn body(seed: u64) -> Vec<u8> {
    sample(seed, 3000 + (seed % 5) as usize * 2000)
}

/// Blobs in use, with the seed of their body.
type Live = Mutex<BTreeMap<BlobId, u64>>;

/// Shared by deliveries from putting a blob until it is known to be in use; held alone to take a watermark.
type UnderWay = RwLock<()>;

fn deliver(store: &Embedded, account: AccountKey, live: &Live, under_way: &UnderWay) {
    for no in 1..=DELIVERIES {
        let seed = account.0 * 100_000 + no;
        let body = body(seed);
        let shared = under_way.read().unwrap();
        let id = store.put_blob(BlobParts { summary: &body[..100], text: b"", body: &body }).unwrap();
        let entry = Bytes::copy_from_slice(&seed.to_le_bytes());
        wait(store.append(account, no - 1, no, entry, AppendClass::Grow)).unwrap();
        live.lock().unwrap().insert(id, seed);
        drop(shared);
        if no.is_multiple_of(40) {
            wait(store.checkpoint(account, no - 5, Bytes::from_static(b"manifest"))).unwrap();
        }
        if no.is_multiple_of(10) {
            // Most mail is expunged soon, some stays for ever.
            let mut live = live.lock().unwrap();
            let doomed: Vec<BlobId> =
                live.keys().copied().filter(|id| !id.0.is_multiple_of(7)).take(6).collect();
            live.retain(|id, _| !doomed.contains(id));
        }
    }
}

fn read_back(store: &Embedded, live: &Live, turn: usize) -> bool {
    let Some((id, seed)) = live.lock().unwrap().iter().nth(turn % 50).map(|(id, seed)| (*id, *seed)) else {
        return false;
    };
    let expected = body(seed);
    match wait(store.blob(id, Section::Body, 0..u64::MAX)) {
        Ok(read) => assert!(read == expected, "blob {id} has other bytes"),
        Err(error) => {
            assert_eq!(error, StoreError::Missing { blob: id });
            assert!(!live.lock().unwrap().contains_key(&id), "blob {id} is in use and gone");
        }
    }
    true
}

#[test]
fn delivering_reading_and_reclaiming_at_once() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), options()).unwrap();
    let (live, under_way) = (Live::default(), UnderWay::default());
    let delivering = AtomicUsize::new(WRITERS as usize);
    let (reads, reclaimed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for account in 1..=WRITERS {
            let (store, live, under_way, delivering) = (&store, &live, &under_way, &delivering);
            scope.spawn(move || {
                deliver(store, AccountKey(account), live, under_way);
                delivering.fetch_sub(1, Ordering::Release);
            });
        }
        scope.spawn(|| {
            let mut turn = 0;
            while delivering.load(Ordering::Acquire) > 0 {
                turn += 13;
                reads.fetch_add(usize::from(read_back(&store, &live, turn)), Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            loop {
                let last = delivering.load(Ordering::Acquire) == 0;
                let alone = under_way.write().unwrap();
                let before = store.watermark();
                drop(alone);
                let marked: LiveBlobs = live.lock().unwrap().keys().copied().collect();
                let done = wait(store.reclaim(marked, before)).unwrap();
                reclaimed.fetch_add(done.blobs as usize, Ordering::Relaxed);
                assert_eq!(wait(store.check()).unwrap().damaged, []);
                if last {
                    break;
                }
            }
        });
    });
    assert!(reads.into_inner() > 0 && reclaimed.into_inner() > 100);
    wait(store.close()).unwrap();
    drop(store);
    for without_index in [false, true] {
        if without_index {
            std::fs::remove_file(folder.path().join("index.sqlite")).unwrap();
        }
        let store = Embedded::open(folder.path(), options()).unwrap();
        assert_eq!(store.damaged_at_open(), []);
        for (id, seed) in live.lock().unwrap().iter() {
            assert!(wait(store.blob(*id, Section::Body, 0..u64::MAX)).unwrap() == body(*seed));
        }
        for account in (1..=WRITERS).map(AccountKey) {
            let floor = wait(store.checkpoints(account)).unwrap()[1].0;
            let entries = wait(store.read(account, floor, usize::MAX)).unwrap();
            assert!(entries.iter().map(|entry| entry.no).eq(floor + 1..=DELIVERIES));
        }
        assert_eq!(wait(store.check()).unwrap().damaged, []);
        wait(store.close()).unwrap();
    }
}
