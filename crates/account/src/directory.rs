//! The directory of an account: what LIST, STATUS, delivery and quota need without any message columns. A few
//! kilobytes, always loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::{AccountId, Change, Entry, Keywords, MailboxId, MailboxName, Modseq, PlacedMessage, UidValidity};

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
    // What rarely changes is shared apart, so that an entry about messages copies none of it.
    pub(crate) names: Arc<BTreeMap<MailboxName, MailboxId>>,
    pub(crate) subscriptions: Arc<BTreeSet<MailboxName>>,
    pub(crate) roster: Arc<Roster>,
    /// Highest UIDVALIDITY ever given, so that a name deleted and created anew gets a larger one.
    pub(crate) uid_validity_last: u32,
    /// Highest mailbox identity ever given, so that none is given twice.
    pub(crate) mailbox_id_last: u64,
}

/// The server's accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Roster {
    pub(crate) lines: BTreeMap<String, RosterLine>,
    pub(crate) names: BTreeMap<AccountId, String>,
    /// Highest account number ever given.
    pub(crate) account_last: u64,
}

impl Roster {
    pub(crate) fn line_of(&self, account: AccountId) -> Option<&RosterLine> {
        self.lines.get(self.names.get(&account)?)
    }
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

    /// How many mailboxes there are.
    pub fn mailboxes_count(&self) -> usize {
        self.mailboxes.len()
    }

    /// Has the name (existing or not) mailboxes below it?
    pub fn has_children(&self, name: &MailboxName) -> bool {
        self.below(name).next().is_some()
    }

    /// The mailboxes below a name, at any depth, in order.
    pub fn below(&self, name: &MailboxName) -> impl Iterator<Item = &Arc<MailboxFacts>> {
        let prefix = format!("{name}{}", MailboxName::DELIMITER);
        let range = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let found = self.names.range::<str, _>(range);
        found
            .take_while(move |(name, _)| name.as_str().starts_with(&prefix))
            .filter_map(|(_, id)| self.mailboxes.get(id))
    }

    /// Subscribed names, existing or not, in order.
    pub fn subscriptions(&self) -> &BTreeSet<MailboxName> {
        &self.subscriptions
    }

    /// The roster, by canonical name.
    pub fn roster(&self) -> &BTreeMap<String, RosterLine> {
        &self.roster.lines
    }

    /// The roster's line about one account.
    pub fn roster_line(&self, account: AccountId) -> Option<&RosterLine> {
        self.roster.line_of(account)
    }

    /// Highest account number the roster ever gave, also to accounts since removed. The next account is one more.
    pub fn account_last(&self) -> AccountId {
        AccountId(self.roster.account_last)
    }
}

/// The fold of the directory.
impl Directory {
    /// What one change of an entry does. Never looks at message columns: changes carry the counts they lead to.
    pub(crate) fn apply(&mut self, change: &Change, entry: &Entry) {
        match change {
            Change::MailboxCreated { mailbox, name, uid_validity, uid_next } => {
                self.create(*mailbox, name, *uid_validity, *uid_next, entry.no);
            }
            Change::MailboxRenamed { mailbox, name } => self.rename(*mailbox, name),
            Change::MailboxDeleted { mailbox } => self.delete(*mailbox),
            Change::RolesSet { mailbox, roles } => {
                self.change(*mailbox, |facts| facts.roles.clone_from(roles));
            }
            Change::Subscribed { name } => {
                Arc::make_mut(&mut self.subscriptions).insert(name.clone());
            }
            Change::Unsubscribed { name } => {
                Arc::make_mut(&mut self.subscriptions).remove(name);
            }
            Change::KeywordAdded { mailbox, name } => {
                self.touch(*mailbox, entry.no, |facts| facts.keywords.add(name));
            }
            Change::Appended { mailbox, messages, counts } => self.touch(*mailbox, entry.no, |facts| {
                facts.counts = *counts;
                facts.uid_next = uid_next_after(facts.uid_next, messages);
            }),
            Change::Flagged { mailbox, counts, .. } | Change::Expunged { mailbox, counts, .. } => {
                self.touch(*mailbox, entry.no, |facts| facts.counts = *counts);
            }
            Change::Revalidated { mailbox, uid_validity, uid_next } => {
                self.uid_validity_last = self.uid_validity_last.max(uid_validity.value());
                self.touch(*mailbox, entry.no, |facts| {
                    facts.uid_validity = *uid_validity;
                    facts.uid_next = facts.uid_next.max(*uid_next);
                });
            }
            Change::AccountAdded { .. } | Change::CredentialSet { .. } | Change::AccountRemoved { .. } => {
                Arc::make_mut(&mut self.roster).apply(change);
            }
        }
    }

