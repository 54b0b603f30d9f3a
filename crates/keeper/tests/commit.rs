//! Committing: what is decided on what, what is answered when, and what becomes of it when the store does not play along.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod driver;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

use account::{CommitError, Draft, Fault, FlagOp, MailboxName, Modseq, Refusal, SystemFlag};
use driver::{Desk, Gated, House, append, create, fold_all, poll, set, store, subscribe, wait};
use store::{AppendError, FaultPlan, Faulty, Memory, Operation, StoreError};

fn gated() -> (Gated, House, Desk) {
    let gated = Gated::new(Arc::new(Memory::new()));
    let (house, ann) = House::with_ann(Arc::new(gated.clone()));
    (gated, house, ann)
}

#[test]
fn nothing_is_visible_or_answered_before_it_is_durable() {
    let (gated, _house, ann) = gated();
    let before = ann.account().head();
    gated.shut();
    let mut commit = ann.open.commit(subscribe("Lists"));
    assert!(poll(&mut commit).is_pending());
    assert_eq!(ann.account().head(), before);
    assert!(gated.release());
    assert_eq!(ann.account().head(), Modseq(before.0 + 1));
    assert_eq!(wait(commit).unwrap().modseq, Some(Modseq(before.0 + 1)));
}

#[test]
fn drafts_are_decided_on_each_other_before_any_of_them_is_durable() {
    let (gated, _house, ann) = gated();
    let inbox = ann.inbox();
    let blobs: Vec<_> =
        (0..3).map(|n| ann.upload(driver::message(&n.to_string()).as_bytes()).unwrap()).collect();
    gated.shut();
    let mut commits: Vec<_> = blobs.iter().map(|&blob| ann.open.commit(append(inbox, &[blob]))).collect();
    for commit in &mut commits {
        assert!(poll(commit).is_pending());
    }
    assert_eq!(gated.held(), 3, "all three ride before the first is durable");
    gated.lift();
    let uids: Vec<_> = commits.into_iter().map(|commit| wait(commit).unwrap().uids).collect();
    assert_eq!(uids, [set(&[1]), set(&[2]), set(&[3])]);
    assert_eq!(ann.uids(), [1, 2, 3]);
}

#[test]
fn what_is_committed_is_published_although_the_caller_went_away() {
    let (gated, _house, ann) = gated();
    let head = ann.account().head();
    let mut changed = ann.open.changed(head);
    assert!(poll(&mut changed).is_pending());
    gated.shut();
    let mut commit = ann.open.commit(subscribe("Lists"));
    assert!(poll(&mut commit).is_pending());
    drop(commit);
    gated.lift();
    assert!(poll(&mut changed).is_ready());
    assert!(ann.account().directory().subscriptions().contains(&MailboxName::new("Lists").unwrap()));
}

#[test]
fn a_commit_never_polled_writes_nothing() {
    let (gated, _house, ann) = gated();
    let head = ann.account().head();
    drop(ann.open.commit(subscribe("Lists")));
    ann.commit(subscribe("Other")).unwrap();
    assert_eq!(ann.account().head(), Modseq(head.0 + 1));
    assert_eq!(gated.held(), 0);
}

#[test]
fn an_answer_that_rests_on_an_entry_waits_for_it_and_is_decided_anew_without_it() {
    let (gated, _house, ann) = gated();
    gated.shut();
    let mut first = ann.open.commit(create("New"));
    let mut second = ann.open.commit(create("New"));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending(), "that it exists is not sure yet");
    gated.fail(AppendError::Full);
    assert_eq!(wait(first), Err(CommitError::Full));
    assert!(poll(&mut second).is_pending(), "decided anew, and held");
    gated.lift();
    assert!(wait(second).unwrap().mailbox.is_some());
}

#[test]
fn a_refusal_is_answered_once_what_it_rests_on_is_durable() {
    let (gated, _house, ann) = gated();
    gated.shut();
    let mut first = ann.open.commit(create("New"));
    let mut second = ann.open.commit(create("New"));
    let mut nothing = ann.open.commit(subscribe("INBOX"));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    assert!(poll(&mut nothing).is_pending());
    gated.release();
    assert!(wait(first).is_ok());
    assert_eq!(wait(second), Err(CommitError::Refused(Refusal::AlreadyExists)));
    assert_eq!(wait(nothing).unwrap().modseq, None);
}

