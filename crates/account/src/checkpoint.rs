//! The checkpoint: a manifest (directory, and for each mailbox the list of its parts) and the parts, each a blob.
//!
//! A checkpoint is made in two steps, so that it costs what changed: every part in [`Account::unsaved_parts`] is stored and
//! told where it is ([`UnsavedPart::set_saved`]); then [`Account::manifest`] names them all, old and new. Reading goes
//! the other way: [`Account::from_manifest`] gives the directory alone, [`Mailbox::from_parts`] the columns of one mailbox as
//! they were at the manifest's head, and [`Mailbox::apply`] brings them to the account's.
//!
//! The byte formats are described in `docs/journal.md`, sections 4 and 5.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::change_codec::{pack_texts, unpack_name, unpack_texts, unpack_uid_validity};
use crate::chunk::Chunk;
use crate::directory::Roster;
use crate::limits::{MAILBOXES_MAX, ROSTER_MAX, SUBSCRIPTIONS_MAX};
use crate::pack::{Packer, Unpacker, unseal};
use crate::tombstones::Tombstones;
use crate::{
    Account, AccountId, BlobId, Counts, DecodeError, Directory, KEYWORDS_MAX, Keywords, Mailbox,
    MailboxFacts, MailboxId, Modseq, ROLES, RosterLine,
};

/// Versions of the two formats; old ones stay readable for ever.
const MANIFEST_VERSION: u8 = 1;
const PART_VERSION: u8 = 1;

/// What a part holds.
const PART_CHUNK: u8 = 1;
const PART_TOMBSTONES: u8 = 2;

/// Where a part is and what must be found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRef {
    /// The blob that is the part.
    pub blob: BlobId,
    /// CRC-32C of the part's bytes, so that a wrong part is not taken for the right one.
    pub checksum: u32,
    /// Messages in it; 0 for the list of expunged UIDs.
    pub rows: u32,
    /// Smallest UID; 0 for the list of expunged UIDs.
    pub first: u32,
    /// Largest UID; 0 for the list of expunged UIDs.
    pub last: u32,
}

/// What a manifest says about one mailbox: all that its columns are read back from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMailbox {
    /// The directory's line at the manifest's head.
    pub(crate) facts: Arc<MailboxFacts>,
    pub(crate) parts: Arc<[PartRef]>,
}

impl SavedMailbox {
    /// The parts, in the order in which [`Mailbox::from_parts`] wants them.
    pub fn parts(&self) -> &[PartRef] {
        &self.parts
    }

    /// HIGHESTMODSEQ at the manifest's head: entries up to it are in the parts, later ones must be folded in.
    pub fn highest_modseq(&self) -> Modseq {
        self.facts.highest_modseq
    }
}

/// A part that no checkpoint holds yet.
#[derive(Debug, Clone)]
pub struct UnsavedPart(Columns);

#[derive(Debug, Clone)]
enum Columns {
    Chunk(Arc<Chunk>),
    Tombstones(Arc<Tombstones>),
}

impl UnsavedPart {
    /// The bytes to store as a blob: some 15 per message, at most 4,096 messages.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Packer::new();
        out.u8(PART_VERSION);
        match &self.0 {
            Columns::Chunk(chunk) => {
                out.u8(PART_CHUNK);
                chunk.pack(&mut out);
            }
            Columns::Tombstones(tombstones) => {
                out.u8(PART_TOMBSTONES);
                tombstones.pack(&mut out);
            }
        }
        out.seal()
    }

    /// Remembers that `encoded`, the part's bytes, are kept as `blob`. Every value that shares the part knows it then.
    pub fn set_saved(&self, blob: BlobId, encoded: &[u8]) {
        let checksum = crate::Entry::chain_of(encoded);
        match &self.0 {
            Columns::Chunk(chunk) => chunk.set_saved(PartRef {
                blob,
                checksum,
                rows: chunk.len() as u32,
                first: chunk.first(),
                last: chunk.last(),
            }),
            Columns::Tombstones(tombstones) => {
                tombstones.set_saved(PartRef { blob, checksum, rows: 0, first: 0, last: 0 });
            }
        }
    }
}

/// Why there can be no manifest yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    /// The mailbox changed since its last checkpoint and its columns are not loaded.
    Unloaded(MailboxId),
    /// A part of the mailbox is not stored.
    Unsaved(MailboxId),
}

