//! Views: what one session sees while others change the mailbox. The many cases are in the model (`src/tests/model`); here
//! are those that a person should be able to read.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::sync::Arc;

use account::{Announce, Difference, Draft, FlagOp, Flags, Modseq, SeqNum, SystemFlag, Uid, UidSet, View};
use support::{Journal, name, new_mailbox, plain, seen, set};

fn uid(value: u32) -> Uid {
    Uid::new(value).unwrap()
}

fn number(value: u32) -> SeqNum {
    SeqNum::new(value).unwrap()
}

#[test]
fn expunged_message_keeps_its_number_until_announced() {
    let mut journal = Journal::new();
    journal.append("INBOX", 4);
    let mut view = View::new(journal.columns("INBOX"));
    let before = view.row(uid(2)).unwrap();
    journal.expunge("INBOX", set(&[(2, 2)]));
    journal.append("INBOX", 1);
    let told = view.advance(journal.columns("INBOX"), Announce::HoldExpunges);
    assert_eq!(told, Difference { appended: set(&[(5, 5)]), ..Difference::default() });
    assert_eq!(view.exists(), 5);
    assert_eq!((view.uid(number(2)), view.uid(number(5))), (Some(uid(2)), Some(uid(5))));
    assert_eq!(view.row(uid(2)), Some(before), "a ghost is fetched as it last was, modseq and all");
    let told = view.advance(journal.columns("INBOX"), Announce::Expunges);
    assert_eq!(told.expunged_numbers, [number(2)]);
    assert_eq!(view.number(uid(5)), Some(number(4)));
}

#[test]
fn expunges_are_numbered_so_that_they_can_be_sent_one_after_the_other() {
    let mut journal = Journal::new();
    journal.append("INBOX", 6);
    let mut view = View::new(journal.columns("INBOX"));
    let mut client: Vec<u32> = (1..=6).collect();
    journal.expunge("INBOX", set(&[(1, 2), (4, 4), (6, 6)]));
    let told = view.advance(journal.columns("INBOX"), Announce::Expunges);
    for number in told.expunged_numbers {
        client.remove(number.value() as usize - 1);
    }
    assert_eq!(client, [3, 5]);
}

#[test]
fn a_message_that_came_and_went_between_two_looks_is_never_mentioned() {
    let mut journal = Journal::new();
    let mut view = View::new(journal.columns("INBOX"));
    journal.append("INBOX", 1);
    journal.expunge("INBOX", set(&[(1, 1)]));
    assert_eq!(view.advance(journal.columns("INBOX"), Announce::Expunges), Difference::default());
    assert_eq!(view.modseq(), journal.facts("INBOX").highest_modseq);
}

#[test]
fn a_flag_set_and_cleared_again_is_a_change_of_modseq() {
    let mut journal = Journal::new();
    journal.append("INBOX", 2);
    let mut view = View::new(journal.columns("INBOX"));
    journal.store("INBOX", set(&[(1, 1)]), FlagOp::Add, seen());
    journal.store("INBOX", set(&[(1, 1)]), FlagOp::Remove, seen());
    let told = view.advance(journal.columns("INBOX"), Announce::Expunges);
    assert_eq!(plain(&told.changed), [1]);
    assert_eq!(view.row(uid(1)).unwrap().flags, Flags::NONE);
}

#[test]
fn ghosts_take_flags_of_their_own_and_nobody_else_sees_them() {
    let mut journal = Journal::new();
    journal.append("INBOX", 2);
    let mut view = View::new(journal.columns("INBOX"));
    let other = view.clone();
    journal.expunge("INBOX", set(&[(1, 1)]));
    view.advance(journal.columns("INBOX"), Announce::HoldExpunges);
    let flag = Flags::system(SystemFlag::Seen);
    view.store_ghosts(&set(&[(1, 2)]), FlagOp::Add, flag);
    assert_eq!(view.row(uid(1)).unwrap().flags, flag);
    assert_eq!(view.row(uid(2)).unwrap().flags, Flags::NONE, "the living are the journal's affair");
    assert_eq!(other.row(uid(1)).unwrap().flags, Flags::NONE);
    assert_eq!(view.ghosts(), set(&[(1, 1)]));
}

#[test]
fn a_view_never_goes_back() {
    let mut journal = Journal::new();
    journal.append("INBOX", 1);
    let old = journal.columns("INBOX");
    journal.append("INBOX", 1);
    let mut view = View::new(journal.columns("INBOX"));
    assert_eq!(view.advance(old, Announce::Expunges), Difference::default());
    assert_eq!(view.exists(), 2);
}

#[test]
fn a_view_outlives_its_mailbox() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    let mailbox = journal.id("a");
    journal.must(&Draft::Append { mailbox, messages: vec![support::with_keyword(1, "$Work")] });
    let view = View::new(journal.columns("a"));
    journal.must(&Draft::Delete { name: name("a") });
    let row = view.row(uid(1)).unwrap();
    let names: Vec<_> = row.flags.keywords().map(|index| view.mailbox().keywords().name(index)).collect();
    assert_eq!(names, [Some("$Work")]);
}

#[test]
fn an_empty_mailbox_answers_everything() {
    let journal = Journal::new();
    let mut view = View::new(journal.columns("INBOX"));
    assert_eq!((view.exists(), view.uids()), (0, UidSet::new()));
    assert_eq!(view.uid(number(1)), None);
    assert_eq!(view.rows().count(), 0);
    let columns = Arc::clone(view.mailbox());
    assert_eq!(columns.changed_since(Modseq(0)), UidSet::new());
    assert_eq!(columns.vanished_since(Modseq(0)), UidSet::new());
    assert_eq!(view.advance(columns, Announce::Expunges), Difference::default());
}
