//! Waking, checkpoints, sleep and memory: what an account costs, and that none of it shows.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod driver;

use std::sync::Arc;

use account::{Accounts, Draft, FlagOp, Millis, SystemFlag};
use driver::{Gated, House, calm, poll, portrait, set, store, wait};
use keeper::Settings;
use store::{AccountKey, FaultPlan, Faulty, Maintenance, Memory, Operation, Store, StoreError};

/// A checkpoint is due at once.
fn eager() -> Settings {
    Settings { tail_entries_max: 0, ..calm() }
}

/// Messages, flags, an expunge, a copy, a second mailbox.
fn live_a_little(desk: &driver::Desk) {
    for subject in ["one", "two", "three", "four"] {
        desk.append(subject).unwrap();
    }
    desk.flag(&[1, 3], SystemFlag::Seen).unwrap();
    desk.expunge(&[2]).unwrap();
    let copy = Draft::Copy { from: desk.inbox(), uids: set(&[1, 3]), to: desk.mailbox_id("Trash") };
    desk.commit(copy).unwrap();
}

#[test]
fn delivery_to_a_sleeping_account_reads_no_columns() {
    let memory = Memory::new();
    let house = House::with(Arc::new(memory.clone()), eager());
    let ann = house.create("ann@example.org");
    live_a_little(&house.open(ann));
    house.housekeep();
    let gated = Gated::new(Arc::new(memory));
    let anew = House::new(Arc::new(gated.clone()));
    let desk = anew.open(ann);
    assert_eq!(desk.append("five").unwrap().uids, set(&[5]));
    let facts = desk.account().directory().mailbox_by_id(desk.inbox()).unwrap().counts;
    assert_eq!((facts.messages, facts.unseen), (4, 2), "STATUS needs none either");
    assert_eq!(gated.reads.bodies(), 0);
    assert_eq!(desk.uids(), [1, 3, 4, 5]);
    assert!(gated.reads.bodies() > 0);
}

#[test]
fn an_account_is_the_same_from_its_checkpoint_from_its_tail_and_from_both() {
    let memory = Memory::new();
    let house = House::with(Arc::new(memory.clone()), eager());
    let ann = house.create("ann@example.org");
    let desk = house.open(ann);
    live_a_little(&desk);
    let from_tail = portrait(&House::new(Arc::new(memory.clone())), ann);
    assert_eq!(portrait(&house, ann), from_tail);
    for _ in 0..3 {
        house.housekeep();
        assert_eq!(portrait(&House::new(Arc::new(memory.clone())), ann), portrait(&house, ann));
        desk.append("more").unwrap();
        desk.flag(&[1, 4], SystemFlag::Flagged).unwrap();
        desk.commit(driver::create("New")).unwrap();
        desk.commit(Draft::Delete { name: account::MailboxName::new("New").unwrap() }).unwrap();
        assert_eq!(portrait(&House::new(Arc::new(memory.clone())), ann), portrait(&house, ann));
    }
    assert_eq!(wait(memory.checkpoints(AccountKey(ann.0))).unwrap().len(), 2);
}

#[test]
fn a_checkpoint_rewrites_only_what_changed() {
    let memory = Memory::new();
    let house = House::with(Arc::new(memory.clone()), eager());
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    house.housekeep();
    let before = memory.watermark();
    desk.append_to(desk.mailbox_id("Sent"), "sent").unwrap();
    house.housekeep();
    let blobs = memory.watermark().0 - before.0;
    assert_eq!(blobs, 2, "the message, and the one chunk of the mailbox it went to");
}

#[test]
fn a_commit_that_is_in_flight_while_a_checkpoint_is_made_stays_whole() {
    let memory = Memory::new();
    let gated = Gated::new(Arc::new(memory.clone()));
    let settings = Settings { tail_entries_max: 4, memory_bytes_max: 0, ..calm() };
    let house = House::with(Arc::new(gated.clone()), settings);
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    let inbox = desk.inbox();
    gated.shut();
    let mut first = desk.open.commit(store(inbox, &[4], FlagOp::Add, SystemFlag::Seen));
    let mut second = desk.open.commit(store(inbox, &[4], FlagOp::Add, SystemFlag::Flagged));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    house.housekeep();
    assert_eq!(wait(memory.checkpoints(AccountKey(desk.id.0))).unwrap().len(), 1);
    gated.lift();
    wait(first).unwrap();
    wait(second).unwrap();
    // Unloads: what is read now is the checkpoint's parts with what came after it.
    house.housekeep();
    assert!(desk.account().all_loaded().next().is_none());
    assert_eq!(wait(memory.checkpoints(AccountKey(desk.id.0))).unwrap().len(), 1);
    assert_eq!(portrait(&House::new(Arc::new(memory)), desk.id), portrait(&house, desk.id));
}

