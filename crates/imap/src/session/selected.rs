//! What exists only while a mailbox is selected.

use account::{MailboxId, Row, UidSet, View};

/// A selected mailbox.
pub(crate) struct Selected {
    pub mailbox: MailboxId,
    pub view: View,
    /// EXAMINE, or no right to write.
    pub read_only: bool,
    /// From this UID on messages are `\Recent` to this session (RFC 3501 2.3.2) up to `recent_end`, exclusive.
    pub recent: UidSet,
    /// Result of the last SEARCH RETURN (SAVE) (RFC 5182).
    pub saved: UidSet,
    /// Keywords already announced in FLAGS; more in the table means a new FLAGS response.
    pub keywords_told: usize,
}

impl Selected {
    /// Is the message `\Recent` to this session?
    pub(crate) fn is_recent(&self, row: &Row) -> bool {
        self.recent.contains(row.uid)
    }
}

impl Selected {
    /// Claims `\Recent` for what is new in the view (RFC 3501 2.3.2): the messages nobody was told of before.
    /// EXAMINE looks without claiming.
    pub(crate) fn claim_recent(&self, account: &dyn account::OpenAccount) -> UidSet {
        let up_to = self.view.mailbox().uid_next();
        let floor = if self.read_only {
            account.recent_floor(self.mailbox)
        } else {
            account.claim_recent(self.mailbox, up_to)
        };
        if floor >= up_to {
            return UidSet::new();
        }
        UidSet::from_range(floor, up_to - 1)
    }

    /// RECENT: how many messages of the view are `\Recent` to this session.
    pub(crate) fn recent_count(&self) -> usize {
        self.view.rows_in(&self.recent).count()
    }
}
