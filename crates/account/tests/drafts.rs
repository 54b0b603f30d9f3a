//! What drafts decide and refuse.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use account::limits::{KEYWORD_BYTES_MAX, SUBSCRIPTIONS_MAX};
use account::{
    BlobId, Change, Draft, FlagNames, FlagOp, Flags, InternalDate, KEYWORDS_MAX, MailboxId, MailboxName,
    Modseq, NewMailbox, NewMessage, Refusal, Right, Rights, SystemFlag, Uid, UidSet, UidValidity,
};
use support::{Journal, deleted, message, name, new_mailbox, plain, seen, set, with_keyword};

fn rights(rights: &[Right]) -> Rights {
    rights.iter().fold(Rights::NONE, |all, &right| all.with(right))
}

#[test]
fn creating_a_name_creates_its_superiors() {
    let mut journal = Journal::new();
    let receipt = journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a/b/c")] });
    let names: Vec<String> =
        journal.account.directory().mailboxes().map(|facts| facts.name.to_string()).collect();
    assert_eq!(names, ["INBOX", "a", "a/b", "a/b/c"]);
    assert_eq!(receipt.mailbox, Some(journal.id("a/b/c")));
    assert_eq!(
        journal.refused(&Draft::Create { mailboxes: vec![new_mailbox("a/b")] }),
        Refusal::AlreadyExists
    );
}

#[test]
fn one_draft_may_name_a_parent_after_its_child() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a/b"), new_mailbox("a")] });
    assert_eq!(journal.account.directory().mailboxes().count(), 3);
    let twice = Draft::Create { mailboxes: vec![new_mailbox("x"), new_mailbox("x")] };
    assert_eq!(journal.refused(&twice), Refusal::AlreadyExists);
}

#[test]
fn a_name_created_anew_gets_a_larger_uid_validity_even_within_a_second() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a"), new_mailbox("b")] });
    let first = journal.facts("a").uid_validity;
    assert!(journal.facts("b").uid_validity > first);
    let (id, highest) = (journal.id("a"), journal.facts("b").uid_validity);
    journal.must(&Draft::Delete { name: name("a") });
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    assert!(journal.facts("a").uid_validity > highest);
    assert_ne!(journal.id("a"), id);
}

#[test]
fn a_clock_that_goes_back_does_not_repeat_uid_validities() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    let before = journal.facts("a").uid_validity;
    journal.now = account::Millis(0);
    journal.must(&Draft::Delete { name: name("a") });
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    assert!(journal.facts("a").uid_validity > before);
}

#[test]
fn an_import_keeps_uid_validity_and_uids() {
    let mut journal = Journal::new();
    let wanted = UidValidity::new(77).unwrap();
    let mailbox = NewMailbox { uid_validity: Some(wanted), ..new_mailbox("old") };
    journal.must(&Draft::Create { mailboxes: vec![mailbox] });
    assert_eq!(journal.facts("old").uid_validity, wanted);
    let at = |uid| NewMessage { uid: Uid::new(uid), ..message(1) };
    let mailbox = journal.id("old");
    let receipt = journal.must(&Draft::Append { mailbox, messages: vec![at(5), at(9), message(2)] });
    assert_eq!(plain(&receipt.uids), [5, 9, 10]);
    assert_eq!(journal.refused(&Draft::Append { mailbox, messages: vec![at(10)] }), Refusal::UidTaken);
    assert_eq!(
        journal.refused(&Draft::Append { mailbox, messages: vec![at(20), at(20)] }),
        Refusal::UidTaken
    );
    assert_eq!(journal.facts("old").uid_next, 11);
}