    fn change(&mut self, mailbox: MailboxId, change: impl FnOnce(&mut MailboxFacts)) {
        if let Some(facts) = self.mailboxes.get_mut(&mailbox) {
            change(Arc::make_mut(facts));
        }
    }

    fn touch(&mut self, mailbox: MailboxId, no: Modseq, change: impl FnOnce(&mut MailboxFacts)) {
        self.change(mailbox, |facts| {
            change(facts);
            facts.highest_modseq = no;
        });
    }

    fn create(
        &mut self,
        id: MailboxId,
        name: &MailboxName,
        validity: UidValidity,
        uid_next: u32,
        no: Modseq,
    ) {
        self.uid_validity_last = self.uid_validity_last.max(validity.value());
        self.mailbox_id_last = self.mailbox_id_last.max(id.0);
        if self.mailboxes.contains_key(&id) || self.names.contains_key(name) {
            return;
        }
        let facts = MailboxFacts {
            id,
            name: name.clone(),
            uid_validity: validity,
            uid_next: uid_next.max(1),
            counts: Counts::default(),
            highest_modseq: no,
            roles: Vec::new(),
            keywords: Keywords::default(),
        };
        self.mailboxes.insert(id, Arc::new(facts));
        Arc::make_mut(&mut self.names).insert(name.clone(), id);
    }

    fn rename(&mut self, mailbox: MailboxId, name: &MailboxName) {
        let Some(facts) = self.mailboxes.get_mut(&mailbox) else { return };
        let names = Arc::make_mut(&mut self.names);
        // In a rename of many the old name may already be another's: then it is no longer ours to take away.
        if names.get(&facts.name) == Some(&mailbox) {
            names.remove(&facts.name);
        }
        names.insert(name.clone(), mailbox);
        Arc::make_mut(facts).name = name.clone();
    }

    fn delete(&mut self, mailbox: MailboxId) {
        let Some(facts) = self.mailboxes.remove(&mailbox) else { return };
        if self.names.get(&facts.name) == Some(&mailbox) {
            Arc::make_mut(&mut self.names).remove(&facts.name);
        }
    }
}

/// UIDNEXT after messages were appended; UIDs that do not rise do not count.
fn uid_next_after(uid_next: u32, messages: &[PlacedMessage]) -> u32 {
    messages.iter().map(|message| message.uid.value().saturating_add(1)).fold(uid_next, u32::max)
}

impl Roster {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::AccountAdded { account, name } => {
                self.account_last = self.account_last.max(account.0);
                if self.names.contains_key(account) || self.lines.contains_key(name) {
                    return;
                }
                let line = RosterLine { account: *account, name: name.clone(), credential: None };
                self.names.insert(*account, name.clone());
                self.lines.insert(name.clone(), line);
            }
            Change::CredentialSet { account, credential } => {
                if let Some(line) = self.names.get(account).and_then(|name| self.lines.get_mut(name)) {
                    line.credential = Some(credential.clone());
                }
            }
            Change::AccountRemoved { account } => {
                if let Some(name) = self.names.remove(account) {
                    self.lines.remove(&name);
                }
            }
            _ => {}
        }
    }
}
