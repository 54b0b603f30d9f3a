//! The folded account: the directory, always there, and the message columns of the mailboxes that are loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checkpoint::SavedMailbox;
use crate::{Change, Directory, Entry, Mailbox, MailboxId, Modseq};

/// An account folded up to its head. Cloning shares everything; `apply` copies what it touches.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub(crate) head: Modseq,
    pub(crate) chain: u32,
    pub(crate) directory: Arc<Directory>,
    /// Only the mailboxes whose columns are loaded.
    pub(crate) mailboxes: BTreeMap<MailboxId, Arc<Mailbox>>,
    /// What the last manifest said about each mailbox, loaded or not.
    pub(crate) saved: Arc<BTreeMap<MailboxId, SavedMailbox>>,
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

    /// All mailboxes whose columns are loaded.
    pub fn all_loaded(&self) -> impl Iterator<Item = (MailboxId, &Arc<Mailbox>)> {
        self.mailboxes.iter().map(|(&id, columns)| (id, columns))
    }

    /// Puts loaded columns (folded to this head) into place. Columns that are not of this head, or of a mailbox that
    /// is gone, are left out, and the answer is `false`: load again, or fold the missing entries with
    /// [`Mailbox::apply`] first.
    pub fn install(&mut self, mailbox: MailboxId, columns: Arc<Mailbox>) -> bool {
        let fits = self
            .directory
            .mailbox_by_id(mailbox)
            .is_some_and(|facts| facts.highest_modseq == columns.highest_modseq());
        if fits {
            self.mailboxes.insert(mailbox, columns);
        }
        fits
    }

    /// Drops the columns of a mailbox (they can be loaded again).
    pub fn unload(&mut self, mailbox: MailboxId) {
        self.mailboxes.remove(&mailbox);
    }

    /// The fold: total and deterministic. An entry that contradicts the state changes as much of it as makes sense
    /// and never panics; one at or below the head is already folded in and changes nothing. `chain` is the entry's own
    /// chain value.
    ///
    /// A mailbox that the entry creates is loaded from then on; a mailbox that is not loaded changes in the directory only.
    pub fn apply(&mut self, entry: &Entry, chain: u32) {
        if entry.no <= self.head {
            return;
        }
        self.head = entry.no;
        self.chain = chain;
        let directory = Arc::make_mut(&mut self.directory);
        for change in &entry.changes {
            directory.apply(change, entry);
        }
        let mut touched = Vec::new();
        for change in &entry.changes {
            match change {
                Change::MailboxCreated { mailbox, .. } if directory.mailboxes.contains_key(mailbox) => {
                    self.mailboxes.entry(*mailbox).or_default();
                }
                Change::MailboxDeleted { mailbox } => {
                    self.mailboxes.remove(mailbox);
                }
                _ => {}
            }
            if let Some(mailbox) = change.touches()
                && let Some(columns) = self.mailboxes.get_mut(&mailbox)
                && columns.highest_modseq() < entry.no
            {
                Arc::make_mut(columns).apply_change(change, entry);
                touched.push(mailbox);
            }
        }
        for mailbox in touched {
            if let Some(columns) = self.mailboxes.get_mut(&mailbox) {
                Arc::make_mut(columns).conclude(entry.no);
            }
        }
    }
}
