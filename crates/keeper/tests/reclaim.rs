//! Mark and sweep through the whole house: what is in use stays, what is not goes, and not too early.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod driver;

use std::sync::Arc;

use account::{BlobId, Draft, Fault, Millis};
use driver::{Gated, House, append, calm, message, poll, portrait, set, wait};
use keeper::Settings;
use store::{FaultPlan, Faulty, Maintenance, Memory, Operation, Section, Store};

fn settings() -> Settings {
    Settings { tail_entries_max: 0, ..calm() }
}

fn house(store: impl Maintenance) -> House {
    House::with(Arc::new(store), settings())
}

fn reclaim(house: &House) -> u64 {
    wait(house.keeper.reclaim()).unwrap().blobs
}

/// Long enough for the next mark to count.
fn days_pass(house: &House) {
    house.pass(settings().retention);
}

fn is_there(memory: &Memory, blob: BlobId) -> bool {
    wait(memory.blob(store::BlobId(blob.0), Section::Body, 0..1)).is_ok()
}

#[test]
fn an_expunged_message_goes_after_two_marks_and_all_else_stays() {
    let memory = Memory::new();
    let house = house(memory.clone());
    let desk = house.open(house.create("ann@example.org"));
    for subject in ["one", "two", "three"] {
        desk.append(subject).unwrap();
    }
    house.housekeep();
    let blobs: Vec<BlobId> = desk.columns(desk.inbox()).blobs().collect();
    desk.expunge(&[2]).unwrap();
    assert_eq!(reclaim(&house), 0, "the first mark sweeps nothing");
    assert!(is_there(&memory, blobs[1]), "a session may still show it");
    assert_eq!(reclaim(&house), 0, "too early");
    assert!(is_there(&memory, blobs[1]));
    days_pass(&house);
    reclaim(&house);
    assert_eq!(blobs.iter().map(|&blob| is_there(&memory, blob)).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(portrait(&House::new(Arc::new(memory)), desk.id), portrait(&house, desk.id));
}

#[test]
fn accounts_asleep_awake_and_unloaded_keep_all_they_refer_to() {
    let memory = Memory::new();
    let settings = Settings { memory_bytes_max: 0, ..settings() };
    let house = House::with(Arc::new(memory.clone()), settings);
    let ann = house.open(house.create("ann@example.org"));
    let ben = house.open(house.create("ben@example.org"));
    let blob = ann.upload(message("shared").as_bytes()).unwrap();
    for round in 0..3 {
        for desk in [&ann, &ben] {
            desk.append(&round.to_string()).unwrap();
        }
        house.housekeep();
    }
    // The same blob in two accounts; gone from the first.
    ann.commit(append(ann.inbox(), &[blob])).unwrap();
    ben.commit(append(ben.mailbox_id("Archive"), &[blob])).unwrap();
    ann.expunge(&[4]).unwrap();
    let (ann_id, ben_id) = (ann.id, ben.id);
    let before = (portrait(&house, ann_id), portrait(&house, ben_id));
    drop(ben);
    house.night();
    for _ in 0..3 {
        days_pass(&house);
        let awake = house.keeper.awake_count();
        reclaim(&house);
        assert!(house.keeper.awake_count() <= awake.max(2), "who slept sleeps again");
    }
    let anew = House::new(Arc::new(memory.clone()));
    assert_eq!((portrait(&anew, ann_id), portrait(&anew, ben_id)), before);
    assert!(is_there(&memory, blob));
    for desk in [anew.open(ann_id), anew.open(ben_id)] {
        for facts in desk.account().directory().mailboxes() {
            assert!(desk.columns(facts.id).blobs().all(|blob| is_there(&memory, blob)));
        }
    }
}

#[test]
fn a_message_between_upload_and_commit_is_not_swept() {
    let memory = Memory::new();
    let house = house(memory.clone());
    let desk = house.open(house.create("ann@example.org"));
    days_pass(&house);
    reclaim(&house);
    let blob = desk.upload(message("late").as_bytes()).unwrap();
    days_pass(&house);
    reclaim(&house);
    assert!(is_there(&memory, blob));
    desk.commit(append(desk.inbox(), &[blob])).unwrap();
    days_pass(&house);
    reclaim(&house);
    assert!(is_there(&memory, blob));
}

#[test]
fn an_entry_in_flight_keeps_its_message() {
    let memory = Memory::new();
    let gated = Gated::new(Arc::new(memory.clone()));
    let house = house(gated.clone());
    let desk = house.open(house.create("ann@example.org"));
    let blob = desk.upload(message("held").as_bytes()).unwrap();
    gated.shut();
    let mut commit = desk.open.commit(append(desk.inbox(), &[blob]));
    assert!(poll(&mut commit).is_pending());
    for _ in 0..3 {
        reclaim(&house);
        days_pass(&house);
    }
    gated.lift();
    wait(commit).unwrap();
    assert!(is_there(&memory, blob));
}

#[test]
fn parts_of_a_checkpoint_that_failed_are_kept_for_the_next() {
    let memory = Memory::new();
    let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
    let house = house(faulty.clone());
    let desk = house.open(house.create("ann@example.org"));
    desk.append("one").unwrap();
    house.housekeep();
    desk.append("two").unwrap();
    faulty.set_plan(FaultPlan::nth(Operation::Checkpoint, 1, store::Fault::Refuse));
    house.housekeep();
    assert_eq!(wait(memory.checkpoints(store::AccountKey(desk.id.0))).unwrap().len(), 1);
    for _ in 0..3 {
        reclaim(&house);
        days_pass(&house);
    }
    for subject in ["three", "four", "five"] {
        desk.append_to(desk.mailbox_id("Sent"), subject).unwrap();
        house.housekeep();
    }
    assert_eq!(portrait(&House::new(Arc::new(memory)), desk.id), portrait(&house, desk.id));
}

#[test]
fn nothing_is_swept_when_anything_cannot_be_read() {
    let memory = Memory::new();
    let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
    let house = house(faulty.clone());
    let desk = house.open(house.create("ann@example.org"));
    desk.append("one").unwrap();
    house.housekeep();
    let blob = desk.columns(desk.inbox()).blobs().next().unwrap();
    desk.expunge(&[1]).unwrap();
    reclaim(&house);
    days_pass(&house);
    // The account's columns are not in memory, and a part cannot be read.
    drop(desk);
    house.night();
    faulty.set_plan(FaultPlan::nth(Operation::Blob, 1, store::Fault::Damage));
    let swept = wait(house.keeper.reclaim());
    assert!(matches!(swept, Err(Fault::Damaged(_))), "{swept:?}");
    assert!(is_there(&memory, blob));
    reclaim(&house);
    assert!(!is_there(&memory, blob));
}

#[test]
fn what_a_removed_account_left_behind_goes() {
    let memory = Memory::new();
    let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
    let house = house(faulty.clone());
    let desk = house.open(house.create("ann@example.org"));
    let ben = house.open(house.create("ben@example.org"));
    desk.append("one").unwrap();
    ben.append("one").unwrap();
    house.housekeep();
    let blob = desk.columns(desk.inbox()).blobs().next().unwrap();
    // A crash after the roster's entry, before the journal was dropped.
    faulty.set_plan(FaultPlan::nth(Operation::Append, 2, store::Fault::Refuse));
    assert!(wait(house.keeper.remove_account(desk.id)).is_err());
    assert_eq!(wait(memory.accounts()).unwrap().len(), 3);
    for _ in 0..2 {
        reclaim(&house);
        days_pass(&house);
    }
    assert_eq!(wait(memory.accounts()).unwrap().len(), 2);
    assert!(!is_there(&memory, blob));
    assert_eq!(ben.uids(), [1]);
}

#[test]
fn an_account_whose_number_the_roster_never_gave_is_left_alone() {
    let memory = Memory::new();
    let house = house(memory.clone());
    house.create("ann@example.org");
    let key = store::AccountKey(9);
    let entry = account::Entry { no: account::Modseq(1), time: Millis(1), changes: Vec::new() };
    wait(memory.append(key, 0, 1, entry.encode(0).into(), store::AppendClass::Grow)).unwrap();
    days_pass(&house);
    assert_eq!(wait(house.keeper.reclaim()).err(), Some(Fault::Gone), "and nothing is swept");
    assert!(wait(memory.accounts()).unwrap().contains(&key));
}

#[test]
fn a_message_copied_between_accounts_while_they_are_marked_survives() {
    let memory = Memory::new();
    let house = house(memory.clone());
    let ann = house.open(house.create("ann@example.org"));
    let ben = house.open(house.create("ben@example.org"));
    ben.append("one").unwrap();
    let blob = ben.columns(ben.inbox()).blobs().next().unwrap();
    reclaim(&house);
    days_pass(&house);
    // As if the second mark had seen ann before the copy and ben after the expunge: the first mark saw ben.
    ben.commit(Draft::Expunge { mailbox: ben.inbox(), uids: set(&[1]), only_deleted: false }).unwrap();
    reclaim(&house);
    ann.commit(append(ann.inbox(), &[blob])).unwrap();
    days_pass(&house);
    reclaim(&house);
    assert!(is_there(&memory, blob));
}
