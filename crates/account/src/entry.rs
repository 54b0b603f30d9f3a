//! An entry is a transaction: one command, one number, many changes. It records decisions, never intentions.
//!
//! The byte format is described in `docs/journal.md`; entries are versioned, checksummed and chained.

use crate::pack::{Packer, Unpacker, unseal};
use crate::{
    AccountId, BlobId, Counts, FlagOp, Flags, MailboxId, MailboxName, Millis, Modseq, PlacedMessage, UidSet,
    UidValidity, limits,
};

/// One transaction of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number: the modseq of everything it changed. Strictly rising in one journal; gaps are allowed.
    pub no: Modseq,
    /// When it was decided; the SAVEDATE of what it appended.
    pub time: Millis,
    /// What changed, applied in order.
    pub changes: Vec<Change>,
}

/// One fact. The list is closed: a reader that meets an unknown kind refuses the account.
/// `counts` is the mailbox's state *after* the change, so that the directory folds without message columns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Change {
    MailboxCreated {
        mailbox: MailboxId,
        name: MailboxName,
        uid_validity: UidValidity,
        uid_next: u32,
    },
    MailboxRenamed {
        mailbox: MailboxId,
        name: MailboxName,
    },
    MailboxDeleted {
        mailbox: MailboxId,
    },
    /// Special-use attributes (RFC 6154), e.g. `\Sent`, replacing those it had.
    RolesSet {
        mailbox: MailboxId,
        roles: Vec<String>,
    },
    Subscribed {
        name: MailboxName,
    },
    Unsubscribed {
        name: MailboxName,
    },
    /// The next free index of the mailbox's keyword table gets this name.
    KeywordAdded {
        mailbox: MailboxId,
        name: String,
    },
    /// UIDs strictly rise and are at least UIDNEXT.
    Appended {
        mailbox: MailboxId,
        messages: Vec<PlacedMessage>,
        counts: Counts,
    },
    /// The messages of the set whose flags this changes get the entry's number as their modseq; others named keep theirs.
    Flagged {
        mailbox: MailboxId,
        uids: UidSet,
        op: FlagOp,
        flags: Flags,
        counts: Counts,
    },
    Expunged {
        mailbox: MailboxId,
        uids: UidSet,
        counts: Counts,
    },
    /// Another UIDVALIDITY (an import into a new mailbox, a restore), or UIDNEXT raised to `uid_next`, or both.
    Revalidated {
        mailbox: MailboxId,
        uid_validity: UidValidity,
        uid_next: u32,
    },
    /// Roster: an account begins. `name` is `local@domain` in its canonical form.
    AccountAdded {
        account: AccountId,
        name: String,
    },
    /// Roster: the credential (a PHC string) that proves the account's owner.
    CredentialSet {
        account: AccountId,
        credential: String,
    },
    /// Roster: the account is gone.
    AccountRemoved {
        account: AccountId,
    },
}

