//! The folded account: the directory, always there, and the message columns of the mailboxes that are loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{
    AccountId, Entry, Keywords, Mailbox, MailboxId, MailboxName, Modseq, UidValidity,
};

/// What STATUS can ask without message columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// MESSAGES
    pub messages: u32,
    /// UNSEEN: messages without `\Seen`.
    pub unseen: u32,
    /// DELETED: messages with `\Deleted`.
    pub deleted: u32,
    /// SIZE: octets of all messages.
    pub size: u64,
}

/// The directory's line about one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxFacts {
    /// Lasting identity.
    pub id: MailboxId,
    /// Present name.
    pub name: MailboxName,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDNEXT; `u32::MAX` means that UIDs are used up (appends are refused with `NO [LIMIT]`).
    pub uid_next: u32,
    /// Counters for STATUS.
    pub counts: Counts,
    /// HIGHESTMODSEQ: of the last entry that touched this mailbox's messages (or created it). Never 0.
    pub highest_modseq: Modseq,
    /// Special-use attributes, e.g. `\Sent`.
    pub roles: Vec<String>,
    /// Keyword table.
    pub keywords: Keywords,
}

/// One account of the server's roster (only in [`AccountId::ROSTER`]'s journal).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterLine {
    /// Whose journal.
    pub account: AccountId,
    /// `local@domain`.
    pub name: String,
    /// PHC string, absent until set.
    pub credential: Option<String>,
}

/// The facts about an account that LIST, STATUS, delivery and quota need: a few kilobytes, always loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    pub(crate) mailboxes: BTreeMap<MailboxId, Arc<MailboxFacts>>,
    pub(crate) names: BTreeMap<MailboxName, MailboxId>,
    pub(crate) subscriptions: BTreeSet<MailboxName>,
    pub(crate) roster: BTreeMap<String, RosterLine>,
    /// Highest UIDVALIDITY ever given, so that a name deleted and created anew gets a larger one.
    pub(crate) uid_validity_last: u32,
}

impl Directory {
    /// The mailbox of that name.
    pub fn mailbox(&self, name: &MailboxName) -> Option<&Arc<MailboxFacts>> {
        self.names.get(name).and_then(|id| self.mailboxes.get(id))
    }

    /// The mailbox with that identity.
    pub fn mailbox_by_id(&self, id: MailboxId) -> Option<&Arc<MailboxFacts>> {
        self.mailboxes.get(&id)
    }

    /// All mailboxes in the order of their names.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Arc<MailboxFacts>> {
        self.names.values().filter_map(|id| self.mailboxes.get(id))
    }

    /// Has the name (existing or not) mailboxes below it?
    pub fn has_children(&self, _name: &MailboxName) -> bool {
        todo!()
    }

    /// Subscribed names, existing or not, in order.
    pub fn subscriptions(&self) -> &BTreeSet<MailboxName> {
        &self.subscriptions
    }

    /// The roster, by canonical name.
    pub fn roster(&self) -> &BTreeMap<String, RosterLine> {
        &self.roster
    }
}

/// An account folded up to its head. Cloning shares everything; `apply` copies what it touches.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub(crate) head: Modseq,
    pub(crate) chain: u32,
    pub(crate) directory: Arc<Directory>,
    /// Only the mailboxes whose columns are loaded.
    pub(crate) mailboxes: BTreeMap<MailboxId, Arc<Mailbox>>,
}

impl Account {
    /// Number of the last entry folded in.
    pub fn head(&self) -> Modseq {
        self.head
    }

    /// Chain value of the last entry folded in.
    pub fn chain(&self) -> u32 {
        self.chain
    }

    /// The directory.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The columns of a mailbox, if they are loaded.
    pub fn loaded(&self, mailbox: MailboxId) -> Option<&Arc<Mailbox>> {
        self.mailboxes.get(&mailbox)
    }

    /// Puts loaded columns (folded to this head) into place. An empty mailbox needs no loading.
    pub fn install(&mut self, _mailbox: MailboxId, _columns: Arc<Mailbox>) {
        todo!()
    }

    /// Drops the columns of a mailbox (they can be loaded again).
    pub fn unload(&mut self, _mailbox: MailboxId) {
        todo!()
    }

    /// The fold: total and deterministic. An entry that contradicts the state changes as much of it as makes sense
    /// and never panics; `chain` is the entry's own chain value.
    pub fn apply(&mut self, _entry: &Entry, _chain: u32) {
        todo!()
    }
}
