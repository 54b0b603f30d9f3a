//! A full disk, a failing disk, and a folder that is taken.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod driver;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use driver::{ANN, BEN, append, read, sample, section, wait};
use store::disk::{SimCall, SimDisk};
use store::{
    AppendClass, AppendError, BlobParts, Embedded, LARGE_BODY_BYTES, Maintenance, Options, Section, Store,
    StoreError,
};
use tempfile::TempDir;

fn options() -> Options {
    Options {
        segment_bytes: 64 << 10,
        reserve_bytes: 16 << 10,
        free_bytes_min: 8 << 10,
        ..Options::default()
    }
}

fn open(disk: &SimDisk) -> Embedded {
    Embedded::open_inline(Arc::new(disk.clone()), options()).unwrap()
}

/// Does not compress.
fn body(seed: u64) -> Vec<u8> {
    sample(2 * seed + 1, 5000)
}

fn put(store: &Embedded, seed: u64) -> Result<store::BlobId, AppendError> {
    store.put_blob(BlobParts { body: &body(seed), ..BlobParts::default() })
}

/// Delivers until nothing more fits. Answers the head, and the blobs with their seeds.
fn fill(store: &Embedded) -> (u64, Vec<(u64, store::BlobId)>) {
    let mut head = 0;
    let mut blobs = Vec::new();
    let mut refused = 0;
    while refused < 2 {
        match put(store, head) {
            Ok(id) => blobs.push((head, id)),
            Err(error) => assert_eq!(error, AppendError::Full),
        }
        match append(store, ANN, head, head + 1, "delivered") {
            Ok(()) => head += 1,
            Err(error) => {
                assert_eq!(error, AppendError::Full);
                refused += 1;
            }
        }
    }
    (head, blobs)
}

#[test]
fn full_disk_refuses_what_grows_and_lets_expunge() {
    let disk = SimDisk::new(300 << 10);
    let mut store = open(&disk);
    let (mut head, blobs) = fill(&store);
    assert!(head > 20, "{head} fitted");
    for round in 0..2 {
        assert_eq!(append(&store, ANN, head, head + 1, "grows"), Err(AppendError::Full), "round {round}");
        assert_eq!(put(&store, 7), Err(AppendError::Full));
        assert_eq!(wait(store.checkpoint(BEN, 1, Bytes::new())), Err(StoreError::Full));
        let mut upload = store.upload();
        assert_eq!(wait(upload.write(&sample(1, LARGE_BODY_BYTES + 1))), Err(StoreError::Full));
        for _ in 0..20 {
            let expunge = Bytes::from_static(b"expunged");
            assert_eq!(wait(store.append(ANN, head, head + 1, expunge, AppendClass::Shrink)), Ok(()));
            head += 1;
        }
        for (seed, id) in &blobs {
            assert_eq!(section(&store, *id, Section::Body), body(*seed));
        }
        wait(store.close()).unwrap();
        store = open(&disk);
        assert_eq!(wait(store.head(ANN)), Ok(head));
    }
    disk.set_capacity(1 << 20);
    append(&store, ANN, head, head + 1, "grows again").unwrap();
    assert_eq!(read(&store, ANN, head).len(), 1);
    assert_eq!(wait(store.check()).unwrap().damaged, []);
}

#[test]
fn pipelined_expunges_go_through_the_reserve() {
    let disk = SimDisk::new(300 << 10);
    let store = open(&disk);
    let (head, _) = fill(&store);
    // The first takes the reserve, and space comes back before it has become a segment.
    let expunge = || Bytes::from(vec![7; 9000]);
    let first = store.append(ANN, head, head + 1, expunge(), AppendClass::Shrink);
    disk.set_capacity(1 << 20);
    let second = store.append(ANN, head + 1, head + 2, expunge(), AppendClass::Shrink);
    let third = store.append(ANN, head + 2, head + 3, expunge(), AppendClass::Grow);
    assert_eq!([wait(third), wait(second), wait(first)], [Ok(()), Ok(()), Ok(())]);
    // The new reserve is a file of its own: when the disk is full again, it is there.
    disk.set_capacity(0);
    for no in head + 3..head + 5 {
        assert_eq!(wait(store.append(ANN, no, no + 1, expunge(), AppendClass::Shrink)), Ok(()));
    }
    let store = open(&disk.power_off(3));
    assert_eq!(wait(store.head(ANN)), Ok(head + 5));
}

#[test]
fn reclaiming_frees_a_full_disk() {
    let disk = SimDisk::new(400 << 10);
    let store = open(&disk);
    let (head, _) = fill(&store);
    let expunge = Bytes::from_static(b"expunged");
    wait(store.append(ANN, head, head + 1, expunge, AppendClass::Shrink)).unwrap();
    // With checkpoints the entries of the old segments are forgotten too, but there is no space for those yet.
    let before = store.watermark();
    let reclaimed = wait(store.reclaim(std::iter::empty().collect(), before)).unwrap();
    assert!(reclaimed.blobs > 0 && reclaimed.bytes > 0, "{reclaimed:?}");
    put(&store, 1).unwrap();
    append(&store, ANN, head + 1, head + 2, "there is space again").unwrap();
    assert_eq!(read(&store, ANN, 0).len() as u64, head + 2);
}

