//! What every engine must do. An engine joins by implementing [`Engine`] and naming itself in `contract_tests!`.

use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use store::{
    AppendClass, AppendError, BlobId, BlobParts, ENTRY_BYTES_MAX, LARGE_BODY_BYTES, LiveBlobs, Maintenance,
    Section, Store, StoreError,
};

use crate::driver::{ANN, BEN, append, read, sample, section, wait};

/// One engine under test: a store that can be closed and opened again.
pub trait Engine {
    fn store(&self) -> Arc<dyn Maintenance>;
    fn reopen(&mut self);
}

fn texts(entries: &[(u64, &str)]) -> Vec<(u64, String)> {
    entries.iter().map(|(no, text)| (*no, (*text).to_owned())).collect()
}

pub fn fresh_store_is_empty(engine: &mut dyn Engine) {
    let store = engine.store();
    assert_eq!(wait(store.head(ANN)), Ok(0));
    assert_eq!(read(&*store, ANN, 0), vec![]);
    assert_eq!(wait(store.checkpoints(ANN)), Ok(vec![]));
    assert_eq!(wait(store.accounts()), Ok(vec![]));
    assert_eq!(
        wait(store.blob(BlobId(1), Section::Body, 0..1)),
        Err(StoreError::Missing { blob: BlobId(1) })
    );
    assert_eq!(
        wait(store.blob(BlobId(0), Section::Body, 0..1)),
        Err(StoreError::Missing { blob: BlobId(0) })
    );
    assert_eq!(
        wait(store.blob(BlobId(u64::MAX), Section::Body, 0..1)),
        Err(StoreError::Missing { blob: BlobId(u64::MAX) })
    );
}

pub fn entries_come_back_in_order_and_apart_by_account(engine: &mut dyn Engine) {
    for round in 0..2 {
        let store = engine.store();
        if round == 0 {
            append(&*store, ANN, 0, 1, "a1").unwrap();
            append(&*store, BEN, 0, 10, "b10").unwrap();
            append(&*store, ANN, 1, 5, "").unwrap();
            append(&*store, ANN, 5, 6, "a6").unwrap();
        }
        assert_eq!(read(&*store, ANN, 0), texts(&[(1, "a1"), (5, ""), (6, "a6")]));
        assert_eq!(read(&*store, ANN, 1), texts(&[(5, ""), (6, "a6")]));
        assert_eq!(read(&*store, ANN, 3), texts(&[(5, ""), (6, "a6")]));
        assert_eq!(read(&*store, ANN, 6), texts(&[]));
        assert_eq!(read(&*store, ANN, u64::MAX), texts(&[]));
        assert_eq!(read(&*store, BEN, 0), texts(&[(10, "b10")]));
        assert_eq!(wait(store.head(ANN)), Ok(6));
        assert_eq!(wait(store.accounts()), Ok(vec![ANN, BEN]));
        drop(store);
        engine.reopen();
    }
}

pub fn append_compares_with_the_head(engine: &mut dyn Engine) {
    let store = engine.store();
    append(&*store, ANN, 0, 3, "a").unwrap();
    assert_eq!(append(&*store, ANN, 0, 4, "b"), Err(AppendError::Conflict { head: 3 }));
    assert_eq!(append(&*store, ANN, 4, 5, "b"), Err(AppendError::Conflict { head: 3 }));
    let out_of_order = |no| Err(AppendError::Failed(StoreError::OutOfOrder { no, head: 3 }));
    assert_eq!(append(&*store, ANN, 3, 3, "b"), out_of_order(3));
    assert_eq!(append(&*store, ANN, 3, 2, "b"), out_of_order(2));
    assert_eq!(read(&*store, ANN, 0), texts(&[(3, "a")]));
    drop(store);
    engine.reopen();
    let store = engine.store();
    assert_eq!(append(&*store, ANN, 0, 4, "b"), Err(AppendError::Conflict { head: 3 }));
    append(&*store, ANN, 3, 4, "b").unwrap();
    assert_eq!(read(&*store, ANN, 3), texts(&[(4, "b")]));
}

