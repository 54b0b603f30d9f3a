//! The bytes of entries: what was written comes back, what is damaged or foreign is refused, and nothing panics.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use account::{
    AccountId, BlobId, Change, Counts, DecodeError, Entry, FlagOp, Flags, InternalDate, MailboxId,
    MailboxName, Millis, Modseq, PlacedMessage, Uid, UidSet, UidValidity,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = MailboxName> {
    "[A-Za-z]{1,8}(/[a-zäöü ]{1,8}){0,3}x".prop_map(|text| MailboxName::new(&text).unwrap())
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<(u32, u32, u32, u64)>().prop_map(|(messages, unseen, deleted, size)| Counts {
        messages,
        unseen,
        deleted,
        size,
    })
}

fn uid_set() -> impl Strategy<Value = UidSet> {
    vec((any::<u32>(), any::<u32>()), 0..5).prop_map(UidSet::from_ranges)
}

/// Any message; dates within some thousand years, which is what their encoding promises.
fn message() -> impl Strategy<Value = (u32, u64, u64, i64, i16, u64, Option<u64>)> {
    (
        1u32..1_000_000,
        any::<u64>(),
        any::<u64>(),
        any::<i64>(),
        any::<i16>(),
        any::<u64>(),
        prop::option::of(0u64..1 << 60),
    )
}

fn messages() -> impl Strategy<Value = Vec<PlacedMessage>> {
    (vec(message(), 0..6), any::<bool>()).prop_map(|(messages, alike)| {
        let mut uid = 0;
        let mut placed = Vec::new();
        for message in &messages {
            let (gap, blob, ..) = *message;
            let (_, _, size, seconds, zone_minutes, flags, save_date) =
                if alike { messages[0] } else { *message };
            uid += gap;
            placed.push(PlacedMessage {
                uid: Uid::new(uid).unwrap(),
                blob: BlobId(blob),
                size,
                internal_date: InternalDate { seconds, zone_minutes },
                flags: Flags(flags),
                save_date: save_date.map(Millis),
            });
        }
        placed
    })
}

