//! Deciding what happens to mailboxes as names: CREATE, DELETE, RENAME, roles, subscriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::place::Destination;
use super::{Decision, NewMailbox, Original};
use crate::limits::{MAILBOXES_MAX, SUBSCRIPTIONS_MAX};
use crate::{
    Change, Counts, Directory, Keywords, MailboxFacts, MailboxId, MailboxName, Modseq, Refusal, Right,
    Rights, UidSet, UidValidity, roles,
};

impl<'a> Decision<'a> {
    fn directory(&self) -> &'a Directory {
        self.account.directory()
    }

    pub(super) fn create(&mut self, mailboxes: &[NewMailbox]) -> Result<(), Refusal> {
        self.require(Right::CreateMailbox)?;
        let mut births = Births::new(self.directory(), self.now.0);
        let named: BTreeSet<&MailboxName> = mailboxes.iter().map(|mailbox| &mailbox.name).collect();
        if named.len() < mailboxes.len() {
            return Err(Refusal::AlreadyExists);
        }
        let mut roles_taken: BTreeSet<&'static str> = BTreeSet::new();
        for new in mailboxes {
            if self.directory().mailbox(&new.name).is_some() {
                return Err(Refusal::AlreadyExists);
            }
            let roles = self.roles(&new.roles, None)?;
            if !roles.iter().all(|role| roles_taken.insert(role)) {
                return Err(ROLE_TAKEN);
            }
            let superiors = new.name.superiors().filter(|name| !named.contains(name));
            births.superiors(superiors, &mut self.changes)?;
            let (mailbox, _) = births.one(&new.name, new.uid_validity, &mut self.changes)?;
            if !roles.is_empty() {
                let roles = roles.iter().map(|&role| role.to_owned()).collect();
                self.changes.push(Change::RolesSet { mailbox, roles });
            }
            if new.subscribe {
                self.subscribe(&new.name)?;
            }
            self.receipt.mailbox = Some(mailbox);
        }
        Ok(())
    }

    /// Attributes in their one spelling, if they are known and free. `of` is the mailbox that may hold them already.
    fn roles(&self, wanted: &[String], of: Option<MailboxId>) -> Result<Vec<&'static str>, Refusal> {
        let mut found = BTreeSet::new();
        for role in wanted {
            let role = roles::canonical(role).ok_or(Refusal::UseAttr("unknown special-use attribute"))?;
            let holder =
                self.directory().mailboxes().find(|facts| facts.roles.iter().any(|held| held == role));
            if holder.is_some_and(|facts| Some(facts.id) != of) {
                return Err(ROLE_TAKEN);
            }
            found.insert(role);
        }
        Ok(found.into_iter().collect())
    }

    pub(super) fn set_roles(&mut self, mailbox: MailboxId, roles: &[String]) -> Result<(), Refusal> {
        let facts = self.directory().mailbox_by_id(mailbox).ok_or(Refusal::NonExistent)?;
        let old = &facts.roles;
        self.require(Right::Administer)?;
        let roles = self.roles(roles, Some(mailbox))?;
        if !roles.iter().eq(old) {
            let roles = roles.into_iter().map(str::to_owned).collect();
            self.changes.push(Change::RolesSet { mailbox, roles });
        }
        Ok(())
    }

    /// A client may know UIDs that were given out, so they keep their meaning: only a mailbox that never held a message
    /// takes another UIDVALIDITY, and UIDNEXT only rises.
    pub(super) fn revalidate(
        &mut self,
        mailbox: MailboxId,
        uid_validity: UidValidity,
        uid_next: u32,
    ) -> Result<(), Refusal> {
        let facts = self.directory().mailbox_by_id(mailbox).ok_or(Refusal::NonExistent)?;
        let (was_validity, was_next) = (facts.uid_validity, facts.uid_next);
        self.require(Right::Administer)?;
        if was_validity != uid_validity && was_next > 1 {
            return Err(Refusal::Cannot("UIDs of this mailbox were given out already"));
        }
        if was_validity != uid_validity || was_next < uid_next {
            self.changes.push(Change::Revalidated {
                mailbox,
                uid_validity,
                uid_next: was_next.max(uid_next),
            });
        }
        Ok(())
    }

    /// Only the mailbox itself goes. Names below it stay, and it stays as their `\NonExistent` parent (RFC 9051, 6.3.5);
    /// its subscription stays too, since a server must not end one by itself (6.3.7).
    pub(super) fn delete(&mut self, name: &MailboxName) -> Result<(), Refusal> {
        if name.is_inbox() {
            return Err(Refusal::Cannot("INBOX cannot be deleted"));
        }
        let mailbox = self.directory().mailbox(name).ok_or(Refusal::NonExistent)?.id;
        self.require(Right::DeleteMailbox)?;
        self.changes.push(Change::MailboxDeleted { mailbox });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &MailboxName, to: &MailboxName) -> Result<(), Refusal> {
        let directory = self.directory();
        if directory.mailbox(to).is_some() {
            return Err(Refusal::AlreadyExists);
        }
        self.require(Right::CreateMailbox)?;
        self.require(Right::DeleteMailbox)?;
        if from.is_inbox() {
            return self.rename_inbox(to);
        }
        if to.is_below(from) {
            return Err(Refusal::Cannot("a mailbox cannot move below itself"));
        }
        let itself = directory.mailbox(from);
        let moving: Vec<&Arc<MailboxFacts>> = itself.into_iter().chain(directory.below(from)).collect();
        if moving.is_empty() {
            return Err(Refusal::NonExistent);
        }
        let leaving: BTreeSet<MailboxId> = moving.iter().map(|facts| facts.id).collect();
        let mut renames = BTreeMap::new();
        for facts in moving {
            let Some(name) = facts.name.rebased(from, to) else { continue };
            let name = name.map_err(Refusal::BadName)?;
            let holder = directory.mailbox(&name);
            if holder.is_some_and(|holder| !leaving.contains(&holder.id)) {
                return Err(Refusal::AlreadyExists);
            }
            renames.insert(name, facts.id);
        }
        // No superior of the new name is among those that move: then it would lie below the old one.
        Births::new(directory, self.now.0).superiors(to.superiors(), &mut self.changes)?;
        self.receipt.mailbox = renames.get(to).copied();
        let renamed = renames.into_iter().map(|(name, mailbox)| Change::MailboxRenamed { mailbox, name });
        self.changes.extend(renamed);
        Ok(())
    }

    /// RENAME of INBOX: its messages move to the new name, INBOX stays, empty, and so do the names below it (RFC 9051, 6.3.6).
    fn rename_inbox(&mut self, to: &MailboxName) -> Result<(), Refusal> {
        let inbox = self.directory().mailbox(&MailboxName::inbox()).ok_or(Refusal::NonExistent)?.id;
        let (source, columns) = self.columns(inbox)?;
        let mut births = Births::new(self.directory(), self.now.0);
        births.superiors(to.superiors(), &mut self.changes)?;
        let (id, uid_validity) = births.one(to, None, &mut self.changes)?;
        let newborn = MailboxFacts {
            id,
            name: to.clone(),
            uid_validity,
            uid_next: 1,
            counts: Counts::default(),
            highest_modseq: Modseq(0),
            roles: Vec::new(),
            keywords: Keywords::default(),
        };
        let all = UidSet::from_range(1, u32::MAX);
        // The flags go along whole, whoever renames.
        let destination = Destination::new(&newborn, Rights::OWNER);
        self.transfer(source, columns, &all, destination, Original::Goes)?;
        self.receipt.mailbox = Some(id);
        self.receipt.uid_validity = Some(uid_validity);
        Ok(())
    }

    pub(super) fn subscribe(&mut self, name: &MailboxName) -> Result<(), Refusal> {
        let subscriptions = self.directory().subscriptions();
        if subscriptions.contains(name) {
            return Ok(());
        }
        if subscriptions.len() + self.subscribed >= SUBSCRIPTIONS_MAX {
            return Err(Refusal::Limit("too many subscriptions"));
        }
        self.subscribed += 1;
        self.changes.push(Change::Subscribed { name: name.clone() });
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, name: &MailboxName) {
        if self.directory().subscriptions().contains(name) {
            self.changes.push(Change::Unsubscribed { name: name.clone() });
        }
    }
}