pub fn appends_take_their_place_at_the_call(engine: &mut dyn Engine) {
    let store = engine.store();
    let entry = |text: &'static str| Bytes::from_static(text.as_bytes());
    let first = store.append(ANN, 0, 1, entry("1"), AppendClass::Grow);
    let second = store.append(ANN, 1, 2, entry("2"), AppendClass::Shrink);
    let late = store.append(ANN, 1, 9, entry("9"), AppendClass::Grow);
    let third = store.append(ANN, 2, 3, entry("3"), AppendClass::Grow);
    // The last is awaited first, and one is dropped: the order is that of the calls all the same.
    assert_eq!(wait(third), Ok(()));
    assert_eq!(wait(late), Err(AppendError::Conflict { head: 2 }));
    assert_eq!(wait(second), Ok(()));
    drop(first);
    assert_eq!(read(&*store, ANN, 0), texts(&[(1, "1"), (2, "2"), (3, "3")]));
}

pub fn reads_are_cut_by_bytes_but_never_stall(engine: &mut dyn Engine) {
    let store = engine.store();
    for no in 1..=9 {
        append(&*store, ANN, no - 1, no, &"x".repeat(100)).unwrap();
    }
    let numbers = |after, bytes_max| -> Vec<u64> {
        wait(store.read(ANN, after, bytes_max)).unwrap().iter().map(|entry| entry.no).collect()
    };
    assert_eq!(numbers(0, 250), [1, 2]);
    assert_eq!(numbers(2, 300), [3, 4, 5]);
    assert_eq!(numbers(5, 1), [6]);
    assert_eq!(numbers(5, 0), [6]);
    assert_eq!(numbers(9, 0), [] as [u64; 0]);
}

pub fn two_checkpoints_are_kept_and_older_entries_forgotten(engine: &mut dyn Engine) {
    let store = engine.store();
    for no in 1..=4 {
        append(&*store, ANN, no - 1, no, "e").unwrap();
    }
    let manifest = |text: &'static str| Bytes::from_static(text.as_bytes());
    let refused = |no| Err(StoreError::OutOfOrder { no, head: 4 });
    assert_eq!(wait(store.checkpoint(ANN, 0, manifest("zero"))), refused(0));
    assert_eq!(wait(store.checkpoint(ANN, 5, manifest("beyond"))), refused(5));
    wait(store.checkpoint(ANN, 2, manifest("two"))).unwrap();
    assert_eq!(read(&*store, ANN, 0).len(), 4, "one checkpoint alone forgets nothing");
    assert_eq!(wait(store.checkpoint(ANN, 2, manifest("again"))), refused(2));
    assert_eq!(wait(store.checkpoint(ANN, 1, manifest("back"))), refused(1));
    wait(store.checkpoint(ANN, 3, manifest("three"))).unwrap();
    wait(store.checkpoint(ANN, 4, manifest("four"))).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = engine.store();
        assert_eq!(wait(store.checkpoints(ANN)), Ok(vec![(4, manifest("four")), (3, manifest("three"))]));
        assert_eq!(wait(store.checkpoint_at(ANN, 0)), Ok(Some((4, manifest("four")))));
        assert_eq!(wait(store.checkpoint_at(ANN, 1)), Ok(Some((3, manifest("three")))));
        assert_eq!(wait(store.checkpoint_at(ANN, 2)), Ok(None));
        assert_eq!(wait(store.read(ANN, 2, 100)), Err(StoreError::Forgotten { floor: 3 }));
        assert_eq!(read(&*store, ANN, 3), texts(&[(4, "e")]));
        assert_eq!(wait(store.head(ANN)), Ok(4));
        drop(store);
        engine.reopen();
    }
}

pub fn dropped_journal_keeps_its_head_only(engine: &mut dyn Engine) {
    let store = engine.store();
    append(&*store, ANN, 0, 1, "a").unwrap();
    append(&*store, ANN, 1, 2, "b").unwrap();
    append(&*store, BEN, 0, 1, "c").unwrap();
    wait(store.checkpoint(ANN, 1, Bytes::from_static(b"m"))).unwrap();
    assert_eq!(wait(store.drop_journal(ANN, 1)), Err(AppendError::Conflict { head: 2 }));
    wait(store.drop_journal(ANN, 2)).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = engine.store();
        assert_eq!(wait(store.head(ANN)), Ok(2));
        assert_eq!(wait(store.checkpoints(ANN)), Ok(vec![]));
        assert_eq!(read(&*store, ANN, 2), vec![]);
        assert_eq!(wait(store.read(ANN, 0, 100)), Err(StoreError::Forgotten { floor: 2 }));
        assert_eq!(wait(store.accounts()), Ok(vec![BEN]));
        drop(store);
        engine.reopen();
    }
    let store = engine.store();
    assert_eq!(append(&*store, ANN, 0, 1, "again"), Err(AppendError::Conflict { head: 2 }));
    append(&*store, ANN, 2, 3, "again").unwrap();
    assert_eq!(wait(store.accounts()), Ok(vec![ANN, BEN]));
    assert_eq!(read(&*store, ANN, 2), texts(&[(3, "again")]));
}