#[test]
fn uid_validity_cannot_change_under_uids_that_were_given() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let uid_validity = UidValidity::new(5).unwrap();
    journal.must(&Draft::Revalidate { mailbox, uid_validity, uid_next: 40 });
    assert_eq!((journal.facts("INBOX").uid_validity, journal.facts("INBOX").uid_next), (uid_validity, 40));
    assert_eq!(journal.columns("INBOX").uid_next(), 40);
    let another = Draft::Revalidate { mailbox, uid_validity: UidValidity::new(6).unwrap(), uid_next: 50 };
    assert!(matches!(journal.refused(&another), Refusal::Cannot(_)));
    assert!(journal.nothing(&Draft::Revalidate { mailbox, uid_validity, uid_next: 30 }).uids.is_empty());
}

#[test]
fn used_up_uids_refuse_and_do_not_wrap() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let last = NewMessage { uid: Uid::new(u32::MAX - 1), ..message(1) };
    journal.must(&Draft::Append { mailbox, messages: vec![last] });
    assert_eq!(journal.facts("INBOX").uid_next, u32::MAX);
    assert!(matches!(
        journal.refused(&Draft::Append { mailbox, messages: vec![message(2)] }),
        Refusal::Limit(_)
    ));
    let never = NewMessage { uid: Uid::new(u32::MAX), ..message(2) };
    assert!(matches!(journal.refused(&Draft::Append { mailbox, messages: vec![never] }), Refusal::Limit(_)));
}

#[test]
fn deleting_leaves_children_and_subscriptions() {
    let mut journal = Journal::new();
    let subscribed = NewMailbox { subscribe: true, ..new_mailbox("a") };
    journal.must(&Draft::Create { mailboxes: vec![subscribed, new_mailbox("a/b")] });
    journal.must(&Draft::Delete { name: name("a") });
    let directory = journal.account.directory();
    assert!(directory.mailbox(&name("a")).is_none());
    assert!(directory.has_children(&name("a")));
    assert!(directory.subscriptions().contains(&name("a")));
    assert_eq!(journal.refused(&Draft::Delete { name: name("a") }), Refusal::NonExistent);
    assert!(matches!(journal.refused(&Draft::Delete { name: MailboxName::inbox() }), Refusal::Cannot(_)));
}

#[test]
fn children_are_found_beside_names_that_only_begin_alike() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create {
        mailboxes: vec![new_mailbox("a"), new_mailbox("a b"), new_mailbox("a-c/d"), new_mailbox("ab")],
    });
    assert!(!journal.account.directory().has_children(&name("a")));
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a/z")] });
    let below: Vec<String> =
        journal.account.directory().below(&name("a")).map(|facts| facts.name.to_string()).collect();
    assert_eq!(below, ["a/z"]);
}

#[test]
fn renaming_keeps_identity_uids_and_roles_and_takes_children_along() {
    let mut journal = Journal::new();
    let sent = NewMailbox { roles: vec!["\\sent".into()], ..new_mailbox("a") };
    journal.must(&Draft::Create { mailboxes: vec![sent, new_mailbox("a/b")] });
    journal.append("a", 3);
    let before = journal.facts("a");
    journal.must(&Draft::Rename { from: name("a"), to: name("x/y") });
    let after = journal.facts("x/y");
    assert_eq!(
        (after.id, after.uid_validity, after.uid_next),
        (before.id, before.uid_validity, before.uid_next)
    );
    assert_eq!(after.roles, ["\\Sent"]);
    assert_eq!(after.highest_modseq, before.highest_modseq, "a name is not a message's metadata");
    let names: Vec<String> =
        journal.account.directory().mailboxes().map(|facts| facts.name.to_string()).collect();
    assert_eq!(names, ["INBOX", "x", "x/y", "x/y/b"]);
}