/// Why bytes are not an entry (or a checkpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// Cut short, wrong length or checksum: the bytes are damaged.
    Damaged(&'static str),
    /// A format version or change kind this build does not know: refuse the account, never skip.
    Unknown(&'static str, u64),
    /// The entry does not follow the one before it (chain checksum or number).
    Unchained,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged(what) => write!(out, "damaged: {what}"),
            Self::Unknown(what, value) => write!(out, "unknown {what} {value}"),
            Self::Unchained => out.write_str("does not follow the entry before it"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Version of the entry format. A change of any kind to it is a new version; old ones stay readable for ever.
const VERSION: u8 = 1;

impl Entry {
    /// The bytes of the entry, chained to the entry before it. At most [`limits::ENTRY_BYTES_MAX`] when it was decided by
    /// [`crate::Draft::decide`].
    pub fn encode(&self, previous_chain: u32) -> Vec<u8> {
        let mut body = Packer::new();
        body.varint(self.no.0);
        body.varint(self.time.0);
        body.count(self.changes.len());
        for change in &self.changes {
            change.pack(self.time, &mut body);
        }
        let body = body.into_bytes();
        let mut out = Packer::new();
        out.u8(VERSION);
        out.u32(previous_chain);
        out.count(body.len());
        out.raw(&body);
        out.seal()
    }

    /// Reads an entry and checks that it follows `previous_chain`; returns it with its own chain value.
    ///
    /// # Errors
    /// [`DecodeError`], see there.
    pub fn decode(bytes: &[u8], previous_chain: u32) -> Result<(Self, u32), DecodeError> {
        // The version comes first, since another one may be sealed in another way.
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(DecodeError::Unknown("version of an entry", version.into())),
            None => return Err(DecodeError::Damaged("empty")),
        }
        let (framed, chain) = unseal(bytes)?;
        let mut frame = Unpacker::new(framed);
        frame.u8()?;
        if frame.u32()? != previous_chain {
            return Err(DecodeError::Unchained);
        }
        let len = frame.count(1)?;
        let mut body = Unpacker::new(frame.raw(len)?);
        frame.end()?;
        let no = Modseq(body.varint()?);
        if no.0 == 0 || no.0 > i64::MAX as u64 {
            return Err(DecodeError::Damaged("number of an entry"));
        }
        let time = Millis(body.varint()?);
        let count = body.count(1)?;
        if count > limits::ENTRY_CHANGES_MAX {
            return Err(DecodeError::Damaged("too many changes"));
        }
        let mut changes = Vec::new();
        for _ in 0..count {
            changes.push(Change::unpack(time, &mut body)?);
        }
        body.end()?;
        Ok((Self { no, time, changes }, chain))
    }

    /// The chain value of encoded bytes (what the next entry must name): their checksum, which covers the chain value
    /// of the entry before. 0, the chain before any entry, for what is too short to be an entry.
    pub fn chain_of(bytes: &[u8]) -> u32 {
        // Not a checksum over all of it: that of bytes with their own checksum at the end is the same for all bytes.
        bytes.last_chunk::<4>().map_or(0, |crc| u32::from_le_bytes(*crc))
    }

    /// More than it can take encoded.
    pub(crate) fn bytes_bound(&self) -> usize {
        64 + self.changes.iter().map(Change::bytes_bound).sum::<usize>()
    }

    /// Every blob the entry refers to, for the store's garbage collection.
    pub fn blobs(&self) -> impl Iterator<Item = BlobId> + '_ {
        self.changes
            .iter()
            .flat_map(|change| match change {
                Change::Appended { messages, .. } => messages.as_slice(),
                _ => &[],
            })
            .map(|message| message.blob)
    }
}

impl Change {
    /// More than it can take encoded: ten bytes a number, five a UID.
    fn bytes_bound(&self) -> usize {
        128 + match self {
            Self::Appended { messages, .. } => messages.len() * 64,
            Self::Flagged { uids, .. } | Self::Expunged { uids, .. } => uids.ranges().len() * 10,
            Self::MailboxCreated { name, .. }
            | Self::MailboxRenamed { name, .. }
            | Self::Subscribed { name }
            | Self::Unsubscribed { name } => name.as_str().len(),
            Self::RolesSet { roles, .. } => roles.iter().map(|role| role.len() + 5).sum(),
            Self::KeywordAdded { name: text, .. }
            | Self::AccountAdded { name: text, .. }
            | Self::CredentialSet { credential: text, .. } => text.len(),
            Self::MailboxDeleted { .. } | Self::Revalidated { .. } | Self::AccountRemoved { .. } => 0,
        }
    }

    /// The mailbox whose HIGHESTMODSEQ the change moves: the one whose messages, keywords or UIDs it is about. Names,
    /// roles and subscriptions are not.
    pub fn touches(&self) -> Option<MailboxId> {
        match self {
            Self::MailboxCreated { mailbox, .. }
            | Self::KeywordAdded { mailbox, .. }
            | Self::Appended { mailbox, .. }
            | Self::Flagged { mailbox, .. }
            | Self::Expunged { mailbox, .. }
            | Self::Revalidated { mailbox, .. } => Some(*mailbox),
            Self::MailboxRenamed { .. }
            | Self::MailboxDeleted { .. }
            | Self::RolesSet { .. }
            | Self::Subscribed { .. }
            | Self::Unsubscribed { .. }
            | Self::AccountAdded { .. }
            | Self::CredentialSet { .. }
            | Self::AccountRemoved { .. } => None,
        }
    }
}
