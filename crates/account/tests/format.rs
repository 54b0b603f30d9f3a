//! The formats are frozen: what version 1 wrote is written again byte for byte, and read back.
//!
//! A change to `docs/journal.md` that breaks this is a new version with fixtures of its own; these stay.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use account::{
    Account, AccountId, BlobId, Change, Counts, Entry, FlagOp, Flags, InternalDate, Mailbox, MailboxId,
    Millis, Modseq, PlacedMessage, Uid, UidSet, UidValidity,
};
use bytes::Bytes;
use support::{name, set};

const ENTRY: &str = include_str!("fixtures/entry-1.hex");
const MANIFEST: &str = include_str!("fixtures/manifest-1.hex");
const PARTS: [&str; 2] =
    [include_str!("fixtures/part-expunged-1.hex"), include_str!("fixtures/part-chunk-1.hex")];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks_exact(2).map(byte).collect()
}

/// For whoever makes the fixtures of the next version.
fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(line).collect::<Vec<_>>().join("\n")
}

fn placed(uid: u32, blob: u64, zone_minutes: i16, save_date: Option<u64>) -> PlacedMessage {
    PlacedMessage {
        uid: Uid::new(uid).unwrap(),
        blob: BlobId(blob),
        size: 1_234 * u64::from(uid),
        internal_date: InternalDate { seconds: 1_699_999_000 + i64::from(uid), zone_minutes },
        flags: Flags(0b10_1000),
        save_date: save_date.map(Millis),
    }
}

/// Every kind of change once, and messages in both forms of a column.
fn entry() -> Entry {
    let (inbox, work) = (MailboxId(1), MailboxId(2));
    let validity = |value| UidValidity::new(value).unwrap();
    let counts = Counts { messages: 3, unseen: 0, deleted: 0, size: 8_638 };
    let messages =
        vec![placed(1, 70, 60, None), placed(2, 71, -300, Some(1_600_000_000_000)), placed(4, 69, 60, None)];
    let flags = Flags(0b100);
    let changes = vec![
        Change::MailboxCreated {
            mailbox: inbox,
            name: name("INBOX"),
            uid_validity: validity(1_700_000_000),
            uid_next: 1,
        },
        Change::MailboxCreated {
            mailbox: work,
            name: name("A"),
            uid_validity: validity(1_700_000_001),
            uid_next: 9,
        },
        Change::MailboxRenamed { mailbox: work, name: name("Entwürfe/2024") },
        Change::MailboxCreated {
            mailbox: MailboxId(3),
            name: name("gone"),
            uid_validity: validity(1_700_000_002),
            uid_next: 1,
        },
        Change::MailboxDeleted { mailbox: MailboxId(3) },
        Change::RolesSet { mailbox: work, roles: vec!["\\Drafts".into()] },
        Change::Subscribed { name: name("INBOX") },
        Change::Subscribed { name: name("old") },
        Change::Unsubscribed { name: name("old") },
        Change::KeywordAdded { mailbox: inbox, name: "$Forwarded".into() },
        Change::Appended { mailbox: inbox, messages, counts },
        Change::Flagged {
            mailbox: inbox,
            uids: set(&[(1, 1), (4, 9)]),
            op: FlagOp::Add,
            flags,
            counts: Counts { deleted: 2, ..counts },
        },
        Change::Expunged {
            mailbox: inbox,
            uids: UidSet::from_range(4, 4),
            counts: Counts { messages: 2, unseen: 0, deleted: 1, size: 3_702 },
        },
        Change::Revalidated { mailbox: work, uid_validity: validity(1_700_000_005), uid_next: 20 },
        Change::AccountAdded { account: AccountId(7), name: "a@example.org".into() },
        Change::CredentialSet { account: AccountId(7), credential: "$argon2id$v=19$x".into() },
        Change::AccountAdded { account: AccountId(8), name: "b@example.org".into() },
        Change::AccountRemoved { account: AccountId(8) },
    ];
    Entry { no: Modseq(300), time: Millis(1_700_000_000_500), changes }
}

fn account() -> Account {
    let mut account = Account::default();
    account.apply(&entry(), Entry::chain_of(&entry().encode(0xDEAD_BEEF)));
    account
}

#[test]
fn an_entry_of_version_1() {
    let written = entry().encode(0xDEAD_BEEF);
    assert_eq!(hex(&written), ENTRY.trim());
    assert_eq!(Entry::decode(&bytes(ENTRY), 0xDEAD_BEEF).unwrap().0, entry());
}

#[test]
fn a_manifest_and_parts_of_version_1() {
    let account = account();
    for (at, (id, part)) in account.unsaved_parts().enumerate() {
        assert_eq!(id, MailboxId(1));
        let written = part.encode();
        assert_eq!(hex(&written), PARTS[at].trim());
        part.set_saved(BlobId(500 + at as u64), &written);
    }
    assert_eq!(hex(&account.manifest().unwrap()), MANIFEST.trim());

    let reopened = Account::from_manifest(&bytes(MANIFEST)).unwrap();
    assert_eq!(reopened.directory(), account.directory());
    assert_eq!((reopened.head(), reopened.chain()), (account.head(), account.chain()));
    let parts = PARTS.map(|part| Bytes::from(bytes(part)));
    let columns = Mailbox::from_parts(reopened.saved(MailboxId(1)).unwrap(), &parts).unwrap();
    assert_eq!(&columns, account.loaded(MailboxId(1)).unwrap().as_ref());
    assert_eq!(columns.len(), 2);
    assert_eq!(columns.vanished_since(Modseq(0)), UidSet::from_range(4, 4));
}
