//! One history, on all sides at once: the naive account, an account that loads, unloads, checkpoints and reopens, one that
//! is folded whole from the start, and one that never has columns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::naive::{Done, Naive, Names, Outcome, within};
use super::session::Session;
use crate::tombstones::ROOM;
use crate::{
    Account, Announce, BlobId, Counts, Draft, Entry, FlagNames, FlagOp, Flags, InternalDate, Mailbox,
    MailboxId, MailboxName, Millis, Modseq, NewMailbox, NewMessage, Receipt, Refusal, Rights, SystemFlag,
    Uid, UidSet, Unready,
};

pub(super) const NAMES: [&str; 7] = ["INBOX", "INBOX/S", "A", "A/A", "A/A/A", "A/B", "D"];

#[derive(Debug, Clone)]
pub(super) enum Op {
    Create(usize),
    Delete(usize),
    Rename(usize, usize),
    Subscribe(usize, bool),
    /// Flags as bits of [`FLAGS`], size.
    Append(usize, Vec<(u8, u64)>),
    Store(usize, Vec<(u32, u32)>, FlagOp, u8, Option<u64>),
    Expunge(usize, Vec<(u32, u32)>, bool),
    Copy(usize, Vec<(u32, u32)>, usize),
    Move(usize, Vec<(u32, u32)>, usize),
    Replace(usize, u32, usize),
    Select(usize, usize),
    Advance(usize, Announce),
    StoreGhosts(usize, Vec<(u32, u32)>, FlagOp, u64),
    Unload(usize),
    Checkpoint,
    Reopen,
}

/// What a bit of an [`Op`]'s flags stands for. Two spellings of one keyword are one keyword.
const FLAGS: [&str; 6] = ["\\Seen", "\\Deleted", "\\Flagged", "$Work", "$WORK", "private"];

fn flag_names(bits: u8) -> (FlagNames, Names) {
    let mut names = FlagNames::default();
    let mut naive = Names::new();
    for flag in (0..FLAGS.len()).filter(|flag| bits & 1 << flag != 0).map(|flag| FLAGS[flag]) {
        naive.insert(flag.to_ascii_lowercase());
        let system = match flag {
            "\\Seen" => SystemFlag::Seen,
            "\\Deleted" => SystemFlag::Deleted,
            "\\Flagged" => SystemFlag::Flagged,
            keyword => {
                names.keywords.push(keyword.to_owned());
                continue;
            }
        };
        names.system = names.system.union(Flags::system(system));
    }
    (names, naive)
}

fn uids(set: &[(u32, u32)]) -> UidSet {
    UidSet::from_ranges(set.iter().copied())
}

fn mailbox_name(name: usize) -> MailboxName {
    MailboxName::new(NAMES[name]).unwrap()
}