fn change() -> impl Strategy<Value = Change> {
    let mailbox = any::<u64>().prop_map(MailboxId);
    let account = any::<u64>().prop_map(AccountId);
    let validity = (1..=u32::MAX).prop_map(|value| UidValidity::new(value).unwrap());
    let op = prop_oneof![Just(FlagOp::Add), Just(FlagOp::Remove), Just(FlagOp::Replace)];
    let role = prop_oneof![Just("\\Sent".to_owned()), Just("\\Trash".to_owned())];
    prop_oneof![
        (mailbox.clone(), name(), validity.clone(), any::<u32>()).prop_map(
            |(mailbox, name, uid_validity, uid_next)| {
                Change::MailboxCreated { mailbox, name, uid_validity, uid_next }
            }
        ),
        (mailbox.clone(), name()).prop_map(|(mailbox, name)| Change::MailboxRenamed { mailbox, name }),
        mailbox.clone().prop_map(|mailbox| Change::MailboxDeleted { mailbox }),
        (mailbox.clone(), vec(role, 0..3)).prop_map(|(mailbox, roles)| Change::RolesSet { mailbox, roles }),
        name().prop_map(|name| Change::Subscribed { name }),
        name().prop_map(|name| Change::Unsubscribed { name }),
        (mailbox.clone(), "\\PC{0,20}").prop_map(|(mailbox, name)| Change::KeywordAdded { mailbox, name }),
        (mailbox.clone(), messages(), counts()).prop_map(|(mailbox, messages, counts)| Change::Appended {
            mailbox,
            messages,
            counts
        }),
        (mailbox.clone(), uid_set(), op, any::<u64>(), counts()).prop_map(
            |(mailbox, uids, op, flags, counts)| {
                Change::Flagged { mailbox, uids, op, flags: Flags(flags), counts }
            }
        ),
        (mailbox.clone(), uid_set(), counts()).prop_map(|(mailbox, uids, counts)| Change::Expunged {
            mailbox,
            uids,
            counts
        }),
        (mailbox, validity, any::<u32>()).prop_map(|(mailbox, uid_validity, uid_next)| {
            Change::Revalidated { mailbox, uid_validity, uid_next }
        }),
        (account.clone(), "\\PC{0,20}").prop_map(|(account, name)| Change::AccountAdded { account, name }),
        (account.clone(), "\\PC{0,20}")
            .prop_map(|(account, credential)| Change::CredentialSet { account, credential }),
        account.prop_map(|account| Change::AccountRemoved { account }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    (1..=i64::MAX as u64, 0u64..1 << 60, vec(change(), 0..5)).prop_map(|(no, time, changes)| Entry {
        no: Modseq(no),
        time: Millis(time),
        changes,
    })
}

/// Writes the checksum anew, so that what is inside is looked at and not only the seal.
fn reseal(bytes: &mut [u8]) {
    let Some((body, crc)) = bytes.split_last_chunk_mut::<4>() else { return };
    *crc = crc32c::crc32c(body).to_le_bytes();
}

proptest! {
    #[test]
    fn an_entry_comes_back_as_it_was_written(entry in entry(), previous in any::<u32>()) {
        let bytes = entry.encode(previous);
        prop_assert_eq!(Entry::decode(&bytes, previous), Ok((entry, Entry::chain_of(&bytes))));
    }

    #[test]
    fn an_entry_follows_only_the_one_before_it(entry in entry(), previous in any::<u32>(), other in any::<u32>()) {
        prop_assume!(previous != other);
        prop_assert_eq!(Entry::decode(&entry.encode(previous), other), Err(DecodeError::Unchained));
        // The same entry after another one is another link.
        prop_assert_ne!(Entry::chain_of(&entry.encode(previous)), Entry::chain_of(&entry.encode(other)));
    }

    #[test]
    fn any_flipped_bit_is_noticed(entry in entry(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = entry.encode(7);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Entry::decode(&bytes, 7).is_err());
    }

    #[test]
    fn cut_entries_are_damaged(entry in entry(), keep in any::<prop::sample::Index>()) {
        let bytes = entry.encode(7);
        let cut = &bytes[..keep.index(bytes.len())];
        prop_assert!(matches!(Entry::decode(cut, 7), Err(DecodeError::Damaged(_))));
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in vec(any::<u8>(), 0..200), seal in any::<bool>()) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        if seal {
            reseal(&mut bytes);
        }
        let previous = bytes.get(1..5).map_or(0, |chain| u32::from_le_bytes(chain.try_into().unwrap()));
        let _ = Entry::decode(&bytes, previous);
    }

    #[test]
    fn no_spoilt_entry_makes_it_panic(
        entry in entry(),
        spoils in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = entry.encode(7);
        for (at, byte) in spoils {
            // Past version and chain, so that the changes themselves are what is spoilt.
            let at = 5 + at.index(bytes.len() - 5);
            bytes[at] = byte;
        }
        reseal(&mut bytes);
        if let Ok((entry, chain)) = Entry::decode(&bytes, 7) {
            let mut account = account::Account::default();
            account.apply(&entry, chain);
            prop_assert_eq!(account.head(), entry.no);
        }
    }
}

#[test]
fn an_unknown_version_or_kind_refuses_the_account() {
    let entry = Entry {
        no: Modseq(1),
        time: Millis(0),
        changes: vec![Change::MailboxDeleted { mailbox: MailboxId(3) }],
    };
    let mut bytes = entry.encode(0);
    let kind = bytes.len() - 4 - 2;
    assert_eq!(bytes[kind], 3, "the kind of change is where this test expects it");
    bytes[kind] = 99;
    reseal(&mut bytes);
    assert_eq!(Entry::decode(&bytes, 0), Err(DecodeError::Unknown("kind of change", 99)));
    bytes[0] = 2;
    assert_eq!(Entry::decode(&bytes, 0), Err(DecodeError::Unknown("version of an entry", 2)));
}

#[test]
fn announced_counts_are_not_believed() {
    // One change: appended, to mailbox 1, u64::MAX messages, and then nothing.
    let body = [1, 0, 1, 8, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1];
    let mut bytes = vec![1, 0, 0, 0, 0, body.len() as u8];
    bytes.extend(body);
    bytes.extend([0; 4]);
    reseal(&mut bytes);
    assert_eq!(Entry::decode(&bytes, 0), Err(DecodeError::Damaged("count beyond the bytes")));
}

#[test]
fn store_of_everything_is_a_short_entry() {
    let uids = UidSet::from_range(1, 1_000_000);
    let counts = Counts { messages: 1_000_000, ..Counts::default() };
    let seen = Flags::system(account::SystemFlag::Seen);
    let change = Change::Flagged { mailbox: MailboxId(1), uids, op: FlagOp::Add, flags: seen, counts };
    let entry = Entry { no: Modseq(9), time: Millis(1_700_000_000_000), changes: vec![change] };
    assert!(entry.encode(0).len() < 40);
}

#[test]
fn a_copied_message_takes_some_fifteen_bytes() {
    let message = |at: u32| PlacedMessage {
        uid: Uid::new(at + 1).unwrap(),
        blob: BlobId(1_000_000 + u64::from(at) * 3),
        size: 2_000 + u64::from(at) * 7_919 % 60_000,
        internal_date: InternalDate {
            seconds: 1_600_000_000 + i64::from(at) * 600,
            zone_minutes: (at % 3) as i16 * 60,
        },
        flags: Flags(u64::from(at % 7)),
        save_date: None,
    };
    let counts = Counts { messages: 10_000, ..Counts::default() };
    let change =
        Change::Appended { mailbox: MailboxId(1), messages: (0..10_000).map(message).collect(), counts };
    let entry = Entry { no: Modseq(9), time: Millis(1_700_000_000_000), changes: vec![change] };
    assert!(entry.encode(0).len() < 15 * 10_000);
}
