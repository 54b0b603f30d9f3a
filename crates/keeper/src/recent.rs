//! Who was first told of a message: `\Recent` of RFC 3501, 2.3.2.
//!
//! A floor per mailbox: every UID below it was claimed by some session. Floors live in memory. While the process runs they survive the
//! account's sleep ([`Floors::unusual`]). After a restart a floor stands at the UIDNEXT of the newest checkpoint, so
//! messages that arrived since then are recent once more: if it is not possible to determine whether a session is the first to be
//! notified, the RFC says, the message should be considered recent.

use std::collections::BTreeMap;

use account::{Account, MailboxId};

/// The floors of one account's mailboxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Floors(BTreeMap<MailboxId, u32>);

impl Floors {
    /// The floors of an account that wakes: those remembered from before its sleep, else UIDNEXT at its checkpoint.
    pub(crate) fn waking(checkpoint: &Account, remembered: Option<&Self>) -> Self {
        let mut floors: BTreeMap<MailboxId, u32> =
            checkpoint.directory().mailboxes().map(|facts| (facts.id, facts.uid_next)).collect();
        if let Some(Self(remembered)) = remembered {
            floors.extend(remembered);
        }
        Self(floors)
    }

    /// Where the floor stands. In a mailbox created since the last checkpoint nothing was claimed.
    pub(crate) fn floor(&self, mailbox: MailboxId) -> u32 {
        self.0.get(&mailbox).copied().unwrap_or(1)
    }

    /// Raises the floor to `up_to`; answers where it stood.
    pub(crate) fn claim(&mut self, mailbox: MailboxId, up_to: u32) -> u32 {
        let floor = self.0.entry(mailbox).or_insert(1);
        std::mem::replace(floor, (*floor).max(up_to))
    }

    /// The floors that [`Floors::waking`] would not find by itself, for an account that falls asleep. `tail` tells that
    /// there are entries after its checkpoint.
    pub(crate) fn unusual(&self, account: &Account, tail: bool) -> Option<Self> {
        let lines = account.directory().mailboxes();
        let unusual = lines.filter(|facts| tail || self.floor(facts.id) != facts.uid_next);
        let unusual: BTreeMap<_, _> = unusual.map(|facts| (facts.id, self.floor(facts.id))).collect();
        (!unusual.is_empty()).then_some(Self(unusual))
    }
}