#[test]
fn a_full_store_takes_back_what_was_decided_on_the_lost_entry() {
    let (gated, house, ann) = gated();
    let inbox = ann.inbox();
    ann.append("one").unwrap();
    let blobs: Vec<_> =
        (0..2).map(|n| ann.upload(driver::message(&n.to_string()).as_bytes()).unwrap()).collect();
    gated.shut();
    let mut lost = ann.open.commit(append(inbox, &blobs[..1]));
    let mut flag = ann.open.commit(store(inbox, &[1, 2], FlagOp::Add, SystemFlag::Seen));
    assert!(poll(&mut lost).is_pending());
    assert!(poll(&mut flag).is_pending());
    gated.fail(AppendError::Full);
    // The lost one was answered; the other would be Full as well, since the store said so of it too.
    assert_eq!(wait(lost), Err(CommitError::Full));
    assert_eq!(wait(flag), Err(CommitError::Full));
    gated.lift();
    assert_eq!(ann.commit(append(inbox, &blobs[1..])).unwrap().uids, set(&[2]), "the UID was never given");
    let folded = fold_all(&gated, ann.id);
    assert_eq!(folded.directory(), ann.account().directory());
    drop(house);
}

#[test]
fn an_append_that_happened_and_was_not_answered_is_recognised() {
    let (gated, _house, ann) = gated();
    gated.shut();
    let mut first = ann.open.commit(subscribe("A"));
    let mut second = ann.open.commit(subscribe("B"));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    gated.break_off();
    gated.lift();
    let (first, second) = (wait(first).unwrap(), wait(second).unwrap());
    assert_eq!(first.modseq.map(|no| no.0 + 1), second.modseq.map(|no| no.0));
    assert_eq!(fold_all(&gated, ann.id).directory(), ann.account().directory());
}

#[test]
fn a_poisoned_store_fails_commits_and_goes_on_reading() {
    let faulty = Faulty::new(Arc::new(Memory::new()), FaultPlan::none());
    let (_house, ann) = House::with_ann(Arc::new(faulty.clone()));
    ann.append("one").unwrap();
    faulty.set_plan(FaultPlan::nth(Operation::Append, 1, store::Fault::Poison));
    let poisoned = CommitError::Fault(Fault::Unavailable(StoreError::Poisoned.to_string()));
    assert_eq!(ann.flag(&[1], SystemFlag::Seen), Err(poisoned.clone()));
    assert_eq!(ann.flag(&[1], SystemFlag::Seen), Err(poisoned));
    assert_eq!(ann.uids(), [1]);
    let row = ann.columns(ann.inbox()).rows().next().unwrap();
    assert!(!row.flags.has(SystemFlag::Seen));
    assert_eq!(wait(ann.open.body(row.blob, 0..5)).unwrap(), "From:");
}

#[test]
fn a_read_that_fails_while_settling_is_asked_again_by_the_next() {
    let faulty = Faulty::new(Arc::new(Memory::new()), FaultPlan::none());
    let (_house, ann) = House::with_ann(Arc::new(faulty.clone()));
    let plan = FaultPlan::nth(Operation::Append, 1, store::Fault::Unanswered);
    faulty.set_plan(plan.and_nth(Some(Operation::Read), 1, store::Fault::Refuse));
    assert!(matches!(ann.commit(subscribe("A")), Err(CommitError::Fault(Fault::Unavailable(_)))));
    assert!(!ann.account().directory().subscriptions().contains(&MailboxName::new("A").unwrap()));
    // It had happened all the same, and the next commit finds it.
    ann.commit(subscribe("B")).unwrap();
    assert!(ann.account().directory().subscriptions().contains(&MailboxName::new("A").unwrap()));
}

#[test]
fn two_keepers_over_one_store_write_as_one() {
    let memory = Memory::new();
    let here = House::with(Arc::new(memory.clone()), driver::one_of_many());
    let ann_here = here.open(here.create("ann@example.org"));
    let there = House::with(Arc::new(memory.clone()), driver::one_of_many());
    let ann_there = there.open(ann_here.id);
    assert_eq!(ann_here.append("one").unwrap().uids, set(&[1]));
    assert_eq!(ann_there.append("two").unwrap().uids, set(&[2]), "decided again after the conflict");
    assert_eq!(ann_there.uids(), [1, 2]);
    assert_eq!(ann_here.uids(), [1], "who did not write is behind");
    wait(here.keeper.catch_up(ann_here.id)).unwrap();
    assert_eq!(ann_here.uids(), [1, 2]);
    assert_eq!(ann_here.account().chain(), ann_there.account().chain());
}