/// Writing.
impl Account {
    /// The mailboxes that changed since the last manifest and whose columns must be loaded before the next.
    pub fn touched_unloaded(&self) -> Vec<MailboxId> {
        let unready = self
            .directory
            .mailboxes
            .values()
            .filter(|facts| !self.mailboxes.contains_key(&facts.id) && self.untouched(facts).is_none());
        unready.map(|facts| facts.id).collect()
    }

    /// The parts that must be stored before [`Account::manifest`].
    pub fn unsaved_parts(&self) -> impl Iterator<Item = (MailboxId, UnsavedPart)> + '_ {
        self.mailboxes.iter().flat_map(|(&id, columns)| {
            let tombstones = Some(columns.tombstones())
                .filter(|tombstones| !tombstones.is_pristine() && tombstones.saved().is_none())
                .map(|tombstones| UnsavedPart(Columns::Tombstones(Arc::clone(tombstones))));
            let chunks = columns.chunks().iter().filter(|chunk| chunk.saved().is_none());
            let chunks = chunks.map(|chunk| UnsavedPart(Columns::Chunk(Arc::clone(chunk))));
            tombstones.into_iter().chain(chunks).map(move |part| (id, part))
        })
    }

    /// The manifest of this state.
    ///
    /// # Errors
    /// [`Unready`]: something must be loaded or stored first.
    pub fn manifest(&self) -> Result<Vec<u8>, Unready> {
        let mut out = Packer::new();
        out.u8(MANIFEST_VERSION);
        out.varint(self.head.0);
        out.u32(self.chain);
        let directory = &self.directory;
        out.varint(directory.uid_validity_last.into());
        out.varint(directory.mailbox_id_last);
        out.count(directory.mailboxes.len());
        for facts in directory.mailboxes.values() {
            pack_facts(facts, &mut out);
            self.pack_parts(facts, &mut out)?;
        }
        out.count(directory.subscriptions.len());
        for name in directory.subscriptions.iter() {
            out.text(name.as_str());
        }
        directory.roster.pack(&mut out);
        Ok(out.seal())
    }

    fn pack_parts(&self, facts: &MailboxFacts, out: &mut Packer) -> Result<(), Unready> {
        if let Some(saved) = self.untouched(facts) {
            pack_part_list(&saved.parts, out);
            return Ok(());
        }
        let columns = self.mailboxes.get(&facts.id).ok_or(Unready::Unloaded(facts.id))?;
        let mut parts = Vec::with_capacity(columns.chunks().len() + 1);
        if !columns.tombstones().is_pristine() {
            parts.push(*columns.tombstones().saved().ok_or(Unready::Unsaved(facts.id))?);
        }
        for chunk in columns.chunks() {
            parts.push(*chunk.saved().ok_or(Unready::Unsaved(facts.id))?);
        }
        pack_part_list(&parts, out);
        Ok(())
    }

    /// What the last manifest said about a mailbox, if that still holds for its messages.
    fn untouched(&self, facts: &MailboxFacts) -> Option<&SavedMailbox> {
        self.saved.get(&facts.id).filter(|saved| saved.facts.highest_modseq == facts.highest_modseq)
    }

    /// Takes note that `manifest` (of this state or an earlier one of this account) is durable: from now on, mailboxes that it
    /// names are read back from it, and entries up to its head are no longer needed.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not a manifest.
    pub fn checkpointed(&mut self, manifest: &[u8]) -> Result<(), DecodeError> {
        let mut saved = Self::from_manifest(manifest)?.saved;
        let mailboxes = Arc::make_mut(&mut saved);
        mailboxes.retain(|id, _| self.directory.mailboxes.contains_key(id));
        for (id, saved) in mailboxes {
            // One line in memory instead of two while they are the same.
            if let Some(facts) = self.directory.mailboxes.get(id).filter(|facts| **facts == saved.facts) {
                saved.facts = Arc::clone(facts);
            }
        }
        self.saved = saved;
        Ok(())
    }

    /// Takes over what another value of the same account knows about the newest manifest: for a state decided before
    /// [`Account::checkpointed`] was told to the one it follows.
    pub fn share_saved(&mut self, informed: &Self) {
        self.saved = Arc::clone(&informed.saved);
    }
}

