//! Placing messages in a mailbox: UIDs, keywords and counts of what is about to be appended.

use crate::limits::{ENTRY_MESSAGES_MAX, KEYWORD_BYTES_MAX, MAILBOX_MESSAGES_MAX};
use crate::{
    BlobId, Change, Counts, FlagNames, Flags, InternalDate, KEYWORDS_MAX, Keywords, MailboxFacts, MailboxId,
    PlacedMessage, Refusal, Right, Rights, SystemFlag, Uid, UidSet,
};

/// The flags that somebody may set or clear (RFC 4314, 4): `\Seen`, `\Deleted` and the rest have a right each.
pub(super) fn settable(rights: Rights) -> Flags {
    let of = |right, flags: Flags| if rights.has(right) { flags } else { Flags::NONE };
    let (seen, deleted) = (Flags::system(SystemFlag::Seen), Flags::system(SystemFlag::Deleted));
    of(Right::Seen, seen)
        .union(of(Right::DeleteMessages, deleted))
        .union(of(Right::Write, Flags(u64::MAX).minus(seen).minus(deleted)))
}

impl Counts {
    pub(super) fn add(&mut self, flags: Flags, size: u64) {
        self.messages = self.messages.saturating_add(1);
        self.size = self.size.saturating_add(size);
        self.unseen = self.unseen.saturating_add(u32::from(!flags.has(SystemFlag::Seen)));
        self.deleted = self.deleted.saturating_add(u32::from(flags.has(SystemFlag::Deleted)));
    }

    pub(super) fn remove(&mut self, flags: Flags, size: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.size = self.size.saturating_sub(size);
        self.unseen = self.unseen.saturating_sub(u32::from(!flags.has(SystemFlag::Seen)));
        self.deleted = self.deleted.saturating_sub(u32::from(flags.has(SystemFlag::Deleted)));
    }

    pub(super) fn minus(self, gone: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(gone.messages),
            unseen: self.unseen.saturating_sub(gone.unseen),
            deleted: self.deleted.saturating_sub(gone.deleted),
            size: self.size.saturating_sub(gone.size),
        }
    }

    pub(super) fn reflag(&mut self, old: Flags, new: Flags) {
        self.remove(old, 0);
        self.add(new, 0);
    }
}

/// A keyword table that may grow in this entry.
#[derive(Debug)]
pub(super) struct KeywordTable {
    keywords: Keywords,
    known: usize,
}

impl KeywordTable {
    pub(super) fn new(keywords: &Keywords) -> Self {
        Self { keywords: keywords.clone(), known: keywords.0.len() }
    }

    /// The flag of a keyword; a new one gets the next free place.
    pub(super) fn flag_or_add(&mut self, name: &str) -> Result<Flags, Refusal> {
        if let Some(index) = self.keywords.index(name) {
            return Ok(Flags::keyword(index));
        }
        if name.is_empty() || name.len() > KEYWORD_BYTES_MAX {
            return Err(Refusal::Limit("the keyword is too long"));
        }
        if self.keywords.0.len() >= KEYWORDS_MAX {
            return Err(Refusal::Limit("the mailbox has as many different keywords as it can hold"));
        }
        self.keywords.0.push(name.to_owned());
        Ok(Flags::keyword(self.keywords.0.len() as u8 - 1))
    }

    /// Named flags as this mailbox writes them.
    pub(super) fn flags_or_add(&mut self, names: &FlagNames) -> Result<Flags, Refusal> {
        let mut flags = Flags(names.system.0 & SYSTEM_BITS);
        for name in &names.keywords {
            flags = flags.union(self.flag_or_add(name)?);
        }
        Ok(flags)
    }

    /// Named flags as far as this mailbox knows them.
    pub(super) fn flags_known(&self, names: &FlagNames) -> Flags {
        let known = names.keywords.iter().filter_map(|name| self.keywords.index(name));
        known.map(Flags::keyword).fold(Flags(names.system.0 & SYSTEM_BITS), Flags::union)
    }

    /// The changes that make the table grow.
    pub(super) fn additions(self, mailbox: MailboxId) -> impl Iterator<Item = Change> {
        let new = self.keywords.0.into_iter().skip(self.known);
        new.map(move |name| Change::KeywordAdded { mailbox, name })
    }
}

const SYSTEM_BITS: u64 = 0b1_1111;

