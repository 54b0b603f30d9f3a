//! Checkpoints: they cost what changed, a wrong or damaged part is noticed, and nothing makes reading panic.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use account::limits::CHUNK_ROWS_MAX;
use account::{Account, BlobId, DecodeError, Draft, Entry, FlagOp, Mailbox, MailboxId, Modseq, Unready};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Journal, message, name, new_mailbox, seen, set};

/// The blobs of a store.
#[derive(Default)]
struct Parts {
    blobs: BTreeMap<u64, Vec<u8>>,
}

impl Parts {
    /// Makes a checkpoint; returns the manifest and how many parts were written.
    fn checkpoint(&mut self, account: &mut Account) -> (Vec<u8>, usize) {
        let unsaved: Vec<_> = account.unsaved_parts().collect();
        for (_, part) in &unsaved {
            let (blob, bytes) = (self.blobs.len() as u64 + 1, part.encode());
            part.set_saved(BlobId(blob), &bytes);
            self.blobs.insert(blob, bytes);
        }
        let manifest = account.manifest().unwrap();
        account.checkpointed(&manifest).unwrap();
        (manifest, unsaved.len())
    }

    fn bytes(&self, account: &Account, mailbox: MailboxId) -> Vec<Bytes> {
        account.parts(mailbox).iter().map(|part| self.blobs[&part.blob.0].clone().into()).collect()
    }

    fn load(&self, account: &Account, mailbox: MailboxId) -> Result<Mailbox, DecodeError> {
        Mailbox::from_parts(account.saved(mailbox).unwrap(), &self.bytes(account, mailbox))
    }
}

/// Three full chunks and a bit in INBOX, some of it changed and expunged.
fn large() -> Journal {
    let mut journal = Journal::new();
    for _ in 0..3 {
        journal.append("INBOX", CHUNK_ROWS_MAX as u64);
    }
    journal.append("INBOX", 10);
    journal
}

#[test]
fn a_checkpoint_writes_only_what_changed() {
    let mut journal = large();
    let mut parts = Parts::default();
    assert_eq!(parts.checkpoint(&mut journal.account).1, 4);
    assert_eq!(parts.checkpoint(&mut journal.account).1, 0);
    journal.store("INBOX", set(&[(5_000, 5_000)]), FlagOp::Add, seen());
    assert_eq!(parts.checkpoint(&mut journal.account).1, 1);
    journal.append("INBOX", 1);
    assert_eq!(parts.checkpoint(&mut journal.account).1, 1);
    journal.expunge("INBOX", set(&[(1, 1)]));
    assert_eq!(parts.checkpoint(&mut journal.account).1, 2, "a chunk and the list of expunged UIDs");
    journal.must(&Draft::Subscribe { name: name("x") });
    assert_eq!(parts.checkpoint(&mut journal.account).1, 0);
}

#[test]
fn a_part_saved_through_an_old_value_is_known_to_the_new_one() {
    let mut journal = large();
    let old = journal.account.clone();
    journal.store("INBOX", set(&[(1, 1)]), FlagOp::Add, seen());
    let mut parts = Parts::default();
    assert_eq!(parts.checkpoint(&mut old.clone()).1, 4);
    assert_eq!(journal.account.unsaved_parts().count(), 1, "only the chunk that changed meanwhile");
}

#[test]
fn an_unloaded_mailbox_keeps_its_parts_in_the_next_manifest() {
    let mut journal = large();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    let mut parts = Parts::default();
    parts.checkpoint(&mut journal.account);
    let inbox = journal.id("INBOX");
    let before = journal.account.parts(inbox).to_vec();
    journal.account.unload(inbox);
    journal.append("a", 1);
    assert!(journal.account.touched_unloaded().is_empty());
    let (manifest, written) = parts.checkpoint(&mut journal.account);
    assert_eq!(written, 1);
    let reopened = Account::from_manifest(&manifest).unwrap();
    assert_eq!(reopened.parts(inbox), before);
    assert_eq!(parts.load(&reopened, inbox).unwrap().len(), journal.facts("INBOX").counts.messages);
}

