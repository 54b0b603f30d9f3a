//! Intentions, and how they become decisions.
//!
//! A draft is re-decided from scratch when another writer was quicker, so it holds what is wanted and the conditions,
//! never a number that only the journal can give.

use crate::{
    Account, AccountId, BlobId, Entry, FlagNames, FlagOp, Flags, InternalDate, MailboxId, MailboxName, Millis, Modseq,
    Rights, Uid, UidSet, UidValidity,
};

/// A message about to be appended; its blob is already with the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NewMessage {
    pub blob: BlobId,
    /// Octets.
    pub size: u64,
    pub internal_date: InternalDate,
    pub flags: FlagNames,
    /// Import only: keep this UID (at least UIDNEXT, else refused).
    pub uid: Option<Uid>,
}

/// A message with its decided UID and flags, as the journal records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct PlacedMessage {
    pub uid: Uid,
    pub blob: BlobId,
    pub size: u64,
    pub internal_date: InternalDate,
    pub flags: Flags,
    /// `None`: the entry's time. Given when an import keeps it. (COPY and MOVE set a new one: RFC 8514.)
    pub save_date: Option<Millis>,
}

/// A mailbox about to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NewMailbox {
    pub name: MailboxName,
    /// e.g. `\Sent`
    pub roles: Vec<String>,
    pub subscribe: bool,
    /// Import only: keep this UIDVALIDITY.
    pub uid_validity: Option<UidValidity>,
}

/// What somebody wants to change. One draft is one command is one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Draft {
    /// CREATE (superior names are created with it, RFC 9051 6.3.4), and the first mailboxes of an account.
    Create { mailboxes: Vec<NewMailbox> },
    /// DELETE: INBOX never; a name with children stays as `\NonExistent` parent of them.
    Delete { name: MailboxName },
    /// RENAME with all children in one entry. Of INBOX: its messages move to the new name, INBOX stays, empty (6.3.6).
    Rename { from: MailboxName, to: MailboxName },
    SetRoles { mailbox: MailboxId, roles: Vec<String> },
    Subscribe { name: MailboxName },
    Unsubscribe { name: MailboxName },
    /// APPEND, MULTIAPPEND, delivery, import: all or nothing.
    Append { mailbox: MailboxId, messages: Vec<NewMessage> },
    /// STORE; `unchanged_since` as RFC 7162 3.1.3. Messages that are gone are left out (see `Receipt::missing`).
    Store { mailbox: MailboxId, uids: UidSet, op: FlagOp, flags: FlagNames, unchanged_since: Option<Modseq> },
    /// EXPUNGE and UID EXPUNGE: only messages with `\Deleted` when `only_deleted`.
    Expunge { mailbox: MailboxId, uids: UidSet, only_deleted: bool },
    /// COPY: flags and internal date kept; new save date.
    Copy { from: MailboxId, uids: UidSet, to: MailboxId },
    /// MOVE: copy and expunge in one entry. `from == to` is allowed (new UIDs).
    Move { from: MailboxId, uids: UidSet, to: MailboxId },
    /// REPLACE (RFC 8508): append and expunge in one entry; refused with `ExpungeIssued` when the old one is gone.
    Replace { from: MailboxId, uid: Uid, to: MailboxId, message: NewMessage },
    /// Roster only.
    AddAccount { account: AccountId, name: String, credential: Option<String> },
    SetCredential { account: AccountId, credential: String },
    RemoveAccount { account: AccountId },
}

/// What a draft came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The entry's number; `None` when nothing changed and nothing was written.
    pub modseq: Option<Modseq>,
    /// UIDVALIDITY of the destination (Append, Copy, Move, Replace).
    pub uid_validity: Option<UidValidity>,
    /// Source UIDs really copied, moved or expunged, ascending.
    pub source: UidSet,
    /// New UIDs, ascending; the n-th belongs to the n-th of `source` or of the appended messages.
    pub uids: UidSet,
    /// STORE: failed UNCHANGEDSINCE (RFC 7162 MODIFIED).
    pub modified: UidSet,
    /// Wanted but no longer there.
    pub missing: UidSet,
    /// Create, Rename: the mailbox (the last one named).
    pub mailbox: Option<MailboxId>,
}

/// A refusal with a reason: answered NO with a response code, nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Refusal {
    AlreadyExists,
    NonExistent,
    /// INBOX cannot be deleted; a name cannot move below itself; …
    Cannot(&'static str),
    /// A name that is too long or deep after RENAME, …
    BadName(crate::NameError),
    /// More than [`crate::KEYWORDS_MAX`] keywords, mailboxes, messages, UIDs used up.
    Limit(&'static str),
    NoPermission,
    /// REPLACE of a message that is gone.
    ExpungeIssued,
    /// Only import: the given UID is already passed.
    UidTaken,
    /// A role already held by another mailbox, or unknown (RFC 6154 USEATTR).
    UseAttr(&'static str),
}

impl Draft {
    /// The mailboxes whose message columns must be loaded before [`Draft::decide`].
    pub fn needs(&self, _account: &Account) -> Vec<MailboxId> {
        todo!()
    }

    /// Does the draft free space rather than take it (it may use the store's reserve on a full disk)?
    pub fn shrinks(&self) -> bool {
        matches!(self, Self::Expunge { .. } | Self::Delete { .. })
    }

    /// Decides: checks rights and conditions against `account` and assigns numbers. `no` is the number the entry would
    /// get (greater than the head). `Ok((None, receipt))` when there is nothing to write.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be written.
    pub fn decide(
        &self,
        _account: &Account,
        _rights: Rights,
        _no: Modseq,
        _now: Millis,
    ) -> Result<(Option<Entry>, Receipt), Refusal> {
        todo!()
    }
}