#[test]
fn renames_that_cannot_be_are_refused_whole() {
    let mut journal = Journal::new();
    journal
        .must(&Draft::Create { mailboxes: vec![new_mailbox("a/b"), new_mailbox("c/b"), new_mailbox("d")] });
    journal.must(&Draft::Delete { name: name("c") });
    let rename = |from: &str, to: &str| Draft::Rename { from: name(from), to: name(to) };
    assert!(matches!(journal.refused(&rename("a", "a/x")), Refusal::Cannot(_)));
    assert_eq!(journal.refused(&rename("a", "d")), Refusal::AlreadyExists);
    assert_eq!(journal.refused(&rename("a", "a")), Refusal::AlreadyExists);
    assert_eq!(journal.refused(&rename("nix", "e")), Refusal::NonExistent);
    assert_eq!(journal.refused(&rename("a", "c")), Refusal::AlreadyExists, "c/b is taken");
    let deep = vec!["l"; MailboxName::LEVELS_MAX].join("/");
    assert!(matches!(journal.refused(&rename("a", &deep)), Refusal::BadName(_)));
    assert_eq!(journal.account.directory().mailboxes().count(), 5);
}

#[test]
fn renaming_into_its_own_superior_works_level_by_level() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a/a/b"), new_mailbox("a/b")] });
    journal.must(&Draft::Delete { name: name("a") });
    let (inner, outer) = (journal.id("a/a/b"), journal.id("a/b"));
    // a/a → a and a/a/b → a/b, but a/b is taken.
    assert_eq!(journal.refused(&Draft::Rename { from: name("a/a"), to: name("a") }), Refusal::AlreadyExists);
    journal.must(&Draft::Delete { name: name("a/b") });
    journal.must(&Draft::Rename { from: name("a/a"), to: name("a") });
    assert_eq!(journal.id("a/b"), inner);
    assert_ne!(inner, outer);
}

#[test]
fn a_name_taken_over_by_another_of_the_same_rename_is_not_lost() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("p/a/a/b"), new_mailbox("p/a/b")] });
    journal.must(&Draft::Delete { name: name("p") });
    let (deep, flat) = (journal.id("p/a/a/b"), journal.id("p/a/b"));
    // The deep one comes to stand where the flat one stood, before that one has left.
    journal.must(&Draft::Rename { from: name("p/a"), to: name("p") });
    assert_eq!((journal.id("p/a/b"), journal.id("p/b")), (deep, flat));
    assert_eq!(journal.account.directory().mailboxes().count(), 5);
}

#[test]
fn renaming_inbox_moves_its_messages_and_leaves_it_empty() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("INBOX/child")] });
    let inbox = journal.id("INBOX");
    let messages = vec![with_keyword(1, "$Work"), deleted(2)];
    journal.must(&Draft::Append { mailbox: inbox, messages });
    let receipt = journal.must(&Draft::Rename { from: MailboxName::inbox(), to: name("old/mail") });
    assert_eq!(receipt.mailbox, Some(journal.id("old/mail")));
    assert_eq!(journal.id("INBOX"), inbox);
    assert_eq!(journal.facts("INBOX").counts.messages, 0);
    assert_eq!(journal.facts("INBOX").uid_next, 3, "UIDs are not given twice");
    assert_eq!(journal.facts("old/mail").counts.deleted, 1);
    assert_eq!(journal.facts("old/mail").keywords.0, ["$Work"]);
    assert!(journal.account.directory().mailbox(&name("INBOX/child")).is_some());
}

#[test]
fn roles_are_known_unique_and_case_insensitive() {
    let mut journal = Journal::new();
    let with_roles = |at: &str, roles: &[&str]| Draft::Create {
        mailboxes: vec![NewMailbox {
            roles: roles.iter().map(|&role| role.into()).collect(),
            ..new_mailbox(at)
        }],
    };
    journal.must(&with_roles("s", &["\\SENT"]));
    assert_eq!(journal.facts("s").roles, ["\\Sent"]);
    assert!(matches!(journal.refused(&with_roles("t", &["\\Sent"])), Refusal::UseAttr(_)));
    assert!(matches!(journal.refused(&with_roles("t", &["\\Inbox"])), Refusal::UseAttr(_)));
    let both = Draft::Create {
        mailboxes: vec![
            NewMailbox { roles: vec!["\\Junk".into()], ..new_mailbox("t") },
            NewMailbox { roles: vec!["\\junk".into()], ..new_mailbox("u") },
        ],
    };
    assert!(matches!(journal.refused(&both), Refusal::UseAttr(_)));
    let mailbox = journal.id("s");
    let again = Draft::SetRoles { mailbox, roles: vec!["\\Sent".into()] };
    assert_eq!(journal.nothing(&again).modseq, None);
    journal.must(&Draft::SetRoles { mailbox, roles: vec![] });
    journal.must(&with_roles("t", &["\\Sent"]));
}

