//! Any bytes in a journal are an entry or are refused; what is an entry folds, and encodes to an entry that says the same.
//!
//! The checksum around an entry would keep every mutation out, so the target reads the input as the bodies of a journal's
//! entries (two octets of length before each) and seals and chains them itself. It also feeds the input as it is.
#![no_main]

use account::{Account, Announce, Entry, Mailbox, MailboxId, View};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::sync::Arc;

const VERSION: u8 = 1;

fuzz_target!(|bytes: &[u8]| {
    let _ = Entry::decode(bytes, 0);
    let mut account = Account::default();
    let mut views = BTreeMap::new();
    let mut rest = bytes;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
        let (body, behind) = behind.split_at(length);
        rest = behind;
        if fold(&mut account, body) {
            look(&account, &mut views);
        }
    }
});

/// Folds one entry, if it is one.
fn fold(account: &mut Account, body: &[u8]) -> bool {
    let sealed = seal(account.chain(), body);
    let Ok((entry, chain)) = Entry::decode(&sealed, account.chain()) else { return false };
    let again = entry.encode(account.chain());
    let (same, _) = Entry::decode(&again, account.chain()).expect("what was encoded is an entry");
    assert_eq!(entry, same);
    assert!(Entry::decode(&sealed, account.chain() ^ 1).is_err(), "it follows another entry");
    let is_new = entry.no > account.head();
    account.apply(&entry, chain);
    assert_eq!(account.head() == entry.no && account.chain() == chain, is_new);
    true
}

/// Whatever an entry said, a mailbox is in order and a view moves on to it.
fn look(account: &Account, views: &mut BTreeMap<MailboxId, View>) {
    for (id, mailbox) in account.all_loaded() {
        in_order(mailbox);
        // An identity that was deleted and made anew is another mailbox; decided entries never do that.
        if views.get(&id).is_some_and(|view| mailbox.uid_next() < view.mailbox().uid_next()) {
            views.remove(&id);
        }
        let view = views.entry(id).or_insert_with(|| View::new(Arc::clone(mailbox)));
        let announce = if account.chain() & 1 == 0 { Announce::Expunges } else { Announce::HoldExpunges };
        let before = view.exists();
        let difference = view.advance(Arc::clone(mailbox), announce);
        let after = before + difference.appended.len() as u32 - difference.expunged.len() as u32;
        assert_eq!(view.exists(), after, "what the client counts is what there is");
        for (number, row) in view.rows() {
            assert_eq!((view.uid(number), view.number(row.uid)), (Some(row.uid), Some(number)));
        }
    }
}

fn in_order(mailbox: &Mailbox) {
    let uids: Vec<u32> = mailbox.rows().map(|row| row.uid.value()).collect();
    assert_eq!(uids.len(), mailbox.len() as usize);
    assert!(uids.is_sorted_by(|left, right| left < right), "{uids:?}");
    assert!(uids.last().is_none_or(|last| *last < mailbox.uid_next()));
}

fn seal(chain: u32, body: &[u8]) -> Vec<u8> {
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&chain.to_le_bytes());
    let mut length = body.len();
    while length >= 0x80 {
        sealed.push(length as u8 | 0x80);
        length >>= 7;
    }
    sealed.push(length as u8);
    sealed.extend_from_slice(body);
    let checksum = crc32c::crc32c(&sealed);
    sealed.extend_from_slice(&checksum.to_le_bytes());
    sealed
}