pub fn blobs_read_back_at_once_and_after_reopening(engine: &mut dyn Engine) {
    let store = engine.store();
    let mut put = Vec::new();
    for (seed, bytes) in [0, 1, 100, 4096, 4097, 20_000, 65_536, 65_537, 400_000].into_iter().enumerate() {
        let body = sample(seed as u64, bytes);
        let (summary, text) = (sample(90, bytes % 3000), sample(91, bytes / 2));
        let id = store.put_blob(BlobParts { summary: &summary, text: &text, body: &body }).unwrap();
        assert_eq!(section(&*store, id, Section::Body), body, "before any sync");
        put.push((id, summary, text, body));
    }
    assert!(put.windows(2).all(|pair| pair[0].0 < pair[1].0) && put[0].0 > BlobId(0));
    append(&*store, ANN, 0, 1, "names them").unwrap();
    drop(store);
    for _ in 0..2 {
        let store = engine.store();
        for (id, summary, text, body) in &put {
            assert_eq!(section(&*store, *id, Section::Summary), *summary);
            assert_eq!(section(&*store, *id, Section::Text), *text);
            assert_eq!(section(&*store, *id, Section::Body), *body);
        }
        let ids: Vec<BlobId> = put.iter().rev().map(|blob| blob.0).collect();
        let expected: Vec<&[u8]> = put.iter().rev().map(|blob| &blob.1[..]).collect();
        assert_eq!(wait(store.summaries(&ids)).unwrap(), expected);
        drop(store);
        engine.reopen();
    }
    let ids = [put[0].0, BlobId(u64::MAX)];
    let store = engine.store();
    assert_eq!(wait(store.summaries(&ids)), Err(StoreError::Missing { blob: ids[1] }));
    // An id that was never given may look damaged, but never like a blob.
    let never_given = BlobId(put[0].0.0 + 1);
    if put.iter().all(|blob| blob.0 != never_given) {
        assert!(wait(store.blob(never_given, Section::Body, 0..1)).is_err());
    }
}

pub fn summaries_of_many_come_in_the_order_asked(engine: &mut dyn Engine) {
    let store = engine.store();
    let summary = |seed: u64| sample(seed, if seed == 50 { 70_000 } else { seed as usize * 13 });
    let put = |seed: u64| {
        let body = sample(seed, 200 + seed as usize * 60);
        store.put_blob(BlobParts { summary: &summary(seed), text: b"t", body: &body }).unwrap()
    };
    let ids: Vec<BlobId> = (0..120).map(put).collect();
    wait(store.sync()).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = engine.store();
        let mut asked: Vec<u64> = (0..120).chain([7, 7, 119, 3]).chain((20..90).rev()).collect();
        asked.retain(|seed| seed % 11 != 5);
        let wanted: Vec<BlobId> = asked.iter().map(|seed| ids[*seed as usize]).collect();
        let summaries = wait(store.summaries(&wanted)).unwrap();
        assert!(summaries.iter().zip(&asked).all(|(read, seed)| *read == summary(*seed)));
        assert_eq!(summaries.len(), asked.len());
        drop(store);
        engine.reopen();
    }
}

pub fn ranges_are_cut_at_the_end(engine: &mut dyn Engine) {
    let store = engine.store();
    let body = sample(3, 300_000);
    let id = store.put_blob(BlobParts { body: &body, ..BlobParts::default() }).unwrap();
    wait(store.sync()).unwrap();
    for (start, end) in
        [(0, 0), (0, 1), (65_535, 65_537), (100_000, 250_000), (299_999, 400_000), (300_000, 300_001)]
    {
        let expected = &body[start.min(body.len())..end.min(body.len())];
        let range = start as u64..end as u64;
        assert_eq!(wait(store.blob(id, Section::Body, range)).unwrap(), expected, "{start}..{end}");
    }
    assert_eq!(wait(store.blob(id, Section::Body, u64::MAX - 1..u64::MAX)), Ok(Bytes::new()));
    #[expect(clippy::reversed_empty_ranges, reason = "a hostile range must be harmless")]
    let reversed = 9..3;
    assert_eq!(wait(store.blob(id, Section::Body, reversed)), Ok(Bytes::new()));
    assert_eq!(wait(store.blob(id, Section::Text, 0..10)), Ok(Bytes::new()));
}