/// A message on its way into a mailbox, its flags already in the mailbox's terms.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) blob: BlobId,
    pub(super) size: u64,
    pub(super) internal_date: InternalDate,
    pub(super) flags: Flags,
}

/// A mailbox that is about to receive messages.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) mailbox: MailboxId,
    keywords: KeywordTable,
    settable: Flags,
    uid_next: u32,
    pub(super) counts: Counts,
    placed: Vec<PlacedMessage>,
}

impl Destination {
    pub(super) fn new(facts: &MailboxFacts, rights: Rights) -> Self {
        Self {
            mailbox: facts.id,
            keywords: KeywordTable::new(&facts.keywords),
            settable: settable(rights),
            uid_next: facts.uid_next,
            counts: facts.counts,
            placed: Vec::new(),
        }
    }

    /// Named flags as the destination writes them. What the rights do not allow is left out without a word, as RFC 4314 (4)
    /// wants of APPEND and COPY.
    pub(super) fn flags(&mut self, names: &FlagNames) -> Result<Flags, Refusal> {
        let keywords_allowed = self.settable.contains(Flags::keyword(0));
        let flags = if keywords_allowed {
            self.keywords.flags_or_add(names)?
        } else {
            Flags(names.system.0 & SYSTEM_BITS)
        };
        Ok(Flags(flags.0 & self.settable.0))
    }

    /// Takes a message in; `wish` is the UID that an import wants it to keep.
    pub(super) fn place(&mut self, message: Incoming, wish: Option<Uid>) -> Result<(), Refusal> {
        if wish.is_some_and(|wish| wish.value() < self.uid_next) {
            return Err(Refusal::UidTaken);
        }
        let uid = wish.map_or(self.uid_next, Uid::value);
        // The largest number is never given: as UIDNEXT it says that there are no more.
        if uid == u32::MAX {
            return Err(Refusal::Limit("the mailbox has used up its UIDs"));
        }
        if self.counts.messages >= MAILBOX_MESSAGES_MAX {
            return Err(Refusal::Limit("the mailbox is full"));
        }
        if self.placed.len() >= ENTRY_MESSAGES_MAX {
            return Err(Refusal::Limit("too many messages at once"));
        }
        let placed_uid = Uid::new(uid).ok_or(Refusal::UidTaken)?;
        self.uid_next = uid + 1;
        let Incoming { blob, size, internal_date, flags } = message;
        self.counts.add(flags, size);
        // The save date is the entry's time (RFC 8514: COPY sets a new one).
        self.placed.push(PlacedMessage {
            uid: placed_uid,
            blob,
            size,
            internal_date,
            flags,
            save_date: None,
        });
        Ok(())
    }

    /// The changes, keywords first, and the UIDs given.
    pub(super) fn conclude(self, changes: &mut Vec<Change>) -> UidSet {
        let uids = self.placed.iter().map(|message| message.uid).collect();
        if !self.placed.is_empty() {
            changes.extend(self.keywords.additions(self.mailbox));
            changes.push(Change::Appended {
                mailbox: self.mailbox,
                messages: self.placed,
                counts: self.counts,
            });
        }
        uids
    }
}

/// How the flags of one mailbox are written in another whose keyword table is its own.
#[derive(Debug)]
pub(super) struct Translation<'a> {
    from: &'a Keywords,
    /// What each keyword of `from` became; filled as they are met, since unused ones must not fill the other table.
    known: [Option<Flags>; KEYWORDS_MAX],
}

impl<'a> Translation<'a> {
    pub(super) const fn new(from: &'a Keywords) -> Self {
        Self { from, known: [None; KEYWORDS_MAX] }
    }

    pub(super) fn flags(&mut self, flags: Flags, to: &mut Destination) -> Result<Flags, Refusal> {
        let mut translated = Flags(flags.0 & SYSTEM_BITS);
        if flags != translated && to.settable.contains(Flags::keyword(0)) {
            for index in flags.keywords() {
                let known = &mut self.known[usize::from(index)];
                let flag = match (*known, self.from.name(index)) {
                    (Some(flag), _) => flag,
                    (None, Some(name)) => *known.insert(to.keywords.flag_or_add(name)?),
                    // A bit without a name means nothing.
                    (None, None) => Flags::NONE,
                };
                translated = translated.union(flag);
            }
        }
        Ok(Flags(translated.0 & to.settable.0))
    }
}