#[test]
fn a_draft_decided_while_others_are_in_flight_knows_of_a_checkpoint_made_meanwhile() {
    let gated = Gated::new(Arc::new(Memory::new()));
    let settings = Settings { tail_entries_max: 4, memory_bytes_max: 0, ..calm() };
    let house = House::with(Arc::new(gated.clone()), settings);
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    gated.shut();
    let mut commits = Vec::new();
    for flag in [SystemFlag::Seen, SystemFlag::Flagged, SystemFlag::Draft] {
        let mut commit = desk.open.commit(store(desk.inbox(), &[4], FlagOp::Add, flag));
        assert!(poll(&mut commit).is_pending());
        commits.push(commit);
        house.housekeep();
    }
    gated.lift();
    for commit in commits {
        wait(commit).unwrap();
    }
    house.housekeep();
    assert!(desk.account().all_loaded().next().is_none());
    assert_eq!(desk.uids(), [1, 3, 4]);
}

#[test]
fn what_arrives_while_columns_are_read_is_in_them() {
    let memory = Memory::new();
    let first = House::with(Arc::new(memory.clone()), eager());
    let ann = first.create("ann@example.org");
    live_a_little(&first.open(ann));
    first.housekeep();
    let gated = Gated::new(Arc::new(memory));
    let house = House::new(Arc::new(gated.clone()));
    let desk = house.open(ann);
    gated.stall_reads();
    let mut loading = desk.open.mailbox(desk.inbox());
    assert!(poll(&mut loading).is_pending());
    desk.append("five").unwrap();
    gated.resume_reads();
    assert_eq!(wait(loading).unwrap().unwrap().len(), 4);
    assert_eq!(gated.reads.bodies(), 2, "one chunk and what was expunged, read once");
}

#[test]
fn columns_loaded_while_a_commit_is_in_flight_are_complete() {
    let memory = Memory::new();
    let first = House::with(Arc::new(memory.clone()), eager());
    let ann = first.create("ann@example.org");
    live_a_little(&first.open(ann));
    first.housekeep();
    let gated = Gated::new(Arc::new(memory));
    let house = House::new(Arc::new(gated.clone()));
    let desk = house.open(ann);
    let blob = desk.upload(b"Subject: five\r\n\r\n").unwrap();
    gated.shut();
    let mut commit = desk.open.commit(driver::append(desk.inbox(), &[blob]));
    assert!(poll(&mut commit).is_pending());
    assert_eq!(desk.uids(), [1, 3, 4], "loaded without what is not durable");
    let mut flag = desk.open.commit(store(desk.inbox(), &[5], FlagOp::Add, SystemFlag::Seen));
    assert!(poll(&mut flag).is_pending(), "decided on columns with what is not durable");
    let read = gated.reads.bodies();
    assert!(gated.release());
    assert_eq!(desk.uids(), [1, 3, 4, 5]);
    assert_eq!(
        gated.reads.bodies(),
        read,
        "they stay loaded when an entry from before their loading is published"
    );
    gated.lift();
    wait(commit).unwrap();
    assert!(wait(flag).unwrap().missing.is_empty());
    assert_eq!(gated.reads.bodies(), read);
}

#[test]
fn a_damaged_checkpoint_is_passed_over_and_reported() {
    let memory = Memory::new();
    let house = House::with(Arc::new(memory.clone()), eager());
    let ann = house.create("ann@example.org");
    let desk = house.open(ann);
    live_a_little(&desk);
    for subject in ["five", "six"] {
        house.housekeep();
        desk.append(subject).unwrap();
    }
    let expected = portrait(&house, ann);
    for generations in 1..=2 {
        let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
        let reported = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&reported);
        let on_fault: keeper::OnFault = Arc::new(move |account, fault| {
            log.lock().unwrap().push((account, fault.clone()));
        });
        let anew = House::with(Arc::new(faulty.clone()), Settings { on_fault: Some(on_fault), ..calm() });
        let roster = wait(anew.keeper.roster()).unwrap();
        let damage =
            |plan: FaultPlan, nth| plan.and_nth(Some(Operation::Checkpoints), nth, store::Fault::Damage);
        faulty.set_plan((1..=generations).fold(FaultPlan::none(), |plan, nth| damage(plan, nth as u64)));
        if generations == 1 {
            assert_eq!(portrait(&anew, ann), expected, "the older generation and what came after it");
        } else {
            assert!(wait(anew.keeper.open(ann)).is_err(), "never taken for an empty account");
        }
        assert_eq!(reported.lock().unwrap().len(), generations);
        drop(roster);
    }
}