#[test]
fn a_delivery_to_an_unloaded_mailbox_must_be_loaded_before_the_manifest() {
    let mut journal = large();
    let mut parts = Parts::default();
    parts.checkpoint(&mut journal.account);
    let inbox = journal.id("INBOX");
    journal.account.unload(inbox);
    journal.append("INBOX", 1);
    assert_eq!(journal.account.touched_unloaded(), [inbox]);
    assert_eq!(journal.account.manifest(), Err(Unready::Unloaded(inbox)));
    let mut columns = parts.load(&journal.account, inbox).unwrap();
    let stale = Arc::new(columns.clone());
    assert!(!journal.account.install(inbox, stale), "columns from before the delivery are refused");
    let last = journal.entries.last().unwrap();
    let previous = Entry::chain_of(&journal.entries[journal.entries.len() - 2]);
    columns.apply(inbox, &Entry::decode(last, previous).unwrap().0);
    assert!(journal.account.install(inbox, Arc::new(columns)));
    assert!(journal.account.touched_unloaded().is_empty());
    assert_eq!(journal.account.manifest(), Err(Unready::Unsaved(inbox)));
}

#[test]
fn a_checkpoint_forgets_deleted_mailboxes() {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a")] });
    journal.append("a", 1);
    let mut parts = Parts::default();
    let (manifest, _) = parts.checkpoint(&mut journal.account);
    assert_eq!(Account::manifest_blobs(&manifest).unwrap().len(), 1);
    let a = journal.id("a");
    journal.must(&Draft::Delete { name: name("a") });
    assert!(journal.account.loaded(a).is_none());
    let (manifest, _) = parts.checkpoint(&mut journal.account);
    assert_eq!(Account::manifest_blobs(&manifest).unwrap(), []);
    assert!(journal.account.saved(a).is_none());
}

#[test]
fn a_part_of_another_chunk_or_time_is_not_taken() {
    let mut journal = large();
    let mut parts = Parts::default();
    parts.checkpoint(&mut journal.account);
    let inbox = journal.id("INBOX");
    let saved = journal.account.saved(inbox).unwrap().clone();
    let old = parts.bytes(&journal.account, inbox);
    journal.store("INBOX", set(&[(1, 1)]), FlagOp::Add, seen());
    parts.checkpoint(&mut journal.account);
    let new = parts.bytes(&journal.account, inbox);
    // The new first chunk has the same rows and UIDs as the old one.
    let mixed = [&new[..1], &old[1..]].concat();
    let foreign = Err(DecodeError::Damaged("not the part that the manifest means"));
    assert_eq!(Mailbox::from_parts(&saved, &mixed), foreign);
    let swapped = [&old[1..2], &old[..1], &old[2..]].concat();
    assert_eq!(Mailbox::from_parts(&saved, &swapped), foreign);
    assert_eq!(Mailbox::from_parts(&saved, &old[1..]), Err(DecodeError::Damaged("number of parts")));
    assert!(Mailbox::from_parts(&saved, &old).is_ok());
}

#[test]
fn every_blob_is_named_for_the_collector() {
    let mut journal = Journal::new();
    journal.append("INBOX", 3);
    let columns = journal.columns("INBOX");
    assert_eq!(columns.blobs().collect::<Vec<_>>(), [BlobId(1), BlobId(2), BlobId(3)]);
    let entry = Entry::decode(&journal.entries[1], Entry::chain_of(&journal.entries[0])).unwrap().0;
    assert_eq!(entry.blobs().collect::<Vec<_>>(), [BlobId(1), BlobId(2), BlobId(3)]);
}

#[test]
fn the_roster_survives_a_checkpoint_with_its_highest_number() {
    use account::AccountId;
    let mut roster = Journal::empty();
    let add = |number, name: &str| Draft::AddAccount {
        account: AccountId(number),
        name: name.into(),
        credential: (number == 1).then(|| "$argon2id$x".into()),
    };
    roster.must(&add(1, "a@example.org"));
    roster.must(&add(2, "b@example.org"));
    roster.must(&Draft::RemoveAccount { account: AccountId(2) });
    let (manifest, _) = Parts::default().checkpoint(&mut roster.account);
    let reopened = Account::from_manifest(&manifest).unwrap();
    assert_eq!(reopened.directory(), roster.account.directory());
    let line = reopened.directory().roster_line(AccountId(1)).unwrap();
    assert_eq!(line.credential.as_deref(), Some("$argon2id$x"));
    assert_eq!(reopened.directory().account_last(), AccountId(2), "a number is never given twice");
    assert!(
        add(2, "c@example.org").decide(&reopened, account::Rights::OWNER, Modseq(9), roster.now).is_err()
    );
}