#[test]
fn write_that_finds_the_disk_full_is_undone_and_what_was_put_is_carried_over() {
    let disk = SimDisk::new(1 << 30);
    let store = open(&disk);
    append(&store, ANN, 0, 1, "one").unwrap();
    let id = put(&store, 5).unwrap();
    disk.fail(SimCall::Write, 1, io::ErrorKind::StorageFull);
    let refused = store.append(ANN, 1, 2, Bytes::from_static(b"refused"), AppendClass::Grow);
    let follows = store.append(ANN, 2, 3, Bytes::from_static(b"follows"), AppendClass::Grow);
    assert_eq!(wait(refused), Err(AppendError::Full));
    assert_eq!(wait(follows), Err(AppendError::Full));
    assert_eq!(wait(store.head(ANN)), Ok(1));
    assert_eq!(section(&store, id, Section::Body), body(5), "readable while carried over");
    append(&store, ANN, 1, 2, "two").unwrap();
    // The append was acknowledged, so the blob put before it must outlive a power cut.
    let disk = disk.power_off(1);
    let store = open(&disk);
    assert_eq!(read(&store, ANN, 0), [(1, "one".to_owned()), (2, "two".to_owned())]);
    assert_eq!(section(&store, id, Section::Body), body(5));
    assert_eq!(wait(store.check()).unwrap().damaged, []);
}

#[test]
fn failed_sync_poisons_until_the_store_is_opened_again() {
    let disk = SimDisk::new(1 << 30);
    let told = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&told);
    let on_poison = Arc::new(move |_: &StoreError| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let options = Options { on_poison: Some(on_poison), ..options() };
    let store = Embedded::open_inline(Arc::new(disk.clone()), options).unwrap();
    append(&store, ANN, 0, 1, "one").unwrap();
    disk.fail(SimCall::Sync, 1, io::ErrorKind::Other);
    let poisoned = Err(AppendError::Failed(StoreError::Poisoned));
    assert_eq!(append(&store, ANN, 1, 2, "lost"), poisoned);
    assert_eq!(append(&store, ANN, 1, 2, "never tried"), poisoned);
    assert_eq!(append(&store, BEN, 0, 1, "never tried"), poisoned);
    assert_eq!(wait(store.sync()), Err(StoreError::Poisoned));
    assert_eq!(put(&store, 1), Err(AppendError::Failed(StoreError::Poisoned)));
    assert_eq!(read(&store, ANN, 0), [(1, "one".to_owned())]);
    assert_eq!(wait(store.close()), Err(StoreError::Poisoned));
    assert_eq!(told.load(Ordering::Relaxed), 1);
    // Memory still shows what the disk never got; opening must not be taken in.
    let store = open(&disk);
    assert_eq!(read(&store, ANN, 0), [(1, "one".to_owned())]);
    append(&store, ANN, 1, 2, "two").unwrap();
}

#[test]
fn folder_is_opened_once_at_a_time() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), Options::default()).unwrap();
    let again = Embedded::open(folder.path(), Options::default());
    assert_eq!(again.err(), Some(StoreError::Locked { pid: Some(std::process::id()) }));
    drop(store);
    Embedded::open(folder.path(), Options::default()).unwrap();
}

#[test]
fn store_of_a_later_format_is_refused_untouched() {
    let disk = SimDisk::new(1 << 30);
    let store = open(&disk);
    append(&store, ANN, 0, 1, "one").unwrap();
    drop(store);
    let mut format = disk.files().remove("FORMAT").unwrap();
    format[8] = 2;
    let sum = crc32c::crc32c_append(crc32c::crc32c(&0_u64.to_le_bytes()), &format[..20]);
    format[20..].copy_from_slice(&sum.to_le_bytes());
    disk.corrupt("FORMAT", format);
    let before = disk.files();
    let refused = Embedded::open_inline(Arc::new(disk.clone()), options());
    assert!(matches!(refused.err(), Some(StoreError::Unsupported(_))));
    assert_eq!(disk.files(), before);
}

#[test]
fn dropped_store_has_written_what_was_enqueued() {
    let folder = TempDir::new().unwrap();
    let store = Embedded::open(folder.path(), Options::default()).unwrap();
    let pending: Vec<_> = (0..100)
        .map(|no| store.append(ANN, no, no + 1, Bytes::from_static(b"e"), AppendClass::Grow))
        .collect();
    drop(store);
    assert!(pending.into_iter().all(|answer| wait(answer) == Ok(())));
    let store = Embedded::open(folder.path(), Options::default()).unwrap();
    assert_eq!(wait(store.head(ANN)), Ok(100));
}