pub fn uploads_of_all_sizes_read_back(engine: &mut dyn Engine) {
    let store = engine.store();
    let mut put = Vec::new();
    for bytes in [0, 1, 70_000, LARGE_BODY_BYTES, LARGE_BODY_BYTES + 1, 3 * LARGE_BODY_BYTES + 77] {
        let body = sample(bytes as u64, bytes);
        let mut upload = store.upload();
        for piece in body.chunks(150_001) {
            wait(upload.write(piece)).unwrap();
        }
        let (summary, text) = (Bytes::from(sample(1, 900)), Bytes::from(sample(2, 9_000)));
        put.push((wait(upload.finish(summary.clone(), text.clone())).unwrap(), summary, text, body));
    }
    let mut abandoned = store.upload();
    wait(abandoned.write(&sample(5, 2 * LARGE_BODY_BYTES))).unwrap();
    drop(abandoned);
    wait(store.sync()).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = engine.store();
        for (id, summary, text, body) in &put {
            assert_eq!(section(&*store, *id, Section::Summary), summary);
            assert_eq!(section(&*store, *id, Section::Text), text);
            assert_eq!(section(&*store, *id, Section::Body), body);
            let middle = body.len() as u64 / 2;
            let part = wait(store.blob(*id, Section::Body, middle..middle + 70_000)).unwrap();
            assert_eq!(part, &body[body.len() / 2..(body.len() / 2 + 70_000).min(body.len())]);
        }
        assert_eq!(wait(store.check()).unwrap().blobs, put.len() as u64);
        drop(store);
        engine.reopen();
    }
}

pub fn limits_are_kept(engine: &mut dyn Engine) {
    let store = engine.store();
    let entry = Bytes::from(vec![7; ENTRY_BYTES_MAX]);
    wait(store.append(ANN, 0, 1, entry.clone(), AppendClass::Grow)).unwrap();
    assert_eq!(wait(store.read(ANN, 0, 1)).unwrap()[0].bytes, entry);
    let larger = Bytes::from(vec![7; ENTRY_BYTES_MAX + 1]);
    let refused = wait(store.append(ANN, 1, 2, larger.clone(), AppendClass::Grow));
    assert!(matches!(refused, Err(AppendError::Failed(StoreError::TooLarge { .. }))), "{refused:?}");
    assert!(matches!(wait(store.checkpoint(ANN, 1, larger)), Err(StoreError::TooLarge { .. })));
    let body = vec![1; store::BLOB_BYTES_MAX];
    let refused = store.put_blob(BlobParts { summary: &[1], text: &[], body: &body });
    assert!(matches!(refused, Err(AppendError::Failed(StoreError::TooLarge { .. }))), "{refused:?}");
    let id = store.put_blob(BlobParts { summary: &[], text: &[], body: &body }).unwrap();
    assert_eq!(section(&*store, id, Section::Body), body);
    append(&*store, ANN, 1, 2, "goes on").unwrap();
}

pub fn reclaim_keeps_the_live_and_the_new(engine: &mut dyn Engine) {
    let store = engine.store();
    let put = |store: &dyn Store, seed: u64| {
        store.put_blob(BlobParts { summary: b"s", text: b"", body: &sample(seed, 30_000) }).unwrap()
    };
    let old: Vec<BlobId> = (0..200).map(|seed| put(&*store, seed)).collect();
    append(&*store, ANN, 0, 1, "old").unwrap();
    let before = store.watermark();
    let new: Vec<BlobId> = (200..210).map(|seed| put(&*store, seed)).collect();
    append(&*store, ANN, 1, 2, "new").unwrap();
    assert!(old.iter().all(|id| *id < before) && new.iter().all(|id| *id >= before));
    let live: Vec<BlobId> = old.iter().copied().filter(|id| id.0 % 7 == 1).collect();
    drop(store);
    engine.reopen();
    let store = engine.store();
    wait(store.reclaim(live.iter().copied().collect::<LiveBlobs>(), before)).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = engine.store();
        for (seed, id) in old.iter().chain(&new).enumerate() {
            let read = wait(store.blob(*id, Section::Body, 0..u64::MAX));
            if live.contains(id) || *id >= before {
                assert_eq!(read.unwrap(), sample(seed as u64, 30_000));
            } else {
                // An engine may keep what it is not worth removing, but then whole.
                let kept = read.as_ref().is_ok_and(|body| *body == sample(seed as u64, 30_000));
                assert!(kept || read == Err(StoreError::Missing { blob: *id }));
            }
        }
        assert_eq!(read(&*store, ANN, 0), texts(&[(1, "old"), (2, "new")]));
        assert_eq!(wait(store.check()).unwrap().damaged, vec![]);
        drop(store);
        engine.reopen();
    }
    assert!(put(&*engine.store(), 1) > *new.last().unwrap(), "ids are never used again");
}