#[test]
fn nothing_is_appended_on_an_entry_that_another_writer_has_kept_out() {
    let gated = Gated::new(Arc::new(Memory::new()));
    let settings = driver::one_of_many();
    let here = House::with(Arc::new(gated.clone()), settings.clone());
    let ann = here.open(here.create("ann@example.org"));
    let there = House::with(Arc::new(gated.clone()), settings);
    let ben = there.open(ann.id);
    gated.shut();
    let mut theirs = ben.open.commit(subscribe("Theirs"));
    assert!(poll(&mut theirs).is_pending());
    // The same number as theirs is taken; and what follows it here must not be taken for following theirs.
    let mut ours = [ann.open.commit(subscribe("A")), ann.open.commit(subscribe("B"))];
    for commit in &mut ours {
        assert!(poll(commit).is_pending());
    }
    gated.lift();
    for commit in ours {
        wait(commit).unwrap();
    }
    wait(theirs).unwrap();
    assert_eq!(fold_all(&gated, ann.id).directory(), ann.account().directory());
    assert_eq!(ann.account().directory().subscriptions().len(), 9);
}

#[test]
fn writers_on_two_nodes_lose_and_double_nothing() {
    const WRITERS: u32 = 4;
    const MESSAGES: u32 = 25;
    let memory = Memory::new();
    let here = House::with(Arc::new(memory.clone()), driver::one_of_many());
    let ann = here.open(here.create("ann@example.org"));
    let there = House::with(Arc::new(memory.clone()), driver::one_of_many());
    let uids: Vec<u32> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let desk = if writer % 2 == 0 { here.open(ann.id) } else { there.open(ann.id) };
                scope.spawn(move || {
                    let appended = (0..MESSAGES).map(|n| desk.append(&format!("{writer}.{n}")).unwrap());
                    appended.flat_map(|receipt| receipt.uids.iter().collect::<Vec<_>>()).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).map(|uid| uid.value()).collect()
    });
    let mut sorted = uids.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=WRITERS * MESSAGES).collect::<Vec<_>>(), "each UID was promised once");
    wait(here.keeper.catch_up(ann.id)).unwrap();
    assert_eq!(ann.uids(), sorted);
    assert_eq!(fold_all(&memory, ann.id).chain(), ann.account().chain());
}

#[test]
fn a_journal_that_does_not_chain_is_not_followed() {
    let memory = Memory::new();
    let (_house, ann) = House::with_ann(Arc::new(memory.clone()));
    let head = ann.account().head();
    let key = store::AccountKey(ann.id.0);
    let stray = account::Entry { no: Modseq(head.0 + 1), time: account::Millis(1), changes: Vec::new() };
    let bytes = stray.encode(ann.account().chain() ^ 1).into();
    wait(store::Store::append(&memory, key, head.0, head.0 + 1, bytes, store::AppendClass::Grow)).unwrap();
    for _ in 0..2 {
        assert!(matches!(ann.commit(subscribe("A")), Err(CommitError::Fault(Fault::Unavailable(_)))));
    }
    assert_eq!(ann.account().head(), head, "what was durable before can still be read");
    assert_eq!(ann.uids(), [] as [u32; 0]);
}

#[test]
fn watchers_miss_no_change() {
    const CHANGES: u64 = 2_000;
    let (_house, ann) = House::with_ann(Arc::new(Memory::new()));
    let first = ann.account().head();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // A lost wake-up would leave this waiting for ever.
                let mut seen = first;
                while seen.0 < first.0 + CHANGES {
                    wait(ann.open.changed(seen));
                    let head = ann.account().head();
                    assert!(head > seen);
                    seen = head;
                }
            });
        }
        scope.spawn(|| {
            // Others come and go without waiting for anything.
            while !done.load(Ordering::Relaxed) {
                assert!(matches!(poll(&mut ann.open.changed(Modseq(u64::MAX))), Poll::Pending));
            }
        });
        for n in 0..CHANGES {
            let flag = if n % 2 == 0 {
                subscribe("A")
            } else {
                Draft::Unsubscribe { name: MailboxName::new("A").unwrap() }
            };
            ann.commit(flag).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