#[derive(Debug, Default)]
pub(super) struct World {
    naive: Naive,
    /// Loads, unloads, checkpoints, reopens.
    account: Account,
    /// Folded from the start, everything loaded, no checkpoint ever.
    whole: Account,
    /// Folded from the start, nothing ever loaded.
    lean: Account,
    journal: Vec<(Modseq, Vec<u8>)>,
    parts: BTreeMap<BlobId, Vec<u8>>,
    manifest: Option<Vec<u8>>,
    /// Which identity each naive mailbox has, by birth, for ever.
    identities: BTreeMap<u64, MailboxId>,
    sessions: BTreeMap<usize, Session>,
    blobs: u64,
    no: u64,
    now: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self { now: 1_700_000_000_000, ..Self::default() };
        world.step(&Op::Create(0));
        world
    }

    fn id(&self, name: usize) -> MailboxId {
        let facts = self.whole.directory().mailbox(&mailbox_name(name));
        facts.map_or(MailboxId(u64::MAX), |facts| facts.id)
    }

    fn new_message(&mut self, bits: u8, size: u64) -> (NewMessage, (Names, u64, u64)) {
        self.blobs += 1;
        let (flags, naive) = flag_names(bits);
        let internal_date = date_of(self.blobs);
        let message = NewMessage { blob: BlobId(self.blobs), size, internal_date, flags, uid: None };
        (message, (naive, size, self.blobs))
    }

    pub(super) fn step(&mut self, op: &Op) {
        // Gaps in the numbering are allowed; the clock may stand still.
        self.no += 1 + self.no % 2;
        self.now += self.no % 3 * 700;
        let (no, now) = (self.no, self.now);
        match op {
            Op::Create(name) => {
                let mailbox = NewMailbox {
                    name: mailbox_name(*name),
                    roles: vec![],
                    subscribe: false,
                    uid_validity: None,
                };
                let expected = self.naive.create(NAMES[*name], no);
                self.commit(&Draft::Create { mailboxes: vec![mailbox] }, expected);
            }
            Op::Delete(name) => {
                let expected = self.naive.delete(NAMES[*name]);
                self.commit(&Draft::Delete { name: mailbox_name(*name) }, expected);
            }
            Op::Rename(from, to) => {
                let expected = self.naive.rename(NAMES[*from], NAMES[*to], no, now);
                self.commit(&Draft::Rename { from: mailbox_name(*from), to: mailbox_name(*to) }, expected);
            }
            Op::Subscribe(name, on) => {
                let expected = self.naive.subscribe(NAMES[*name], *on);
                let name = mailbox_name(*name);
                let draft = if *on { Draft::Subscribe { name } } else { Draft::Unsubscribe { name } };
                self.commit(&draft, expected);
            }
            Op::Select(..) | Op::Advance(..) | Op::StoreGhosts(..) => self.step_session(op),
            Op::Unload(name) => {
                let id = self.id(*name);
                self.account.unload(id);
            }
            Op::Checkpoint => self.checkpoint(),
            Op::Reopen => self.reopen(),
            _ => self.step_messages(op, no, now),
        }
    }

    fn step_messages(&mut self, op: &Op, no: u64, now: u64) {
        match op {
            Op::Append(name, messages) => {
                let (messages, naive): (Vec<_>, Vec<_>) =
                    messages.iter().map(|&(bits, size)| self.new_message(bits, size)).unzip();
                let expected = self.naive.append(NAMES[*name], &naive, no, now);
                self.commit(&Draft::Append { mailbox: self.id(*name), messages }, expected);
            }
            Op::Store(name, set, op, bits, since) => {
                let (flags, named) = flag_names(*bits);
                let expected = self.naive.store(NAMES[*name], set, *op, &named, *since, no);
                let (mailbox, uids, op) = (self.id(*name), uids(set), *op);
                let unchanged_since = since.map(Modseq);
                self.commit(&Draft::Store { mailbox, uids, op, flags, unchanged_since }, expected);
            }
            Op::Expunge(name, set, only_deleted) => {
                let expected = self.naive.expunge(NAMES[*name], set, *only_deleted, no);
                let (mailbox, uids, only_deleted) = (self.id(*name), uids(set), *only_deleted);
                self.commit(&Draft::Expunge { mailbox, uids, only_deleted }, expected);
            }
            Op::Copy(from, set, to) => {
                let expected = self.naive.transfer(NAMES[*from], set, NAMES[*to], false, no, now);
                let (from, uids, to) = (self.id(*from), uids(set), self.id(*to));
                self.commit(&Draft::Copy { from, uids, to }, expected);
            }
            Op::Move(from, set, to) => {
                let expected = self.naive.transfer(NAMES[*from], set, NAMES[*to], true, no, now);
                let (from, uids, to) = (self.id(*from), uids(set), self.id(*to));
                self.commit(&Draft::Move { from, uids, to }, expected);
            }
            Op::Replace(from, uid, to) => {
                let (message, naive) = self.new_message(5, 42);
                let expected = self.naive.replace(NAMES[*from], *uid, NAMES[*to], &naive, no, now);
                let (from, uid, to) = (self.id(*from), Uid::new(*uid).unwrap(), self.id(*to));
                self.commit(&Draft::Replace { from, uid, to, message }, expected);
            }
            _ => unreachable!("not about messages"),
        }
    }

    fn step_session(&mut self, op: &Op) {
        match op {
            Op::Select(session, name) => {
                let id = self.id(*name);
                if let Some(mailbox) = self.whole.loaded(id) {
                    self.sessions.insert(*session, Session::new(id, mailbox));
                }
            }
            Op::Advance(session, announce) => {
                if let Some(session) = self.sessions.get_mut(session)
                    && let Some(mailbox) = self.whole.loaded(session.mailbox)
                {
                    session.advance(mailbox, *announce);
                }
            }
            Op::StoreGhosts(session, set, op, flags) => {
                if let Some(session) = self.sessions.get_mut(session) {
                    session.store_ghosts(set, *op, Flags(*flags));
                }
            }
            _ => unreachable!("not about a session"),
        }
    }

    fn commit(&mut self, draft: &Draft, expected: Outcome) {
        for id in draft.needs(&self.account) {
            self.load(id);
        }
        assert!(draft.needs(&self.account).is_empty());
        let decided = draft.decide(&self.account, Rights::OWNER, Modseq(self.no), Millis(self.now));
        assert_eq!(decided, draft.decide(&self.whole, Rights::OWNER, Modseq(self.no), Millis(self.now)));
        let (Ok((entry, receipt)), Ok(done)) = (&decided, &expected) else {
            assert!(decided.is_err() && expected.is_err(), "{draft:?}: {decided:?} but {expected:?}");
            assert_ne!(decided, Err(Refusal::Cannot("the messages of the mailbox are not loaded")));
            return;
        };
        self.check_receipt(draft, receipt, done);
        assert_eq!(entry.is_some(), done.changed, "{draft:?}");
        let Some(entry) = entry else { return };
        let chain = self.account.chain();
        let bytes = entry.encode(chain);
        let own_chain = Entry::chain_of(&bytes);
        assert_eq!(Entry::decode(&bytes, chain), Ok((entry.clone(), own_chain)));
        self.account.apply(entry, own_chain);
        self.whole.apply(entry, own_chain);
        self.lean.apply(entry, own_chain);
        let ids: Vec<MailboxId> = self.lean.all_loaded().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.lean.unload(id));
        self.journal.push((entry.no, bytes));
    }

    fn check_receipt(&self, draft: &Draft, receipt: &Receipt, done: &Done) {
        let plain = |set: &UidSet| set.iter().map(Uid::value).collect::<Vec<_>>();
        assert_eq!(receipt.modseq, done.changed.then_some(Modseq(self.no)));
        assert_eq!(plain(&receipt.source), done.source, "{draft:?}");
        assert_eq!(plain(&receipt.uids), done.uids, "{draft:?}");
        assert_eq!(plain(&receipt.modified), done.modified, "{draft:?}");
        if let Draft::Store { mailbox, uids, .. } | Draft::Copy { from: mailbox, uids, .. } = draft {
            let present = self.whole.loaded(*mailbox).unwrap().uids();
            assert_eq!(receipt.missing, uids.difference(&present));
        }
    }

    /// Columns from the last manifest's parts and the tail, as a keeper makes them.
    fn load(&mut self, id: MailboxId) {
        let mut columns = match self.account.saved(id) {
            None => Mailbox::default(),
            Some(saved) => {
                let parts: Vec<Bytes> =
                    saved.parts().iter().map(|part| self.parts[&part.blob].clone().into()).collect();
                Mailbox::from_parts(saved, &parts).unwrap()
            }
        };
        // Also entries from before the manifest: folding one twice must change nothing.
        for entry in decode_all(&self.journal) {
            columns.apply(id, &entry.0);
        }
        assert!(self.account.install(id, Arc::new(columns)));
    }

    fn checkpoint(&mut self) {
        if !self.account.touched_unloaded().is_empty() {
            assert!(self.account.manifest().is_err(), "a manifest must not forget what is not loaded");
        }
        for id in self.account.touched_unloaded() {
            self.load(id);
        }
        let unsaved: Vec<_> = self.account.unsaved_parts().collect();
        for (id, part) in unsaved {
            assert_eq!(self.account.manifest(), Err(Unready::Unsaved(id)));
            self.blobs += 1;
            let (blob, bytes) = (BlobId(self.blobs), part.encode());
            part.set_saved(blob, &bytes);
            self.parts.insert(blob, bytes);
        }
        let manifest = self.account.manifest().unwrap();
        let named: BTreeSet<BlobId> = Account::manifest_blobs(&manifest).unwrap().into_iter().collect();
        assert!(named.iter().all(|blob| self.parts.contains_key(blob)));
        // Nothing but what the newest manifest names may be needed from here on.
        self.parts.retain(|blob, _| named.contains(blob));
        self.account.checkpointed(&manifest).unwrap();
        assert!(self.account.touched_unloaded().is_empty());
        assert_eq!(self.account.unsaved_parts().count(), 0, "a second checkpoint would write again");
        self.manifest = Some(manifest);
    }

    fn reopen(&mut self) {
        let mut reopened = self
            .manifest
            .as_ref()
            .map_or_else(Account::default, |manifest| Account::from_manifest(manifest).unwrap());
        let head = reopened.head();
        for (entry, chain) in decode_all(&self.journal).into_iter().filter(|(entry, _)| entry.no > head) {
            reopened.apply(&entry, chain);
        }
        assert_eq!((reopened.head(), reopened.chain()), (self.account.head(), self.account.chain()));
        assert_eq!(reopened.directory(), self.account.directory());
        self.account = reopened;
    }

    /// Everything that can be asked, asked on all sides.
    pub(super) fn check(&mut self, set: &[(u32, u32)], since: u64) {
        assert_eq!(self.account.directory(), self.whole.directory());
        assert_eq!(self.lean.directory(), self.whole.directory());
        assert_eq!(self.lean.all_loaded().count(), 0);
        let names: Vec<&str> = self.whole.directory().mailboxes().map(|facts| facts.name.as_str()).collect();
        assert_eq!(names, self.naive.folders.keys().map(String::as_str).collect::<Vec<_>>());
        let subscriptions = self.whole.directory().subscriptions().iter().map(MailboxName::as_str);
        assert!(subscriptions.eq(self.naive.subscriptions.iter().map(String::as_str)));
        for name in self.naive.folders.keys().cloned().collect::<Vec<_>>() {
            self.check_mailbox(&name, set, since);
        }
        for session in self.sessions.values() {
            session.check(set);
        }
        for (id, columns) in self.account.all_loaded() {
            assert_eq!(Some(columns), self.whole.loaded(id));
        }
    }

    fn check_mailbox(&mut self, name: &str, set: &[(u32, u32)], since: u64) {
        let folder = &self.naive.folders[name];
        let directory = self.whole.directory();
        let facts = directory.mailbox(&MailboxName::new(name).unwrap()).unwrap();
        let below = format!("{name}/");
        let children = self.naive.folders.keys().any(|other| other.starts_with(&below));
        assert_eq!(directory.has_children(&facts.name), children);
        assert_eq!(*self.identities.entry(folder.born).or_insert(facts.id), facts.id);
        let distinct: BTreeSet<_> = self.identities.values().collect();
        assert_eq!(distinct.len(), self.identities.len(), "an identity was given twice");

        let columns = self.whole.loaded(facts.id).unwrap();
        assert_eq!((facts.uid_next, facts.highest_modseq.0), (folder.uid_next, folder.highest));
        assert_eq!((columns.uid_next(), columns.highest_modseq().0), (folder.uid_next, folder.highest));
        assert_eq!(columns.keywords(), &facts.keywords);
        let mut counts = Counts::default();
        assert_eq!(columns.len() as usize, folder.messages.len());
        for (row, message) in columns.rows().zip(&folder.messages) {
            assert_eq!((row.uid.value(), row.modseq.0), (message.uid, message.modseq));
            assert_eq!(
                (row.size, row.blob.0, row.save_date.0),
                (message.size, message.blob, message.save_date)
            );
            assert_eq!(row.internal_date, date_of(message.blob));
            assert_eq!(names_of(row.flags, columns), message.flags);
            assert_eq!(columns.row(row.uid), Some(row));
            counts.messages += 1;
            counts.size += row.size;
            counts.unseen += u32::from(!message.flags.contains("\\seen"));
            counts.deleted += u32::from(message.flags.contains("\\deleted"));
        }
        assert_eq!(facts.counts, counts);
        let listed = |uids: Vec<u32>| uids.into_iter().filter_map(Uid::new).collect::<UidSet>();
        let live = listed(folder.messages.iter().map(|message| message.uid).collect());
        assert_eq!(columns.uids(), live);
        assert_eq!(columns.uids_in(&uids(set)), live.intersection(&uids(set)));
        let in_set: Vec<u32> = columns.rows_in(&uids(set)).map(|row| row.uid.value()).collect();
        let expected: Vec<u32> =
            folder.messages.iter().map(|message| message.uid).filter(|&uid| within(set, uid)).collect();
        assert_eq!(in_set, expected);
        let changed = folder
            .messages
            .iter()
            .filter(|message| message.modseq > since)
            .map(|message| message.uid)
            .collect();
        assert_eq!(columns.changed_since(Modseq(since)), listed(changed));

        // VANISHED may name more than was expunged since, as long as it is gone (RFC 7162, 3.2.10.2); never less.
        let exact = listed(
            folder.vanished.iter().filter(|(_, modseq)| *modseq > since).map(|&(uid, _)| uid).collect(),
        );
        let told = columns.vanished_since(Modseq(since));
        assert!(exact.difference(&told).is_empty(), "{exact:?} not in {told:?}");
        assert!(told.intersection(&live).is_empty());
        assert!(told.bounds().is_none_or(|(_, last)| last.value() < folder.uid_next));
        if folder.vanished.len() <= ROOM {
            assert_eq!(told, exact);
        }
    }

    /// The state at any point is the fold of the entries up to it, and a checkpoint there changes nothing about what follows.
    pub(super) fn check_every_prefix(&self) {
        let entries = decode_all(&self.journal);
        let mut prefix = Account::default();
        let mut parts = BTreeMap::new();
        for at in 0..=entries.len() {
            let mut restored = restored(&prefix, &mut parts);
            for (entry, chain) in &entries[at..] {
                restored.apply(entry, *chain);
            }
            assert_eq!(restored.directory(), self.whole.directory());
            for (id, columns) in self.whole.all_loaded() {
                assert_eq!(restored.loaded(id), Some(columns));
            }
            if let Some((entry, chain)) = entries.get(at) {
                prefix.apply(entry, *chain);
            }
        }
    }
}