const ROLE_TAKEN: Refusal = Refusal::UseAttr("another mailbox has that special-use attribute");

/// New mailboxes of one entry: hands out identities and UIDVALIDITYs.
#[derive(Debug)]
struct Births<'a> {
    directory: &'a Directory,
    born: BTreeSet<MailboxName>,
    id_last: u64,
    uid_validity_last: u32,
    /// Seconds since 1970.
    now: u32,
}

impl<'a> Births<'a> {
    fn new(directory: &'a Directory, now_millis: u64) -> Self {
        Self {
            directory,
            born: BTreeSet::new(),
            id_last: directory.mailbox_id_last,
            uid_validity_last: directory.uid_validity_last,
            now: u32::try_from(now_millis / 1_000).unwrap_or(u32::MAX),
        }
    }

    /// Creates those of the names, from the top, that do not exist (RFC 9051, 6.3.4).
    fn superiors(
        &mut self,
        names: impl Iterator<Item = MailboxName>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        for name in names {
            if self.directory.mailbox(&name).is_none() && !self.born.contains(&name) {
                self.one(&name, None, changes)?;
            }
        }
        Ok(())
    }

    /// UIDVALIDITY is the time, or one more than any ever given here if that is larger, so that a mailbox deleted and created
    /// anew never has one that a client remembers.
    fn one(
        &mut self,
        name: &MailboxName,
        uid_validity: Option<UidValidity>,
        changes: &mut Vec<Change>,
    ) -> Result<(MailboxId, UidValidity), Refusal> {
        if self.directory.mailboxes_count() + self.born.len() >= MAILBOXES_MAX {
            return Err(Refusal::Limit("too many mailboxes"));
        }
        let next = self.uid_validity_last.checked_add(1).map(|next| next.max(self.now));
        let uid_validity = uid_validity
            .or_else(|| next.and_then(UidValidity::new))
            .ok_or(Refusal::Limit("UIDVALIDITY is used up"))?;
        self.uid_validity_last = self.uid_validity_last.max(uid_validity.value());
        self.id_last += 1;
        let mailbox = MailboxId(self.id_last);
        self.born.insert(name.clone());
        changes.push(Change::MailboxCreated { mailbox, name: name.clone(), uid_validity, uid_next: 1 });
        Ok((mailbox, uid_validity))
    }
}