pub fn closed_store_answers_closed(engine: &mut dyn Engine) {
    let store = engine.store();
    append(&*store, ANN, 0, 1, "a").unwrap();
    let id = store.put_blob(BlobParts { body: b"kept by closing", ..BlobParts::default() }).unwrap();
    wait(store.close()).unwrap();
    assert_eq!(append(&*store, ANN, 1, 2, "b"), Err(AppendError::Failed(StoreError::Closed)));
    assert_eq!(wait(store.read(ANN, 0, 10)), Err(StoreError::Closed));
    assert_eq!(wait(store.blob(id, Section::Body, 0..1)), Err(StoreError::Closed));
    assert_eq!(wait(store.sync()), Err(StoreError::Closed));
    assert_eq!(store.put_blob(BlobParts::default()), Err(AppendError::Failed(StoreError::Closed)));
    drop(store);
    engine.reopen();
    let store = engine.store();
    assert_eq!(read(&*store, ANN, 0), texts(&[(1, "a")]));
    assert_eq!(&section(&*store, id, Section::Body)[..], b"kept by closing");
}

pub fn many_threads_share_one_order(engine: &mut dyn Engine) {
    let store = engine.store();
    thread::scope(|scope| {
        for worker in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                for turn in 0..50 {
                    let body = sample(worker * 100 + turn, 3_000);
                    let id = store.put_blob(BlobParts { body: &body, ..BlobParts::default() }).unwrap();
                    let entry = Bytes::from(id.0.to_le_bytes().to_vec());
                    // All race for one journal: compare-and-append, and again with the head that was told.
                    let mut expected = 0;
                    loop {
                        let no = expected + 1;
                        match wait(store.append(ANN, expected, no, entry.clone(), AppendClass::Grow)) {
                            Ok(()) => break,
                            Err(AppendError::Conflict { head }) => expected = head,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    let entries = wait(store.read(ANN, 0, usize::MAX)).unwrap();
    assert!(entries.iter().map(|entry| entry.no).eq(1..=200));
    let mut ids: Vec<u64> =
        entries.iter().map(|e| u64::from_le_bytes(e.bytes[..].try_into().unwrap())).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    for id in ids {
        assert_eq!(section(&*store, BlobId(id), Section::Body).len(), 3_000);
    }
}

/// Makes one `#[test]` of each rule for the engine that `$fresh` makes.
#[macro_export]
macro_rules! contract_tests {
    ($($engine:ident: $fresh:expr;)+) => { $(
        mod $engine {
            $crate::contract_tests!(@rules $fresh;
                fresh_store_is_empty
                entries_come_back_in_order_and_apart_by_account
                append_compares_with_the_head
                appends_take_their_place_at_the_call
                reads_are_cut_by_bytes_but_never_stall
                two_checkpoints_are_kept_and_older_entries_forgotten
                dropped_journal_keeps_its_head_only
                blobs_read_back_at_once_and_after_reopening
                summaries_of_many_come_in_the_order_asked
                ranges_are_cut_at_the_end
                uploads_of_all_sizes_read_back
                limits_are_kept
                reclaim_keeps_the_live_and_the_new
                closed_store_answers_closed
                many_threads_share_one_order
            );
        }
    )+ };
    (@rules $fresh:expr; $($rule:ident)+) => { $(
        #[test]
        fn $rule() {
            $crate::contract::$rule(&mut $fresh);
        }
    )+ };
}