#[test]
fn subscribing_twice_writes_once() {
    let mut journal = Journal::new();
    let subscribe = Draft::Subscribe { name: name("not/there") };
    journal.must(&subscribe);
    journal.nothing(&subscribe);
    journal.must(&Draft::Unsubscribe { name: name("not/there") });
    journal.nothing(&Draft::Unsubscribe { name: name("not/there") });
    assert!(SUBSCRIPTIONS_MAX > 0 && journal.account.directory().subscriptions().is_empty());
}

#[test]
fn storing_what_is_already_so_leaves_the_modseq() {
    let mut journal = Journal::new();
    journal.append("INBOX", 3);
    let mailbox = journal.id("INBOX");
    let store = |uids, op, flags| Draft::Store { mailbox, uids, op, flags, unchanged_since: None };
    let first = journal.must(&store(set(&[(2, 2)]), FlagOp::Add, seen()));
    let all = journal.must(&store(set(&[(1, u32::MAX)]), FlagOp::Add, seen()));
    let columns = journal.columns("INBOX");
    assert_eq!(columns.row(Uid::new(2).unwrap()).unwrap().modseq, first.modseq.unwrap());
    assert_eq!(columns.row(Uid::new(1).unwrap()).unwrap().modseq, all.modseq.unwrap());
    assert_eq!(plain(&all.missing.intersection(&set(&[(1, 10)]))), [4, 5, 6, 7, 8, 9, 10]);
    let highest = columns.highest_modseq();
    journal.nothing(&store(set(&[(1, 3)]), FlagOp::Add, seen()));
    journal.nothing(&store(set(&[(1, 3)]), FlagOp::Remove, deleted(0).flags));
    journal.nothing(&store(set(&[(1, 3)]), FlagOp::Replace, seen()));
    assert_eq!(journal.columns("INBOX").highest_modseq(), highest);
    assert_eq!(journal.facts("INBOX").counts.unseen, 0);
}

#[test]
fn unchanged_since_fails_message_by_message() {
    let mut journal = Journal::new();
    journal.append("INBOX", 3);
    let mailbox = journal.id("INBOX");
    let before = journal.columns("INBOX").highest_modseq();
    let store = |uids, unchanged_since| Draft::Store {
        mailbox,
        uids,
        op: FlagOp::Add,
        flags: seen(),
        unchanged_since,
    };
    journal.must(&store(set(&[(2, 2)]), None));
    let receipt = journal.must(&store(set(&[(1, 3)]), Some(before)));
    assert_eq!(plain(&receipt.modified), [2]);
    let receipt = journal.nothing(&store(set(&[(1, 3)]), Some(Modseq(0))));
    assert_eq!(plain(&receipt.modified), [1, 2, 3]);
}