#[test]
fn a_checkpoint_of_a_later_version_refuses_the_account_and_garbage_does_not() {
    for (manifest, opens) in [(&[99u8, 1, 2, 3][..], false), (b"", true), (b"\x01 not a manifest", true)] {
        let memory = Memory::new();
        let (house, desk) = House::with_ann(Arc::new(memory.clone()));
        live_a_little(&desk);
        let head = desk.account().head().0;
        wait(memory.checkpoint(AccountKey(desk.id.0), head, manifest.to_vec().into())).unwrap();
        let anew = House::new(Arc::new(memory));
        if opens {
            assert_eq!(portrait(&anew, desk.id), portrait(&house, desk.id), "folded from the first entry");
        } else {
            assert_eq!(wait(anew.keeper.open(desk.id)).err(), Some(account::Fault::Gone));
        }
    }
}

#[test]
fn an_account_that_nobody_holds_falls_asleep_and_wakes_the_same() {
    let house = House::new(Arc::new(Memory::new()));
    let ann = house.create("ann@example.org");
    let desk = house.open(ann);
    live_a_little(&desk);
    let before = portrait(&house, ann);
    house.night();
    assert!(house.keeper.awake_count() >= 1, "the handle keeps it awake");
    drop(desk);
    house.housekeep();
    assert_eq!(
        house.keeper.awake_count(),
        1,
        "it was used a moment ago; the roster sleeps or not by its own use"
    );
    house.night();
    assert_eq!(house.keeper.awake_count(), 0);
    assert_eq!(portrait(&house, ann), before);
}

#[test]
fn an_account_with_something_in_flight_does_not_fall_asleep() {
    let gated = Gated::new(Arc::new(Memory::new()));
    let (house, ann) = House::with_ann(Arc::new(gated.clone()));
    let id = ann.id;
    gated.shut();
    let mut commit = ann.open.commit(driver::subscribe("A"));
    assert!(poll(&mut commit).is_pending());
    drop(commit);
    drop(ann);
    house.night();
    gated.lift();
    let desk = house.open(id);
    assert_eq!(desk.account().directory().subscriptions().len(), 7);
}

#[test]
fn cold_columns_are_unloaded_and_answer_the_same_when_asked_again() {
    let settings = Settings { memory_bytes_max: 1, ..eager() };
    let house = House::with(Arc::new(Memory::new()), settings);
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    let before = portrait(&house, desk.id);
    assert!(desk.account().loaded(desk.inbox()).is_some());
    house.housekeep();
    assert!(desk.account().all_loaded().next().is_none());
    assert_eq!(house.keeper.loaded_bytes(), 0);
    assert_eq!(portrait(&house, desk.id), before);
    assert!(house.keeper.loaded_bytes() > 0);
    house.housekeep();
    desk.flag(&[4], SystemFlag::Seen).unwrap();
    assert!(
        desk.columns(desk.inbox()).row(account::Uid::new(4).unwrap()).unwrap().flags.has(SystemFlag::Seen)
    );
}

#[test]
fn the_columns_used_last_stay() {
    let house = House::new(Arc::new(Memory::new()));
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    let (inbox, trash) = (desk.inbox(), desk.mailbox_id("Trash"));
    let bytes = desk.columns(inbox).resident_bytes().max(desk.columns(trash).resident_bytes()) as u64;
    let settings = Settings { memory_bytes_max: bytes, ..calm() };
    let memory = Memory::new();
    let house = House::with(Arc::new(memory), settings);
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    desk.columns(trash);
    house.pass(Millis(1));
    desk.columns(inbox);
    house.housekeep();
    assert!(desk.account().loaded(inbox).is_some());
    assert!(desk.account().loaded(trash).is_none());
}

#[test]
fn housekeeping_is_due_when_a_tail_is_over_its_bounds() {
    let settings = Settings { tail_entries_max: 3, ..calm() };
    let house = House::with(Arc::new(Memory::new()), settings);
    let ann = house.create("ann@example.org");
    let desk = house.open(ann);
    let mut due = house.keeper.housekeeping_due();
    assert!(poll(&mut due).is_pending());
    desk.append("one").unwrap();
    desk.append("two").unwrap();
    assert!(poll(&mut due).is_pending());
    desk.append("three").unwrap();
    assert!(poll(&mut due).is_ready());
    house.housekeep();
    assert!(poll(&mut house.keeper.housekeeping_due()).is_pending());
}

