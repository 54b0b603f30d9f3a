//! Intentions, and how they become decisions.
//!
//! A draft is re-decided from scratch when another writer was quicker, so it holds what is wanted and the conditions,
//! never a number that only the journal can give.

mod messages;
mod names;
mod place;
mod roster;

use crate::limits::{ENTRY_BYTES_MAX, ENTRY_CHANGES_MAX};
use crate::{
    Account, AccountId, BlobId, Change, Entry, FlagNames, FlagOp, Flags, InternalDate, MailboxId,
    MailboxName, Millis, Modseq, Right, Rights, Uid, UidSet, UidValidity,
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
    Create {
        mailboxes: Vec<NewMailbox>,
    },
    /// Import only: a mailbox takes over the UIDVALIDITY it had elsewhere, as long as it never held a message, and its UIDNEXT
    /// rises to where it stood there.
    Revalidate {
        mailbox: MailboxId,
        uid_validity: UidValidity,
        uid_next: u32,
    },
    /// DELETE: INBOX never; a name with children stays as `\NonExistent` parent of them.
    Delete {
        name: MailboxName,
    },
    /// RENAME with all children in one entry. Of INBOX: its messages move to the new name, INBOX stays, empty (6.3.6).
    Rename {
        from: MailboxName,
        to: MailboxName,
    },
    SetRoles {
        mailbox: MailboxId,
        roles: Vec<String>,
    },
    Subscribe {
        name: MailboxName,
    },
    Unsubscribe {
        name: MailboxName,
    },
    /// APPEND, MULTIAPPEND, delivery, import: all or nothing.
    Append {
        mailbox: MailboxId,
        messages: Vec<NewMessage>,
    },
    /// STORE; `unchanged_since` as RFC 7162 3.1.3. Messages that are gone are left out (see `Receipt::missing`).
    Store {
        mailbox: MailboxId,
        uids: UidSet,
        op: FlagOp,
        flags: FlagNames,
        unchanged_since: Option<Modseq>,
    },
    /// EXPUNGE and UID EXPUNGE: only messages with `\Deleted` when `only_deleted`.
    Expunge {
        mailbox: MailboxId,
        uids: UidSet,
        only_deleted: bool,
    },
    /// COPY: flags and internal date kept; new save date.
    Copy {
        from: MailboxId,
        uids: UidSet,
        to: MailboxId,
    },
    /// MOVE: copy and expunge in one entry. `from == to` is allowed (new UIDs).
    Move {
        from: MailboxId,
        uids: UidSet,
        to: MailboxId,
    },
    /// REPLACE (RFC 8508): append and expunge in one entry; refused with `ExpungeIssued` when the old one is gone.
    Replace {
        from: MailboxId,
        uid: Uid,
        to: MailboxId,
        message: NewMessage,
    },
    /// Roster only.
    AddAccount {
        account: AccountId,
        name: String,
        credential: Option<String>,
    },
    SetCredential {
        account: AccountId,
        credential: String,
    },
    RemoveAccount {
        account: AccountId,
    },
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

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AlreadyExists => out.write_str("it already exists"),
            Self::NonExistent => out.write_str("there is no such mailbox"),
            Self::Cannot(why) | Self::Limit(why) | Self::UseAttr(why) => out.write_str(why),
            Self::BadName(why) => why.fmt(out),
            Self::NoPermission => out.write_str("permission denied"),
            Self::ExpungeIssued => out.write_str("the message is gone"),
            Self::UidTaken => out.write_str("the UID is already passed"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Draft {
    /// The mailboxes whose message columns must be loaded before [`Draft::decide`] and are not. Delivery, and everything
    /// about names, needs none.
    pub fn needs(&self, account: &Account) -> Vec<MailboxId> {
        let needed = match self {
            Self::Store { mailbox, .. } | Self::Expunge { mailbox, .. } => Some(*mailbox),
            Self::Copy { from, .. } | Self::Move { from, .. } | Self::Replace { from, .. } => Some(*from),
            Self::Rename { from, .. } if from.is_inbox() => {
                account.directory().mailbox(from).map(|facts| facts.id)
            }
            _ => None,
        };
        needed
            .filter(|&id| account.directory().mailbox_by_id(id).is_some() && account.loaded(id).is_none())
            .into_iter()
            .collect()
    }

    /// Does the draft free space rather than take it (it may use the store's reserve on a full disk)?
    pub fn shrinks(&self) -> bool {
        matches!(self, Self::Expunge { .. } | Self::Delete { .. })
    }

    /// Decides: checks rights and conditions against `account` and assigns numbers. `no` is the number the entry would
    /// get (greater than the head). `Ok((None, receipt))` when there is nothing to write.
    ///
    /// `rights` are those on the mailbox that is changed (for COPY and MOVE: that the command needs on both).
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be written.
    pub fn decide(
        &self,
        account: &Account,
        rights: Rights,
        no: Modseq,
        now: Millis,
    ) -> Result<(Option<Entry>, Receipt), Refusal> {
        let mut decision = Decision {
            account,
            rights,
            now,
            changes: Vec::new(),
            subscribed: 0,
            receipt: Receipt::default(),
        };
        match self {
            Self::Create { mailboxes } => decision.create(mailboxes)?,
            Self::Revalidate { mailbox, uid_validity, uid_next } => {
                decision.revalidate(*mailbox, *uid_validity, *uid_next)?;
            }
            Self::Delete { name } => decision.delete(name)?,
            Self::Rename { from, to } => decision.rename(from, to)?,
            Self::SetRoles { mailbox, roles } => decision.set_roles(*mailbox, roles)?,
            Self::Subscribe { name } => decision.subscribe(name)?,
            Self::Unsubscribe { name } => decision.unsubscribe(name),
            Self::Append { mailbox, messages } => decision.append(*mailbox, messages)?,
            Self::Store { mailbox, uids, op, flags, unchanged_since } => {
                decision.store(*mailbox, uids, *op, flags, *unchanged_since)?;
            }
            Self::Expunge { mailbox, uids, only_deleted } => {
                decision.expunge(*mailbox, uids, *only_deleted)?
            }
            Self::Copy { from, uids, to } => decision.copy(*from, uids, *to, Original::Stays)?,
            Self::Move { from, uids, to } => decision.copy(*from, uids, *to, Original::Goes)?,
            Self::Replace { from, uid, to, message } => decision.replace(*from, *uid, *to, message)?,
            Self::AddAccount { account, name, credential } => {
                decision.add_account(*account, name, credential.as_deref())?;
            }
            Self::SetCredential { account, credential } => decision.set_credential(*account, credential)?,
            Self::RemoveAccount { account } => decision.remove_account(*account)?,
        }
        decision.conclude(no)
    }
}

/// What becomes of the messages copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Original {
    /// COPY
    Stays,
    /// MOVE
    Goes,
}

/// A decision in the making.
#[derive(Debug)]
struct Decision<'a> {
    account: &'a Account,
    rights: Rights,
    now: Millis,
    changes: Vec<Change>,
    /// Names that `changes` subscribe.
    subscribed: usize,
    receipt: Receipt,
}

impl Decision<'_> {
    fn require(&self, right: Right) -> Result<(), Refusal> {
        if self.rights.has(right) { Ok(()) } else { Err(Refusal::NoPermission) }
    }

    /// The entry, if anything changes and it is not too large for one piece.
    fn conclude(mut self, no: Modseq) -> Result<(Option<Entry>, Receipt), Refusal> {
        if self.changes.is_empty() {
            return Ok((None, self.receipt));
        }
        if self.changes.len() > ENTRY_CHANGES_MAX {
            return Err(Refusal::Limit("too many changes at once"));
        }
        let entry = Entry { no, time: self.now, changes: self.changes };
        // Encoding twice is only worth it where the bound can be in reach.
        if entry.bytes_bound() > ENTRY_BYTES_MAX && entry.encode(0).len() > ENTRY_BYTES_MAX {
            return Err(Refusal::Limit("too many messages at once"));
        }
        self.receipt.modseq = Some(no);
        Ok((Some(entry), self.receipt))
    }
}