#[test]
fn keywords_are_one_whatever_their_case_and_have_an_end() {
    let mut journal = Journal::new();
    journal.append("INBOX", 1);
    let mailbox = journal.id("INBOX");
    let store = |op, keywords: Vec<String>| Draft::Store {
        mailbox,
        uids: set(&[(1, 1)]),
        op,
        flags: FlagNames { system: Flags::NONE, keywords },
        unchanged_since: None,
    };
    journal.must(&store(FlagOp::Add, vec!["$Forwarded".into()]));
    journal.nothing(&store(FlagOp::Add, vec!["$FORWARDED".into()]));
    assert_eq!(journal.facts("INBOX").keywords.0, ["$Forwarded"]);
    journal.nothing(&store(FlagOp::Remove, vec!["unheard".into()]));
    assert_eq!(journal.facts("INBOX").keywords.0.len(), 1, "removing does not fill the table");
    let many = (1..KEYWORDS_MAX).map(|number| format!("k{number}")).collect();
    journal.must(&store(FlagOp::Add, many));
    let row = journal.columns("INBOX").row(Uid::new(1).unwrap()).unwrap();
    assert_eq!(row.flags.keywords().count(), KEYWORDS_MAX);
    assert!(matches!(journal.refused(&store(FlagOp::Add, vec!["one-more".into()])), Refusal::Limit(_)));
    journal.must(&store(FlagOp::Replace, vec!["$forwarded".into()]));
    let long = "k".repeat(KEYWORD_BYTES_MAX + 1);
    assert!(matches!(journal.refused(&store(FlagOp::Add, vec![long])), Refusal::Limit(_)));
}

#[test]
fn copies_carry_keywords_into_the_other_table() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    let (inbox, a) = (journal.id("INBOX"), journal.id("a"));
    let messages = vec![with_keyword(1, "first"), with_keyword(2, "second"), message(3)];
    journal.must(&Draft::Append { mailbox: inbox, messages });
    journal.must(&Draft::Append { mailbox: a, messages: vec![with_keyword(9, "other")] });
    let receipt = journal.must(&Draft::Copy { from: inbox, uids: set(&[(2, 9)]), to: a });
    assert_eq!((plain(&receipt.source), plain(&receipt.uids)), (vec![2, 3], vec![2, 3]));
    assert_eq!(receipt.uid_validity, Some(journal.facts("a").uid_validity));
    assert_eq!(journal.facts("a").keywords.0, ["other", "SECOND".to_lowercase().as_str()]);
    let copied = journal.columns("a").row(Uid::new(2).unwrap()).unwrap();
    assert_eq!(copied.flags, Flags::keyword(1));
    assert_eq!(copied.internal_date, message(2).internal_date);
    assert_eq!(copied.save_date, journal.now, "RFC 8514: COPY sets a new save date");
}

#[test]
fn copying_nothing_writes_nothing() {
    let mut journal = Journal::new();
    let inbox = journal.id("INBOX");
    let receipt = journal.nothing(&Draft::Move { from: inbox, uids: set(&[(1, 9)]), to: inbox });
    assert_eq!(plain(&receipt.missing), (1..=9).collect::<Vec<_>>());
    assert_eq!(
        journal.refused(&Draft::Copy { from: inbox, uids: set(&[(1, 9)]), to: MailboxId(99) }),
        Refusal::NonExistent
    );
}

#[test]
fn moving_within_a_mailbox_gives_new_uids_and_keeps_the_counts() {
    let mut journal = Journal::new();
    journal.append("INBOX", 4);
    let inbox = journal.id("INBOX");
    let before = journal.facts("INBOX").counts;
    let receipt = journal.must(&Draft::Move { from: inbox, uids: set(&[(2, 3)]), to: inbox });
    assert_eq!((plain(&receipt.source), plain(&receipt.uids)), (vec![2, 3], vec![5, 6]));
    assert_eq!(plain(&journal.columns("INBOX").uids()), [1, 4, 5, 6]);
    assert_eq!(journal.facts("INBOX").counts, before);
}

#[test]
fn replace_needs_the_old_message() {
    let mut journal = Journal::new();
    journal.append("INBOX", 2);
    let inbox = journal.id("INBOX");
    let replace =
        |uid| Draft::Replace { from: inbox, uid: Uid::new(uid).unwrap(), to: inbox, message: message(7) };
    let receipt = journal.must(&replace(1));
    assert_eq!((plain(&receipt.source), plain(&receipt.uids)), (vec![1], vec![3]));
    assert_eq!(journal.refused(&replace(1)), Refusal::ExpungeIssued);
}

