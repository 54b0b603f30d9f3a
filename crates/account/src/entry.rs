//! An entry is a transaction: one command, one number, many changes. It records decisions, never intentions.
//!
//! The byte format is described in `docs/journal.md`; entries are versioned, checksummed and chained.

use crate::{
    AccountId, Counts, FlagOp, Flags, MailboxId, MailboxName, Millis, Modseq, PlacedMessage, UidSet, UidValidity,
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
    MailboxCreated { mailbox: MailboxId, name: MailboxName, uid_validity: UidValidity, uid_next: u32 },
    MailboxRenamed { mailbox: MailboxId, name: MailboxName },
    MailboxDeleted { mailbox: MailboxId },
    /// Special-use attributes (RFC 6154), e.g. `\Sent`, replacing those it had.
    RolesSet { mailbox: MailboxId, roles: Vec<String> },
    Subscribed { name: MailboxName },
    Unsubscribed { name: MailboxName },
    /// The next free index of the mailbox's keyword table gets this name.
    KeywordAdded { mailbox: MailboxId, name: String },
    /// UIDs strictly rise and are at least UIDNEXT.
    Appended { mailbox: MailboxId, messages: Vec<PlacedMessage>, counts: Counts },
    Flagged { mailbox: MailboxId, uids: UidSet, op: FlagOp, flags: Flags, counts: Counts },
    Expunged { mailbox: MailboxId, uids: UidSet, counts: Counts },
    /// UIDVALIDITY raised (a restore, or UIDs used up).
    Revalidated { mailbox: MailboxId, uid_validity: UidValidity },
    /// Roster: an account begins. `name` is `local@domain` in its canonical form.
    AccountAdded { account: AccountId, name: String },
    /// Roster: the credential (a PHC string) that proves the account's owner.
    CredentialSet { account: AccountId, credential: String },
    /// Roster: the account is gone.
    AccountRemoved { account: AccountId },
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

impl Entry {
    /// The bytes of the entry, chained to the entry before it.
    pub fn encode(&self, _previous_chain: u32) -> Vec<u8> {
        todo!()
    }

    /// Reads an entry and checks that it follows `previous_chain`; returns it with its own chain value.
    ///
    /// # Errors
    /// [`DecodeError`], see there.
    pub fn decode(_bytes: &[u8], _previous_chain: u32) -> Result<(Self, u32), DecodeError> {
        todo!()
    }

    /// The chain value of encoded bytes (what the next entry must name).
    pub fn chain_of(_bytes: &[u8]) -> u32 {
        todo!()
    }
}