/// The account written as a checkpoint and read back, everything loaded. `store` holds the parts of earlier checkpoints.
fn restored(account: &Account, store: &mut BTreeMap<BlobId, Vec<u8>>) -> Account {
    for (_, part) in account.unsaved_parts() {
        let (blob, bytes) = (BlobId(store.len() as u64 + 1), part.encode());
        part.set_saved(blob, &bytes);
        store.insert(blob, bytes);
    }
    let manifest = account.manifest().unwrap();
    let mut restored = Account::from_manifest(&manifest).unwrap();
    let ids: Vec<MailboxId> = restored.directory().mailboxes().map(|facts| facts.id).collect();
    for id in ids {
        let saved = restored.saved(id).unwrap();
        let parts: Vec<Bytes> = saved.parts().iter().map(|part| store[&part.blob].clone().into()).collect();
        let columns = Arc::new(Mailbox::from_parts(saved, &parts).unwrap());
        assert_eq!(Some(&columns), account.loaded(id));
        assert!(restored.install(id, columns));
    }
    restored
}

fn decode_all(journal: &[(Modseq, Vec<u8>)]) -> Vec<(Entry, u32)> {
    let mut chain = 0;
    let mut entries = Vec::new();
    for (_, bytes) in journal {
        let (entry, own_chain) = Entry::decode(bytes, chain).unwrap();
        chain = own_chain;
        entries.push((entry, own_chain));
    }
    entries
}

fn names_of(flags: Flags, mailbox: &Mailbox) -> Names {
    let system = [
        (SystemFlag::Seen, "\\seen"),
        (SystemFlag::Deleted, "\\deleted"),
        (SystemFlag::Flagged, "\\flagged"),
    ];
    let system = system.into_iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| name.to_owned());
    let keywords = flags.keywords().map(|index| mailbox.keywords().name(index).unwrap().to_ascii_lowercase());
    system.chain(keywords).collect()
}

/// A date that only the blob decides, so that it must have travelled with the message.
fn date_of(blob: u64) -> InternalDate {
    InternalDate {
        seconds: 1_600_000_000 - (blob * 7_919 % 4_000_000_000) as i64,
        zone_minutes: (blob % 29) as i16 * 60 - 840,
    }
}