/// Reading.
impl Account {
    /// The account at a manifest's head; no columns are loaded.
    ///
    /// # Errors
    /// [`DecodeError`], see there.
    pub fn from_manifest(manifest: &[u8]) -> Result<Self, DecodeError> {
        match manifest.first() {
            Some(&MANIFEST_VERSION) => {}
            Some(&version) => return Err(DecodeError::Unknown("version of a manifest", version.into())),
            None => return Err(DecodeError::Damaged("empty")),
        }
        let mut bytes = Unpacker::new(unseal(manifest)?.0);
        bytes.u8()?;
        let head = Modseq(bytes.varint()?);
        let chain = bytes.u32()?;
        let mut directory = Directory {
            uid_validity_last: bytes.varint32()?,
            mailbox_id_last: bytes.varint()?,
            ..Directory::default()
        };
        let saved = unpack_mailboxes(&mut bytes, &mut directory)?;
        let count = bytes.count(1)?;
        if count > SUBSCRIPTIONS_MAX {
            return Err(DecodeError::Damaged("too many subscriptions"));
        }
        let subscriptions = Arc::make_mut(&mut directory.subscriptions);
        for _ in 0..count {
            subscriptions.insert(unpack_name(&mut bytes)?);
        }
        directory.roster = Arc::new(Roster::unpack(&mut bytes)?);
        bytes.end()?;
        Ok(Self {
            head,
            chain,
            directory: Arc::new(directory),
            mailboxes: BTreeMap::new(),
            saved: Arc::new(saved),
        })
    }

    /// What the last manifest says about a mailbox. `None`: no manifest knows it, so its columns are
    /// [`Mailbox::default`] with all entries since the last manifest folded in.
    pub fn saved(&self, mailbox: MailboxId) -> Option<&SavedMailbox> {
        self.saved.get(&mailbox)
    }

    /// The parts that the last manifest names for a mailbox.
    pub fn parts(&self, mailbox: MailboxId) -> &[PartRef] {
        self.saved.get(&mailbox).map_or(&[], SavedMailbox::parts)
    }

    /// Every blob that a manifest names, for the store's garbage collection: its parts. The messages' blobs are in
    /// the columns ([`Mailbox::blobs`]) and in the entries after it ([`crate::Entry::blobs`]).
    ///
    /// # Errors
    /// [`DecodeError`] when it is not a manifest.
    pub fn manifest_blobs(manifest: &[u8]) -> Result<Vec<BlobId>, DecodeError> {
        let account = Self::from_manifest(manifest)?;
        Ok(account.saved.values().flat_map(|saved| saved.parts.iter().map(|part| part.blob)).collect())
    }
}

impl Mailbox {
    /// The columns as they were at the manifest's head, from the bytes of [`SavedMailbox::parts`], in that order.
    ///
    /// # Errors
    /// [`DecodeError`] when a part is damaged, is another part than the manifest means, or one is missing.
    pub fn from_parts(saved: &SavedMailbox, parts: &[Bytes]) -> Result<Self, DecodeError> {
        if parts.len() != saved.parts.len() {
            return Err(DecodeError::Damaged("number of parts"));
        }
        let mut chunks = Vec::with_capacity(parts.len());
        let mut tombstones = Arc::<Tombstones>::default();
        let mut before = 0;
        for (part, bytes) in saved.parts.iter().zip(parts) {
            match unpack_part(part, bytes)? {
                Columns::Chunk(chunk) => {
                    if chunk.first() <= before {
                        return Err(DecodeError::Damaged("parts overlap"));
                    }
                    before = chunk.last();
                    chunks.push(chunk);
                }
                Columns::Tombstones(list) => tombstones = list,
            }
        }
        Ok(Self::from_columns(chunks, tombstones, &saved.facts))
    }
}

fn unpack_part(part: &PartRef, bytes: &[u8]) -> Result<Columns, DecodeError> {
    match bytes.first() {
        Some(&PART_VERSION) => {}
        Some(&version) => return Err(DecodeError::Unknown("version of a part", version.into())),
        None => return Err(DecodeError::Damaged("empty")),
    }
    let (body, checksum) = unseal(bytes)?;
    if checksum != part.checksum {
        return Err(DecodeError::Damaged("not the part that the manifest means"));
    }
    let mut bytes = Unpacker::new(body);
    bytes.u8()?;
    let kind = bytes.u8()?;
    let columns = match kind {
        PART_CHUNK => {
            let chunk = Chunk::unpack(&mut bytes)?;
            if (chunk.len() as u32, chunk.first(), chunk.last()) != (part.rows, part.first, part.last) {
                return Err(DecodeError::Damaged("not the part that the manifest means"));
            }
            chunk.set_saved(*part);
            Columns::Chunk(Arc::new(chunk))
        }
        PART_TOMBSTONES => {
            let tombstones = Tombstones::unpack(&mut bytes)?;
            tombstones.set_saved(*part);
            Columns::Tombstones(Arc::new(tombstones))
        }
        _ => return Err(DecodeError::Unknown("kind of part", kind.into())),
    };
    bytes.end()?;
    Ok(columns)
}