#[test]
fn a_checkpoint_that_fails_is_tried_again_and_leaves_the_account_as_it_is() {
    let memory = Memory::new();
    let faulty = Faulty::new(Arc::new(memory.clone()), FaultPlan::none());
    let house = House::with(Arc::new(faulty.clone()), eager());
    let desk = house.open(house.create("ann@example.org"));
    live_a_little(&desk);
    for operation in [Operation::PutBlob, Operation::Checkpoint] {
        faulty.set_plan(FaultPlan::nth(operation, 1, store::Fault::Full));
        desk.append("more").unwrap();
        house.housekeep();
        assert_eq!(wait(memory.checkpoints(AccountKey(desk.id.0))), Ok(Vec::new()));
    }
    for n in 0..8 {
        desk.append(&n.to_string()).unwrap();
        house.housekeep();
    }
    assert_ne!(wait(memory.checkpoints(AccountKey(desk.id.0))), Ok(Vec::new()));
    assert_eq!(portrait(&House::new(Arc::new(memory)), desk.id), portrait(&house, desk.id));
}

#[test]
fn a_checkpoint_of_another_node_is_taken_over() {
    let memory = Memory::new();
    let settings = Settings { tail_entries_max: 0, ..driver::one_of_many() };
    let here = House::with(Arc::new(memory.clone()), settings.clone());
    let there = House::with(Arc::new(memory.clone()), settings);
    let desk = here.open(here.create("ann@example.org"));
    let other = there.open(desk.id);
    live_a_little(&desk);
    wait(there.keeper.catch_up(desk.id)).unwrap();
    there.housekeep();
    here.housekeep();
    other.append("five").unwrap();
    there.housekeep();
    wait(here.keeper.catch_up(desk.id)).unwrap();
    here.housekeep();
    desk.append("six").unwrap();
    here.housekeep();
    assert_eq!(portrait(&House::new(Arc::new(memory)), desk.id), portrait(&here, desk.id));
}

#[test]
fn recent_is_claimed_once_and_survives_sleep() {
    let house = House::with(Arc::new(Memory::new()), eager());
    let ann = house.create("ann@example.org");
    let desk = house.open(ann);
    let inbox = desk.inbox();
    desk.append("one").unwrap();
    assert_eq!(desk.open.recent_floor(inbox), 1);
    assert_eq!(desk.open.claim_recent(inbox, 2), 1, "all of it is recent to the first");
    assert_eq!(desk.open.claim_recent(inbox, 2), 2, "none of it to the second");
    desk.append("two").unwrap();
    assert_eq!(desk.open.claim_recent(inbox, 2), 2, "a session that has not seen it claims nothing");
    drop(desk);
    house.night();
    house.night();
    assert_eq!(house.keeper.awake_count(), 0);
    assert_eq!(house.open(ann).open.recent_floor(inbox), 2, "delivered and not yet claimed");
    house.open(ann).open.claim_recent(inbox, 3);
    house.night();
    assert_eq!(house.open(ann).open.recent_floor(inbox), 3);
}

#[test]
fn after_a_restart_what_came_since_the_checkpoint_is_recent() {
    let memory = Memory::new();
    let house = House::with(Arc::new(memory.clone()), eager());
    let desk = house.open(house.create("ann@example.org"));
    desk.append("one").unwrap();
    house.housekeep();
    desk.append("two").unwrap();
    let anew = House::new(Arc::new(memory));
    let desk = anew.open(desk.id);
    assert_eq!(desk.open.recent_floor(desk.inbox()), 2);
}

#[test]
fn what_is_derived_from_a_message_is_kept_beside_it() {
    let (_house, ann) = House::with_ann(Arc::new(Memory::new()));
    let octets = driver::message("of the day");
    let mut upload = ann.open.upload();
    for piece in octets.as_bytes().chunks(7) {
        wait(upload.write(piece)).unwrap();
    }
    let blob = wait(upload.finish()).unwrap();
    assert_eq!(wait(ann.open.body(blob, 0..u64::MAX)).unwrap(), octets);
    assert_eq!(wait(ann.open.body(blob, 6..9)).unwrap(), "ann");
    let derived = message::derive(octets.as_bytes());
    assert_eq!(
        wait(ann.open.summaries(&[blob, blob])).unwrap(),
        [&derived.summary[..], &derived.summary[..]]
    );
    assert_eq!(wait(ann.open.text(blob)).unwrap(), derived.text);
}

#[test]
fn closing_waits_for_what_is_in_flight() {
    let memory = Memory::new();
    let gated = Gated::new(Arc::new(memory.clone()));
    let (house, ann) = House::with_ann(Arc::new(gated.clone()));
    gated.shut();
    let mut commit = ann.open.commit(driver::subscribe("A"));
    assert!(poll(&mut commit).is_pending());
    let mut close = house.keeper.close();
    assert!(poll(&mut close).is_pending());
    gated.lift();
    wait(close).unwrap();
    wait(commit).unwrap();
    assert_eq!(wait(memory.head(AccountKey(ann.id.0))), Err(StoreError::Closed));
}