#[test]
fn expunge_takes_only_what_is_deleted_unless_told_otherwise() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    journal.must(&Draft::Append { mailbox, messages: vec![message(1), deleted(2), deleted(3)] });
    let expunge = |uids, only_deleted| Draft::Expunge { mailbox, uids, only_deleted };
    assert!(expunge(UidSet::new(), true).shrinks());
    let receipt = journal.must(&expunge(set(&[(1, 2)]), true));
    assert_eq!(plain(&receipt.source), [2]);
    assert_eq!(journal.facts("INBOX").counts.messages, 2);
    assert_eq!(plain(&journal.must(&expunge(set(&[(1, 2)]), false)).source), [1]);
    assert_eq!(journal.facts("INBOX").counts.deleted, 1);
    assert_eq!(plain(&journal.nothing(&expunge(set(&[(1, 1)]), true)).missing), [1]);
}

#[test]
fn delivery_needs_no_columns_and_the_rest_only_the_source() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    let (inbox, a) = (journal.id("INBOX"), journal.id("a"));
    journal.account.unload(inbox);
    journal.account.unload(a);
    assert!(Draft::Append { mailbox: inbox, messages: vec![message(1)] }.needs(&journal.account).is_empty());
    let copy = Draft::Copy { from: inbox, uids: set(&[(1, 1)]), to: a };
    assert_eq!(copy.needs(&journal.account), [inbox]);
    let gone = Draft::Expunge { mailbox: MailboxId(99), uids: UidSet::new(), only_deleted: true };
    assert!(gone.needs(&journal.account).is_empty(), "what does not exist is refused, not loaded");
    assert_eq!(journal.refused(&gone), Refusal::NonExistent);
    assert!(matches!(journal.refused(&copy), Refusal::Cannot(_)));
    journal.append("INBOX", 2);
    assert_eq!(journal.facts("INBOX").counts.messages, 2);
}

#[test]
fn every_draft_asks_for_its_right() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    journal.append("INBOX", 2);
    let (from, to) = (journal.id("INBOX"), journal.id("a"));
    let uids = set(&[(1, 1)]);
    let uid = Uid::new(1).unwrap();
    let cases: Vec<(Draft, Vec<Right>)> = vec![
        (Draft::Create { mailboxes: vec![new_mailbox("n")] }, vec![Right::CreateMailbox]),
        (Draft::Delete { name: name("a") }, vec![Right::DeleteMailbox]),
        (Draft::Rename { from: name("a"), to: name("b") }, vec![Right::CreateMailbox, Right::DeleteMailbox]),
        (Draft::SetRoles { mailbox: from, roles: vec!["\\Sent".into()] }, vec![Right::Administer]),
        (Draft::Append { mailbox: to, messages: vec![message(1)] }, vec![Right::Insert]),
        (Draft::Expunge { mailbox: from, uids: uids.clone(), only_deleted: false }, vec![Right::Expunge]),
        (Draft::Copy { from, uids: uids.clone(), to }, vec![Right::Insert]),
        (Draft::Move { from, uids, to }, vec![Right::Insert, Right::DeleteMessages, Right::Expunge]),
        (
            Draft::Replace { from, uid, to, message: message(1) },
            vec![Right::Insert, Right::DeleteMessages, Right::Expunge],
        ),
    ];
    for (draft, needed) in cases {
        assert!(journal.decide(&draft, rights(&needed)).is_ok(), "{draft:?}");
        for missing in &needed {
            let rest: Vec<Right> = needed.iter().copied().filter(|right| right != missing).collect();
            assert_eq!(journal.decide(&draft, rights(&rest)).err(), Some(Refusal::NoPermission), "{draft:?}");
        }
    }
}