fn unpack_mailboxes(
    bytes: &mut Unpacker<'_>,
    directory: &mut Directory,
) -> Result<BTreeMap<MailboxId, SavedMailbox>, DecodeError> {
    let count = bytes.count(10)?;
    if count > MAILBOXES_MAX {
        return Err(DecodeError::Damaged("too many mailboxes"));
    }
    let mut saved = BTreeMap::new();
    let names = Arc::make_mut(&mut directory.names);
    for _ in 0..count {
        let facts = Arc::new(unpack_facts(bytes)?);
        let parts = unpack_part_list(bytes)?;
        names.insert(facts.name.clone(), facts.id);
        directory.mailboxes.insert(facts.id, Arc::clone(&facts));
        saved.insert(facts.id, SavedMailbox { facts, parts });
    }
    if names.len() != count || directory.mailboxes.len() != count {
        return Err(DecodeError::Damaged("two mailboxes of one name or identity"));
    }
    Ok(saved)
}

fn pack_facts(facts: &MailboxFacts, out: &mut Packer) {
    out.varint(facts.id.0);
    out.text(facts.name.as_str());
    out.varint(facts.uid_validity.value().into());
    out.varint(facts.uid_next.into());
    facts.counts.pack(out);
    out.varint(facts.highest_modseq.0);
    pack_texts(&facts.roles, out);
    pack_texts(&facts.keywords.0, out);
}

fn unpack_facts(bytes: &mut Unpacker<'_>) -> Result<MailboxFacts, DecodeError> {
    Ok(MailboxFacts {
        id: MailboxId(bytes.varint()?),
        name: unpack_name(bytes)?,
        uid_validity: unpack_uid_validity(bytes)?,
        uid_next: bytes.varint32()?.max(1),
        counts: Counts::unpack(bytes)?,
        highest_modseq: Modseq(bytes.varint()?),
        roles: unpack_texts(bytes, ROLES.len())?,
        keywords: Keywords(unpack_texts(bytes, KEYWORDS_MAX)?),
    })
}

fn pack_part_list(parts: &[PartRef], out: &mut Packer) {
    out.count(parts.len());
    for part in parts {
        out.varint(part.blob.0);
        out.u32(part.checksum);
        out.varint(part.rows.into());
        out.varint(part.first.into());
        out.varint((part.last - part.first).into());
    }
}

fn unpack_part_list(bytes: &mut Unpacker<'_>) -> Result<Arc<[PartRef]>, DecodeError> {
    let count = bytes.count(8)?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        let (blob, checksum) = (BlobId(bytes.varint()?), bytes.u32()?);
        let (rows, first) = (bytes.varint32()?, bytes.varint32()?);
        let last = first.checked_add(bytes.varint32()?).ok_or(DecodeError::Damaged("UID too large"))?;
        parts.push(PartRef { blob, checksum, rows, first, last });
    }
    Ok(parts.into())
}

impl Roster {
    fn pack(&self, out: &mut Packer) {
        out.varint(self.account_last);
        out.count(self.lines.len());
        for line in self.lines.values() {
            out.varint(line.account.0);
            out.text(&line.name);
            // An empty credential proves nobody and is never set, so it can stand for none.
            out.text(line.credential.as_deref().unwrap_or(""));
        }
    }

    fn unpack(bytes: &mut Unpacker<'_>) -> Result<Self, DecodeError> {
        let mut roster = Self { account_last: bytes.varint()?, ..Self::default() };
        let count = bytes.count(3)?;
        if count > ROSTER_MAX {
            return Err(DecodeError::Damaged("too many accounts"));
        }
        for _ in 0..count {
            let account = AccountId(bytes.varint()?);
            let name = bytes.text()?.to_owned();
            let credential = Some(bytes.text()?.to_owned()).filter(|credential| !credential.is_empty());
            roster.names.insert(account, name.clone());
            roster.lines.insert(name.clone(), RosterLine { account, name, credential });
        }
        Ok(roster)
    }
}
