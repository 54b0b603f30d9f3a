//! Every limit that can be reached is reached here, and one less is taken.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use account::limits::{
    ENTRY_BYTES_MAX, ENTRY_MESSAGES_MAX, MAILBOX_MESSAGES_MAX, MAILBOXES_MAX, ROSTER_MAX, SUBSCRIPTIONS_MAX,
    TOMBSTONE_RUNS_MAX,
};
use account::{
    AccountId, BlobId, Change, Counts, Draft, Entry, Flags, InternalDate, MailboxId, Millis, Modseq,
    NewMailbox, NewMessage, PlacedMessage, Refusal, Uid, UidSet, UidValidity,
};
use support::{Journal, message, name, new_mailbox};

/// Writes an entry that no draft would come to in reasonable time.
fn write(journal: &mut Journal, changes: Vec<Change>) {
    let entry = Entry { no: Modseq(journal.account.head().0 + 1), time: Millis(0), changes };
    journal.account.apply(&entry, 0);
}

#[test]
fn an_account_has_so_many_mailboxes() {
    let mut journal = Journal::new();
    let created = (2..MAILBOXES_MAX as u64).map(|number| Change::MailboxCreated {
        mailbox: MailboxId(number),
        name: name(&format!("m{number}")),
        uid_validity: UidValidity::new(number as u32).unwrap(),
        uid_next: 1,
    });
    write(&mut journal, created.collect());
    let create = |name: &str| Draft::Create { mailboxes: vec![new_mailbox(name)] };
    assert!(matches!(journal.refused(&create("superior/inferior")), Refusal::Limit(_)));
    journal.must(&create("last"));
    assert_eq!(journal.account.directory().mailboxes_count(), MAILBOXES_MAX);
    assert!(matches!(journal.refused(&create("one-more")), Refusal::Limit(_)));
    journal.must(&Draft::Delete { name: name("last") });
    journal.must(&create("again"));
}

#[test]
fn an_account_has_so_many_subscriptions() {
    let mut journal = Journal::new();
    let subscribed =
        (1..SUBSCRIPTIONS_MAX).map(|number| Change::Subscribed { name: name(&format!("s{number}")) });
    write(&mut journal, subscribed.collect());
    let mailbox = |at: &str| NewMailbox { subscribe: true, ..new_mailbox(at) };
    let two = Draft::Create { mailboxes: vec![mailbox("x"), mailbox("y")] };
    assert!(matches!(journal.refused(&two), Refusal::Limit(_)));
    journal.must(&Draft::Subscribe { name: name("last") });
    assert!(matches!(journal.refused(&Draft::Subscribe { name: name("one-more") }), Refusal::Limit(_)));
}

#[test]
fn a_roster_has_so_many_accounts() {
    let mut roster = Journal::empty();
    let added = (1..ROSTER_MAX as u64)
        .map(|number| Change::AccountAdded { account: AccountId(number), name: format!("a{number}") });
    write(&mut roster, added.collect());
    let add = |number, name: &str| Draft::AddAccount {
        account: AccountId(number),
        name: name.into(),
        credential: None,
    };
    roster.must(&add(ROSTER_MAX as u64, "last"));
    assert!(matches!(roster.refused(&add(ROSTER_MAX as u64 + 1, "one-more")), Refusal::Limit(_)));
}

#[test]
fn a_mailbox_has_so_many_messages() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let counts = Counts { messages: MAILBOX_MESSAGES_MAX - 1, ..Counts::default() };
    write(&mut journal, vec![Change::Appended { mailbox, messages: vec![], counts }]);
    let append = |count| Draft::Append { mailbox, messages: vec![message(1); count] };
    assert!(matches!(journal.refused(&append(2)), Refusal::Limit(_)));
    journal.must(&append(1));
    assert!(matches!(journal.refused(&append(1)), Refusal::Limit(_)));
}

#[test]
fn an_entry_appends_so_many_messages() {
    let journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let append = |count| Draft::Append { mailbox, messages: vec![message(1); count] };
    assert!(matches!(journal.refused(&append(ENTRY_MESSAGES_MAX + 1)), Refusal::Limit(_)));
    assert!(journal.decide(&append(ENTRY_MESSAGES_MAX), account::Rights::OWNER).is_ok());
}

#[test]
fn an_entry_has_so_many_bytes() {
    let journal = Journal::new();
    let mailbox = journal.id("INBOX");
    // Every message as unlike its neighbour as can be.
    let noise = |at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let messages = (1..800_000).map(|at| NewMessage {
        blob: BlobId(noise(at)),
        size: noise(at + 1) >> 16,
        internal_date: InternalDate { seconds: (noise(at + 2) >> 20) as i64, zone_minutes: at as i16 },
        ..message(1)
    });
    let mut draft = Draft::Append { mailbox, messages: messages.collect() };
    assert_eq!(journal.refused(&draft), Refusal::Limit("too many messages at once"));
    let Draft::Append { messages, .. } = &mut draft else { unreachable!() };
    messages.truncate(400_000);
    let (entry, _) = journal.decide(&draft, account::Rights::OWNER).unwrap();
    assert!(entry.unwrap().encode(0).len() <= ENTRY_BYTES_MAX);
}

#[test]
fn full_tombstones_forget_the_older_half_and_over_report() {
    let mut journal = Journal::new();
    let mailbox = journal.id("INBOX");
    let count = 3 * TOMBSTONE_RUNS_MAX as u32;
    let placed = |uid| PlacedMessage {
        uid: Uid::new(uid).unwrap(),
        blob: BlobId(1),
        size: 1,
        internal_date: InternalDate { seconds: 0, zone_minutes: 0 },
        flags: Flags::NONE,
        save_date: None,
    };
    let messages = (1..=count).map(placed).collect();
    write(&mut journal, vec![Change::Appended { mailbox, messages, counts: Counts::default() }]);
    // Every other message, each with an entry of its own: one run each.
    let mut first = None;
    let mut gone = Vec::new();
    for uid in (1..).step_by(2).take(TOMBSTONE_RUNS_MAX + 1) {
        let uids = UidSet::from_range(uid, uid);
        write(&mut journal, vec![Change::Expunged { mailbox, uids, counts: Counts::default() }]);
        first.get_or_insert(journal.account.head());
        gone.push(Uid::new(uid).unwrap());
    }
    let columns = journal.columns("INBOX");
    let head = columns.highest_modseq();
    let everything: UidSet = gone.iter().copied().collect();
    let newest: UidSet = gone[TOMBSTONE_RUNS_MAX - 9..].iter().copied().collect();
    assert_eq!(columns.vanished_since(Modseq(head.0 - 10)), newest, "exact above the floor");
    assert_eq!(
        columns.vanished_since(Modseq(first.unwrap().0 + 5)),
        everything,
        "too much below it, never too little"
    );
    assert_eq!(columns.vanished_since(head), UidSet::new());
}