#[test]
fn storing_changes_the_flags_one_may_change_and_no_others() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    journal.must(&Draft::Append { mailbox, messages: vec![with_keyword(1, "kept")] });
    let both =
        FlagNames { system: seen().system.union(deleted(0).flags.system), keywords: vec!["new".into()] };
    let store = |op, flags: &FlagNames| Draft::Store {
        mailbox,
        uids: set(&[(1, 1)]),
        op,
        flags: flags.clone(),
        unchanged_since: None,
    };
    let seen_only = rights(&[Right::Seen]);
    let flags_after = |journal: &Journal, draft: &Draft, rights| {
        let entry = journal.decide(draft, rights).unwrap().0.unwrap();
        assert!(!entry.changes.iter().any(|change| matches!(change, Change::KeywordAdded { .. })));
        let mut account = journal.account.clone();
        account.apply(&entry, 0);
        account.loaded(mailbox).unwrap().row(Uid::new(1).unwrap()).unwrap().flags
    };
    let kept = Flags::keyword(0);
    let seen_flag = Flags::system(SystemFlag::Seen);
    assert_eq!(flags_after(&journal, &store(FlagOp::Add, &both), seen_only), kept.union(seen_flag));
    assert_eq!(flags_after(&journal, &store(FlagOp::Replace, &both), seen_only), kept.union(seen_flag));
    let none = Rights::NONE.with(Right::Read);
    assert_eq!(journal.decide(&store(FlagOp::Add, &both), none).err(), Some(Refusal::NoPermission));
    let only_deleted = deleted(0).flags;
    assert_eq!(
        journal.decide(&store(FlagOp::Add, &only_deleted), seen_only).err(),
        Some(Refusal::NoPermission)
    );
    journal.must(&store(FlagOp::Add, &both));
    let cleared = flags_after(&journal, &store(FlagOp::Replace, &FlagNames::default()), seen_only);
    assert_eq!(cleared, Flags::keyword(0).union(Flags::keyword(1)).union(Flags::system(SystemFlag::Deleted)));
}

#[test]
fn appended_flags_without_a_right_are_left_out_silently() {
    let journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let flags = FlagNames { system: Flags(0b1_1111), keywords: vec!["k".into()] };
    let message = NewMessage { flags, ..message(1) };
    let draft = Draft::Append { mailbox, messages: vec![message] };
    let entry = journal.decide(&draft, rights(&[Right::Insert, Right::Seen])).unwrap().0.unwrap();
    let [Change::Appended { messages, counts, .. }] = &entry.changes[..] else { panic!("{entry:?}") };
    assert_eq!(messages[0].flags, Flags::system(SystemFlag::Seen));
    assert_eq!((counts.messages, counts.unseen, counts.deleted), (1, 0, 0));
}

#[test]
fn an_append_is_all_or_nothing() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let bad = NewMessage { uid: Uid::new(1), ..message(2) };
    assert_eq!(
        journal.refused(&Draft::Append { mailbox, messages: vec![message(1), bad] }),
        Refusal::UidTaken
    );
    assert_eq!(journal.facts("INBOX").counts.messages, 0);
    assert_eq!(journal.nothing(&Draft::Append { mailbox, messages: vec![] }).uids, UidSet::new());
}

#[test]
fn stray_bits_in_named_system_flags_are_not_keywords() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let flags = FlagNames { system: Flags(u64::MAX), keywords: vec![] };
    journal.must(&Draft::Append { mailbox, messages: vec![NewMessage { flags, ..message(1) }] });
    let row = journal.columns("INBOX").row(Uid::new(1).unwrap()).unwrap();
    assert_eq!(row.flags, Flags(0b1_1111));
}

#[test]
fn dates_before_1970_and_any_zone_are_kept() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let dates = [(-1, 0), (i64::MIN, -840), (i64::MAX, 840), (0, i16::MIN), (1, i16::MAX)];
    let dates = dates.map(|(seconds, zone_minutes)| InternalDate { seconds, zone_minutes });
    let messages =
        dates.iter().map(|&internal_date| NewMessage { internal_date, blob: BlobId(1), ..message(1) });
    journal.must(&Draft::Append { mailbox, messages: messages.collect() });
    let kept: Vec<InternalDate> = journal.columns("INBOX").rows().map(|row| row.internal_date).collect();
    assert_eq!(kept, dates);
}
