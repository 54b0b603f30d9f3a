//! The faulty engine fails exactly what it is told to fail.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod driver;

use std::sync::Arc;

use bytes::Bytes;
use driver::{ANN, append, read, wait};
use store::{
    AppendError, BlobParts, Damaged, Fault, FaultPlan, Faulty, Memory, Operation, Section, Store, StoreError,
};

fn faulty(plan: FaultPlan) -> Faulty {
    Faulty::new(Arc::new(Memory::new()), plan)
}

#[test]
fn refused_append_has_not_happened_and_unanswered_append_has() {
    let plan = FaultPlan::nth(Operation::Append, 2, Fault::Refuse);
    let store = faulty(plan.and_nth(Some(Operation::Append), 3, Fault::Unanswered));
    append(&store, ANN, 0, 1, "a").unwrap();
    assert!(matches!(append(&store, ANN, 1, 2, "b"), Err(AppendError::Failed(StoreError::Io { .. }))));
    assert_eq!(wait(store.head(ANN)), Ok(1));
    assert!(matches!(append(&store, ANN, 1, 2, "c"), Err(AppendError::Failed(StoreError::Io { .. }))));
    assert_eq!(wait(store.head(ANN)), Ok(2));
    append(&store, ANN, 2, 3, "d").unwrap();
    assert_eq!(read(&store, ANN, 0).len(), 3);
    assert_eq!(store.faults(), 2);
}

#[test]
fn poison_stays_and_lets_reads_through() {
    let store = faulty(FaultPlan::nth_of_any(2, Fault::Poison));
    append(&store, ANN, 0, 1, "a").unwrap();
    let poisoned = Err(AppendError::Failed(StoreError::Poisoned));
    assert_eq!(append(&store, ANN, 1, 2, "b"), poisoned);
    store.set_plan(FaultPlan::none());
    assert_eq!(append(&store, ANN, 1, 2, "b"), poisoned);
    assert_eq!(wait(store.checkpoint(ANN, 1, Bytes::new())), Err(StoreError::Poisoned));
    assert_eq!(store.put_blob(BlobParts::default()), Err(AppendError::Failed(StoreError::Poisoned)));
    assert_eq!(wait(store.sync()), Err(StoreError::Poisoned));
    assert_eq!(read(&store, ANN, 0).len(), 1);
}

#[test]
fn full_and_damage_answer_in_their_own_words() {
    let store = faulty(FaultPlan::nth(Operation::Append, 1, Fault::Full));
    assert_eq!(append(&store, ANN, 0, 1, "a"), Err(AppendError::Full));
    let id = store.put_blob(BlobParts { body: b"b", ..BlobParts::default() }).unwrap();
    store.set_plan(FaultPlan::nth(Operation::Blob, 1, Fault::Damage));
    let damaged = Err(StoreError::Damaged(Damaged::Blob(id)));
    assert_eq!(wait(store.blob(id, Section::Body, 0..1)), damaged);
    assert_eq!(wait(store.blob(id, Section::Body, 0..1)), Ok(Bytes::from_static(b"b")));
}

#[test]
fn one_seed_fails_the_same_calls_again() {
    let run = |seed| -> Vec<bool> {
        let store = faulty(FaultPlan::seeded(seed, 4));
        let mut head = 0;
        let append = |_| {
            let failed = append(&store, ANN, head, head + 1, "x").is_err();
            head = wait(store.head(ANN)).unwrap();
            failed
        };
        (0..200).map(append).collect()
    };
    let failures = run(1);
    assert_eq!(failures, run(1));
    assert_ne!(failures, run(2));
    let count = failures.iter().filter(|failed| **failed).count();
    assert!((20..100).contains(&count), "{count} of 200 failed");
}