#[test]
fn large_mailboxes_keep_their_ranks_through_expunges() {
    let mut journal = large();
    let view = account::View::new(journal.columns("INBOX"));
    // Nine of ten go, so that chunks shrink and are joined.
    let all = journal.columns("INBOX").uids();
    let gone = all.iter().filter(|uid| uid.value() % 10 != 0).collect();
    let kept = all.difference(&gone);
    journal.expunge("INBOX", gone.clone());
    let columns = journal.columns("INBOX");
    assert_eq!(columns.uids(), kept);
    assert_eq!(columns.vanished_since(Modseq(0)), gone);
    let mut held = view.clone();
    let nothing = held.advance(Arc::clone(&columns), account::Announce::HoldExpunges);
    assert_eq!(nothing, account::Difference::default());
    assert_eq!(held.exists(), view.exists());
    assert!(held.rows().eq(view.rows()));
    let told = held.advance(columns, account::Announce::Expunges);
    assert_eq!(told.expunged, gone);
    assert_eq!(told.expunged_numbers.len() as u64, gone.len());
    assert_eq!(held.uids(), kept);
    // Some 1,230 messages remain; a chunk for each old one would be four.
    let mut parts = Parts::default();
    assert_eq!(parts.checkpoint(&mut journal.account).1, 2, "joined into one chunk, and the expunged UIDs");
}

fn reseal(bytes: &mut [u8]) {
    let Some((body, crc)) = bytes.split_last_chunk_mut::<4>() else { return };
    *crc = crc32c::crc32c(body).to_le_bytes();
}

fn small() -> (Journal, Parts, Vec<u8>) {
    let mut journal = Journal::new();
    journal.must(&Draft::Create { mailboxes: vec![new_mailbox("a/b")] });
    journal.append("INBOX", 30);
    journal.must(&Draft::Append {
        mailbox: journal.id("a"),
        messages: vec![support::with_keyword(4, "k"), message(5)],
    });
    journal.expunge("INBOX", set(&[(3, 5), (9, 9)]));
    journal.must(&Draft::Subscribe { name: name("s") });
    let mut parts = Parts::default();
    let (manifest, _) = parts.checkpoint(&mut journal.account);
    (journal, parts, manifest)
}

proptest! {
    #[test]
    fn no_spoilt_manifest_makes_it_panic(spoils in vec((any::<prop::sample::Index>(), any::<u8>()), 0..5), cut in 0usize..9) {
        let (_, _, mut manifest) = small();
        for (at, byte) in spoils {
            let at = 1 + at.index(manifest.len() - 1);
            manifest[at] = byte;
        }
        manifest.truncate(manifest.len() - cut);
        reseal(&mut manifest);
        if let Ok(account) = Account::from_manifest(&manifest) {
            let _ = account.manifest();
        }
    }

    #[test]
    fn no_spoilt_part_makes_it_panic(
        which in any::<prop::sample::Index>(),
        spoils in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let (journal, parts, manifest) = small();
        let inbox = journal.id("INBOX");
        let account = Account::from_manifest(&manifest).unwrap();
        let mut bytes: Vec<Vec<u8>> = parts.bytes(&account, inbox).iter().map(|part| part.to_vec()).collect();
        let which = which.index(bytes.len());
        let len = bytes[which].len();
        let checksum = account.parts(inbox)[which].checksum;
        for (at, byte) in spoils {
            bytes[which][at.index(len)] = byte;
        }
        let spoilt = bytes.iter().map(|part| Bytes::from(part.clone())).collect::<Vec<_>>();
        let unchanged = crc32c::crc32c(&bytes[which][..len - 4]) == checksum && Entry::chain_of(&bytes[which]) == checksum;
        prop_assert_eq!(Mailbox::from_parts(account.saved(inbox).unwrap(), &spoilt).is_ok(), unchanged);
        // Past the seal, too: a manifest that names the spoilt bytes as they are.
        reseal(&mut bytes[which]);
        let mut manifest = manifest;
        let new = Entry::chain_of(&bytes[which]).to_le_bytes();
        if let Some(at) = manifest.windows(4).position(|bytes| bytes == checksum.to_le_bytes()) {
            manifest[at..at + 4].copy_from_slice(&new);
            reseal(&mut manifest);
            if let Ok(account) = Account::from_manifest(&manifest) {
                let spoilt = bytes.into_iter().map(Bytes::from).collect::<Vec<_>>();
                if let Ok(mailbox) = Mailbox::from_parts(account.saved(inbox).unwrap(), &spoilt) {
                    let _ = (mailbox.rows().count(), mailbox.vanished_since(Modseq(0)), mailbox.resident_bytes());
                }
            }
        }
    }
}

#[test]
fn a_manifest_of_another_version_refuses_the_account() {
    let (_, _, mut manifest) = small();
    manifest[0] = 9;
    assert_eq!(
        Account::from_manifest(&manifest).err(),
        Some(DecodeError::Unknown("version of a manifest", 9))
    );
    assert_eq!(Account::from_manifest(&[]).err(), Some(DecodeError::Damaged("empty")));
}
